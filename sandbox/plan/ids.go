package plan

import (
	"strconv"
	"strings"

	"sandbox/sandbox/definition"
)

// allIDs is the size of the initial user namespace's map: every id but -1.
const allIDs = 4294967295

// idMaps is how the container's user namespace is mapped.
type idMaps struct {
	uid, gid []definition.IDRange
	// self is set when init can write the maps: one id each, the caller's.
	self bool
	// groups says that setgroups(2) is allowed.
	groups bool
}

// user is who the payload is, in ids of the container.
type user struct {
	uid, gid uint32
	groups   []uint32
	// named says that the numbers are looked up in the rootfs, while init waits.
	named bool
}

func (c *compiler) mappedIDs() uint32 {
	if c.facts.MappedIDs == 0 {
		return allIDs
	}
	return c.facts.MappedIDs
}

// decideUser reads "uid", "uid:gid", "name" or "name:group". A bare uid other
// than 0 has a group too, which only /etc/passwd knows.
func (c *compiler) decideUser() {
	if r := c.facts.Resolved; r != nil {
		c.user = user{uid: r.UID, gid: r.GID, groups: r.Groups}
		return
	}
	p := c.def.Process
	uid, gid, numeric := uint32(0), uint32(0), true
	if p.User != "" {
		name, group, grouped := strings.Cut(p.User, ":")
		uid, numeric = number(name)
		if grouped {
			var ok bool
			gid, ok = number(group)
			numeric = numeric && ok
		} else if uid != 0 {
			numeric = false
		}
	}
	c.user = user{uid: uid, gid: gid, named: !numeric}
	for _, g := range p.Groups {
		id, ok := number(g)
		c.user.named = c.user.named || !ok
		c.user.groups = append(c.user.groups, id)
	}
}

func number(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && n < allIDs
}

// isRoot reports whether the payload is uid 0 for certain.
func (c *compiler) isRoot() bool {
	return !c.user.named && c.user.uid == 0 || c.def.Process.User == "root" || strings.HasPrefix(c.def.Process.User, "root:")
}

// decideIDs chooses the maps of the user namespace.
func (c *compiler) decideIDs() {
	c.ids.groups = true
	switch {
	case !c.own.user && !c.facts.Root:
		c.problem("namespaces.user", "leave it out, or run as root", "an ordinary user makes mounts and namespaces only in a user namespace of their own")
	case !c.own.user:
		c.checkSharedUser()
	case c.facts.Root:
		c.decideRootIDs()
	case c.facts.UserNS != "":
		c.problem("namespaces.user", "see sandbox doctor, or run as root", "this user may not make a user namespace: %s", c.facts.UserNS)
	default:
		c.decideOrdinaryIDs()
	}
}

// checkSharedUser: uid 0 of the host that sees the host's processes reaches the
// runner's own executable through /proc/PID/exe (CVE-2019-5736).
func (c *compiler) checkSharedUser() {
	if !c.own.pid && (c.user.uid == 0 || c.user.named) {
		c.problem("namespaces.pid", `leave out namespaces.user = "host", or give process.user a number other than 0`,
			"uid 0 of the host in the host's pid namespace could overwrite the runner's program")
	}
}

// decideRootIDs: root's namespace is entered last, with every id as it is: it is
// there so that the mounts, which belong to the outer one, cannot be undone.
func (c *compiler) decideRootIDs() {
	if c.facts.UserNS != "" {
		if c.def.Namespaces.User == definition.NamespaceNew || len(c.def.IDMap.UID)+len(c.def.IDMap.GID) > 0 {
			c.problem("namespaces.user", "see sandbox doctor", "no user namespace can be made: %s", c.facts.UserNS)
			return
		}
		c.own.user = false
		c.note("namespaces.user", "no user namespace (%s): only the dropped capabilities keep the payload from undoing mounts", c.facts.UserNS)
		c.checkSharedUser()
		return
	}
	identity := []definition.IDRange{{Size: c.mappedIDs()}}
	c.ids.uid, c.ids.gid = c.def.IDMap.UID, c.def.IDMap.GID
	if len(c.ids.uid) == 0 {
		c.ids.uid = identity
	}
	if len(c.ids.gid) == 0 {
		c.ids.gid = identity
	}
	c.checkRanges("idmap.uid", c.ids.uid, identity)
	c.checkRanges("idmap.gid", c.ids.gid, identity)
	c.checkMapped()
}

// decideOrdinaryIDs takes the subordinate ranges when there are any, else the
// caller's own id alone.
func (c *compiler) decideOrdinaryIDs() {
	f, m := c.facts, c.def.IDMap
	me, mine := definition.IDRange{Host: f.UID, Size: 1}, definition.IDRange{Host: f.GID, Size: 1}
	ranges := f.NewIDMap && len(f.SubUIDs) > 0 && len(f.SubGIDs) > 0
	switch {
	case len(m.UID)+len(m.GID) > 0:
		c.ids.uid, c.ids.gid = m.UID, m.GID
		if len(m.UID) == 0 {
			c.ids.uid = consecutive(me, f.SubUIDs)
		}
		if len(m.GID) == 0 {
			c.ids.gid = consecutive(mine, f.SubGIDs)
		}
		c.checkRanges("idmap.uid", c.ids.uid, append([]definition.IDRange{me}, f.SubUIDs...))
		c.checkRanges("idmap.gid", c.ids.gid, append([]definition.IDRange{mine}, f.SubGIDs...))
		c.ids.self = isSingle(c.ids.uid, f.UID) && isSingle(c.ids.gid, f.GID)
		if !c.ids.self && !f.NewIDMap {
			c.problem("idmap", "install uidmap (newuidmap and newgidmap)", "an ordinary user maps more than the own id only by newuidmap(1) and newgidmap(1)")
		}
		if !c.ids.self && !maps(c.ids.uid, 0) {
			c.problem("idmap.uid", "map container id 0 as well", "init takes uid 0 of the container to make its mounts")
		}
		if !c.ids.self && !maps(c.ids.gid, 0) {
			c.problem("idmap.gid", "map container id 0 as well", "init takes gid 0 of the container to make its mounts")
		}
	case ranges:
		c.ids.uid, c.ids.gid = consecutive(me, f.SubUIDs), consecutive(mine, f.SubGIDs)
	default:
		c.decideSingleID()
	}
	c.checkMapped()
}

// decideSingleID maps the payload's id to the caller's: no other can be had.
func (c *compiler) decideSingleID() {
	f, why := c.facts, "no subordinate ids in /etc/subuid and /etc/subgid"
	if !f.NewIDMap {
		why = "newuidmap and newgidmap are not installed"
	}
	c.ids.self, c.ids.groups = true, false
	c.ids.uid = []definition.IDRange{{Container: c.user.uid, Host: f.UID, Size: 1}}
	c.ids.gid = []definition.IDRange{{Container: c.user.gid, Host: f.GID, Size: 1}}
	if c.user.named {
		c.problem("process.user", `write numbers, like "1000:1000", or give this user subordinate ids: sandbox doctor says how`,
			"the numbers are looked up in the root filesystem, but the only id that can be mapped has to be known before (%s)", why)
	}
	c.note("idmap", "one id is mapped (%s): files of all other owners belong to nobody inside, and cannot be given away", why)
}

// checkMapped: ids that have no mapping cannot be taken (EINVAL).
func (c *compiler) checkMapped() {
	c.ids.groups = !c.ids.self
	if c.user.named {
		return
	}
	hint := "add it to idmap, or leave idmap out"
	if c.def.IDMap.UID == nil && c.def.IDMap.GID == nil {
		hint = "more subordinate ids are needed: usermod --add-subuids, --add-subgids"
	}
	if !maps(c.ids.uid, c.user.uid) {
		c.problem("process.user", hint, "uid %d has no mapping in the user namespace", c.user.uid)
	}
	if !maps(c.ids.gid, c.user.gid) {
		c.problem("process.user", hint, "gid %d has no mapping in the user namespace", c.user.gid)
	}
	for i, g := range c.user.groups {
		if !c.ids.groups && g != c.user.gid {
			c.problem(definition.Item("process.groups", i+1), "give this user subordinate ids: sandbox doctor says how",
				"supplementary groups cannot be set where only the own id is mapped (user_namespaces(7))")
		} else if c.ids.groups && !maps(c.ids.gid, g) {
			c.problem(definition.Item("process.groups", i+1), hint, "gid %d has no mapping in the user namespace", g)
		}
	}
	if !c.ids.groups && hasOtherGroup(c.facts.Groups, c.facts.GID) {
		c.note("process.groups", "the caller's supplementary groups stay: they cannot be dropped where only the own id is mapped")
	}
}

func hasOtherGroup(groups []uint32, gid uint32) bool {
	for _, g := range groups {
		if g != gid {
			return true
		}
	}
	return false
}

// checkRanges: every range has to lie in what the caller may map.
func (c *compiler) checkRanges(path string, ranges, allowed []definition.IDRange) {
	for i, r := range ranges {
		if !within(r, allowed) {
			c.problem(definition.Item(path, i+1), "see /etc/subuid and /etc/subgid for yours", "host ids %d to %d are not the caller's to map", r.Host, r.Host+r.Size-1)
		}
	}
}

func within(r definition.IDRange, allowed []definition.IDRange) bool {
	for _, a := range allowed {
		if r.Host >= a.Host && uint64(r.Host)+uint64(r.Size) <= uint64(a.Host)+uint64(a.Size) {
			return true
		}
	}
	return false
}

// consecutive maps 0 to the caller, and the ids from 1 on to the ranges.
func consecutive(me definition.IDRange, ranges []definition.IDRange) []definition.IDRange {
	all, next := []definition.IDRange{{Host: me.Host, Size: 1}}, uint64(1)
	for _, r := range ranges {
		size := min(uint64(r.Size), allIDs-next)
		if size > 0 {
			all = append(all, definition.IDRange{Container: uint32(next), Host: r.Host, Size: uint32(size)})
			next += size
		}
	}
	return all
}

func isSingle(ranges []definition.IDRange, id uint32) bool {
	return len(ranges) == 1 && ranges[0].Size == 1 && ranges[0].Host == id
}

// maps reports whether an id of the container has a mapping.
func maps(ranges []definition.IDRange, id uint32) bool {
	for _, r := range ranges {
		if id >= r.Container && uint64(id) < uint64(r.Container)+uint64(r.Size) {
			return true
		}
	}
	return false
}

// hostUID is the payload's uid on the host, where it is known before the start.
func (c *compiler) hostUID() (uint32, bool) {
	uid := c.user.uid
	switch {
	case c.user.named && !c.isRoot():
		return 0, false
	case c.user.named:
		uid = 0
	}
	if !c.own.user {
		return uid, true
	}
	for _, r := range c.ids.uid {
		if maps([]definition.IDRange{r}, uid) {
			return r.Host + (uid - r.Container), true
		}
	}
	return 0, false
}

func (c *compiler) mapField() string {
	return set("idmap", len(c.def.IDMap.UID)+len(c.def.IDMap.GID) > 0)
}

// enterUserFirst makes an ordinary user's namespace: alone and before all others,
// so that it owns them. Init has all capabilities in it until its next execve.
func (c *compiler) enterUserFirst() {
	c.init(UnshareUser{}, "")
	switch {
	case len(c.ids.uid) == 0 || len(c.ids.gid) == 0: // a problem
	case c.ids.self:
		c.init(MapSelf{UID: c.ids.uid[0], GID: c.ids.gid[0]}, c.mapField())
	default:
		c.init(Sync{Point: "map"}, "")
		c.host(WriteMaps{UID: c.ids.uid, GID: c.ids.gid, Helpers: true}, c.mapField())
		c.init(BecomeRoot{}, "")
	}
	if names := c.namespaces(true); len(names) > 0 {
		c.init(CloneInit{Namespaces: names}, "")
	}
}
