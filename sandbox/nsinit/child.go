package nsinit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Child is the supervisor's end of one init. The methods may be called from any
// goroutine; who waits for init reads what it says, and reaps it.
type Child struct {
	// Refused, when set, is called by AwaitExec while the payload's process is parked
	// after a failed execve.
	Refused func()

	// Reported, when set, is called once while init has reported the payload's end and
	// has not ended itself.
	Reported func()
	// Lasting, when set, is called once by who still waits at the time Until: for what
	// costs a short container more than it is worth.
	Lasting func()
	Until   time.Time

	mu      sync.Mutex
	in      *Init // the program that it runs
	conn    *connection
	given   given
	pid     int
	pidfd   int
	former  []int // pids of stages that cloned the next and ended
	parked  *parking
	notes   []int
	failure error
	ready   bool // the byte before execve has come
	started bool // execve has succeeded
	report  []byte
	exit    *Exit
	woken   bool

	inside    int // the payload's pid in init's pid namespace
	payload   int // its pid on the host, once known
	payloadFD int // its pidfd, once known
}

type parking struct {
	point Point
	files []*os.File
}

// Exit is how a container's payload ended.
type Exit struct {
	// Status is the payload's raw wait status, or init's own when init did not live
	// to report (Reported is false): then the container was killed.
	Status   unix.WaitStatus
	Reported bool
	// PID is the payload's process id in its pid namespace.
	PID int
	// Rusage is that of init and all that it waited for: the whole container, where
	// it has a pid namespace of its own. Maxrss is the payload's, in KiB, as its
	// keeper saw it, and else 0: that of a process made by vfork counts the memory of
	// the supervisor, whose it was until execve.
	Rusage unix.Rusage
}

func newChild() (*Child, error) {
	conn, err := newConnection()
	if err != nil {
		return nil, err
	}
	return &Child{conn: conn, pidfd: -1, payloadFD: -1, inside: firstPayloadPID, given: given{net: -1, cgroup: -1, made: true}}, nil
}

// run sends the machine a program.
func (c *Child) run(in *Init, program [][]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = in
	return c.conn.send(program, in.files)
}

// runWith sends the program of a container, and what it waits for.
func (c *Child) runWith(s Spawn, in *Init, program [][]byte) error {
	err := c.run(in, program)
	if err == nil && s.Net {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.given.awaited = true
		c.give()
	}
	return err
}

// orClosed is the child, or what kept it from being started.
func (c *Child) orClosed(err error) (*Child, error) {
	if err == nil {
		return c, nil
	}
	if c.pid > 0 {
		c.Close() //nolint:errcheck // err came first
	}
	c.conn.close()
	return nil, err
}

// PID is the process id of init on the host; it changes once when the program
// clones init (CloneInit, JoinContainer).
func (c *Child) PID() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pid
}

// PIDFD is a pidfd of init, owned by the Child and valid until Close.
func (c *Child) PIDFD() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pidfd
}

// Ended reports whether init has ended and been reaped.
func (c *Child) Ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.exit != nil
}

// Notes are the numbers of the notes that init sent, in order.
func (c *Child) Notes() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drain()
	return append([]int(nil), c.notes...)
}

// Wait waits for the end of init, or of the payload where init stays
// (plan.ClonePayload), and returns how the payload ended. It also
// returns, with false, at the end of ctx, at a time, unless that is zero, and when
// WakeUp was called. One goroutine may wait for a child at a time.
func (c *Child) Wait(ctx context.Context, until time.Time) (exit Exit, ended bool) {
	c.wait(ctx, until, func() (bool, error) { //nolint:errcheck // without an end there is nothing to say
		switch {
		case c.exit != nil:
			exit, ended = *c.exit, true
		case c.stays() && len(c.report) >= exitSize:
			exit.Rusage, ended = reportedUsage(c.report), true
			exit.take(c.report)
		}
		woken := c.woken
		c.woken = false
		return ended || woken, nil
	})
	return exit, ended
}

// stays reports whether init lives on when the payload has ended.
func (c *Child) stays() bool { return c.in != nil && c.in.stays }

// WakeUp has a Wait that is going on, or else the next one, return.
func (c *Child) WakeUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.woken = true
	c.conn.wakeUp()
}

// wait returns when cond, called with the lock held, is true or fails, and else at
// the end of ctx or at a time, unless that is zero.
func (c *Child) wait(ctx context.Context, until time.Time, cond func() (bool, error)) error {
	if ctx.Done() != nil {
		defer context.AfterFunc(ctx, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.conn.wakeUp()
		})()
	}
	for {
		c.mu.Lock()
		ok, err := cond()
		fds, reported := c.polled(), c.report != nil && c.exit == nil && !c.stays()
		c.mu.Unlock()
		if ok || err != nil {
			return err
		}
		if reported && c.Reported != nil {
			c.Reported()
			c.Reported = nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		end, now := until, time.Now()
		if c.Lasting != nil && (end.IsZero() || end.After(c.Until)) {
			end = c.Until
		}
		switch {
		case end.IsZero():
			c.listen(fds, -1)
		case end.After(now):
			rest := min(end.Sub(now), time.Hour) // poll(2) takes an int of milliseconds, 24 days
			c.listen(fds, int((rest+time.Millisecond-1)/time.Millisecond))
		case c.Lasting != nil && end.Equal(c.Until):
			c.Lasting()
			c.Lasting = nil
		default:
			return context.DeadlineExceeded
		}
	}
}

// Await waits until init is parked at the point, and returns the descriptors that
// came with it, which are the caller's to close. A failure of init is a *StepError
// or *DeathError.
func (c *Child) Await(ctx context.Context, point Point) ([]*os.File, error) {
	var files []*os.File
	err := c.wait(ctx, time.Time{}, func() (bool, error) {
		switch {
		case c.parked != nil && c.parked.point != point:
			return false, fmt.Errorf("init is parked at %s, not at %s", c.parked.point, point)
		case c.parked != nil:
			files, c.parked.files = c.parked.files, nil
			return true, nil
		case c.started:
			return false, fmt.Errorf("the payload has started, and init never parked at %s", point)
		}
		return false, c.dead()
	})
	return files, err
}

// Go lets a parked init go on, with the words of its point's answer: for PointUser
// uid, gid, the number of groups (at most 64) and the groups.
func (c *Child) Go(words ...uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.parked == nil:
		return errors.New("init is not parked")
	case len(words) > 3+maxGroups || c.parked.point == PointUser && (len(words) < 3 || int(words[2]) != len(words)-3):
		return fmt.Errorf("an answer of %d words to init at %s", len(words), c.parked.point)
	}
	c.parked.close()
	c.parked = nil
	if c.conn.socket < 0 {
		return nil // who is gone says why on the next wait
	}
	err := unix.Send(c.conn.socket, u32s(append([]uint32{KindGo}, words...)...), unix.MSG_NOSIGNAL)
	if err != nil && err != unix.EPIPE && err != unix.ECONNRESET {
		return fmt.Errorf("answer init: %w", err)
	}
	return nil
}

func (p *parking) close() {
	for _, f := range p.files {
		f.Close()
	}
}

// AwaitExec waits until execve of the payload has succeeded. Otherwise the error is
// a *StepError or *DeathError.
func (c *Child) AwaitExec(ctx context.Context) error {
	for {
		refused := false
		err := c.wait(ctx, time.Time{}, func() (bool, error) {
			switch {
			case c.started:
				return true, nil
			case c.parked != nil && c.parked.point == PointRefused:
				refused = true
				return true, nil
			case c.parked != nil:
				return false, fmt.Errorf("init is parked at %s, execve is to come", c.parked.point)
			}
			return false, c.dead()
		})
		if err != nil || !refused {
			return err
		}
		if c.Refused != nil {
			c.Refused()
		}
		if err := c.Go(); err != nil {
			return err
		}
	}
}

// dead is why there will be no execve, or nil.
func (c *Child) dead() error {
	switch {
	case c.failure != nil:
		return c.failure
	case c.exit == nil:
		return nil
	}
	status := c.exit.Status
	// A filter that kills write(2) or exit_group(2) shows as a signal, one that
	// denies it as an end without a message.
	filtered := c.in.filtered && (status.Signaled() && (status.Signal() == unix.SIGSYS || status.Signal() == unix.SIGILL || status.Signal() == unix.SIGTRAP) ||
		status.Exited() && status.ExitStatus() == exitSetup)
	return &DeathError{Status: status, Filtered: filtered}
}

// Kill kills init, and so everything in its pid namespace; without one, the
// payload too. An init that is gone is not an error.
func (c *Child) Kill() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exit != nil {
		return nil
	}
	if err := unix.PidfdSendSignal(c.pidfd, unix.SIGKILL, nil, 0); err != nil && err != unix.ESRCH {
		return fmt.Errorf("kill init: %w", err)
	}
	// Init first, so that it does not report a payload that ended by itself.
	if c.payloadFD >= 0 {
		unix.PidfdSendSignal(c.payloadFD, unix.SIGKILL, nil, 0) //nolint:errcheck // it may be gone
	}
	return nil
}

// AwaitEnd waits for the end of init itself.
func (c *Child) AwaitEnd() error {
	return c.wait(context.Background(), time.Time{}, func() (bool, error) { return c.exit != nil, nil })
}

// Close kills what is left, waits until it is reaped and closes all descriptors.
func (c *Child) Close() error {
	err := c.Kill()
	if err == nil {
		err = c.AwaitEnd()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parked != nil {
		c.parked.close()
		c.parked = nil
	}
	c.conn.closeOwnEnds()
	closeFD(&c.given.net)
	closeFD(&c.given.cgroup)
	closeFD(&c.pidfd)
	closeFD(&c.payloadFD)
	return err
}

func decode(b []byte) (kind uint32, words [2]uint32) {
	le := binary.LittleEndian
	if len(b) >= 4 {
		kind = le.Uint32(b)
	}
	for i := range words {
		if len(b) >= 8+4*i {
			words[i] = le.Uint32(b[4+4*i:])
		}
	}
	return kind, words
}
