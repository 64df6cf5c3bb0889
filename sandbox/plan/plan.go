// Package plan turns a Definition and Facts into a Plan: the ordered, printable
// list of everything that is done to make, run and remove one container.
//
// Compile is pure: no file, no system call, no clock, no environment. Knowledge
// of order lives here and nowhere else; what the host cannot give is a note in
// the plan, never silent. The package builds on any operating system.
package plan

import (
	"fmt"
	"strings"

	"sandbox/sandbox/definition"
)

// Side says who performs a step.
type Side uint8

// The sides.
const (
	// Host steps are performed by the supervisor, in the runtime namespaces.
	Host Side = iota
	// Init steps are encoded into the init's program before it is started.
	Init
)

// String returns "host" or "init".
func (s Side) String() string {
	if s == Init {
		return "init"
	}
	return "host"
}

// Step is one deed of a plan.
type Step struct {
	Side Side
	Op   Op
	// Field is the definition's field that asked for it ("mounts[2]"), or "" for a default.
	Field string
	// Origin is where the recipe set that field.
	Origin definition.Origin
}

// Op is what a step does: a small struct, performed by the package of its subject.
type Op interface {
	// String says the deed in one line, with all that matters in words.
	String() string
	op()
}

// Note is something the plan does less well than the definition asked, and why.
type Note struct {
	Text   string
	Origin definition.Origin
	// Conditional notes come true only when init takes a branch that says so.
	Conditional bool
}

// Plan is the life of one container, in order. A host step that follows a Sync
// step runs while init is parked there; init goes on when the next Init step, or
// the end of the Init steps, is reached.
type Plan struct {
	Steps []Step
	// Teardown undoes what was done, in order; each step is idempotent and runs
	// whatever happened before, also when nothing was done.
	Teardown []Step
	// Notes are numbered from 1 on in init's program: Init steps that may degrade
	// while running refer to them by that number.
	Notes []Note
}

// String prints the plan: a line a step, its origin behind it, then the teardown
// and the notes ("maybe": those that depend on what init meets).
func (p *Plan) String() string {
	var b strings.Builder
	for _, s := range p.Steps {
		writeStep(&b, s.Side.String(), s)
	}
	for _, s := range p.Teardown {
		writeStep(&b, "undo", s)
	}
	for _, n := range p.Notes {
		mark := "note "
		if n.Conditional {
			mark = "maybe"
		}
		fmt.Fprintf(&b, "%s %s", mark, oneLine(n.Text))
		if !n.Origin.IsZero() {
			fmt.Fprintf(&b, "  (%s)", n.Origin)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func writeStep(b *strings.Builder, side string, s Step) {
	fmt.Fprintf(b, "%s  %s", side, oneLine(s.Op.String()))
	switch {
	case s.Field != "" && !s.Origin.IsZero():
		fmt.Fprintf(b, "  (%s: %s)", s.Origin, oneLine(s.Field))
	case s.Field != "":
		fmt.Fprintf(b, "  (%s)", oneLine(s.Field))
	}
	b.WriteByte('\n')
}

// oneLine keeps a name with a newline from looking like a step of its own.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", `\n`) }
