package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
	"sandbox/sandbox/mount"
	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// container is a plan being lived.
type container struct {
	Options
	def  *definition.Definition
	plan *plan.Plan
	id   string

	// ctx ends the set-up: by a signal, with its cause, or by the caller.
	ctx    context.Context
	cancel context.CancelCauseFunc

	state    *state
	group    *cgroups.Group
	init     *nsinit.Init
	child    *nsinit.Child
	root     *mount.Root
	stdio    *stdio
	services []*service    // that have been started
	view     *mount.Root   // the container's root, to find out why a program did not start
	kept     []*os.File    // the container's namespaces, for what joins
	spent    time.Duration // processor time of the steps

	// parked is set while init waits at a sync point, with the words of the answer.
	parked bool
	answer []uint32

	ownLauncher bool
	listening   sync.Once // to signals
	monitor     *monitor
	diagnosis   *diagnosis
	final       *final

	judged    bool // the payload has ended, and the result says how
	abandoned bool // a hook failed that the payload has to end for
	raised    bool // the failure is an error of a hook, not its judgement

	mu      sync.Mutex // guards running, deaf, closed, and result's lists, which hooks append to
	running *monitor   // set once the payload runs
	deaf    func()     // stops listening to signals; nil while nobody listens
	closed  bool       // nobody is to listen any more
	result  *definition.Result
	created time.Time
}

func newContainer(ctx context.Context, o Options) (*container, error) {
	id, err := containerID(o)
	if err != nil {
		return nil, err
	}
	c := &container{Options: o, def: o.Definition, plan: o.Plan, id: id, created: time.Now().UTC()}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	c.result = &definition.Result{ID: id, Name: o.Definition.Name}
	for _, n := range o.Plan.Notes {
		if !n.Conditional {
			c.result.Notes = append(c.result.Notes, n.Text)
		}
	}
	return c, nil
}

// live walks the plan until its end or the first failure.
func (c *container) live() error {
	for i := range c.plan.Steps {
		s := &c.plan.Steps[i]
		if err := c.step(s); err != nil {
			if cause := context.Cause(c.ctx); cause != nil && errors.Is(err, context.Canceled) {
				err = cause
			}
			return stepFailure(s, err)
		}
	}
	return nil
}

// stepFailure keeps errors that already say all there is to say.
func stepFailure(s *plan.Step, err error) error {
	var hook *hookError
	var signal interrupted
	if errors.As(err, &hook) || errors.As(err, &signal) || errors.Is(err, context.Canceled) {
		return err
	}
	return stepError(s, err)
}

// step performs a host step, or follows init through one of its own: init runs by
// itself from one sync point to the next.
func (c *container) step(s *plan.Step) error {
	if s.Side == plan.Host {
		return c.host(s)
	}
	if err := c.release(); err != nil {
		return err
	}
	switch op := s.Op.(type) {
	case plan.Sync:
		point, err := pointNamed(op.Point)
		if err != nil {
			return err
		}
		_, err = c.await(point)
		return err
	case plan.SetTerminal:
		files, err := c.await(nsinit.PointTerminal)
		if err != nil {
			return err
		}
		c.listen()
		return c.stdio.attach(files)
	}
	return nil
}

func pointNamed(name string) (nsinit.Point, error) {
	for _, p := range []nsinit.Point{nsinit.PointMap, nsinit.PointUser, nsinit.PointPrestart, nsinit.PointJoin, nsinit.PointServices} {
		if p.String() == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("no sync point is called %q", name)
}

// await waits until init is parked at the point.
func (c *container) await(point nsinit.Point) ([]*os.File, error) {
	files, err := c.child.Await(c.ctx, point)
	if err != nil {
		return nil, c.initError(err)
	}
	c.parked, c.answer = true, nil
	return files, nil
}

// release lets a parked init go on, with the answer that the host steps prepared.
func (c *container) release() error {
	if !c.parked {
		return nil
	}
	c.parked = false
	return c.child.Go(c.answer...)
}

// finish completes the result once everything is undone.
func (c *container) finish(err error) (*definition.Result, error) {
	r := c.result
	r.EndedAt = time.Now().UTC()
	if c.Hooks != nil {
		r.Data = c.Hooks.Data()
	}
	err = c.conclude(err)
	if c.Keep && c.state != nil {
		c.warn(c.state.keep(r))
	}
	return r, err
}

// conclude puts what ended the walk into the result, and returns what stopped the
// run before its payload ran. The poststop hooks see it, and it is said again when
// the payload had still to be ended.
func (c *container) conclude(err error) error {
	r := c.result
	var hook *hookError
	switch {
	case err == nil:
	case errors.As(err, &hook):
		c.failBy(hook)
		if !r.Started {
			r.ExitCode, r.Error = 125, err.Error()
		}
		err = nil
	case isInterrupt(err, r):
		r.Error, err = err.Error(), nil
	case r.Started:
		f := definition.Failure{Reason: err.Error()}
		var step *Error
		if errors.As(err, &step) {
			f.Origin = step.Origin
		}
		c.fail(f)
		err = nil
	default:
		r.Verdict, r.ExitCode, r.Error = definition.VerdictFailed, exitCode(err), err.Error()
	}
	if r.Verdict == definition.VerdictFailed && r.Started {
		r.ExitCode = c.failedCode()
	}
	return err
}

// failedCode is what the runner exits with after a failed run: the payload's own
// code, unless that is 0, which would call the run a success, or our own KILL's.
func (c *container) failedCode() int {
	r := c.result
	switch {
	case r.ExitCode != 0 && !(c.abandoned && r.Signal == "KILL"):
		return r.ExitCode
	case c.raised:
		return 125
	}
	return 1
}

// isInterrupt sets the verdict of a set-up that a signal or the caller ended.
func isInterrupt(err error, r *definition.Result) bool {
	var signal interrupted
	switch {
	case errors.As(err, &signal):
		r.Verdict, r.ExitCode = definition.VerdictKilled, 128+signalNumber(signal.signal)
		return true
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		r.Verdict, r.ExitCode = definition.VerdictKilled, 125
		return true
	}
	return false
}

// failBy calls the run failed because a hook did not end well.
func (c *container) failBy(h *hookError) {
	var declared *declaredFailure
	if c.result.Failure == nil {
		c.raised = !errors.As(h, &declared)
	}
	c.fail(definition.Failure{Reason: h.Error(), Hook: h.hook.Label, Origin: h.hook.Origin})
}

// fail calls the run failed; the first reason stands.
func (c *container) fail(f definition.Failure) {
	if c.result.Failure == nil {
		c.result.Failure = &f
	}
	c.result.Verdict = definition.VerdictFailed
}

// progress tells who wants to know what becomes of steps and services.
func (c *container) progress(p Progress) {
	if c.Progress != nil {
		c.Progress(p)
	}
}

// warn adds a warning to the result; nil is none.
func (c *container) warn(err error) {
	if err == nil {
		return
	}
	c.mu.Lock()
	c.result.Warnings = append(c.result.Warnings, err.Error())
	c.mu.Unlock()
}

func failedResult(o Options, err error) *definition.Result {
	return &definition.Result{ID: o.ID, Name: o.Definition.Name, Verdict: definition.VerdictFailed,
		ExitCode: exitCode(err), Error: err.Error(), EndedAt: time.Now().UTC()}
}
