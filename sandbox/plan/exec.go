package plan

import "sandbox/sandbox/definition"

// CompileExec is the init side of a further process in a running container: the
// payload's user, capabilities and filter, with the request's arguments, folder
// and environment. The engine enters the container after the JoinCgroup steps.
func CompileExec(def *definition.Definition, facts Facts, request definition.ExecRequest) (*Plan, error) {
	exec := *def
	exec.Process.Args = request.Args
	if request.Cwd != "" {
		exec.Process.Cwd = request.Cwd
	}
	exec.Process.Env = append(append([]definition.EnvVar{}, def.Process.Env...), request.Env...)
	exec.Process.Terminal = definition.TerminalNo
	c := &compiler{def: &exec, facts: facts, plan: &Plan{}}
	c.decide()
	for _, d := range c.setting.Dirs {
		if d.Version == 1 {
			c.init(JoinCgroup{Controller: d.Controllers[0]}, "")
		}
	}
	c.init(NewSession{}, "")
	for _, r := range exec.Rlimits {
		c.init(SetRlimit{r}, "rlimits."+r.Name)
	}
	c.privileges(nil)
	if len(c.problems) > 0 {
		return nil, c.problems.At(def.Origins)
	}
	return c.plan, nil
}
