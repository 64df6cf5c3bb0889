// Package cgroups knows cgroup v1, v2 and the mix of both (cgroups(7),
// Documentation/admin-guide/cgroup-v2.rst).
//
// It has two halves. The pure one builds on any operating system and touches
// nothing: a Layout says what the host offers, one table maps each limit to its
// controller and files, and Resolve turns both into a Setting, or says what is
// Missing and why. The other half (files named _linux) does the deeds: Probe
// reads the Layout, Create makes a Setting real as a Group, and a Group is
// limited, measured, frozen, killed and removed.
//
// # Where a container's cgroup is made
//
// Always below the runner's own cgroup in each hierarchy, so that whatever bounds
// the runner bounds the container too, with one exception. On v2 a cgroup that
// holds processes cannot have controllers enabled for its children, unless it is
// the hierarchy's root. When a limit needs that, in this order:
//
//  1. The runner is alone in a cgroup delegated to it: it moves itself to a leaf
//     below, enables the controllers, and moves back when the container is removed.
//     A migration costs one RCU grace period, 4 to 24 ms.
//  2. The cgroup above can have the controllers and is writable: the container
//     becomes the runner's sibling.
//     A runner that is in such a leaf already goes this way at once.
//  3. The limit is missing.
//
// Controllers enabled in a cgroup that is not the runner's alone stay enabled:
// disabling them could take the limits of another container away.
package cgroups

// Mode is which kinds of hierarchy a host has mounted.
type Mode string

// The modes.
const (
	ModeNone   Mode = "none"
	ModeV1     Mode = "v1"
	ModeV2     Mode = "v2"
	ModeHybrid Mode = "hybrid" // v1 controllers, and a v2 hierarchy beside them
)

// Layout is what the host and this user offer. It is plain data, JSON-able.
type Layout struct {
	Mode Mode `json:"mode"`
	// UID is the runner's effective user id; hints depend on it.
	UID int `json:"uid"`
	// Unified is the v2 hierarchy, if any.
	Unified *Unified `json:"unified,omitempty"`
	// V1 are the v1 hierarchies with memory, pids, cpu or freezer; without limits to set and with
	// a usable Unified they are not read.
	V1 []Hierarchy `json:"v1,omitempty"`
}

// Unified is the v2 hierarchy.
type Unified struct {
	// Mount is where it is mounted.
	Mount string `json:"mount"`
	// Own is the runner's own cgroup.
	Own Place `json:"own"`
	// Above is the cgroup above Own; nil when Own is the topmost visible one, or
	// no limit is to be set.
	Above *Place `json:"above,omitempty"`
	// Kill says that cgroup.kill exists (Linux 5.14).
	Kill bool `json:"kill,omitempty"`
	// Freeze says that cgroup.freeze exists (Linux 5.2).
	Freeze bool `json:"freeze,omitempty"`
}

// Processes says who is in a cgroup itself, not below it.
type Processes string

// The values of Processes. It is empty when it was not read.
const (
	ProcessesNone   Processes = "none"
	ProcessesSelf   Processes = "self"   // the runner alone
	ProcessesOthers Processes = "others" // others, with or without the runner
)

// Place is a cgroup of the v2 hierarchy in which a container's could be made.
type Place struct {
	// Path is relative to the mount, and starts with "/".
	Path string `json:"path"`
	// Root marks the hierarchy's real root, which may hold processes beside
	// children with controllers.
	Root bool `json:"root,omitempty"`
	// Type is cgroup.type when it is not "domain": containers cannot be made in a threaded cgroup.
	Type string `json:"type,omitempty"`
	// Controllers are those available here (cgroup.controllers).
	Controllers []string `json:"controllers,omitempty"`
	// Enabled are those given to children (cgroup.subtree_control).
	Enabled []string `json:"enabled,omitempty"`
	// Writable says that this user can make a cgroup here and put processes in it.
	Writable bool `json:"writable,omitempty"`
	// Control says that this user can write cgroup.subtree_control.
	Control bool `json:"control,omitempty"`
	// Delegated says that the subtree was handed to this user or the runner's
	// service, or is all that its cgroup namespace shows.
	Delegated bool      `json:"delegated,omitempty"`
	Processes Processes `json:"processes,omitempty"`
}

// usable says whether a cgroup without limits can be made in a place.
func (p Place) usable() bool { return p.Writable && p.Type == "" }

// Hierarchy is one v1 hierarchy.
type Hierarchy struct {
	// Controllers that are mounted together, like cpu and cpuacct.
	Controllers []string `json:"controllers"`
	Mount       string   `json:"mount"`
	// Own is the runner's own cgroup, relative to Mount, starting with "/";
	// empty when the mount does not show it.
	Own string `json:"own"`
	// Writable says that this user can make a cgroup in Own.
	Writable bool `json:"writable,omitempty"`
	// Swap says that the memory controller accounts for swap (memory.memsw.*).
	Swap bool `json:"swap,omitempty"`
}

// below joins a mount point and a path relative to it.
func below(mount, path string) string {
	if path == "/" || path == "" {
		return mount
	}
	return mount + path
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}
