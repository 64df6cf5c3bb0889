package plan

import (
	"path"
	"strings"

	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
)

// prepare is the host's part before init exists. The state comes first: whatever
// is made after it can be found and removed when the supervisor dies.
func (c *compiler) prepare() {
	c.host(Reserve{}, "")
	for i, m := range c.def.Mounts {
		if m.Type == definition.MountCache {
			c.host(MakeCache{Name: m.Source, Path: c.cachePath(m)}, mountField(i))
		}
	}
	if len(c.setting.Dirs) > 0 {
		create := CreateCgroup{Setting: c.setting}
		for _, d := range c.setting.Dirs {
			create.Hierarchies = append(create.Hierarchies, hierarchyName(d))
		}
		c.host(create, "")
		for _, w := range c.setting.Writes {
			c.host(SetLimit{Controller: w.Controller, File: w.File, Value: w.Value}, "limits."+w.Limit)
		}
	}
	spawn := Spawn{IntoCgroup: len(c.setting.Dirs) > 0 && c.setting.Dirs[0].Version == 2}
	if !c.userFirst {
		spawn.Namespaces = c.cloned()
	}
	c.host(spawn, "")
}

func hierarchyName(d cgroups.Dir) string {
	if d.Version == 2 {
		return "unified"
	}
	return strings.Join(d.Controllers, ",")
}

func (c *compiler) cachePath(m definition.Mount) string {
	return path.Join(c.facts.CacheDir, "caches", m.Source)
}

// cloned are the namespaces that exist from init's first instruction. The cgroup
// namespace is not among them: its root is the cgroup at the time it is made, and
// that is the runner's own.
func (c *compiler) cloned() []string {
	var names []string
	for _, n := range namespaceOrder {
		if c.ns[n] && n != "cgroup" {
			names = append(names, n)
		}
	}
	return names
}

// enter is init's way into its namespaces and cgroups.
func (c *compiler) enter() {
	if c.userFirst {
		c.enterUser()
	}
	c.init(DieWithSupervisor{}, "")
	for _, d := range c.setting.Dirs {
		if d.Version == 1 {
			c.init(JoinCgroup{Controller: d.Controllers[0]}, "")
		}
	}
	// After the joins, so that the own cgroup is the root of the namespace.
	if c.ns["cgroup"] {
		c.init(Unshare{Namespaces: []string{"cgroup"}}, "namespaces.cgroup")
	}
}

// enterUser makes an ordinary user's user namespace, and in it the others. No
// execve may follow: it would clear the capabilities.
func (c *compiler) enterUser() {
	c.init(UnshareUser{}, "namespaces.user")
	if c.single() {
		c.init(MapSelf{UID: c.uids[0], GID: c.gids[0]}, "idmap")
	} else {
		c.init(Sync{Point: "map"}, "idmap")
		c.host(WriteMaps{UID: c.uids, GID: c.gids, Helpers: c.helpers}, "idmap")
		c.init(BecomeRoot{}, "")
	}
	c.init(CloneInit{Namespaces: c.cloned()}, "")
}

// isolate sets up what is not a file system.
func (c *compiler) isolate() {
	if c.ns["net"] {
		c.init(Loopback{}, "network")
	}
	if c.ns["uts"] {
		name, field := c.def.Hostname, "hostname"
		if name == "" {
			name, field = "sandbox", ""
			if c.def.Name != "" {
				name = strings.ReplaceAll(c.def.Name, "_", "-")
			}
		}
		c.init(SetHostname{Name: name}, field)
	}
}

// stop parks init once all is set up, when somebody wants to look: after the pivot
// (a process that joins before it would see the host's root), before the ids,
// capabilities and the filter.
func (c *compiler) stop() {
	if c.resolve {
		c.init(Sync{Point: "user"}, "process.user")
		c.host(ResolveUser{User: c.def.Process.User, Groups: c.def.Process.Groups}, "process.user")
	}
	prestart := c.labels(definition.StagePrestart)
	if len(c.def.Hooks) == len(c.def.HooksOf(definition.StagePoststop)) && len(c.def.Artifacts) == 0 {
		return
	}
	c.init(Sync{Point: "prestart"}, "")
	c.host(HoldRoot{}, "")
	if len(prestart) > 0 {
		c.host(RunHooks{Stage: definition.StagePrestart, Labels: prestart}, "")
	}
}

func (c *compiler) labels(stage definition.Stage) []string {
	var labels []string
	for _, h := range c.def.HooksOf(stage) {
		labels = append(labels, h.Label)
	}
	return labels
}

// supervise is the host's part while the payload runs and when it has ended.
func (c *compiler) supervise() {
	c.host(AwaitExec{}, "")
	if l := c.labels(definition.StagePoststart); len(l) > 0 {
		c.host(RunHooks{Stage: definition.StagePoststart, Labels: l}, "")
	}
	field := ""
	if l := c.def.Limits; l.Wall > 0 || l.Idle > 0 || l.CPUTime > 0 || l.Output > 0 {
		field = "limits"
	}
	c.host(Supervise{Limits: c.def.Limits}, field)
	if l := c.labels(definition.StageCollect); len(l) > 0 {
		c.host(RunHooks{Stage: definition.StageCollect, Labels: l}, "")
	}
	for _, a := range c.def.Artifacts {
		c.host(CopyArtifact{Path: a.Path, Target: a.Target}, "artifacts."+a.Path)
	}
}

// tearDown undoes, in order: processes, mounts, cgroups, and the state last, as it
// says what there is to undo.
func (c *compiler) tearDown() {
	undo := func(op Op) { c.plan.Teardown = append(c.plan.Teardown, Step{Side: Host, Op: op}) }
	undo(KillAll{})
	undo(Release{})
	if len(c.setting.Dirs) > 0 {
		undo(RemoveCgroup{})
	}
	if l := c.labels(definition.StagePoststop); len(l) > 0 {
		undo(RunHooks{Stage: definition.StagePoststop, Labels: l})
	}
	undo(RemoveState{})
}
