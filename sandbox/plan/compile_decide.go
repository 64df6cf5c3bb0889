package plan

import (
	"slices"
	"strconv"
	"strings"

	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
)

// namespaceOrder is the order in which namespaces are named.
var namespaceOrder = [...]string{"mount", "pid", "net", "ipc", "uts", "cgroup"}

// decide settles what several steps depend on.
func (c *compiler) decide() {
	n := c.def.Namespaces
	c.ns = map[string]bool{
		"mount": n.Mount != definition.NamespaceHost, "pid": n.PID != definition.NamespaceHost,
		"net": n.Net != definition.NamespaceHost && c.def.Network != definition.NetworkHost,
		"ipc": n.IPC != definition.NamespaceHost, "uts": n.UTS != definition.NamespaceHost,
		"cgroup": n.Cgroup != definition.NamespaceHost, "user": n.User != definition.NamespaceHost,
		"time": n.Time == definition.NamespaceNew,
	}
	c.decideCgroup()
	c.decideUser()
	c.decideMaps()
	c.terminal = c.def.Process.Terminal == definition.TerminalYes ||
		c.def.Process.Terminal != definition.TerminalNo && c.facts.StdinTerminal && c.def.Process.Stdin == ""
	c.keeper = !c.def.Process.NoInit
	if !c.keeper && !c.ns["pid"] {
		c.problem("process.init", "init = false makes the payload PID 1, which needs a pid namespace of its own", "leave namespaces.pid alone")
	}
	if !c.keeper {
		c.note("process.init", "init = false: a hostile payload can clear its parent-death signal and outlive a killed supervisor until the next command")
	}
}

func (c *compiler) decideCgroup() {
	setting, missing := cgroups.Resolve(c.facts.Cgroup, c.def.Limits)
	c.setting = setting
	for _, m := range missing {
		field := "limits." + m.Limit
		if c.def.Limits.BestEffort {
			c.note(field, m.String()+"; the limit is not enforced")
			continue
		}
		hint := m.Hint
		if hint == "" {
			hint = "limits.best_effort = true runs without it"
		}
		c.problem(field, m.String(), hint)
	}
	if setting.Note != "" && (len(setting.Dirs) > 0 || c.def.Limits.Cgroup()) {
		c.note("limits", setting.Note)
	}
	if len(setting.Dirs) == 0 && !c.ns["pid"] {
		c.problem("namespaces.pid", "without a pid namespace the container's processes are ended through a cgroup, and this user can make none", "leave namespaces.pid alone")
	}
}

// decideUser reads the payload's user and groups; names are looked up in the
// rootfs once it is complete.
func (c *compiler) decideUser() {
	user, group, hasGroup := strings.Cut(c.def.Process.User, ":")
	number := func(s string, v *uint32) {
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			c.resolve = true
			return
		}
		*v = uint32(n)
	}
	if user != "" {
		number(user, &c.uid)
	}
	switch {
	case hasGroup && group != "":
		number(group, &c.gid)
	default:
		c.gid = c.uid // not 0: root's group owns too much
	}
	for _, g := range c.def.Process.Groups {
		var n uint32
		number(g, &n)
		c.groups = append(c.groups, n)
	}
}

// decideMaps chooses the user namespace and its maps.
func (c *compiler) decideMaps() {
	if !c.ns["user"] {
		c.hostUser()
		return
	}
	if c.facts.UserNS != "" {
		if c.facts.Root && c.def.IDMap.UID == nil {
			c.ns["user"] = false
			c.note("namespaces.user", "no user namespace: "+c.facts.UserNS)
			c.hostUser()
			return
		}
		c.problem("namespaces.user", "this user cannot make a user namespace: "+c.facts.UserNS, "run as root, or allow it: sandbox doctor says how")
		return
	}
	c.userFirst, c.userLast = !c.facts.Root, c.facts.Root
	switch {
	case c.def.IDMap.UID != nil || c.def.IDMap.GID != nil:
		c.uids, c.gids = c.def.IDMap.UID, c.def.IDMap.GID
		c.askedMaps()
	case c.facts.Root:
		size := c.facts.MappedIDs
		if size == 0 {
			size = ^uint32(0)
		}
		all := []definition.IDRange{{Size: size}}
		c.uids, c.gids = all, all
	default:
		c.ownMaps()
	}
}

func (c *compiler) hostUser() {
	if !c.facts.Root {
		c.problem("namespaces.user", "an ordinary user needs a user namespace to make the others", "run as root, or leave namespaces.user alone")
		return
	}
	if !c.ns["pid"] && c.uid == 0 {
		c.problem("namespaces.pid", "uid 0 without a user namespace could write to the runner's own binary through /proc (CVE-2019-5736)",
			"leave namespaces.user or namespaces.pid alone, or set process.user")
	}
}

// askedMaps checks maps that the recipe gives, for an ordinary user.
func (c *compiler) askedMaps() {
	if c.uids == nil || c.gids == nil {
		c.problem("idmap", "uid and gid must both be mapped", "")
		return
	}
	if c.facts.Root || c.single() {
		return
	}
	c.helpers = true
	if !c.facts.NewIDMap {
		c.problem("idmap", "these maps need newuidmap and newgidmap, which are not installed set-user-ID", "install the package uidmap")
	}
}

// single reports whether the maps are the one that a user may write without help:
// the own uid and the own gid.
func (c *compiler) single() bool {
	return len(c.uids) == 1 && len(c.gids) == 1 && c.uids[0].Size == 1 && c.gids[0].Size == 1 &&
		c.uids[0].Host == c.facts.UID && c.gids[0].Host == c.facts.GID
}

// ownMaps are an ordinary user's: the own id as 0 and the subordinate ranges above
// it, or else one id alone.
func (c *compiler) ownMaps() {
	if c.facts.NewIDMap && len(c.facts.SubUIDs) > 0 && len(c.facts.SubGIDs) > 0 {
		c.helpers = true
		c.uids = stacked(c.facts.UID, c.facts.SubUIDs)
		c.gids = stacked(c.facts.GID, c.facts.SubGIDs)
		return
	}
	if c.resolve || len(c.def.Process.Groups) > 0 {
		c.problem("process.user", "names and groups need more than one id, and this user has no subordinate ids",
			"set process.user to a number, or add ranges: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER, and install the package uidmap")
		c.resolve = false
	}
	c.uids = []definition.IDRange{{Container: c.uid, Host: c.facts.UID, Size: 1}}
	c.gids = []definition.IDRange{{Container: c.gid, Host: c.facts.GID, Size: 1}}
	if c.uid != 0 {
		c.note("process.user", "one id is all this user has: it is the payload's "+strconv.Itoa(int(c.uid)))
	}
}

func stacked(own uint32, ranges []definition.IDRange) []definition.IDRange {
	list := []definition.IDRange{{Container: 0, Host: own, Size: 1}}
	next := uint32(1)
	for _, r := range ranges {
		list = append(list, definition.IDRange{Container: next, Host: r.Host, Size: r.Size})
		next += r.Size
	}
	return list
}

// mapped reports whether a gid of the container exists.
func (c *compiler) mapped(gid uint32) bool {
	if c.gids == nil {
		return true
	}
	return slices.ContainsFunc(c.gids, func(r definition.IDRange) bool { return gid >= r.Container && gid-r.Container < r.Size })
}
