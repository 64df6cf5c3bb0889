package plan

import (
	"fmt"
	"strings"

	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
)

// Ops of the host side, performed by the engine.
type (
	// Reserve makes the state folder of the id, locked for the supervisor's life,
	// before anything else exists.
	Reserve struct{}
	// MakeCache makes the folder of a cache in CacheDir, owned by the caller.
	MakeCache struct{ Name, Path string }
	// CreateCgroup makes the container's cgroup in the hierarchies that its limits
	// need ("unified", or v1 controllers), as cgroups.Resolve decided.
	CreateCgroup struct {
		Hierarchies []string
		Setting     cgroups.Setting
	}
	// SetLimit writes one limit to its cgroup file.
	SetLimit struct{ Controller, File, Value string }
	// Spawn starts the machine: vfork and execve of the sealed ELF in new
	// namespaces. One may have been started ahead.
	Spawn struct {
		// Namespaces made by the clone, by name; the table makes the others.
		Namespaces []string
		// IntoCgroup says that init is in the v2 cgroup from its first instruction.
		IntoCgroup bool
	}
	// GiveCgroup hands the v2 cgroup to init, for the payload to be born in.
	GiveCgroup struct{}
	// WriteMaps writes the user namespace's maps for the parked init.
	WriteMaps struct {
		UID, GID []definition.IDRange
		// Helpers means newuidmap(1) and newgidmap(1).
		Helpers bool
		// DenySetgroups is for a gid map written without privilege.
		DenySetgroups bool
	}
	// ResolveUser looks names up in the rootfs's /etc/passwd and /etc/group.
	ResolveUser struct {
		User   string
		Groups []string
	}
	// HoldRoot keeps the container's mount namespace and root open, for hooks and
	// artifacts, until Release.
	HoldRoot struct {
		// HostFiles says that the container has none: the root is the host's, where
		// no link is followed, as the payload may have made it.
		HostFiles bool
	}
	// RunHooks calls the recipe's hooks of a stage.
	RunHooks struct {
		Stage  definition.Stage
		Labels []string
	}
	// AwaitExec waits until the payload's execve has succeeded.
	AwaitExec struct{}
	// Supervise waits for the payload's end, forwards signals and enforces limits.
	Supervise struct{ Limits definition.Limits }
	// CopyArtifact copies a file or folder out of the container.
	CopyArtifact struct{ Path, Target string }

	// KillAll ends every process of the container.
	KillAll struct{}
	// Release closes what HoldRoot opened, so that the mounts can go.
	Release struct{ HostFiles bool }
	// RemoveCgroup removes the container's cgroup.
	RemoveCgroup struct{}
	// RemoveState removes the state folder; always last.
	RemoveState struct{}
)

func (Reserve) String() string     { return "reserve the id and its state" }
func (o MakeCache) String() string { return fmt.Sprintf("cache %q at %s", o.Name, o.Path) }
func (o CreateCgroup) String() string {
	return "create cgroup (" + strings.Join(o.Hierarchies, ", ") + ")"
}
func (o SetLimit) String() string { return fmt.Sprintf("limit %s = %s", o.File, o.Value) }
func (GiveCgroup) String() string { return "give init the cgroup" }
func (o Spawn) String() string {
	s := "spawn init"
	if len(o.Namespaces) > 0 {
		s += " in new " + strings.Join(o.Namespaces, ", ")
	}
	if o.IntoCgroup {
		s += ", into the cgroup"
	}
	return s
}
func (o WriteMaps) String() string {
	by := ""
	if o.Helpers {
		by = " by newuidmap, newgidmap"
	}
	return fmt.Sprintf("map uid %s, gid %s%s", rangesText(o.UID), rangesText(o.GID), by)
}
func (o ResolveUser) String() string {
	s := fmt.Sprintf("resolve user %q", o.User)
	if len(o.Groups) > 0 {
		s += fmt.Sprintf(" and groups %q", o.Groups)
	}
	return s + " in the rootfs"
}
func (o HoldRoot) String() string {
	if o.HostFiles {
		return "open this machine's root, without following links"
	}
	return "hold the mount namespace and root"
}
func (o RunHooks) String() string {
	return fmt.Sprintf("%s hooks: %s", o.Stage, strings.Join(o.Labels, ", "))
}
func (AwaitExec) String() string      { return "await execve" }
func (o Supervise) String() string    { return "supervise" + limitsText(o.Limits) }
func (o CopyArtifact) String() string { return fmt.Sprintf("copy %s → %s", o.Path, o.Target) }
func (KillAll) String() string        { return "kill every process" }
func (o Release) String() string {
	if o.HostFiles {
		return "close this machine's root"
	}
	return "release the mount namespace and root"
}
func (RemoveCgroup) String() string { return "remove cgroup" }
func (RemoveState) String() string  { return "remove state" }

func (Reserve) op()      {}
func (MakeCache) op()    {}
func (CreateCgroup) op() {}
func (SetLimit) op()     {}
func (Spawn) op()        {}
func (GiveCgroup) op()   {}
func (WriteMaps) op()    {}
func (ResolveUser) op()  {}
func (HoldRoot) op()     {}
func (RunHooks) op()     {}
func (AwaitExec) op()    {}
func (Supervise) op()    {}
func (CopyArtifact) op() {}
func (KillAll) op()      {}
func (Release) op()      {}
func (RemoveCgroup) op() {}
func (RemoveState) op()  {}

func limitsText(l definition.Limits) string {
	var parts []string
	for _, t := range []struct {
		name string
		d    definition.Duration
	}{{"wall", l.Wall}, {"cpu_time", l.CPUTime}, {"idle", l.Idle}} {
		if t.d > 0 {
			parts = append(parts, t.name+" "+t.d.String())
		}
	}
	if l.Output > 0 {
		parts = append(parts, "output "+l.Output.String())
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

func rangesText(ranges []definition.IDRange) string {
	parts := make([]string, len(ranges))
	for i, r := range ranges {
		parts[i] = fmt.Sprintf("%d←%d×%d", r.Container, r.Host, r.Size)
	}
	return strings.Join(parts, " ")
}
