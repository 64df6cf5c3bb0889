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
	program                  *os.File
}

func newConnection(program []byte) (*connection, error) {
	file, err := programFile(program)
	if err != nil {
		return nil, err
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		file.Close()
		return nil, &SpawnError{Doing: "create init's socket", Cause: err}
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		file.Close()
		unix.Close(pair[0])
		unix.Close(pair[1])
		return nil, &SpawnError{Doing: "create init's status pipe", Cause: err}
	}
	// Only the own end: the payload's side must not see it (pipe(7), O_NONBLOCK is
	// of the open file description).
	n := &connection{socket: pair[0], childSocket: pair[1], status: pipe[0], childStatus: pipe[1], program: file}
	if err := unix.SetNonblock(pipe[0], true); err != nil {
		n.closeChildEnds()
		n.closeOwnEnds()
		return nil, &SpawnError{Doing: "set up init's status pipe", Cause: err}
	}
	return n, nil
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

func (n *connection) closeChildEnds() {
	unix.Close(n.childSocket)
	unix.Close(n.childStatus)
	n.program.Close()
}

func (n *connection) closeOwnEnds() {
	n.closeSocket()
	n.closeStatus()
}

func (n *connection) closeSocket() {
	if n.socket >= 0 {
		unix.Close(n.socket)
		n.socket = -1
	}
}

func (n *connection) closeStatus() {
	if n.status >= 0 {
		unix.Close(n.status)
		n.status = -1
	}
}
