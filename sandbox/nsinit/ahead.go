package nsinit

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

// ahead is a machine that was started before it was known what for.
type ahead struct {
	spawn Spawn
	flags uintptr
	child *Child
	ready chan struct{} // closed when child or err is there
	err   error
}

// Ahead starts a machine in its namespaces while the caller goes on to find out
// what it is wanted for: new namespaces are the dearest part of a start, and lo,
// which waits for the kernel's one lock of all network configuration, the least
// predictable. Start uses it when it was asked for the same namespaces, and else
// throws it away. It needs CAP_SYS_ADMIN, and is worth it where there is more than
// one processor.
func (l *Launcher) Ahead(s Spawn) {
	flags, err := spawnFlags(s.Namespaces)
	if err != nil || s.Cgroup != nil {
		return
	}
	a := &ahead{spawn: s, flags: flags, ready: make(chan struct{})}
	t := l.thread()
	l.mu.Lock()
	l.ahead = a
	l.mu.Unlock()
	t.do(func() { a.start(l) })
}

// start runs on the launcher's thread.
func (a *ahead) start(l *Launcher) {
	socket, err := a.spawnMachine(l)
	a.err = err
	close(a.ready)
	if socket >= 0 {
		// Whether this worked is found by the program's own step (plan.Loopback), which
		// tries again.
		raiseLoopback(socket) //nolint:errcheck // see above
		unix.Close(socket)
	}
}

// spawnMachine returns a socket in the machine's net namespace, or -1 when it has
// none of its own.
func (a *ahead) spawnMachine(l *Launcher) (int, error) {
	machine, err := l.machineFile()
	if err != nil {
		return -1, err
	}
	files, err := openStdio(a.spawn)
	if err != nil {
		return -1, err
	}
	defer files.close()
	child, err := newChild()
	if err != nil {
		return -1, err
	}
	a.child = child
	in := NewInit()
	if a.flags&unix.CLONE_NEWNET != 0 {
		in.sendSocket()
	}
	in.Next()
	program, err := in.Encode()
	if err == nil {
		err = child.run(in, program)
	}
	if err == nil {
		err = child.fork(machine, files, nil, a.flags)
	}
	if err != nil || a.flags&unix.CLONE_NEWNET == 0 {
		return -1, err
	}
	return child.receiveSocket()
}

// discard ends the machine.
func (a *ahead) discard() {
	<-a.ready
	if a.child != nil {
		a.child.Close()
	}
}

// takeAhead returns the machine that was started ahead if it is what is wanted.
func (l *Launcher) takeAhead(in *Init, s Spawn, flags uintptr) (*Child, error) {
	if in.joined {
		return nil, nil
	}
	l.mu.Lock()
	a := l.ahead
	l.ahead = nil
	l.mu.Unlock()
	if a == nil {
		return nil, nil
	}
	<-a.ready
	if a.err != nil || a.flags != flags || s.Cgroup != nil {
		a.discard()
		return nil, nil
	}
	if s.Stdin == a.spawn.Stdin && s.Stdout == a.spawn.Stdout && s.Stderr == a.spawn.Stderr {
		return a.child, nil
	}
	return a.child, a.child.replaceStdio(s)
}

// replaceStdio gives a machine that waits for its program other standard files.
func (c *Child) replaceStdio(s Spawn) error {
	files, err := openStdio(s)
	if err != nil {
		return err
	}
	defer files.close()
	in := NewInit()
	for fd, f := range files.list {
		in.Call(unix.SYS_DUP3, in.Pass(f), Imm(fd), Imm(0))
	}
	in.Next()
	program, err := in.Encode()
	if err != nil {
		return err
	}
	return c.run(in, program)
}

// sendSocket sends a socket of init's net namespace to the supervisor: what is
// asked of it, by whomever, is asked of that namespace (sock_net in the kernel).
func (in *Init) sendSocket() {
	control := in.Bytes(append(binary.LittleEndian.AppendUint64(nil, unix.SizeofCmsghdr+4),
		u32s(unix.SOL_SOCKET, unix.SCM_RIGHTS, ^uint32(0), 0)...))
	in.Call(unix.SYS_SOCKET, Imm(unix.AF_INET), Imm(unix.SOCK_DGRAM|unix.SOCK_CLOEXEC), Imm(0)).Store(control + unix.SizeofCmsghdr)
	in.sendDescriptor(u32s(KindSocket, 0), control)
}

// receiveSocket waits for the socket of sendSocket.
func (c *Child) receiveSocket() (int, error) {
	var message, control [64]byte
	for {
		n, oob, _, _, err := unix.Recvmsg(c.conn.socket, message[:], control[:], unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		kind, _ := decode(message[:max(n, 0)])
		if files := descriptors(control[:max(oob, 0)]); err == nil && kind == KindSocket && len(files) == 1 {
			defer files[0].Close()
			return unix.FcntlInt(files[0].Fd(), unix.F_DUPFD_CLOEXEC, 0)
		}
		return -1, errors.New("init made ahead sent no socket")
	}
}

// raiseLoopback brings lo up in the socket's net namespace (netdevice(7)).
func raiseLoopback(socket int) error {
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_LOOPBACK | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}
