package plan

import (
	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
)

// CompileExec turns a request for a further process in a running container into
// init steps, in order: the v1 cgroups, whose files cannot be reached from inside;
// then, in the container's namespaces, the payload's own privileges and execve.
// A payload whose user is a name needs facts.Resolved.
func CompileExec(def *definition.Definition, facts Facts, request definition.ExecRequest) (*Plan, error) {
	return compileFurther(def, facts, further{ExecRequest: request})
}

// further is a process besides the payload, and the definition's fields that ask for
// it and name its program, or "".
type further struct {
	definition.ExecRequest
	field, args string
}

func compileFurther(def *definition.Definition, facts Facts, request further) (*Plan, error) {
	c := newCompiler(def, &facts)
	c.decideNamespaces()
	c.decideUser()
	c.decideIDs()
	c.decideCaps()
	c.plan.Notes = nil // they were told when the container was made
	if c.user.named && facts.Resolved == nil {
		c.problem("process.user", "wait until the container runs", "the ids of %q are not known yet", def.Process.User)
	}
	if len(request.Args) == 0 || request.Args[0] == "" {
		c.problem("", "give exec a list like { \"/bin/true\" }", "there is nothing to run")
	}
	c.setting, _ = cgroups.Resolve(facts.Cgroup, def.Limits)
	c.joinCgroups()
	c.init(NewSession{}, "")
	c.loweredLimits()
	c.oomScore()
	cwd := folder{request.Cwd, "process.cwd"}
	switch {
	case cwd.path == "":
		cwd.path = def.Process.Cwd
	case request.field != "":
		cwd.field = definition.Join(request.field, "cwd")
	}
	c.term = len(def.Steps) > 0 && request.field != "" && mayHaveTerminal(def.Process) && facts.StdinTerminal
	c.privileges(cwd)
	args := request.args
	if args == "" {
		args = "process.args"
	}
	c.init(Exec{Args: request.Args, Env: c.environment(request.Env)}, args)
	return c.result()
}

// loweredLimits are the payload's rlimits as far as the runner's own allow: the
// process is in the container's user namespace already, where none can be raised.
func (c *compiler) loweredLimits() {
	for _, r := range c.def.Rlimits {
		if have, ok := c.hardLimit(r.Name); ok {
			r.Hard, r.Soft = min(r.Hard, have), min(r.Soft, have)
		}
		c.init(SetRlimit{r}, definition.Join("rlimits", r.Name))
	}
}
