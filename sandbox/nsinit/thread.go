package nsinit

import (
	"os"
	"runtime"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// thread is an operating system thread that forks, waits, and lives as long as
// what it forked: PDEATHSIG follows the thread, not the process (prctl(2)). Its
// goroutine never unlocks it, so it ends with its goroutine, namespaces and all.
type thread struct {
	requests chan func()
	ended    chan struct{}
	wake     int // eventfd: a request while it polls
	polling  atomic.Bool

	children []*Child // owned by the thread

	// Set by speculation, read once ready is closed.
	ready      chan struct{}
	namespaces uintptr  // unshared ahead of time
	machine    *os.File // made ahead of time; nil when it could not be
	err        error
}

func newThread() (*thread, error) {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, &SpawnError{Doing: "create an eventfd", Cause: err}
	}
	t := &thread{requests: make(chan func(), 8), ended: make(chan struct{}), wake: wake}
	go t.start()
	return t, nil
}

// start runs the thread's life on any thread but the main one: that one does not
// end with its goroutine, and is what /proc/PID shows of the process.
func (t *thread) start() {
	runtime.LockOSThread()
	if unix.Gettid() != unix.Getpid() {
		t.run()
		return
	}
	moved := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		close(moved)
		t.run()
	}()
	<-moved // the main thread is taken until the other goroutine has its own
	runtime.UnlockOSThread()
}

// run serves requests, and events of the children while there are any, until the
// requests are closed.
func (t *thread) run() {
	defer close(t.ended)
	defer unix.Close(t.wake)
	requests := t.requests
	for requests != nil || len(t.children) > 0 {
		if len(t.children) == 0 {
			f, open := <-requests
			if !open {
				return
			}
			f()
			continue
		}
		t.polling.Store(true)
		select {
		case f, open := <-requests:
			t.polling.Store(false)
			if !open {
				requests = nil // the children are followed to their end
			} else {
				f()
			}
		default:
			t.poll()
			t.polling.Store(false)
		}
	}
}

// do has f run on the thread, and does not wait for it.
func (t *thread) do(f func()) {
	t.requests <- f
	// The thread sets polling before it looks at the requests a last time.
	if t.polling.Load() {
		unix.Write(t.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) //nolint:errcheck // full means woken already
	}
}

// call has f run on the thread and waits for its end.
func (t *thread) call(f func()) {
	done := make(chan struct{})
	t.do(func() { f(); close(done) })
	<-done
}

// poll waits once for the end of a child or a request. What inits say before
// execve is read by who waits for it: one wake-up less.
func (t *thread) poll() {
	fds := append(make([]unix.PollFd, 0, 8), unix.PollFd{Fd: int32(t.wake), Events: unix.POLLIN})
	for _, c := range t.children {
		fds = append(fds, unix.PollFd{Fd: int32(c.PIDFD()), Events: unix.POLLIN})
	}
	if _, err := unix.Poll(fds, -1); err != nil {
		return // EINTR
	}
	if fds[0].Revents != 0 {
		var b [8]byte
		unix.Read(t.wake, b[:]) //nolint:errcheck // it was readable
	}
	alive := t.children[:0]
	for i, c := range t.children {
		if fds[1+i].Revents == 0 || !c.ended() {
			alive = append(alive, c)
		}
	}
	clear(t.children[len(alive):])
	t.children = alive
}

// speculate makes namespaces ahead of time, on this thread, and the machine's file.
func (t *thread) speculate(flags uintptr) {
	t.namespaces, t.ready = flags, make(chan struct{})
	t.do(func() {
		if t.err = unix.Unshare(int(flags)); t.err == nil && flags&unix.CLONE_NEWNET != 0 {
			t.err = raiseLoopback()
		}
		t.machine, _ = machineFile() // Start tries again, and says why not
		close(t.ready)
	})
}

// raiseLoopback brings lo up in the calling thread's network namespace
// (netdevice(7)).
func raiseLoopback() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFFLAGS, request); err != nil {
		return err
	}
	request.SetUint16(request.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, request)
}
