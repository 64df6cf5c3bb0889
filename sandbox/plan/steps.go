package plan

import (
	"slices"
	"time"

	"sandbox/sandbox/definition"
)

// readyWithin is how long a service may take to be ready unless its recipe says.
const readyWithin = definition.Duration(30 * time.Second)

// keepNamespaces holds what later processes join. It is done by the process that is
// to be the payload, as user and cgroup namespaces may be its alone, and while it is
// still ours: it has no privileges to lose yet, and nothing of the recipe has run.
// Open descriptors, and not a process, keep them: a step may kill every process that
// it sees.
func (c *compiler) keepNamespaces() {
	if !c.def.Joined() {
		return
	}
	c.init(Sync{Point: "join"}, "")
	c.host(KeepNamespaces{Names: c.ownNamespaces()}, "")
	if len(c.def.Services) == 0 {
		return
	}
	if c.facts.Root && !c.own.user && hasName(c.bound, "SYS_PTRACE") {
		c.problem("services", "leave out the capability SYS_PTRACE, or the user namespace of the host's",
			"a service could take over the payload's process, which waits for it with descriptors of the host's")
	}
	// Services are the recipe's, and the process that is to be the payload has
	// descriptors and rights that they must not get at.
	c.init(Hide{}, "")
	c.init(Sync{Point: "services"}, "")
	for i, s := range c.def.Services {
		op := StartService{Number: i + 1, Name: s.Name, Args: s.Args, Ready: s.Ready, Within: s.ReadyWithin}
		if op.Within == 0 {
			op.Within = readyWithin
		}
		c.host(op, definition.Item("services", i+1))
	}
}

// ownNamespaces are the container's, in the order to enter them (setns(2)): an
// ordinary user has rights over the others only inside the user namespace, and root
// loses them there.
func (c *compiler) ownNamespaces() []string {
	names := make([]string, 0, 8)
	for _, n := range [...]struct {
		own  bool
		name string
	}{{c.own.mount, "mount"}, {c.own.pid, "pid"}, {c.own.net, "net"}, {c.own.ipc, "ipc"}, {c.own.uts, "uts"},
		{c.own.cgroup, "cgroup"}, {c.own.time, "time"}} {
		if n.own {
			names = append(names, n.name)
		}
	}
	switch {
	case !c.own.user:
		return names
	case c.facts.Root:
		return append(names, "user")
	}
	return slices.Insert(names, 0, "user")
}

// steps run in the finished container, one after another.
func (c *compiler) steps() {
	c.host(AwaitInit{}, "")
	c.hooks(definition.StagePoststart)
	c.host(Watch{Limits: c.def.Limits}, c.limitsField())
	for i, s := range c.def.Steps {
		c.host(RunStep{Number: i + 1, Name: s.Name, Args: s.Args, Wall: s.Wall, When: s.When}, definition.Item("steps", i+1))
	}
}

// endJoined ends the services once what they are for has ended, and their files are
// still wanted; then what nobody asked to end.
func (c *compiler) endJoined() {
	if !c.def.Joined() {
		return
	}
	var names []string
	for _, s := range slices.Backward(c.def.Services) {
		names = append(names, s.Name)
	}
	if len(names) > 0 {
		c.host(StopServices{Names: names}, "")
	}
	c.host(EndAll{}, "")
}

// CompileStep is CompileExec for a step of the definition; number counts from 1.
func CompileStep(def *definition.Definition, facts Facts, number int) (*Plan, error) {
	return compileFurther(def, facts, furtherOf(def.Steps[number-1].Program, definition.Item("steps", number), "args"))
}

// CompileService is CompileExec for a service of the definition; number counts from 1.
func CompileService(def *definition.Definition, facts Facts, number int) (*Plan, error) {
	return compileFurther(def, facts, furtherOf(def.Services[number-1].Program, definition.Item("services", number), "args"))
}

// CompileTry is CompileExec for the command that tells whether a service is ready.
func CompileTry(def *definition.Definition, facts Facts, number int) (*Plan, error) {
	s := def.Services[number-1]
	s.Args = s.Ready.Command
	return compileFurther(def, facts, furtherOf(s.Program, definition.Item("services", number), "ready.command"))
}

func furtherOf(p definition.Program, at, args string) further {
	return further{definition.ExecRequest{Args: p.Args, Env: p.Env, Cwd: p.Cwd}, at, definition.Join(at, args)}
}

// CompileReady is what a process in the container's namespaces does to find out
// whether a service is ready, by port or file: it ends when that is so.
func CompileReady(def *definition.Definition, number int) *Plan {
	r, at := def.Services[number-1].Ready, definition.Join(definition.Item("services", number), "ready")
	c := newCompiler(def, &Facts{})
	if r.TCP != 0 {
		c.init(AwaitTCP{Port: r.TCP}, definition.Join(at, "tcp"))
	} else {
		c.init(AwaitFile{Path: r.File}, definition.Join(at, "file"))
	}
	c.init(Leave{}, "")
	return c.plan
}
