package sandbox

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/mount"
	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// Error is a step of the plan that failed.
type Error struct {
	// Doing is the step in words, as the plan prints it.
	Doing string
	// Field and Origin say what in the recipe asked for it; may be empty.
	Field  string
	Origin definition.Origin
	Cause  error
	// Hint says what to do; may be empty.
	Hint string
	// Code is what the runner exits with: 125, or 126 or 127 when the payload is
	// not executable or not found.
	Code int
}

// Error returns "bind /a → /b, read-only: no such file or directory".
func (e *Error) Error() string { return e.Doing + ": " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// exitCode is what the runner exits with when err stopped the set-up.
func exitCode(err error) int {
	var e *Error
	if errors.As(err, &e) && e.Code != 0 {
		return e.Code
	}
	return 125
}

// stepError wraps what went wrong in a step with the step's words and origin.
func stepError(s *plan.Step, cause error) error {
	var done *Error
	if errors.As(cause, &done) {
		return cause
	}
	e := &Error{Doing: s.Op.String(), Field: s.Field, Origin: s.Origin, Cause: cause, Code: 125}
	var hinted interface{ Hint() string }
	if errors.As(cause, &hinted) {
		e.Hint = hinted.Hint()
	}
	return e
}

// initError turns a failure that init reported into an error of the plan's step.
func (c *container) initError(cause error) error {
	var failed *nsinit.StepError
	if !errors.As(cause, &failed) || failed.Step < 0 || failed.Step >= len(c.plan.Steps) {
		return cause
	}
	s := &c.plan.Steps[failed.Step]
	e := &Error{Doing: s.Op.String(), Field: s.Field, Origin: s.Origin, Cause: failed.Errno, Code: 125}
	if run, ok := s.Op.(plan.Exec); ok {
		e.Doing, e.Code = fmt.Sprintf("run %q", run.Args[0]), 126
		if failed.Errno == unix.ENOENT {
			e.Code = 127
		}
		if failed.Errno == unix.E2BIG {
			e.Hint = "the arguments and the environment together have a limit, a quarter of the stack's (rlimits.stack); pass the data in a file or on stdin"
			return e
		}
		if c.diagnosis != nil {
			e.Cause, e.Hint = c.diagnosis.Cause, c.diagnosis.Hint
		}
		return e
	}
	e.Hint = mount.Explain(s.Op, failed.Errno)
	return e
}

// interrupted is the cause of a set-up that a signal ended.
type interrupted struct{ signal os.Signal }

func (i interrupted) Error() string {
	return "interrupted by SIG" + SignalName(unix.Signal(signalNumber(i.signal)))
}

// hookError is a hook that failed the run.
type hookError struct {
	hook definition.HookRef
	err  error
}

func (h *hookError) Error() string {
	return fmt.Sprintf("%s hook %q: %v", h.hook.Stage, h.hook.Label, h.err)
}

func (h *hookError) Unwrap() error { return h.err }
