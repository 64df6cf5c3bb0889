package nsinit

import "golang.org/x/sys/unix"

// enterNet waits for the net namespace that was made ahead, or is told that none
// was and makes it.
func (in *Init) enterNet() {
	fd := in.receiveDescriptor(KindNet)
	made, done := in.NewLabel(), in.NewLabel()
	in.TestElse(Word(fd), Imm(-1), Imm(-1), made)
	in.Call(unix.SYS_UNSHARE, Imm(unix.CLONE_NEWNET)).Then(done)
	in.Bind(made)
	in.Call(unix.SYS_SETNS, Word(fd), Imm(unix.CLONE_NEWNET))
	in.Call(unix.SYS_CLOSE, Word(fd))
	in.Bind(done)
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
