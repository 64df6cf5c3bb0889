package nsinit

import "golang.org/x/sys/unix"

// ahead is a machine that was started before it was known what for.
type ahead struct {
	spawn  Spawn
	flags  uintptr
	cpus   processors
	thread *thread
	child  *Child
	ready  chan struct{} // closed when child or err is there
	err    error
}

// Ahead starts a machine, and makes its net namespace, while the caller goes on to
// find out what they are wanted for: new namespaces are the dearest part of a
// start, and lo, which waits for the kernel's one lock of all network
// configuration, the least predictable. Start uses what was made when it is asked
// for the same, and else throws it away. It needs CAP_SYS_ADMIN, and does nothing
// where there is only one processor.
func (l *Launcher) Ahead(s Spawn) {
	flags, err := spawnFlags(s.Namespaces)
	cpus, ok := findProcessors()
	if err != nil || !ok || s.Cgroup != nil {
		return
	}
	a := &ahead{spawn: s, flags: flags, cpus: cpus, thread: newThread(), ready: make(chan struct{})}
	l.mu.Lock()
	l.ahead = a
	l.mu.Unlock()
	a.thread.do(func() { a.start(l) })
	// The newest goroutine is kept for its maker: another thread waits 60 µs before it
	// takes that one (runqgrab in runtime/proc.go). This one is there to be the newest.
	go func() {}()
}

// start runs on a thread of its own, which stays in the net namespace.
func (a *ahead) start(l *Launcher) {
	unix.SchedSetaffinity(0, &a.cpus.others) //nolint:errcheck // then it is slower
	a.child, a.err = a.spawnMachine(l)
	close(a.ready)
	if a.err == nil && a.spawn.Net {
		a.child.offerNet(makeNet())
		raiseLoopback()
	}
}

func (a *ahead) spawnMachine(l *Launcher) (*Child, error) {
	machine, err := l.machineFile()
	if err != nil {
		return nil, err
	}
	files, err := openStdio(a.spawn)
	if err != nil {
		return nil, err
	}
	defer files.close()
	child, err := newChild()
	if err != nil {
		return nil, err
	}
	child.given.made = false
	if err = child.fork(machine, files, nil, a.flags); err == nil {
		err = child.settle(&a.cpus)
	}
	return child.orClosed(err)
}

// Started reports whether a process is the machine that was started ahead.
func (l *Launcher) Started(pid int) bool {
	l.mu.Lock()
	a := l.ahead
	l.mu.Unlock()
	if a == nil {
		return false
	}
	<-a.ready
	return a.child != nil && a.child.PID() == pid
}

// Discard ends the machine that was started ahead, which is then started anew.
func (l *Launcher) Discard() {
	l.mu.Lock()
	a := l.ahead
	l.ahead = nil
	l.mu.Unlock()
	if a != nil {
		a.discard()
	}
}

// discard ends the machine and the thread.
func (a *ahead) discard() {
	<-a.ready
	a.thread.end()
	if a.child != nil {
		a.child.Close() //nolint:errcheck // it has done nothing yet
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
	if a.err != nil || a.flags != flags || s.Cgroup != nil || s.Net && !a.spawn.Net {
		a.discard()
		return nil, nil
	}
	l.mu.Lock()
	l.used = a.thread
	l.mu.Unlock()
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
