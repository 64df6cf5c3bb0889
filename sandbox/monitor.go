package sandbox

import (
	"context"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/nsinit"
)

// killGrace is the time between TERM and KILL of a payload that a limit ended.
const killGrace = 5 * time.Second

// sampleEvery is how often usage is read where the kernel keeps no limit or peak
// of its own.
const sampleEvery = 100 * time.Millisecond

// monitor watches the payload from its execve to its end: it enforces the limits
// of time and output, and forwards signals.
type monitor struct {
	c     *container
	done  chan struct{} // closed when the payload has ended
	stops chan stop     // requests to end the payload

	watching sync.Once
	alarms   alarms

	mu        sync.Mutex
	target    *nsinit.Child // the payload, or the step that runs; nil between steps
	exit      nsinit.Exit
	started   time.Time
	ended     time.Time
	first     *stop // why the payload was ended, nil when it ended by itself
	forwarded map[unix.Signal]bool
	interrupt int
	latest    unix.Signal // that asked for the end
	killed    bool        // we sent SIGKILL
	late      bool        // the step was over its own limit
	peakPids  int64
}

// alarms are the times at which the monitor has something to do; zero is never.
// They are waited for by the poll(2) that waits for init: a timer of the runtime
// would cost a short container a thread.
type alarms struct{ wall, idle, sample, grace, last, step, stepGrace time.Time }

// next is the earliest of them.
func (a *alarms) next() time.Time {
	var first time.Time
	for _, t := range [...]time.Time{a.wall, a.idle, a.sample, a.grace, a.last, a.step, a.stepGrace} {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// due reports whether an alarm has come, and turns it off.
func due(alarm *time.Time) bool {
	if alarm.IsZero() || time.Now().Before(*alarm) {
		return false
	}
	*alarm = time.Time{}
	return true
}

// stop is a reason to end the payload.
type stop struct {
	limit string // the limit's field, or "" for anything else
	value string
	now   bool // KILL at once
}

func (c *container) startMonitor() {
	m := &monitor{c: c, done: make(chan struct{}), stops: make(chan stop, 8), started: time.Now(),
		forwarded: map[unix.Signal]bool{}}
	c.monitor = m
	c.result.Started, c.result.StartedAt = true, m.started.UTC()
	if len(c.def.Steps) > 0 {
		return // each step is followed by itself
	}
	m.target = c.child
	if len(c.def.HooksOf(definition.StagePoststart)) > 0 {
		go m.wait()
	}
}

// wait watches until the payload has ended, or waits for who does.
func (m *monitor) wait() { m.watching.Do(m.watch) }

// watch ends when init has reported the payload's end.
func (m *monitor) watch() {
	defer close(m.done)
	if len(m.c.def.Steps) > 0 {
		m.ended = time.Now()
		return
	}
	m.setAlarms()
	exit := m.follow(m.c.child)
	m.mu.Lock()
	m.exit, m.ended = exit, time.Now()
	m.mu.Unlock()
}

// follow waits for the end of the payload or of a step, and does meanwhile what
// limits and signals ask for.
func (m *monitor) follow(child *nsinit.Child) nsinit.Exit {
	ctx := m.c.ctx
	for {
		if exit, ended := child.Wait(ctx, m.alarms.next()); ended {
			return exit
		}
		if ctx.Err() != nil {
			ctx = context.Background()
			m.end(stop{now: true})
		}
		m.takeStops()
		m.ring()
	}
}

func (m *monitor) setAlarms() {
	l, now := m.c.def.Limits, m.started
	if l.Wall > 0 {
		m.alarms.wall = now.Add(time.Duration(l.Wall))
	}
	if l.Idle > 0 {
		m.alarms.idle = now.Add(time.Duration(l.Idle))
	}
	if m.samples() {
		m.alarms.sample = now.Add(sampleEvery)
	}
}

func (m *monitor) takeStops() {
	for {
		select {
		case s := <-m.stops:
			m.end(s)
		default:
			return
		}
	}
}

// ring does what the alarms that have come are for.
func (m *monitor) ring() {
	l := m.c.def.Limits
	if due(&m.alarms.wall) {
		m.end(stop{limit: "wall", value: l.Wall.String()})
	}
	if due(&m.alarms.idle) {
		if rest := time.Duration(l.Idle) - m.c.stdio.idleFor(); rest > 0 {
			m.alarms.idle = time.Now().Add(rest)
		} else {
			m.end(stop{limit: "idle", value: l.Idle.String()})
		}
	}
	if due(&m.alarms.sample) {
		m.alarms.sample = time.Now().Add(sampleEvery)
		if m.overCPU(l) {
			m.end(stop{limit: "cpu_time", value: l.CPUTime.String()})
		}
	}
	if due(&m.alarms.grace) {
		m.kill()
	}
	if due(&m.alarms.last) {
		m.c.child.Kill() //nolint:errcheck // there is nothing more to try
	}
	if due(&m.alarms.step) {
		m.endStep()
	}
	if due(&m.alarms.stepGrace) {
		signalSession(m.target.PID(), unix.SIGKILL)
	}
}

// end asks the payload to end with TERM, and sets the alarm for KILL; the first
// reason stands.
func (m *monitor) end(s stop) {
	m.mu.Lock()
	first := m.first == nil
	if first {
		m.first = &s
	}
	m.mu.Unlock()
	if s.now {
		m.kill()
		return
	}
	if first {
		m.signal(unix.SIGTERM)
		m.signal(unix.SIGCONT) // a stopped payload could not take the TERM
		m.alarms.grace = time.Now().Add(killGrace)
	}
}

// kill ends every process of the container: init's death ends its pid namespace,
// and the cgroup has those of a container without one.
func (m *monitor) kill() {
	m.mu.Lock()
	m.killed = true
	m.mu.Unlock()
	m.c.giveUpServices()
	m.signal(unix.SIGKILL)
	if err := m.c.killCgroup(); err != nil {
		m.c.warn(err)
	}
	if m.c.group == nil {
		m.c.child.Kill()
		return
	}
	// Init reports the end, unless a payload that shares its pid namespace has
	// stopped it.
	m.alarms.last = time.Now().Add(time.Second)
}

// ask requests the payload's end; it never blocks.
func (m *monitor) ask(s stop) {
	select {
	case m.stops <- s:
	default:
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.target != nil {
		m.target.WakeUp()
	}
}

// signal sends a signal to the payload or to the step that runs.
func (m *monitor) signal(sig unix.Signal) error {
	m.mu.Lock()
	target := m.target
	m.mu.Unlock()
	if target == nil {
		return nil
	}
	return target.Signal(sig)
}

// isEnding reports whether the whole container was asked to end.
func (m *monitor) isEnding() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.first != nil
}

// interruption is the latest signal of the user that asked for the end, or 0.
func (m *monitor) interruption() unix.Signal {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.latest
}

// ours reports whether it was we who sent a signal.
func (m *monitor) ours(sig unix.Signal) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.killed || m.forwarded[sig]
}

// samples reports whether something has to be read again and again: processor time
// for its limit, and the number of processes where the kernel keeps no peak.
func (m *monitor) samples() bool {
	l := m.c.def.Limits
	return l.CPUTime > 0 || m.c.group != nil && l.Pids != nil
}

// overCPU reads the usage, and reports whether the processor time is used up.
func (m *monitor) overCPU(l definition.Limits) bool {
	s := m.c.usage()
	if s.Pids != nil {
		m.peakPids = max(m.peakPids, *s.Pids)
	}
	return l.CPUTime > 0 && s.CPU >= l.CPUTime
}

// forward passes a signal of the user to the payload; the third interrupt kills.
func (m *monitor) forward(sig unix.Signal) {
	m.mu.Lock()
	m.forwarded[sig] = true
	if sig == unix.SIGINT || sig == unix.SIGTERM {
		m.interrupt++
	}
	if endsSetup(sig) {
		m.latest = sig
	}
	enough, between := m.interrupt >= 3, m.target == nil
	m.mu.Unlock()
	if enough {
		m.ask(stop{now: true})
		if between { // steps: nobody takes it before the next has been started
			m.c.cancel(interrupted{sig})
		}
		return
	}
	m.signal(sig)
}

// listen handles the user's signals until deafen: they end the set-up, and are
// passed to a running payload. Catching them costs 0.3 ms, so it begins with a
// terminal, or when the container has lasted for some time.
func (c *container) listen() {
	if c.Signals == nil {
		return
	}
	c.listening.Do(func() {
		signals, stop := c.Signals()
		quit := make(chan struct{})
		c.mu.Lock()
		c.deaf = func() { stop(); close(quit) }
		c.mu.Unlock()
		go func() {
			for {
				select {
				case <-quit:
					return
				case sig := <-signals:
					c.signal(sig)
				}
			}
		}()
	})
}

// patience is how long nobody listens to signals: see Options.Signals.
const patience = 5 * time.Millisecond

// listenLater listens once the container has lasted, unless what is going on has
// ended by then.
func (c *container) listenLater() (stop func()) {
	rest := time.Until(c.created.Add(patience))
	if c.Signals == nil || rest <= 0 {
		c.listen()
		return func() {}
	}
	timer := time.AfterFunc(rest, func() {
		// A timer that is stopped may have begun.
		c.mu.Lock()
		closed := c.closed
		c.mu.Unlock()
		if !closed {
			c.listen()
		}
	})
	return func() { timer.Stop() }
}

func (c *container) deafen() {
	c.mu.Lock()
	c.closed = true
	deaf := c.deaf
	c.mu.Unlock()
	if deaf != nil {
		deaf()
	}
}

func (c *container) signal(sig os.Signal) {
	number, ok := sig.(unix.Signal)
	if !ok {
		return
	}
	c.mu.Lock()
	m := c.running
	c.mu.Unlock()
	switch {
	case number == unix.SIGWINCH:
		c.stdio.resize()
	case m != nil:
		m.forward(number)
	case endsSetup(number):
		c.cancel(interrupted{sig})
	}
}

func endsSetup(sig unix.Signal) bool {
	return sig == unix.SIGINT || sig == unix.SIGTERM || sig == unix.SIGHUP || sig == unix.SIGQUIT
}

func signalNumber(sig os.Signal) int {
	if n, ok := sig.(unix.Signal); ok {
		return int(n)
	}
	return 0
}

// background is the context of what must happen whatever became of the run.
func background(limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), limit)
}
