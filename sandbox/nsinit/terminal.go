package nsinit

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/plan"
)

// setTerminal makes a terminal of the container's own devpts the payload's. The
// slave comes from the master by TIOCGPTPEER, never by a path (CVE-2025-52565).
// The supervisor gets the master and answers when it has set the size, so that
// the payload never sees another one.
func (in *Init) setTerminal(op plan.SetTerminal) {
	control := in.Bytes(append(binary.LittleEndian.AppendUint64(nil, unix.SizeofCmsghdr+4),
		u32s(unix.SOL_SOCKET, unix.SCM_RIGHTS, ^uint32(0), 0)...))
	master := control + unix.SizeofCmsghdr
	if op.HostDevices {
		// Its /dev/pts/ptmx is nobody's to open as a rule (mode 0000), and what
		// everybody opens lies in /dev or is a link there.
		in.Call(unix.SYS_OPENAT, Imm(unix.AT_FDCWD), in.Str("/dev/ptmx"), Imm(unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC), Imm(0)).Store(master)
	} else {
		in.Call(unix.SYS_OPENAT, Imm(unix.AT_FDCWD), in.Str("/dev/pts/ptmx"),
			Imm(unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NOFOLLOW), Imm(0)).Store(master)
		in.onDevpts(master)
	}
	in.Call(unix.SYS_IOCTL, Word(master), Imm(unix.TIOCSPTLCK), Addr(in.Space(4)))
	slave := in.NewWord(-1)
	in.Call(unix.SYS_IOCTL, Word(master), Imm(unix.TIOCGPTPEER), Imm(unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)).Store(slave)
	in.park(PointTerminal, control)
	in.receive(in.scratch, scratchSize)

	in.Call(unix.SYS_SETSID).Ignore(unix.EPERM) // a session leader already
	in.Call(unix.SYS_IOCTL, Word(slave), Imm(unix.TIOCSCTTY), Imm(0))
	for fd := range 3 {
		in.Call(unix.SYS_DUP3, Word(slave), Imm(fd), Imm(0))
	}
	in.Call(unix.SYS_CLOSE, Word(slave))
	in.Call(unix.SYS_CLOSE, Word(master))
	in.terminal = true
}

// onDevpts fails with ENOTTY unless a descriptor is on a devpts.
func (in *Init) onDevpts(fd Mem) {
	in.Call(unix.SYS_FSTATFS, Word(fd), Addr(in.scratch))
	wrong, right := in.NewLabel(), in.NewLabel()
	in.TestElse(Long(in.scratch), Imm(-1), Imm(unix.DEVPTS_SUPER_MAGIC), wrong)
	in.Jump(right)
	in.Bind(wrong)
	in.Raise(unix.ENOTTY)
	in.Bind(right)
}

// park says that init is parked at the point, with the descriptor in the control
// message.
func (in *Init) park(point Point, control Mem) {
	header := in.message(in.Bytes(u32s(KindSync, uint32(point))), control)
	in.Call(unix.SYS_SENDMSG, Imm(fdSocket), Addr(header), Imm(unix.MSG_NOSIGNAL))
}
