package sandbox

import (
	"context"
	"time"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
)

// tearDown undoes everything, whatever was done: each step is idempotent, a
// failed one is a warning and the rest go on. The poststop hooks run once the
// container is gone and before its state is.
func (c *container) tearDown() {
	c.cancel(nil)
	for i := range c.plan.Teardown {
		c.warn(c.undo(c.plan.Teardown[i].Op))
	}
	if c.ownLauncher {
		c.Launcher.Close()
	}
}

func (c *container) undo(op plan.Op) error {
	switch op := op.(type) {
	case plan.KillAll:
		return c.killAll()
	case plan.Release:
		if c.root != nil {
			err := c.root.Close()
			c.root = nil
			return err
		}
	case plan.RemoveCgroup:
		if c.group != nil {
			err := c.group.Remove()
			c.group = nil
			return err
		}
	case plan.RunHooks:
		c.poststop(op.Stage)
	case plan.RemoveState:
		if c.state != nil && !c.Keep {
			return c.state.remove()
		}
	}
	return nil
}

// killAll ends every process that is left and waits for init.
func (c *container) killAll() error {
	if c.child == nil {
		return nil
	}
	c.parked = false
	c.giveUpServices()
	c.child.Kill()
	err := c.killCgroup()
	if c.monitor != nil {
		c.monitor.wait()
		if !c.judged {
			c.stdio.closeOpened()
			c.stdio.drain(time.Second)
			c.judgeAll()
		}
	} else {
		c.child.Wait(context.Background(), time.Time{})
		c.stdio.drain(time.Second)
	}
	c.takeNotes()
	c.child.Close()
	c.endServices()
	c.releaseNamespaces()
	if c.stdio != nil {
		c.stdio.closeOpened()
	}
	return err
}

// takeNotes adds what init degraded while it ran.
func (c *container) takeNotes() {
	for _, n := range c.child.Notes() {
		if n >= 1 && n <= len(c.plan.Notes) {
			c.note(c.plan.Notes[n-1].Text)
		}
	}
}

// poststop marks the hooks before it calls them: a sweep after this supervisor's
// death then leaves them alone.
func (c *container) poststop(stage definition.Stage) {
	if c.Hooks == nil || stage != definition.StagePoststop {
		return
	}
	if c.state != nil {
		c.state.record.Poststop, c.state.record.Status = nil, statusStopped
		c.warn(c.state.save())
	}
	ctx, cancel := c.afterwards()
	defer cancel()
	c.runHooks(ctx, stage)
}

// afterwards is the context of hooks that run after the payload: the end of the
// run's own context does not stop them, their deadlines do.
func (c *container) afterwards() (context.Context, context.CancelFunc) {
	return context.WithCancel(context.WithoutCancel(c.ctx))
}
