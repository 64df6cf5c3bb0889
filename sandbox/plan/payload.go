package plan

import (
	"slices"

	"sandbox/sandbox/definition"
)

// becomePayload is what happens from the finished root to execve.
func (c *compiler) becomePayload() {
	// Init takes what it is given in this order: it comes before every answer.
	c.awaitCgroup()
	if c.user.named {
		// The numbers are in the root's /etc/passwd, which exists only now.
		c.init(Sync{Point: "user"}, "")
		user, field := c.def.Process.User, "process.user"
		if user == "" {
			user, field = "0", "process.groups"
		}
		c.host(ResolveUser{User: user, Groups: c.def.Process.Groups}, field)
	}
	c.hold()
	last := c.own.user && c.facts.Root
	if last {
		// Raising them needs CAP_SYS_RESOURCE in the host's user namespace.
		c.processLimits(c.earlyLimit)
		c.oomScore()
	}
	if c.own.time {
		// Only children enter it, so before the payload's clone; its clocks cannot be
		// set once it has a process.
		c.init(Unshare{Namespaces: []string{"time"}}, "namespaces.time")
	}
	c.split(last)
	if !last {
		c.oomScore() // opens a file, which neither scarceFiles nor Hide would let it
	}
	c.keepNamespaces()
	if len(c.def.Steps) > 0 {
		c.init(Leave{}, "")
		return
	}
	// No access to the runner's terminal (TIOCSTI, CVE-2017-5226), and none of its signals.
	c.init(NewSession{}, "")
	if c.terminal {
		// Of the container's own devpts, and while init may still talk.
		c.init(SetTerminal{HostDevices: !c.own.mount}, set("process.terminal", c.def.Process.Terminal != ""))
	}
	if last {
		c.processLimits(lateLimit)
	} else {
		c.processLimits(func(r definition.Rlimit) (definition.Rlimit, bool) { return r, true })
	}
	c.privileges(folder{c.def.Process.Cwd, "process.cwd"})
	c.init(Exec{Args: c.def.Process.Args, Env: c.environment(nil)}, "process.args")
}

// folder is a working directory, and the field that names it.
type folder struct{ path, field string }

// hold parks init when all is set up, for hooks, and to keep its mounts.
func (c *compiler) hold() {
	if !c.holds() {
		return
	}
	c.init(Sync{Point: "prestart"}, "")
	c.host(HoldRoot{HostFiles: !c.own.mount}, "")
	c.hooks(definition.StagePrestart)
}

// holds reports whether the root is needed after the payload's start: by hooks
// that read and write it, or by artifacts.
func (c *compiler) holds() bool {
	for _, h := range c.def.Hooks {
		if h.Stage != definition.StagePoststop {
			return true
		}
	}
	return len(c.def.Artifacts) > 0
}

func (c *compiler) hooks(stage definition.Stage) {
	var labels []string
	for _, h := range c.def.HooksOf(stage) {
		labels = append(labels, h.Label)
	}
	if len(labels) > 0 {
		c.host(RunHooks{Stage: stage, Labels: labels}, "")
	}
}

// split makes the payload's process, and root's user namespace, which is entered
// last: the mounts belong to the outer one and cannot be undone from inside.
func (c *compiler) split(last bool) {
	if !c.def.Process.NoInit {
		op := ClonePayload{PID: c.own.pid, IntoCgroup: c.apart(), HostProc: !c.own.mount, Stay: c.def.Joined()}
		if last {
			op.UID, op.GID = c.ids.uid, c.ids.gid
		}
		c.init(op, "")
		if c.own.cgroup && c.apart() {
			// As its root is the cgroup that the process is in at this moment.
			c.init(Unshare{Namespaces: []string{"cgroup"}}, "")
		}
		return
	}
	if last {
		// There is no other process in the container that could write the maps.
		c.init(UnshareUser{}, "")
		c.init(Sync{Point: "map"}, "")
		c.host(WriteMaps{UID: c.ids.uid, GID: c.ids.gid}, c.mapField())
	}
}

// processLimits sets those rlimits, or that of them, whose time it is. Without
// CAP_SYS_RESOURCE in the host's user namespace a hard limit can only be lowered.
func (c *compiler) processLimits(whose func(definition.Rlimit) (definition.Rlimit, bool)) {
	for _, r := range c.def.Rlimits {
		r, now := whose(r)
		if !now {
			continue
		}
		field := definition.Join("rlimits", r.Name)
		if have, ok := c.hardLimit(r.Name); ok && r.Hard > have && !c.mayRaise() {
			c.problem(field, "lower it, or raise the limit of the runner's session (limits.conf(5))",
				"the hard limit of %s would be above the runner's own, %s", r.Name, rlimitText(definition.Rlimit{Name: r.Name, Soft: have, Hard: have}))
			continue
		}
		c.init(SetRlimit{r}, field)
	}
}

func (c *compiler) hardLimit(name string) (uint64, bool) {
	for _, r := range c.facts.Rlimits {
		if r.Name == name {
			return r.Hard, true
		}
	}
	return 0, false
}

// mayRaise: hard limits and lower scores are CAP_SYS_RESOURCE of the initial user
// namespace (do_prlimit in kernel/sys.c).
func (c *compiler) mayRaise() bool {
	return c.facts.Root && c.mappedIDs() == allIDs && c.facts.Capabilities&(1<<capSysResource) != 0
}

// earlyLimit is what can be raised only while init has the host's capabilities.
func (c *compiler) earlyLimit(r definition.Rlimit) (definition.Rlimit, bool) {
	have, ok := c.hardLimit(r.Name)
	raised := ok && r.Hard > have
	if scarceFiles(r) {
		r.Soft = r.Hard
		return r, raised
	}
	return r, true
}

func lateLimit(r definition.Rlimit) (definition.Rlimit, bool) { return r, scarceFiles(r) }

// scarceFiles are few descriptors, which init itself needs more of until the
// payload is on its own: the kernel's default is 1024.
func scarceFiles(r definition.Rlimit) bool { return r.Name == "nofile" && r.Soft <= 1024 }

func (c *compiler) oomScore() {
	if adj := c.def.Process.OOMScoreAdj; adj != nil {
		c.init(SetOOMScoreAdj{Value: *adj}, "process.oom_score_adj")
	}
}

// privileges gives them up, in the only order that works: the bounding set while
// CAP_SETPCAP is there; groups and ids while CAP_SETGID and CAP_SETUID are; the
// folder as the payload's user, who may not be allowed into it; the sets last.
func (c *compiler) privileges(cwd folder) {
	p, caps := c.def.Process, set("caps", c.capsGiven())
	c.init(BoundCaps{Keep: c.bound}, caps)
	u := SetUser{UID: c.user.uid, GID: c.user.gid, Groups: c.user.groups, Resolved: c.user.named, KeepGroups: !c.ids.groups,
		KeepCaps: !c.isRoot() && len(c.caps.Permitted) > 0}
	if u.Resolved {
		u.UID, u.GID, u.Groups = 0, 0, nil
	}
	c.init(u, set("process.user", p.User != ""))
	c.init(SetUmask{Mask: modeOr(p.Umask, 0o022) & 0o777}, set("process.umask", p.Umask != nil))
	if cwd.path == "" {
		c.init(SetCwd{Path: "/"}, "")
	} else {
		c.init(SetCwd{Path: cwd.path}, cwd.field)
	}
	c.init(c.caps, caps)
	if !p.NewPrivs {
		c.init(NoNewPrivs{}, "")
	}
	// A descriptor of the host's would be a way out (CVE-2024-21626). Before the
	// filter, which need not allow the call.
	c.init(CloseFDs{}, "")
	if c.def.Seccomp.Mode != definition.SeccompNone {
		// Last, so that it need not allow what set-up calls.
		s := c.def.Seccomp
		if s.Mode == "" {
			s.Mode = definition.SeccompDefault
		}
		c.init(LoadFilter{s}, set("seccomp", c.def.Seccomp.Mode != ""))
	}
}

// environment is the base set, documented here, with the recipe's and further
// variables on top:
//
//	PATH  /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
//	HOME  /root for uid 0, else /tmp, and where the host's own /root is not the payload's
//	LANG  C.UTF-8
//	TERM  of the runner's terminal, when the payload has one of its own, or is a step
//
// Nothing of the runner's own environment gets in.
func (c *compiler) environment(further []definition.EnvVar) []definition.EnvVar {
	home := "/tmp"
	if uid, known := c.hostUID(); c.isRoot() && (c.own.mount || known && uid == 0) {
		home = "/root"
	}
	all := append(make([]definition.EnvVar, 0, 4+len(c.def.Process.Env)+len(further)),
		definition.EnvVar{Name: "PATH", Value: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		definition.EnvVar{Name: "HOME", Value: home}, definition.EnvVar{Name: "LANG", Value: "C.UTF-8"})
	if c.terminal || c.term {
		term := c.facts.Term
		if term == "" {
			term = "xterm"
		}
		all = append(all, definition.EnvVar{Name: "TERM", Value: term})
	}
	for _, list := range [...][]definition.EnvVar{c.def.Process.Env, further} {
		for _, e := range list {
			if i := slices.IndexFunc(all, func(a definition.EnvVar) bool { return a.Name == e.Name }); i >= 0 {
				all[i].Value = e.Value
			} else {
				all = append(all, e)
			}
		}
	}
	return all
}

// aftermath is the supervisor's side from execve to the payload's end.
func (c *compiler) aftermath() {
	if len(c.def.Steps) > 0 {
		c.steps()
	} else {
		c.host(AwaitExec{}, "")
		c.hooks(definition.StagePoststart)
		c.host(Supervise{Limits: c.def.Limits}, c.limitsField())
	}
	c.endJoined()
	c.hooks(definition.StageCollect)
	for _, a := range c.def.Artifacts {
		field := definition.Join("artifacts", a.Path)
		c.host(CopyArtifact{Path: a.Path, Target: a.Target}, field)
	}
	if len(c.def.Artifacts) > 0 && !c.facts.Root && !c.ids.self && (c.user.named || c.user.uid != 0) {
		c.note("artifacts", "artifacts that only their owner may read cannot be copied: the payload's files belong to a subordinate id")
	}
}

// limitsField is the field of what enforces limits of time and output, if there are any.
func (c *compiler) limitsField() string {
	l := c.def.Limits
	return set("limits", l.Wall > 0 || l.CPUTime > 0 || l.Idle > 0 || l.Output > 0)
}

// teardown undoes everything. The processes go first, as they hold all the rest;
// the hooks are told when nothing of the container is left but its state, which is
// last: whatever remains after a crash can be found by it.
func (c *compiler) teardown() {
	undo := func(op Op) { c.plan.Teardown = append(c.plan.Teardown, Step{Side: Host, Op: op}) }
	undo(KillAll{})
	if c.holds() {
		undo(Release{HostFiles: !c.own.mount})
	}
	if len(c.setting.Dirs) > 0 {
		undo(RemoveCgroup{})
	}
	var labels []string
	for _, h := range c.def.HooksOf(definition.StagePoststop) {
		labels = append(labels, h.Label)
	}
	if len(labels) > 0 {
		undo(RunHooks{Stage: definition.StagePoststop, Labels: labels})
	}
	undo(RemoveState{})
}
