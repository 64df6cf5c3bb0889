package nsinit

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// retryAfter is how long AwaitTCP and AwaitFile wait between two tries.
const retryAfter = 10e6 // nanoseconds

// leave says on the status pipe that all is done, and ends.
func (in *Init) leave() {
	in.Call(unix.SYS_WRITE, Imm(fdStatus), in.Str("1"), Imm(1))
	in.Exit(0)
}

// awaitTCP connects to a port of lo until that works, by IPv4 or IPv6: what listens
// on "localhost" may have taken either.
func (in *Init) awaitTCP(port uint16) {
	v4 := binary.BigEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, unix.AF_INET), port)
	v4 = append(v4, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0) // struct sockaddr_in
	v6 := make([]byte, unix.SizeofSockaddrInet6)
	binary.LittleEndian.PutUint16(v6, unix.AF_INET6)
	binary.BigEndian.PutUint16(v6[2:], port)
	v6[8+15] = 1 // ::1
	again, ready := in.NewLabel(), in.NewLabel()
	in.Bind(again)
	for _, address := range [][]byte{v4, v6} {
		fd, next := in.NewWord(-1), in.NewLabel()
		family := uint32(binary.LittleEndian.Uint16(address))
		in.Call(unix.SYS_SOCKET, Imm(family), Imm(unix.SOCK_STREAM|unix.SOCK_CLOEXEC), Imm(0)).Store(fd).Else(next)
		in.Call(unix.SYS_CONNECT, Word(fd), Addr(in.Bytes(address)), Imm(len(address))).Then(ready).Ignore()
		in.Call(unix.SYS_CLOSE, Word(fd))
		in.Bind(next)
	}
	in.pause()
	in.Jump(again)
	in.Bind(ready)
}

// awaitFile looks for a path until it is there.
func (in *Init) awaitFile(path string) {
	again, ready := in.NewLabel(), in.NewLabel()
	in.Bind(again)
	in.Call(unix.SYS_FACCESSAT, Imm(unix.AT_FDCWD), in.Str(path), Imm(unix.F_OK)).Then(ready).Ignore()
	in.pause()
	in.Jump(again)
	in.Bind(ready)
}

func (in *Init) pause() {
	request := binary.LittleEndian.AppendUint64(make([]byte, 8), retryAfter) // struct timespec
	in.Call(unix.SYS_NANOSLEEP, Addr(in.Bytes(request)), Imm(0))
}

// stay has the keeper live on when the payload has ended, until it is killed or the
// supervisor is gone. Nobody's children end as its own, and are reaped by the
// kernel as soon as SIGCHLD is ignored (wait(2)), those that ended before by hand.
func (in *Init) stay() {
	ignore := make([]byte, 32) // struct sigaction of the kernel, the handler first
	binary.LittleEndian.PutUint64(ignore, sigIgnore)
	in.Call(unix.SYS_RT_SIGACTION, Imm(int(unix.SIGCHLD)), Addr(in.Bytes(ignore)), Imm(0), Imm(8))
	n, again, reaped := in.NewWord(0), in.NewLabel(), in.NewLabel()
	in.Bind(again)
	in.Call(unix.SYS_WAIT4, Imm(-1), Imm(0), Imm(unix.WNOHANG|unix.WALL), Imm(0)).Store(n).Else(reaped, unix.ECHILD)
	in.TestElse(Word(n), Imm(-1), Imm(0), again)
	in.Bind(reaped)
	in.Call(unix.SYS_RECVFROM, Imm(fdSocket), Addr(in.scratch), Imm(scratchSize), Imm(0), Imm(0), Imm(0))
}

// sigIgnore is SIG_IGN.
const sigIgnore = 1
