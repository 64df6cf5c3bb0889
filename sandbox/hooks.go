package sandbox

import (
	"context"
	"time"

	"sandbox/sandbox/definition"
)

// runHooks calls the hooks of a stage, in the order they run. What a failure
// means depends on the stage:
//
//	prestart, poststart   ends the stage and the run
//	collect               makes the run failed; the rest runs
//	poststop              a warning; the rest runs
func (c *container) runHooks(ctx context.Context, stage definition.Stage) error {
	defer c.listenLater()()
	for _, hook := range c.def.HooksOf(stage) {
		err := c.callHook(ctx, hook)
		if err == nil {
			continue
		}
		failed := &hookError{hook, err}
		switch stage {
		case definition.StageCollect:
			c.failBy(failed)
		case definition.StagePoststop:
			c.warn(failed)
		default:
			c.abandoned = true
			return failed
		}
	}
	return nil
}

// callHook calls one hook, under its deadline, and keeps what it did.
func (c *container) callHook(ctx context.Context, hook definition.HookRef) error {
	ctx, cancel := context.WithTimeout(ctx, hook.Timeout())
	defer cancel()
	call := definition.HookCall{Hook: hook, Host: &access{c: c, hook: hook}}
	if hook.Stage == definition.StageCollect || hook.Stage == definition.StagePoststop {
		call.Result = c.result
	}
	start := time.Now()
	outcome := c.Hooks.Call(ctx, call)
	run := definition.HookRun{Stage: hook.Stage, Label: hook.Label, Wall: definition.Duration(time.Since(start))}
	err := outcome.Err
	if err != nil {
		run.Error = err.Error()
	}
	c.mu.Lock()
	c.result.Hooks = append(c.result.Hooks, run)
	c.mu.Unlock()
	if outcome.Failed != nil {
		f := *outcome.Failed
		f.Hook = hook.Label
		c.failHook(hook.Stage, f)
		if hook.Stage == definition.StagePrestart || hook.Stage == definition.StagePoststart {
			return &declaredFailure{f}
		}
	}
	return err
}

// failHook is ctx:fail.
func (c *container) failHook(stage definition.Stage, f definition.Failure) {
	if stage == definition.StagePoststop {
		c.warn(&declaredFailure{f})
		return
	}
	c.fail(f)
}

// declaredFailure is a reason that a hook gave by ctx:fail.
type declaredFailure struct{ definition.Failure }

func (f *declaredFailure) Error() string { return f.Reason }
