package nsinit

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Launcher starts inits. Whatever it started dies with it, and so with this
// process (PDEATHSIG).
type Launcher struct {
	mu      sync.Mutex
	machine *os.File
	worker  *thread // forks what the main thread cannot
	ahead   *ahead
	used    *thread // of a machine that was made ahead and used
}

// NewLauncher returns a launcher; it costs nothing until it is used.
func NewLauncher() *Launcher { return &Launcher{} }

// Spawn says how a machine is started.
type Spawn struct {
	// Namespaces that exist from its first instruction, by name: all but user (its
	// maps would cost the vfork) and time (not with CLONE_VM, clone(2)).
	Namespaces []string
	// Net says that the program enters a net namespace (plan.EnterNet).
	Net bool
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

// NewInit returns an empty init for Start.
func (l *Launcher) NewInit() *Init {
	in := NewInit()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ahead != nil {
		in.unsettle(&l.ahead.cpus) // also when another machine runs it: then it has no effect
	}
	return in
}

// Start starts the machine on a program. The files given to it may be closed when
// Start has returned.
func (l *Launcher) Start(in *Init, s Spawn) (*Child, error) {
	flags, err := spawnFlags(s.Namespaces)
	if err != nil {
		return nil, err
	}
	program, err := in.Encode()
	if err != nil {
		return nil, err
	}
	if child, err := l.takeAhead(in, s, flags); child != nil {
		if err == nil {
			err = child.runWith(s, in, program)
		}
		if child, err = child.orClosed(err); !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
			return child, err
		}
		// Something has killed it, and it had done nothing yet.
	}
	child, err := newChild()
	if err != nil {
		return nil, err
	}
	// Sent first, so that it is there when the machine asks for it.
	if err = child.runWith(s, in, program); err == nil {
		err = l.fork(child, s, flags)
	}
	return child.orClosed(err)
}

// fork forks the machine: on the main thread, which lives as long as the process,
// or else on a thread that lives as long as the launcher.
func (l *Launcher) fork(child *Child, s Spawn, flags uintptr) error {
	machine, err := l.machineFile()
	if err != nil {
		return err
	}
	files, err := openStdio(s)
	if err != nil {
		return err
	}
	defer files.close()
	run := func() { err = child.fork(machine, files, s.Cgroup, flags) }
	runtime.LockOSThread()
	main := onMainThread()
	if main {
		run()
	}
	runtime.UnlockOSThread()
	if !main {
		l.thread().call(run)
	}
	return err
}

func (l *Launcher) thread() *thread {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.worker == nil {
		l.worker = newThread()
	}
	return l.worker
}

func (l *Launcher) machineFile() (*os.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.machine == nil {
		var err error
		if l.machine, err = machineFile(); err != nil {
			return nil, err
		}
	}
	return l.machine, nil
}

// Close ends the launcher's threads, and so what it started and what still lives;
// closing each Child first is the caller's part.
func (l *Launcher) Close() {
	l.Discard()
	l.mu.Lock()
	threads := []*thread{l.worker, l.used}
	l.worker, l.used = nil, nil
	l.mu.Unlock()
	for _, t := range threads {
		if t != nil {
			t.end()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.machine != nil {
		l.machine.Close()
		l.machine = nil
	}
}

// standardFiles are stdin, stdout and stderr of a machine.
type standardFiles struct {
	list [3]*os.File
	null *os.File
}

func openStdio(s Spawn) (f standardFiles, err error) {
	f.list = [3]*os.File{s.Stdin, s.Stdout, s.Stderr}
	for i, file := range f.list {
		if file != nil {
			continue
		}
		if f.null == nil {
			if f.null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
				return f, err
			}
		}
		f.list[i] = f.null
	}
	return f, nil
}

func (f standardFiles) close() {
	if f.null != nil {
		f.null.Close()
	}
}

// fork starts the machine on the calling thread.
func (c *Child) fork(machine *os.File, files standardFiles, cgroup *os.File, flags uintptr) error {
	defer c.conn.closeChildEnds() // before the ends of file are waited for
	list := make([]uintptr, 0, 5)
	for _, f := range files.list {
		list = append(list, f.Fd())
	}
	list = append(list, uintptr(c.conn.childSocket), uintptr(c.conn.childStatus))
	// ForkExec moves descriptors out of its way to numbers above the highest of
	// files, so the executable's must be above those too.
	above := 100
	for _, fd := range list {
		above = max(above, int(fd)+1)
	}
	exe, err := unix.FcntlInt(machine.Fd(), unix.F_DUPFD_CLOEXEC, above+len(list)+1)
	if err != nil {
		return &SpawnError{Doing: "duplicate init's memfd", Cause: err, hint: "raise the limit of open files (ulimit -n)"}
	}
	defer unix.Close(exe)
	attr := &syscall.ProcAttr{Files: list, Sys: &syscall.SysProcAttr{Cloneflags: flags, PidFD: &c.pidfd}}
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
