package nsinit

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// thread is an operating system thread that forks, and lives as long as what it
// forked: PDEATHSIG follows the thread, not the process (prctl(2)). Its goroutine
// never unlocks it, so it ends with its goroutine.
type thread struct {
	requests chan func()
	ended    chan struct{}
}

func newThread() *thread {
	t := &thread{requests: make(chan func(), 8), ended: make(chan struct{})}
	go t.start()
	return t
}

// start runs the thread's life on any thread but the main one: that one does not
// end with its goroutine, and is what /proc/PID shows of the process.
func (t *thread) start() {
	runtime.LockOSThread()
	if !onMainThread() {
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

func onMainThread() bool { return unix.Gettid() == unix.Getpid() }

// run serves requests until they are closed.
func (t *thread) run() {
	defer close(t.ended)
	for f := range t.requests {
		f()
	}
}

// do has f run on the thread, and does not wait for it.
func (t *thread) do(f func()) { t.requests <- f }

// call has f run on the thread and waits for its end.
func (t *thread) call(f func()) {
	done := make(chan struct{})
	t.do(func() { f(); close(done) })
	<-done
}

// end ends the thread, and so kills what it forked and what still lives.
func (t *thread) end() {
	close(t.requests)
	<-t.ended
}
