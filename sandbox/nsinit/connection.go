package nsinit

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// connection is what the supervisor and one init have between them.
type connection struct {
	socket, status           int // the supervisor's ends; -1 when closed
	childSocket, childStatus int
	wake                     int // eventfd: wakes who waits for init
}

func newConnection() (*connection, error) {
	n := &connection{socket: -1, status: -1, childSocket: -1, childStatus: -1, wake: -1}
	if err := n.open(); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *connection) open() error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return &SpawnError{Doing: "create init's socket", Cause: err}
	}
	n.socket, n.childSocket = pair[0], pair[1]
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return &SpawnError{Doing: "create init's status pipe", Cause: err}
	}
	n.status, n.childStatus = pipe[0], pipe[1]
	// Of the own end alone, which is an open file description of its own (pipe(7)).
	if err := unix.SetNonblock(n.status, true); err != nil {
		return &SpawnError{Doing: "set up init's status pipe", Cause: err}
	}
	if n.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return &SpawnError{Doing: "create an eventfd", Cause: err}
	}
	return nil
}

// send sends a program, with the files that it refers to as FirstFD and so on. The
// machine may be there already or be about to be started.
func (n *connection) send(program [][]byte, files []*os.File) error {
	if len(files) > maxFiles {
		return fmt.Errorf("send init %d files, at most %d", len(files), maxFiles)
	}
	sealed, err := programFile(program)
	if err != nil {
		return err
	}
	defer sealed.Close()
	fds := append(make([]int, 0, 8), int(sealed.Fd()))
	for _, f := range files {
		fd := int(f.Fd())
		if fd < 0 {
			return fmt.Errorf("send init its files: %s is closed", f.Name())
		}
		fds = append(fds, fd)
	}
	if err := unix.Sendmsg(n.socket, u32s(uint32(size(program))), unix.UnixRights(fds...), nil, unix.MSG_NOSIGNAL); err != nil {
		return &SpawnError{Doing: "send init its program", Cause: err}
	}
	return nil
}

// wakeUp has who waits for init look again.
func (n *connection) wakeUp() {
	if n.wake < 0 {
		return
	}
	unix.Write(n.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) //nolint:errcheck // full means woken already
}

// closed reports whether the supervisor has no more to do with init.
func (n *connection) closed() bool { return n.wake < 0 }

func (n *connection) close() {
	n.closeChildEnds()
	n.closeOwnEnds()
}

func (n *connection) closeChildEnds() {
	closeFD(&n.childSocket)
	closeFD(&n.childStatus)
}

func (n *connection) closeOwnEnds() {
	closeFD(&n.socket)
	closeFD(&n.status)
	closeFD(&n.wake)
}

// closeFD closes a descriptor that may be closed already.
func closeFD(fd *int) {
	if *fd >= 0 {
		unix.Close(*fd)
		*fd = -1
	}
}
