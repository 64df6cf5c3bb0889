package cgroups

import (
	"strings"

	"sandbox/sandbox/definition"
)

// Missing is a limit that this host cannot enforce for this user.
type Missing struct {
	// Limit is the field of definition.Limits, as a recipe spells it.
	Limit      string `json:"limit"`
	Controller string `json:"controller"`
	Reason     string `json:"reason"`
	Hint       string `json:"hint,omitempty"`
}

// String returns one line without the hint.
func (m Missing) String() string {
	return "the limit " + m.Limit + " needs the " + m.Controller + " controller: " + m.Reason
}

// Resolve decides where a container's cgroup is made and what is written to it.
// Limits that cannot be enforced are in Missing, in the order of the table, and
// left out of the Setting, which is usable without them.
func Resolve(layout Layout, limits definition.Limits) (Setting, []Missing) {
	r := resolver{layout: layout, limits: limits}
	r.chooseUnified()
	for _, row := range table {
		if row.asked(limits) {
			r.resolve(row)
		}
	}
	if len(r.setting.Dirs) == 0 || r.setting.Dirs[0].Version == 1 {
		r.track()
	}
	r.note()
	return r.setting, r.missing
}

type resolver struct {
	layout  Layout
	limits  definition.Limits
	offer   offer
	setting Setting
	missing []Missing
}

// offer is a way to make the v2 cgroup.
type offer struct {
	place Place
	leaf  bool
}

// chooseUnified picks the first way that serves most of the limits, and makes it Dirs[0].
func (r *resolver) chooseUnified() {
	u := r.layout.Unified
	if u == nil {
		return
	}
	r.offer = offer{place: u.Own}
	best := -1
	for _, o := range u.offers() {
		served := 0
		for _, row := range table {
			if row.asked(r.limits) && o.refuses(u.Mount, row.controller) == "" {
				served++
			}
		}
		if o.place.usable() && served > best {
			best, r.offer = served, o
		}
	}
	if best >= 0 {
		r.setting.Dirs = []Dir{{Version: 2, Parent: below(u.Mount, r.offer.place.Path)}}
		r.setting.Leaf = false
	}
}

// offers are the ways to make a cgroup, the preferred first.
func (u *Unified) offers() []offer {
	if u.inLeaf() {
		// The way is open already, and the cgroup above is the runner's own.
		return []offer{{place: *u.Above}}
	}
	offers := []offer{{place: u.Own}}
	if u.Own.Processes == ProcessesSelf && u.Own.Delegated {
		offers = append(offers, offer{place: u.Own, leaf: true})
	}
	if u.Above != nil {
		offers = append(offers, offer{place: *u.Above})
	}
	return offers
}

// inLeaf says that the runner was moved to a leaf for another container.
func (u *Unified) inLeaf() bool {
	name := u.Own.Path[strings.LastIndexByte(u.Own.Path, '/')+1:]
	return u.Above != nil && u.Above.usable() && strings.HasPrefix(name, Name("")) && strings.HasSuffix(name, leafSuffix)
}

// refuses says why a controller cannot be had this way, or "".
func (o offer) refuses(mount, controller string) string {
	p, path := o.place, below(mount, o.place.Path)
	switch {
	case p.Type != "":
		return path + " is a threaded cgroup (cgroup.type is \"" + p.Type + "\"), in which no container can be"
	case !p.Writable:
		return "this user may not make a cgroup in " + path
	case contains(p.Enabled, controller):
		return ""
	case !contains(p.Controllers, controller):
		return "it is not in " + path + "/cgroup.controllers"
	case !p.Control:
		return "it is not in " + path + "/cgroup.subtree_control, and this user may not write that file"
	case p.Root || o.leaf || p.Processes == ProcessesNone:
		return ""
	}
	return "it is not in " + path + "/cgroup.subtree_control and cannot be added while " + path +
		" holds processes (the no internal process rule)"
}

// resolve serves one limit from v2, or else from v1.
func (r *resolver) resolve(row row) {
	if u := r.layout.Unified; u != nil && (r.layout.Mode == ModeV2 || r.inUnified(row.controller)) {
		if reason := r.offer.refuses(u.Mount, row.controller); reason != "" {
			r.miss(row, reason, r.hintV2(row.controller))
			return
		}
		r.use(row)
		return
	}
	h := r.hierarchy(row.controller)
	switch {
	case h == nil && r.layout.Mode == ModeNone:
		r.miss(row, "no cgroup hierarchy is mounted on /sys/fs/cgroup", "mount cgroup2 there as root, or set best_effort = true in limits")
	case h == nil && r.layout.Mode == ModeHybrid:
		r.miss(row, "no v1 hierarchy has it, and the v2 one at "+r.layout.Unified.Mount+" does not offer it", hintBestEffort)
	case h == nil:
		r.miss(row, "no mounted v1 hierarchy has it", hintBestEffort)
	case h.Own == "":
		r.miss(row, "the mount at "+h.Mount+" does not show the runner's own cgroup", hintBestEffort)
	case !h.Writable:
		r.miss(row, "this user may not make a cgroup in "+below(h.Mount, h.Own), r.hintV1())
	case row.limit == "swap" && r.limits.Memory == nil:
		r.miss(row, "cgroup v1 bounds swap only together with memory", "set limits.memory too")
	case row.limit == "swap" && !h.Swap && r.limits.Swap != nil:
		r.miss(row, "the kernel does not account for swap here (no memory.memsw.limit_in_bytes)",
			"boot with swapaccount=1, or set best_effort = true in limits")
	default:
		r.useV1(row, *h)
	}
}

// miss records what cannot be had; an implied swap limit is not worth a second complaint.
func (r *resolver) miss(row row, reason, hint string) {
	if row.limit == "swap" && r.limits.Swap == nil {
		return
	}
	r.missing = append(r.missing, Missing{Limit: row.limit, Controller: row.controller, Reason: reason, Hint: hint})
}

func (r *resolver) use(row row) {
	d := &r.setting.Dirs[0]
	if !contains(d.Controllers, row.controller) {
		d.Controllers = append(d.Controllers, row.controller)
		if !contains(r.offer.place.Enabled, row.controller) {
			r.setting.Enable = append(r.setting.Enable, row.controller)
			r.setting.Leaf = r.offer.leaf
		}
	}
	r.write(row, row.v2, 0)
}

func (r *resolver) useV1(row row, h Hierarchy) {
	parent := below(h.Mount, h.Own)
	for i, d := range r.setting.Dirs {
		if d.Version == 1 && d.Parent == parent {
			r.write(row, row.v1, i)
			return
		}
	}
	r.setting.Dirs = append(r.setting.Dirs, Dir{Version: 1, Controllers: h.Controllers, Parent: parent})
	r.write(row, row.v1, len(r.setting.Dirs)-1)
}

func (r *resolver) write(row row, files []file, dir int) {
	named := row.limit != "swap" || r.limits.Swap != nil
	for _, f := range files {
		r.setting.Writes = append(r.setting.Writes, Write{
			Limit: row.limit, Controller: row.controller, Dir: dir, File: f.name, Value: f.value(r.limits),
			Optional: f.implied && (!named || f.name == "memory.oom.group"),
		})
	}
}

// track gives a container without a v2 cgroup the v1 one by which it can be
// frozen and killed as a whole.
func (r *resolver) track() {
	if h := r.hierarchy("freezer"); h != nil && h.Writable && h.Own != "" {
		r.useV1(row{}, *h)
	}
}

// note tells what is not as the user may expect.
func (r *resolver) note() {
	dirs, u := r.setting.Dirs, r.layout.Unified
	switch {
	case len(dirs) == 0:
		r.setting.Note = r.whyNone()
	case dirs[0].Version == 2 && r.offer.place.Path != u.Own.Path && !u.inLeaf():
		r.setting.Note = "the container's cgroup is made beside the runner's " + below(u.Mount, u.Own.Path) +
			", which holds processes; what bounds that cgroup alone does not bound the container"
	}
}

func (r *resolver) whyNone() string {
	u := r.layout.Unified
	switch {
	case r.layout.Mode == ModeNone:
		return "no cgroup: no hierarchy is mounted on /sys/fs/cgroup"
	case u != nil && u.Own.Type != "":
		return "no cgroup: " + below(u.Mount, u.Own.Path) + " is a threaded cgroup"
	case u != nil:
		return "no cgroup: this user may not make one in " + below(u.Mount, u.Own.Path)
	}
	return "no cgroup: this user may not make one in the v1 freezer hierarchy"
}

func (r *resolver) hierarchy(controller string) *Hierarchy {
	for i := range r.layout.V1 {
		if contains(r.layout.V1[i].Controllers, controller) {
			return &r.layout.V1[i]
		}
	}
	return nil
}

// inUnified reports whether a hybrid host has a controller on v2.
func (r *resolver) inUnified(controller string) bool {
	return contains(r.layout.Unified.Own.Controllers, controller) || contains(r.layout.Unified.Own.Enabled, controller)
}

const hintBestEffort = "set best_effort = true in limits to run without it"

func (r *resolver) hintV1() string {
	if r.layout.UID != 0 {
		return "cgroup v1 is not delegated to ordinary users: run as root, or set best_effort = true in limits"
	}
	return "mount the hierarchy writable, or set best_effort = true in limits"
}

func (r *resolver) hintV2(controller string) string {
	own := r.layout.Unified.Own
	scope := "start the runner with systemd-run --scope -p Delegate=yes"
	if r.layout.UID != 0 {
		scope = "start the runner with systemd-run --user --scope -p Delegate=yes"
	}
	switch {
	case !contains(own.Controllers, controller) && r.layout.UID != 0 && strings.Contains(own.Path, "/user@"):
		return "as root, delegate it with systemctl edit user@.service: [Service] Delegate=cpu memory pids; or set best_effort = true in limits"
	case !own.Writable && own.Path == "/" && !own.Root:
		return "give the outer container a writable cgroup file system, or set best_effort = true in limits"
	case own.Path == "/" && !own.Root:
		return "move all processes of this cgroup namespace to a cgroup below its root first, or set best_effort = true in limits"
	case own.Type != "":
		return "start the runner in a cgroup that is not threaded, or set best_effort = true in limits"
	}
	return scope + ", or set best_effort = true in limits"
}
