package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// keepNamespaces opens the namespaces of the payload's process while it is parked:
// they live until the container ends, whatever its processes do.
func (c *container) keepNamespaces(op plan.KeepNamespaces) error {
	pid, err := c.child.PayloadPID()
	if err != nil {
		return err
	}
	for _, name := range op.Names {
		if name == "mount" {
			name = "mnt"
		}
		path := "/proc/" + strconv.Itoa(pid) + "/ns/" + name
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open %s: %w", path, err)
		}
		c.kept = append(c.kept, os.NewFile(uintptr(fd), path))
	}
	// What joins is closed to an ordinary user, so that the reason why a program could
	// not be executed is looked for here. Without it the errno alone has to do.
	c.view, _ = c.openRoot(pid)
	return nil
}

func (c *container) releaseNamespaces() {
	for _, f := range c.kept {
		f.Close()
	}
	c.kept = nil
	if c.view != nil {
		c.warn(c.view.Close())
		c.view = nil
	}
}

// join starts a further process in the container, at the cgroup that it is born in.
func (c *container) join(p *plan.Plan, spawn nsinit.Spawn) (*nsinit.Child, error) {
	in, closeFiles, err := c.encodeExec(p)
	defer closeFiles()
	if err != nil {
		return nil, err
	}
	if c.group != nil {
		if spawn.Cgroup, err = c.birthplace(); err != nil {
			return nil, err
		}
		defer spawn.Cgroup.Close() // of nil it does nothing
	}
	return c.Launcher.Start(in, spawn)
}

// start is join for what a recipe asks for, whose execve is awaited, and looked into
// when it fails. The error is a *Error where a step of the plan failed, and
// context.DeadlineExceeded when the time has come, unless that is zero: others of the
// container may keep a process from its execve.
func (c *container) start(p *plan.Plan, spawn nsinit.Spawn, until time.Time) (*nsinit.Child, error) {
	child, err := c.join(p, spawn)
	if err != nil {
		return nil, err
	}
	attempt := &container{plan: p, def: c.def}
	child.Refused = func() { attempt.diagnosis = c.lookInto(p) }
	ctx := c.ctx
	if !until.IsZero() {
		var cancel func()
		ctx, cancel = context.WithDeadline(ctx, until)
		defer cancel()
	}
	if err := child.AwaitExec(ctx); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, errors.Join(err, child.Close())
		}
		err = attempt.initError(err)
		return nil, errors.Join(err, child.Close())
	}
	return child, nil
}

// lookInto finds out why a program could not be executed.
func (c *container) lookInto(p *plan.Plan) *diagnosis {
	if c.view == nil {
		return nil
	}
	var cwd string
	for i := range p.Steps {
		switch op := p.Steps[i].Op.(type) {
		case plan.SetCwd:
			cwd = op.Path
		case plan.Exec:
			return diagnose(c.view, op.Args, op.Env, cwd)
		}
	}
	return nil
}

// visit starts a process that looks for something in the container, unseen there.
func (c *container) visit(p *plan.Plan) (*nsinit.Child, error) {
	in := nsinit.NewInit()
	in.VisitContainer(nsinit.Join{Kept: c.kept})
	if err := lowerAll(in, p.Steps, 0); err != nil {
		return nil, err
	}
	return c.Launcher.Start(in, nsinit.Spawn{})
}

// endAll ends init, and with it or by the cgroup whatever steps, services and the
// payload left, and judges.
func (c *container) endAll() error {
	c.giveUpServices()
	c.child.Kill() //nolint:errcheck // killAll says it
	c.warn(c.killCgroup())
	if err := c.child.AwaitEnd(); err != nil {
		return err
	}
	c.stdio.closeOpened()
	c.stdio.drain(time.Second)
	c.monitor.wait()
	c.judgeAll()
	return nil
}

// judgeAll judges what has been followed: the payload, or the steps.
func (c *container) judgeAll() {
	if len(c.def.Steps) > 0 {
		c.judgeSteps()
	} else {
		c.judge()
	}
}
