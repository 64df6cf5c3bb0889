package plan

import (
	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
)

// Facts are what this kernel, host and user can do, probed once. A plain value:
// tests load it from a file. Only what Wants asks for is filled in.
type Facts struct {
	// Kernel is the release's first two numbers.
	Kernel [2]int `json:"kernel"`
	Arch   string `json:"arch"` // as GOARCH
	UID    uint32 `json:"uid"`
	GID    uint32 `json:"gid"`
	// Root says that the caller is uid 0 with CAP_SYS_ADMIN in its user namespace.
	Root bool `json:"root"`
	// LastCap is /proc/sys/kernel/cap_last_cap.
	LastCap int `json:"last_cap"`
	// Capabilities is the caller's bounding set, as bits.
	Capabilities uint64 `json:"capabilities"`
	// Cgroup is what the host offers of control groups.
	Cgroup cgroups.Layout `json:"cgroup"`
	// UserNS is empty when the caller may make user namespaces, and else why not.
	UserNS string `json:"user_ns,omitempty"`
	// MappedIDs is the size of the caller's own user namespace map for uid 0 on:
	// 4294967295 in the initial namespace.
	MappedIDs uint32 `json:"mapped_ids"`
	// SubUIDs and SubGIDs are the caller's subordinate ranges (Container is unset).
	SubUIDs []definition.IDRange `json:"sub_uids,omitempty"`
	SubGIDs []definition.IDRange `json:"sub_gids,omitempty"`
	// NewIDMap says that newuidmap and newgidmap are installed set-user-ID.
	NewIDMap bool `json:"new_id_map,omitempty"`
	// ProcMasked says that something is mounted below /proc: proc then cannot be
	// mounted in a user namespace.
	ProcMasked bool `json:"proc_masked,omitempty"`

	// Top are the entries of /, sorted.
	Top []TopEntry `json:"top,omitempty"`
	// RootDepth is the number of overlays that / is stacked on.
	RootDepth int `json:"root_depth,omitempty"`
	// Resolv is the host path that /etc/resolv.conf resolves to, or "".
	Resolv string `json:"resolv,omitempty"`
	// Secrets are files below the allowed folders of / to hide, that exist.
	Secrets []string `json:"secrets,omitempty"`

	// Var are folders of /var and of /var/lib, as paths.
	Var []string `json:"var,omitempty"`
	// Home is the caller's home folder ($HOME).
	Home string `json:"home,omitempty"`
	// RootEntries are those of RootTargets that exist in a root folder.
	RootEntries []string `json:"root_entries,omitempty"`

	// Groups are the caller's supplementary groups.
	Groups []uint32 `json:"groups,omitempty"`
	// Rlimits are the caller's own resource limits, of those that were asked for.
	Rlimits []definition.Rlimit `json:"rlimits,omitempty"`
	// Devices are the device nodes that were asked for and exist.
	Devices []DeviceFact `json:"devices,omitempty"`

	// StateDir and CacheDir are absolute; made when first needed.
	StateDir string `json:"state_dir"`
	CacheDir string `json:"cache_dir"`
	// StdinTerminal says that the runner's stdin is a terminal.
	StdinTerminal bool `json:"stdin_terminal,omitempty"`
	// Term is the kind of that terminal ($TERM).
	Term string `json:"term,omitempty"`

	// Resolved is what ResolveUser answered; only CompileExec looks at it.
	Resolved *Resolved `json:"resolved,omitempty"`
}

// DeviceFact is a device node of the host.
type DeviceFact struct {
	Path string `json:"path"`
	// Kind is "c" for a character device, "b" for a block device, "" for no device.
	Kind  string `json:"kind"`
	Major uint32 `json:"major"`
	Minor uint32 `json:"minor"`
}

// Resolved are the payload's ids, in numbers.
type Resolved struct {
	UID    uint32   `json:"uid"`
	GID    uint32   `json:"gid"`
	Groups []uint32 `json:"groups,omitempty"`
}

// TopEntry is one entry of the host's /.
type TopEntry struct {
	Name string `json:"name"`
	// Link is the target of a symbolic link, else "".
	Link string `json:"link,omitempty"`
	Dir  bool   `json:"dir,omitempty"`
	// Mounts are mount points at or below it, except autofs.
	Mounts []string `json:"mounts,omitempty"`
}

// KernelAtLeast compares the kernel's release.
func (f *Facts) KernelAtLeast(major, minor int) bool {
	return f.Kernel[0] > major || f.Kernel[0] == major && f.Kernel[1] >= minor
}
