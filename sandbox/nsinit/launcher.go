package nsinit

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Launcher starts inits. Whatever it started dies with it, and so with this
// process (PDEATHSIG).
type Launcher struct {
	mu          sync.Mutex
	machine     *os.File
	speculative *thread
	plain       *thread
	used        *thread // the one that the first container was started on
}

// NewLauncher returns a launcher; it costs nothing until it is used.
func NewLauncher() *Launcher { return &Launcher{} }

// Speculate begins to make namespaces ("net", "ipc", "uts"; lo is brought up) while
// the caller goes on to find out whether they are wanted: a new net namespace is
// the dearest part of a start. It needs CAP_SYS_ADMIN, and is worth it only where
// a processor is idle. What turns out otherwise is thrown away by Start.
func (l *Launcher) Speculate(namespaces []string) {
	flags, err := spawnFlags(namespaces)
	if err != nil || flags == 0 || flags&^(unix.CLONE_NEWNET|unix.CLONE_NEWIPC|unix.CLONE_NEWUTS) != 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.speculative != nil || l.used != nil {
		return
	}
	if t, err := newThread(); err == nil {
		t.speculate(flags)
		l.speculative = t
	}
}

// Usable waits for the speculation's end and reports whether a Start with these
// namespaces will use it: it succeeded and made none that is not wanted.
func (l *Launcher) Usable(namespaces []string) bool {
	flags, err := spawnFlags(namespaces)
	l.mu.Lock()
	defer l.mu.Unlock()
	return err == nil && l.speculative != nil && l.used == nil && l.speculative.usable(flags)
}

func (t *thread) usable(flags uintptr) bool {
	<-t.ready
	return t.err == nil && t.namespaces&^flags == 0
}

// Spawn says how a machine is started.
type Spawn struct {
	// Namespaces that exist from its first instruction, by name: all but user (its
	// maps would cost the vfork) and time (not with CLONE_VM, clone(2)).
	Namespaces []string
	// Cgroup is the folder of a v2 cgroup to be born in (CLONE_INTO_CGROUP), or nil.
	Cgroup *os.File
	// Stdin, Stdout and Stderr of the payload; nil is /dev/null.
	Stdin, Stdout, Stderr *os.File
}

func spawnFlags(namespaces []string) (uintptr, error) {
	var flags uintptr
	for _, name := range namespaces {
		flag := NamespaceFlag(name)
		if flag == 0 || flag == unix.CLONE_NEWUSER || flag == unix.CLONE_NEWTIME {
			return 0, fmt.Errorf("spawn init in a new %s namespace: it has to be made by init itself", name)
		}
		flags |= flag
	}
	return flags, nil
}

// Start starts the machine on a program. The files given to it may be closed when
// Start has returned.
func (l *Launcher) Start(in *Init, s Spawn) (*Child, error) {
	flags, err := spawnFlags(s.Namespaces)
	if err != nil {
		return nil, err
	}
	encoded, err := in.Encode()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.takeMachine()
	t, err := l.choose(in, flags)
	if err == nil && l.machine == nil {
		l.machine, err = machineFile()
	}
	machine := l.machine
	l.mu.Unlock()
	if err != nil {
		return nil, err
	}
	n, err := newConnection(encoded)
	if err != nil {
		return nil, err
	}
	files, null, err := n.files(in, s)
	if err != nil {
		n.closeChildEnds()
		n.closeOwnEnds()
		return nil, err
	}
	if null != nil {
		defer null.Close()
	}
	child := newChild(in, n, t)
	t.call(func() {
		defer n.closeChildEnds() // before the ends of file are waited for
		if err = child.fork(machine, files, s.Cgroup, flags&^t.namespaces); err == nil {
			t.children = append(t.children, child)
		}
	})
	if err != nil {
		n.closeOwnEnds()
		return nil, err
	}
	return child, nil
}

// takeMachine takes over the machine's file that speculation made.
func (l *Launcher) takeMachine() {
	if t := l.speculative; t != nil && l.machine == nil {
		<-t.ready
		l.machine, t.machine = t.machine, nil
	}
}

// choose returns the thread to fork on: the speculative one for the first container
// when its namespaces are wanted, and any for joins, which leave them at once.
func (l *Launcher) choose(in *Init, flags uintptr) (*thread, error) {
	if in.joined && l.used != nil {
		return l.used, nil
	}
	if t := l.speculative; t != nil && t != l.used {
		if t.usable(flags) && l.used == nil {
			l.used = t
			return t, nil
		}
		close(t.requests) // ends the thread, and its namespaces with it
		<-t.ended
		l.speculative = nil
	}
	if l.plain == nil {
		t, err := newThread()
		if err != nil {
			return nil, err
		}
		l.plain = t
	}
	if l.used == nil {
		l.used = l.plain
	}
	return l.plain, nil
}

// Close ends the launcher's threads, and waits for the end of their children.
func (l *Launcher) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.takeMachine()
	for _, t := range []*thread{l.speculative, l.plain} {
		if t != nil {
			close(t.requests)
			<-t.ended
		}
	}
	if l.machine != nil {
		l.machine.Close()
	}
	l.machine, l.speculative, l.plain, l.used = nil, nil, nil, nil
}

// fork starts the machine; it runs on the thread.
func (c *Child) fork(machine *os.File, files []uintptr, cgroup *os.File, flags uintptr) error {
	// ForkExec moves descriptors out of its way to numbers above the highest of
	// files, so the executable's must be above those too.
	above := 100
	for _, fd := range files {
		above = max(above, int(fd)+1)
	}
	exe, err := unix.FcntlInt(machine.Fd(), unix.F_DUPFD_CLOEXEC, above+len(files)+1)
	if err != nil {
		return &SpawnError{Doing: "duplicate init's memfd", Cause: err, hint: "raise the limit of open files (ulimit -n)"}
	}
	defer unix.Close(exe)
	attr := &syscall.ProcAttr{Files: files, Sys: &syscall.SysProcAttr{Cloneflags: flags, PidFD: &c.pidfd}}
	if cgroup != nil {
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, int(cgroup.Fd())
	}
	pid, err := syscall.ForkExec("/proc/self/fd/"+strconv.Itoa(exe), []string{"sandbox-init"}, attr)
	if err != nil {
		return &SpawnError{Doing: "clone init", Cause: err, hint: spawnHint(err)}
	}
	c.pid = pid
	return nil
}

func spawnHint(err error) string {
	switch err {
	case syscall.EPERM:
		return "namespaces other than user need CAP_SYS_ADMIN; an ordinary user makes a user namespace first"
	case syscall.EAGAIN:
		return "the limit of processes is reached: see ulimit -u and the cgroup's pids.max"
	case syscall.ENOSPC:
		return "the limit of namespaces is reached: see /proc/sys/user/max_*_namespaces"
	case syscall.ENOENT:
		return "/proc must be mounted"
	case syscall.EBUSY:
		return "a v2 cgroup with controllers enabled for its children takes no processes of its own"
	}
	return ""
}
