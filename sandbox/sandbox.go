// Package sandbox is the life of one container, seen from the supervisor: it
// walks a plan, step by step, calls the recipe's hooks where the plan says so,
// watches the payload, and undoes everything.
//
// Run is the whole life. Sweep removes what a supervisor left that was killed
// before it could.
package sandbox

import (
	"context"
	"os"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// Options are what Run needs. Definition, Plan and Facts belong together.
type Options struct {
	Definition *definition.Definition
	Plan       *plan.Plan
	Facts      plan.Facts
	// ID names the container; empty means the definition's name and a random part.
	ID string
	// Hooks calls the recipe's hooks; nil when it registered none.
	Hooks definition.Hooks
	// Record is what a later command needs to call the poststop hooks when this
	// supervisor dies before it could; nil for none.
	Record []byte
	// Stdin, Stdout and Stderr are the runner's own, passed through untouched.
	Stdin, Stdout, Stderr *os.File
	// Signals begins to catch the user's signals and returns how to stop; nil leaves
	// them alone. They are forwarded to the payload; before it runs they end the
	// set-up. It costs 0.4 ms, so it is called when a terminal is attached, or the
	// container has lasted 5 ms. A signal before that ends the
	// process as a SIGKILL would, and the next command sweeps and calls poststop.
	Signals func() (signals <-chan os.Signal, stop func())
	// Log receives one line for the user at a time, from hooks; nil drops them.
	Log func(line string)
	// Progress is told what becomes of steps and services; nil drops it.
	Progress func(Progress)
	// Filter compiles a seccomp policy to BPF.
	Filter func(definition.Seccomp) ([]byte, error)
	// Launcher forks init, and is the caller's to close; nil means one of Run's own.
	Launcher *nsinit.Launcher
	// Revive loads the hooks of a dead supervisor's container from its Record, for
	// the sweep that runs once the payload has started.
	Revive func(record []byte) (definition.Hooks, error)
	// Keep leaves the state folder, with the result, after the end.
	Keep bool
}

// Progress is the start or the end of a step, or a service that is ready.
type Progress struct {
	Name string
	// Service is set for a service, with the time until it was ready.
	Service *definition.ServiceRun
	// Step is how the step ended; nil when it has been started.
	Step *definition.StepRun
	// Memory is what the container uses, nil where nobody knows.
	Memory *definition.Bytes
}

// Run makes the container, runs its payload and removes it. The Result is never
// nil; the error is what stopped the run before its payload ran, a *Error where a
// step of the plan failed, or nil.
//
// Run returns when nothing of the container is left, whatever happened: a failed
// step, a failed hook, a limit, a signal, the end of ctx (which kills).
func Run(ctx context.Context, o Options) (*definition.Result, error) {
	c, err := newContainer(ctx, o)
	if err != nil {
		return failedResult(o, err), err
	}
	err = c.live()
	c.conclude(err)
	c.tearDown()
	c.deafen()
	return c.finish(err)
}
