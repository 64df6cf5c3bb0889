package nsinit

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// connection is what the supervisor and one init have between them.
type connection struct {
	socket, status           int // the supervisor's ends; -1 when closed
	childSocket, childStatus int
	wake                     int // eventfd: wakes who waits for init
	program                  *os.File
}

func newConnection(program []byte) (*connection, error) {
	n := &connection{socket: -1, status: -1, childSocket: -1, childStatus: -1, wake: -1}
	if err := n.open(program); err != nil {
		n.closeChildEnds()
		n.closeOwnEnds()
		return nil, err
	}
	return n, nil
}

func (n *connection) open(program []byte) (err error) {
	if n.program, err = programFile(program); err != nil {
		return err
	}
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

// files are the machine's descriptors by number, and the null device when it was
// opened for that.
func (n *connection) files(in *Init, s Spawn) (list []uintptr, null *os.File, err error) {
	for _, f := range []*os.File{s.Stdin, s.Stdout, s.Stderr} {
		if f == nil {
			if null == nil {
				if null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
					return nil, nil, err
				}
			}
			f = null
		}
		list = append(list, f.Fd())
	}
	list = append(list, uintptr(n.childSocket), uintptr(n.childStatus), n.program.Fd())
	for _, f := range in.files {
		fd := f.Fd()
		if int(fd) < 0 {
			if null != nil {
				null.Close()
			}
			return nil, nil, errors.New("spawn init: a file that it needs is closed: " + f.Name())
		}
		list = append(list, fd)
	}
	return list, null, nil
}

// wakeUp has who waits for init look again.
func (n *connection) wakeUp() {
	if n.wake < 0 {
		return
	}
	unix.Write(n.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) //nolint:errcheck // full means woken already
}

func (n *connection) closeChildEnds() {
	closeFD(&n.childSocket)
	closeFD(&n.childStatus)
	n.program.Close()
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
