package nsinit

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// enterNet waits for the net namespace that was made ahead, or is told that none
// was and makes it.
func (in *Init) enterNet() {
	control := in.Bytes(append(make([]byte, unix.SizeofCmsghdr), u32s(^uint32(0), 0)...))
	fd := control + unix.SizeofCmsghdr
	iovec := in.Iovec(in.Space(8), 8)
	header := in.Space(unix.SizeofMsghdr) // name, namelen, iov, iovlen, control, controllen, flags
	in.Pointer(header+16, iovec)
	binary.LittleEndian.PutUint64(in.memory[header+24:], 1)
	in.Pointer(header+32, control)
	binary.LittleEndian.PutUint64(in.memory[header+40:], unix.SizeofCmsghdr+8)
	n, told := in.NewWord(0), in.NewLabel()
	in.Call(unix.SYS_RECVMSG, Imm(fdSocket), Addr(header), Imm(unix.MSG_CMSG_CLOEXEC)).Store(n)
	in.TestElse(Word(n), Imm(-1), Imm(0), told)
	in.Exit(exitSetup) // the supervisor is gone
	in.Bind(told)
	made, done := in.NewLabel(), in.NewLabel()
	in.TestElse(Word(fd), Imm(-1), Imm(-1), made)
	in.Call(unix.SYS_UNSHARE, Imm(unix.CLONE_NEWNET)).Then(done)
	in.Bind(made)
	in.Call(unix.SYS_SETNS, Word(fd), Imm(unix.CLONE_NEWNET))
	in.Call(unix.SYS_CLOSE, Word(fd))
	in.Bind(done)
}

// net is a net namespace on its way to init.
type net struct {
	fd            int // -1 for none
	made, awaited bool
}

// offerNet hands init a net namespace as soon as it waits for one, or -1, which
// tells it to make its own. The descriptor is init's from now on.
func (c *Child) offerNet(fd int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.net.fd, c.net.made = fd, true
	c.sendNet()
	if c.conn.closed() {
		closeFD(&c.net.fd)
	}
}

// sendNet sends the namespace once it is there and the program that asks for it is
// on its way. Who is gone says why on the next wait.
func (c *Child) sendNet() {
	if !c.net.made || !c.net.awaited {
		return
	}
	c.net.awaited = false
	var rights []byte
	if c.net.fd >= 0 {
		rights = unix.UnixRights(c.net.fd)
	}
	if c.conn.socket >= 0 {
		unix.Sendmsg(c.conn.socket, u32s(KindNet), rights, nil, unix.MSG_NOSIGNAL) //nolint:errcheck // see above
	}
	closeFD(&c.net.fd)
}

// makeNet moves the calling thread to a new net namespace, and returns a descriptor
// of that, or -1.
func makeNet() int {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return -1
	}
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
}

// raiseLoopback brings lo up in the calling thread's net namespace (netdevice(7)).
// Whether that worked is found by the step of the program, which tries again.
func raiseLoopback() {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(socket)
	if request, err := unix.NewIfreq("lo"); err == nil {
		request.SetUint16(unix.IFF_UP | unix.IFF_LOOPBACK | unix.IFF_RUNNING)
		unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request) //nolint:errcheck // see above
	}
}
