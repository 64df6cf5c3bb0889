package plan

import (
	"fmt"
	"strings"

	"sandbox/sandbox/definition"
)

// Ops of containers that further processes join: steps and services.
type (
	// KeepNamespaces opens the namespaces of the parked init's child, in the order in
	// which a process has to enter them, until the container ends.
	KeepNamespaces struct{ Names []string }
	// StartService starts a service and waits until it is ready.
	StartService struct {
		Number int // from 1
		Name   string
		Args   []string
		Ready  definition.Ready
		Within definition.Duration
	}
	// Hide closes the process to others of the container, as their tracing and their
	// /proc, until execve.
	Hide struct{}
	// AwaitInit waits until the container is set up, without a payload.
	AwaitInit struct{}
	// Watch begins to enforce limits and forward signals, for the steps.
	Watch struct{ Limits definition.Limits }
	// RunStep runs a step, or skips it, and waits for its end.
	RunStep struct {
		Number int // from 1
		Name   string
		Args   []string
		Wall   definition.Duration
		When   definition.When
	}
	// StopServices ends the services, the last started first.
	StopServices struct{ Names []string }
	// EndAll kills what steps and services left, and judges.
	EndAll struct{}

	// Leave says that all is set up, and ends: what follows joins.
	Leave struct{}
	// AwaitTCP waits until a port of lo accepts connections.
	AwaitTCP struct{ Port uint16 }
	// AwaitFile waits until a path exists.
	AwaitFile struct{ Path string }
)

func (o KeepNamespaces) String() string {
	return "keep open for what joins: " + strings.Join(o.Names, ", ")
}
func (o StartService) String() string {
	s := fmt.Sprintf("start service %s: %q", o.Name, o.Args)
	if ready := readyText(o.Ready); ready != "" {
		s += fmt.Sprintf(", ready within %s when %s", o.Within, ready)
	}
	return s
}
func (Hide) String() string      { return "closed to others until execve" }
func (AwaitInit) String() string { return "await the container" }
func (o Watch) String() string   { return "watch the steps" + limitsText(o.Limits) }
func (o RunStep) String() string {
	s := fmt.Sprintf("step %s: %q", o.Name, o.Args)
	if o.Wall > 0 {
		s += ", wall " + o.Wall.String()
	}
	if o.When != "" {
		s += ", when " + string(o.When)
	}
	return s
}
func (o StopServices) String() string { return "stop services: " + strings.Join(o.Names, ", ") }
func (EndAll) String() string         { return "kill what is left" }
func (Leave) String() string          { return "end, with its namespaces kept" }
func (o AwaitTCP) String() string     { return fmt.Sprintf("await port %d of lo", o.Port) }
func (o AwaitFile) String() string    { return "await " + o.Path }

func (KeepNamespaces) op() {}
func (StartService) op()   {}
func (AwaitInit) op()      {}
func (Hide) op()           {}
func (Watch) op()          {}
func (RunStep) op()        {}
func (StopServices) op()   {}
func (EndAll) op()         {}
func (Leave) op()          {}
func (AwaitTCP) op()       {}
func (AwaitFile) op()      {}

// readyText words what is waited for; "" is nothing.
func readyText(r definition.Ready) string {
	switch {
	case r.TCP != 0:
		return fmt.Sprintf("port %d of lo accepts connections", r.TCP)
	case r.File != "":
		return r.File + " exists"
	case r.Command != nil:
		return fmt.Sprintf("%q returns 0", r.Command)
	}
	return ""
}
