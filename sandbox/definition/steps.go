package definition

import (
	"strconv"
	"strings"
)

// Program is what a step and a service have in common.
type Program struct {
	// Name tells it from the others: letters, digits, "_", "-" and ".", at most 64 bytes.
	Name string `json:"name"`
	// Args is as Process.Args.
	Args []string `json:"args"`
	// Env is on top of Process.Env.
	Env []EnvVar `json:"env,omitempty"`
	// Cwd is absolute, in the container; empty means Process.Cwd.
	Cwd string `json:"cwd,omitempty"`
}

// Step is one of several programs that run one after another in the same container,
// in the place of Process.Args. What Process says else is their common base.
type Step struct {
	Program
	// Wall is the time from its own start; 0 means no limit but the container's.
	Wall Duration `json:"wall,omitempty"`
	When When     `json:"when,omitempty"`
}

// When says after what a step runs. Empty means that all before it have succeeded.
type When string

// The occasions.
const (
	WhenAlways  When = "always"
	WhenFailure When = "failure" // one before it has failed
)

// Service is a program that runs beside the payload or the steps, in the same container.
type Service struct {
	Program // its name is that of its log too
	// Ready is what is waited for before the next service, the payload or the steps.
	Ready Ready `json:"ready"`
	// ReadyWithin bounds that; 0 means 30 s.
	ReadyWithin Duration `json:"ready_within,omitempty"`
	// Stop is the signal that asks it to end, by name; empty means TERM.
	Stop string `json:"stop,omitempty"`
}

// Ready is how a service shows that it can be used: one of them, or none, when it
// can be once it has been started.
type Ready struct {
	// TCP is a port of the container's lo that accepts connections.
	TCP uint16 `json:"tcp,omitempty"`
	// File is a path in the container that exists.
	File string `json:"file,omitempty"`
	// Command is a program that returns 0; it is tried again until it does.
	Command []string `json:"command,omitempty"`
}

// Joined reports whether processes join the container besides the payload: steps or
// services.
func (d *Definition) Joined() bool { return len(d.Steps) > 0 || len(d.Services) > 0 }

// Validate returns what is wrong with the step; at is its path, like "steps[2]".
func (s Step) Validate(at string) Problems {
	var ps Problems
	ps.program(at, s.Program)
	if s.When != "" && s.When != WhenAlways && s.When != WhenFailure {
		ps.hint(Join(at, "when"), `"always" or "failure"; a step without when runs when all before it have succeeded`,
			"a step does not run when %s", clip(string(s.When)))
	}
	return ps
}

// Validate returns what is wrong with the service; at is its path, like "services[2]".
func (s Service) Validate(at string) Problems {
	var ps Problems
	ps.program(at, s.Program)
	ps = append(ps, s.Ready.validate(Join(at, "ready"))...)
	if s.Stop != "" && !knownSignal(s.Stop) {
		ps.hint(Join(at, "stop"), strings.Join(signalNames[:], ", "), "there is no signal %s to stop it with", clip(s.Stop))
	}
	return ps
}

func (r Ready) validate(at string) Problems {
	var ps Problems
	ways := 0
	for _, given := range [...]bool{r.TCP != 0, r.File != "", r.Command != nil} {
		if given {
			ways++
		}
	}
	if ways > 1 {
		ps.hint(at, "leave one of them out", "a service is ready in one way: tcp, file or command")
	}
	if r.File != "" {
		ps.absolute(Join(at, "file"), r.File)
	}
	if r.Command != nil {
		ps.command(Join(at, "command"), r.Command)
	}
	return ps
}

// signalNames are those that a program may take as the wish that it ends.
var signalNames = [...]string{"TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "KILL", "ABRT", "ALRM", "WINCH", "PWR"}

func knownSignal(name string) bool {
	for _, n := range signalNames {
		if n == strings.TrimPrefix(name, "SIG") {
			return true
		}
	}
	return false
}

func (ps *Problems) program(at string, p Program) {
	if p.Name == "" {
		ps.hint(Join(at, "name"), `write name = "…"`, "it has no name")
	} else {
		ps.name(Join(at, "name"), p.Name)
	}
	if len(p.Args) == 0 {
		ps.hint(Join(at, "args"), `write args = { "true" }`, "no program is named")
	}
	ps.command(Join(at, "args"), p.Args)
	for _, e := range p.Env {
		ps.env(Join(at, "env"), e)
	}
	if p.Cwd != "" {
		ps.absolute(Join(at, "cwd"), p.Cwd)
	}
}

// command checks an argument vector.
func (ps *Problems) command(at string, args []string) {
	for i, arg := range args {
		ps.argument(Item(at, i+1), arg)
		if i == 0 && arg == "" {
			ps.add(Item(at, 1), "the program's name is empty")
		}
	}
}

// validateJoined checks the steps and services, and what contradicts them.
func (d *Definition) validateJoined() Problems {
	var ps Problems
	names := make([]string, len(d.Steps))
	for i, s := range d.Steps {
		ps = append(ps, s.Validate(Item("steps", i+1))...)
		names[i] = s.Name
	}
	ps.unique("steps", names)
	names = make([]string, len(d.Services))
	for i, s := range d.Services {
		ps = append(ps, s.Validate(Item("services", i+1))...)
		names[i] = s.Name
	}
	ps.unique("services", names)
	if d.Joined() && d.Process.NoInit {
		ps.hint("process.init", "leave it out", "steps and services need the small init as PID 1: it lives as long as the container")
	}
	if len(d.Steps) == 0 {
		return ps
	}
	if len(d.Process.Args) > 0 {
		ps.hint("process.args", "leave it out, or make it a step: { name = …, args = … }", "the container has steps, which are run in the place of process.args")
	}
	if d.Process.Terminal == TerminalYes {
		ps.hint("process.terminal", "leave it out", "steps have the runner's own stdin, stdout and stderr, and no terminal of the container")
	}
	return ps
}

func (ps *Problems) unique(list string, names []string) {
	for i, name := range names {
		for j := range i {
			if name != "" && names[j] == name {
				ps.hint(Join(Item(list, i+1), "name"), "give it another", "the name %s is that of %s too", clip(name), list+"["+strconv.Itoa(j+1)+"]")
				break
			}
		}
	}
}
