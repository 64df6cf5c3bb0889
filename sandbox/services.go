package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// service is a process beside the payload or the steps.
type service struct {
	run   definition.ServiceRun
	stop  unix.Signal
	child *nsinit.Child
	log   *serviceLog

	asked atomic.Bool // to end
	ended chan struct{}
	exit  nsinit.Exit // once ended
}

// startService starts a service and waits until it is ready.
func (c *container) startService(op plan.StartService) error {
	c.listen()
	s, err := c.launchService(op)
	if err != nil {
		return c.serviceError(op, err)
	}
	c.services = append(c.services, s)
	if err := c.awaitReady(s, op); err != nil {
		return c.serviceError(op, err)
	}
	s.run.Ready = definition.Duration(time.Since(s.run.StartedAt))
	c.progress(Progress{Name: op.Name, Service: &s.run})
	return nil
}

// serviceError names the service; a program that is not there is not the payload.
func (c *container) serviceError(op plan.StartService, err error) error {
	var failed *Error
	if errors.As(err, &failed) {
		failed.Doing, failed.Code = "service "+op.Name+": "+failed.Doing, 125
		return failed
	}
	if errors.As(err, new(interrupted)) || errors.Is(err, context.Canceled) {
		return err
	}
	at := definition.Item("services", op.Number)
	failed = &Error{Doing: "service " + op.Name, Field: at, Cause: err, Code: 125}
	failed.Origin, _ = c.def.Origins.Given(at)
	var late *notReady
	if errors.As(err, &late) {
		failed.Hint = late.Hint()
	}
	return failed
}

func (c *container) launchService(op plan.StartService) (*service, error) {
	p, err := plan.CompileService(c.def, c.Facts, op.Number)
	if err != nil {
		return nil, err
	}
	s := &service{run: definition.ServiceRun{Name: op.Name}, stop: unix.SIGTERM, ended: make(chan struct{})}
	if sig, ok := signalByName(c.def.Services[op.Number-1].Stop); ok {
		s.stop = sig
	}
	log, output, err := openServiceLog(c.state.serviceLog(op.Name))
	if err != nil {
		return nil, err
	}
	s.log = log
	s.run.StartedAt = time.Now().UTC()
	s.child, err = c.start(p, nsinit.Spawn{Stdout: output, Stderr: output}, s.run.StartedAt.Add(time.Duration(op.Within)))
	output.Close()
	if errors.Is(err, context.DeadlineExceeded) {
		err = &notReady{op}
	}
	if err != nil {
		log.close()
		return nil, err
	}
	go func() {
		s.exit, _ = s.child.Wait(context.Background(), time.Time{})
		s.run.EndedAt = time.Now().UTC()
		close(s.ended)
	}()
	return s, nil
}

// errEnded is the cause of a wait for a service that has ended.
var errEnded = errors.New("it ended before it was ready")

// awaitReady waits until a service is ready. It may have ended by then, or take too
// long.
func (c *container) awaitReady(s *service, op plan.StartService) error {
	ctx, cancel := context.WithCancelCause(c.ctx)
	defer cancel(nil)
	late := &notReady{op}
	timer := time.AfterFunc(time.Duration(op.Within), func() { cancel(late) })
	defer timer.Stop()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-s.ended:
			cancel(errEnded)
		case <-ctx.Done():
		}
	}()
	err := c.lookReady(ctx, op)
	cancel(nil)
	<-watched
	switch cause := context.Cause(ctx); {
	case err == nil:
		return nil
	case cause == errEnded:
		return fmt.Errorf("%w: %s", errEnded, exitText(s.exit.Status))
	case cause != nil && cause != context.Canceled:
		return cause
	}
	return err
}

// lookReady returns when the service can be used, or at the end of ctx.
func (c *container) lookReady(ctx context.Context, op plan.StartService) error {
	switch {
	case op.Ready.Command != nil:
		return c.tryCommand(ctx, op)
	case op.Ready.TCP == 0 && op.Ready.File == "":
		return nil
	}
	p := plan.CompileReady(c.def, op.Number)
	child, err := c.visit(p)
	if err != nil {
		return err
	}
	defer child.Close()
	if err := child.AwaitExec(ctx); err != nil {
		return execError(p, err)
	}
	return nil
}

// tryEvery is the time between two tries of a command.
const tryEvery = 100 * time.Millisecond

// tryCommand runs a service's command until it returns 0.
func (c *container) tryCommand(ctx context.Context, op plan.StartService) error {
	p, err := plan.CompileTry(c.def, c.Facts, op.Number)
	if err != nil {
		return err
	}
	tick := time.NewTicker(tryEvery)
	defer tick.Stop()
	for {
		result, err := c.capture(ctx, p, nil)
		if err != nil || result.Code == 0 && result.Signal == "" {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// notReady is a service that took too long.
type notReady struct{ op plan.StartService }

func (e *notReady) Error() string {
	what := fmt.Sprintf("%q does not return 0", e.op.Ready.Command)
	switch {
	case e.op.Ready.TCP != 0:
		what = fmt.Sprintf("port %d of lo accepts no connections", e.op.Ready.TCP)
	case e.op.Ready.File != "":
		what = e.op.Ready.File + " does not exist"
	}
	return fmt.Sprintf("it is not ready after %s: %s", e.op.Within, what)
}

func (e *notReady) Hint() string {
	return "raise ready_within, or look whether ready says what the service does"
}

func exitText(status unix.WaitStatus) string {
	if status.Signaled() {
		return "ended by SIG" + SignalName(status.Signal())
	}
	return fmt.Sprintf("exited %d", status.ExitStatus())
}

// stopServices asks the services to end, the last one first, and kills those that do
// not: what is built on another goes before it.
func (c *container) stopServices() {
	grace := time.NewTimer(killGrace) // of all together
	defer grace.Stop()
	for i := len(c.services) - 1; i >= 0; i-- {
		s := c.services[i]
		if s.hasEnded() {
			continue
		}
		s.asked.Store(true)
		if c.monitor.ours(unix.SIGKILL) {
			s.child.Kill() //nolint:errcheck // see killAll
		} else {
			s.child.Signal(s.stop) //nolint:errcheck // it may just have ended
		}
		select {
		case <-s.ended:
			continue
		case <-grace.C:
			grace.Reset(0)
		case <-c.monitor.stops:
			grace.Reset(0)
		}
		s.child.Kill() //nolint:errcheck // see killAll
		select {
		case <-s.ended:
		case <-time.After(time.Second): // another process traces it: all are killed next
		}
	}
}

// giveUpServices is to be called before everything is killed: a service that ends by
// that has not ended early.
func (c *container) giveUpServices() {
	for _, s := range c.services {
		if !s.hasEnded() {
			s.asked.Store(true)
		}
	}
}

func (s *service) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// endServices writes down how the services ended, when all of them are killed at the
// latest.
func (c *container) endServices() {
	r := c.result
	bad := r.Failure != nil || r.Error != "" || r.Verdict != definition.VerdictExited || r.ExitCode != 0
	for _, s := range c.services {
		early := s.hasEnded() && !s.asked.Load() && s.run.Ready > 0
		s.child.Kill() //nolint:errcheck // see killAll
		<-s.ended
		s.child.Close() //nolint:errcheck // it has ended
		s.log.close()
		if c.group == nil { // which counts them too
			r.CPU += definition.Duration(cpuTime(s.exit.Rusage))
		}
		if s.exit.Status.Signaled() {
			s.run.Signal, s.run.ExitCode = SignalName(s.exit.Status.Signal()), 128+int(s.exit.Status.Signal())
		} else {
			s.run.ExitCode = s.exit.Status.ExitStatus()
		}
		if early {
			s.run.Early = true
			c.warn(fmt.Errorf("the service %s ended before it was asked to: %s", s.run.Name, exitText(s.exit.Status)))
		}
		if bad || early {
			s.run.LastLines = s.log.lastLines()
		}
		if c.Keep {
			s.run.Log = s.log.path
		}
		r.Services = append(r.Services, s.run)
	}
	c.services = nil
}

// serviceLog is what a service writes, kept in a file that is bounded.
type serviceLog struct {
	path string
	from *os.File
	file *os.File
	size int64
	done sync.WaitGroup
}

const (
	maxServiceLog = 8 << 20
	shownLines    = 20
)

// openServiceLog makes a log, and returns what the service writes to.
func openServiceLog(path string) (*serviceLog, *os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("make its log: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("make a pipe for its output: %w", err)
	}
	l := &serviceLog{path: path, from: r, file: file}
	l.done.Go(l.copy)
	return l, w, nil
}

func (l *serviceLog) copy() {
	buffer := make([]byte, 32<<10)
	for {
		n, err := l.from.Read(buffer)
		if l.size+int64(n) > maxServiceLog {
			l.halve()
		}
		written, _ := l.file.WriteAt(buffer[:n], l.size)
		l.size += int64(written)
		if err != nil {
			return
		}
	}
}

// halve drops the older half of the log.
func (l *serviceLog) halve() {
	newer := make([]byte, maxServiceLog/2)
	n, _ := l.file.ReadAt(newer, l.size-int64(len(newer)))
	mark := []byte("[what was written before is left out]\n")
	l.file.WriteAt(append(mark, newer[:n]...), 0) //nolint:errcheck // a full file system keeps what it has
	l.size = int64(len(mark) + n)
	l.file.Truncate(l.size) //nolint:errcheck // then old lines follow
}

// close ends the copying: what has joined is dead, or is not waited for.
func (l *serviceLog) close() {
	rest := time.AfterFunc(heldOpen, func() { l.from.Close() })
	l.done.Wait()
	rest.Stop()
	l.from.Close()
	l.file.Close()
}
