package plan

import (
	"slices"

	"sandbox/sandbox/definition"
)

// defaultCaps is what a payload of uid 0 has: enough to install and build software
// in its own files, nothing that reaches beyond them.
var defaultCaps = [...]string{"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"}

// payload is the payload's process, from its birth to its execve.
func (c *compiler) payload() {
	c.clone()
	c.init(NewSession{}, "") // no way to the runner's process group or terminal
	if c.terminal {
		c.init(SetTerminal{}, "process.terminal")
	}
	for _, r := range c.def.Rlimits {
		c.init(SetRlimit{r}, "rlimits."+r.Name)
	}
	// While /proc/self still belongs to the caller: a change of ids takes it away.
	if v := c.def.Process.OOMScoreAdj; v != nil {
		c.init(SetOOMScoreAdj{Value: *v}, "process.oom_score_adj")
	}
	c.privileges(c.terminalEnv())
}

func (c *compiler) terminalEnv() []definition.EnvVar {
	if c.terminal {
		return []definition.EnvVar{{Name: "TERM", Value: "xterm-256color"}}
	}
	return nil
}

// clone makes the payload's process, and root's user namespace for it.
func (c *compiler) clone() {
	if c.ns["time"] {
		c.init(Unshare{Namespaces: []string{"time"}}, "namespaces.time") // for children only (time_namespaces(7))
	}
	clone := ClonePayload{PID: c.ns["pid"]}
	if c.userLast {
		// With a pid namespace of its own init writes the maps of its child; without,
		// or without an init that stays, the supervisor does.
		if c.keeper && c.ns["pid"] && c.ns["mount"] {
			clone.UID, clone.GID = c.uids, c.gids
		} else {
			c.init(UnshareUser{}, "namespaces.user")
			c.init(Sync{Point: "map"}, "idmap")
			c.host(WriteMaps{UID: c.uids, GID: c.gids}, "idmap")
		}
	}
	if c.keeper {
		c.init(clone, "")
	}
}

// privileges gives up what the payload is not to have. The order is the kernel's:
// the bounding set while SETPCAP is there, ids while SETUID is, then the sets,
// no_new_privs, and the filter last, so that it need not allow any of this.
func (c *compiler) privileges(env []definition.EnvVar) {
	p := c.def.Process
	sets := c.capabilities()
	c.init(BoundCaps{Keep: sets.Bounding}, "caps")
	keepGroups := c.userFirst && c.single() // setgroups is denied with a self-written map
	c.init(SetUser{UID: c.uid, GID: c.gid, Groups: c.groups, Resolved: c.resolve, KeepGroups: keepGroups,
		KeepCaps: (c.uid != 0 || c.resolve) && len(sets.Permitted) > 0}, "process.user")
	umask := uint32(0o022)
	if p.Umask != nil {
		umask = *p.Umask
	}
	c.init(SetUmask{Mask: umask}, "process.umask")
	cwd := p.Cwd
	if cwd == "" {
		cwd = "/"
	}
	c.init(SetCwd{Path: cwd}, "process.cwd")
	c.init(SetCaps{Effective: sets.Effective, Permitted: sets.Permitted, Inheritable: sets.Inheritable, Ambient: sets.Ambient}, "caps")
	if !p.NewPrivs {
		c.init(NoNewPrivs{}, "process.no_new_privs")
	}
	c.init(CloseFDs{}, "")
	if mode := c.def.Seccomp.Mode; mode != definition.SeccompNone {
		filter := c.def.Seccomp
		if filter.Mode == "" {
			filter.Mode = definition.SeccompDefault
		}
		if p.NewPrivs && !slices.Contains(sets.Effective, "SYS_ADMIN") {
			c.problem("process.no_new_privs", "a seccomp filter without no_new_privs can be loaded with CAP_SYS_ADMIN only",
				"leave no_new_privs on, or set seccomp = \"none\"")
		}
		c.init(LoadFilter{filter}, "seccomp")
	}
	c.init(Exec{Args: p.Args, Env: c.environment(env)}, "process.args")
}

// environment is built from nothing: the base set, then what the recipe names.
func (c *compiler) environment(more []definition.EnvVar) []definition.EnvVar {
	home := "/root"
	if c.uid != 0 || c.resolve {
		home = "/tmp"
	}
	env := append([]definition.EnvVar{
		{Name: "PATH", Value: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		{Name: "HOME", Value: home},
		{Name: "LANG", Value: "C.UTF-8"},
	}, more...)
	for _, v := range c.def.Process.Env {
		env = slices.DeleteFunc(env, func(e definition.EnvVar) bool { return e.Name == v.Name })
		env = append(env, v)
	}
	return env
}

// capabilities fills in the defaults: the small set for uid 0, nothing for others,
// never more than the caller has.
func (c *compiler) capabilities() definition.Capabilities {
	asked := c.def.Caps
	base := defaultCaps[:]
	if c.uid != 0 || c.resolve && c.def.Process.User != "" {
		base = []string{}
	}
	or := func(set, fallback []string) []string {
		if set == nil {
			return fallback
		}
		return set
	}
	sets := definition.Capabilities{Bounding: or(asked.Bounding, base)}
	sets.Permitted = or(asked.Permitted, sets.Bounding)
	sets.Effective = or(asked.Effective, sets.Permitted)
	sets.Inheritable, sets.Ambient = asked.Inheritable, asked.Ambient
	return sets
}
