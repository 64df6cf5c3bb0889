package nsinit

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// StepError is a call of the program that failed before execve, or execve itself.
type StepError struct {
	// Step is the plan's step that the call belongs to (Program.Step), or -1.
	Step  int
	Errno unix.Errno
	// Call is the system call's name ("mount_setattr"), or "verification".
	Call string
}

// Error returns "mount_setattr: operation not permitted".
func (e *StepError) Error() string { return e.Call + ": " + e.Errno.Error() }

// Unwrap returns the errno.
func (e *StepError) Unwrap() error { return e.Errno }

// DeathError is an init that ended during set-up without saying why.
type DeathError struct {
	Status unix.WaitStatus
	// Filtered says that it got as far as loading the seccomp filter, and that the
	// filter is the likely cause.
	Filtered bool
}

// Error returns "init was killed by SIGKILL during set-up".
func (e *DeathError) Error() string {
	switch {
	case e.Status.Signaled():
		return fmt.Sprintf("init was killed by %s during set-up", unix.SignalName(e.Status.Signal()))
	case e.Filtered:
		return "init could not report on execve"
	}
	return fmt.Sprintf("init ended with status %d during set-up", e.Status.ExitStatus())
}

// Hint says what to do about it, or is empty.
func (e *DeathError) Hint() string {
	switch {
	case e.Filtered:
		return "the seccomp policy must allow write, execve and exit_group: the process that becomes the payload needs them once the filter is loaded"
	case e.Status.Signaled() && e.Status.Signal() == unix.SIGKILL:
		return "was it the memory limit? it must hold init and the payload's first pages, a few hundred kilobytes"
	}
	return ""
}
