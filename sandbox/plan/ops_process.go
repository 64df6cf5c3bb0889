package plan

import (
	"fmt"
	"strings"

	"sandbox/sandbox/definition"
)

// Ops of the init side on namespaces, privileges and the payload, encoded by nsinit.
type (
	// DieWithSupervisor makes the supervisor's death kill init (prctl(2)
	// PR_SET_PDEATHSIG), and ends it when that death came first.
	DieWithSupervisor struct{}
	// JoinCgroup writes "0" to the tasks file of a v1 hierarchy. A single-threaded
	// process that moves itself this way costs 25 µs; cgroup.procs costs an RCU
	// grace period.
	JoinCgroup struct{ Controller string }
	// UnshareUser makes the caller's user namespace; init then has all
	// capabilities in it, until its next execve.
	UnshareUser struct{}
	// MapSelf writes the one-id maps of the own user namespace.
	MapSelf struct{ UID, GID definition.IDRange }
	// BecomeRoot takes uid and gid 0 of the user namespace.
	BecomeRoot struct{}
	// CloneInit goes on in a child in new namespaces that is the supervisor's own
	// (CLONE_PARENT), and ends this process.
	CloneInit struct{ Namespaces []string }
	// Unshare makes further namespaces: cgroup after joining the cgroup, time for
	// the payload.
	Unshare struct{ Namespaces []string }
	// AwaitCgroup waits for GiveCgroup.
	AwaitCgroup struct{}
	// EnterNet enters a new net namespace, which may have been made ahead.
	EnterNet struct{}
	// Loopback brings lo up.
	Loopback struct{}
	// SetHostname sets the host name of the uts namespace.
	SetHostname struct{ Name string }
	// SetSysctl writes a kernel parameter of the container's namespaces.
	SetSysctl struct{ Name, Value string }
	// Sync parks init until the supervisor has done the host steps behind it.
	Sync struct {
		// Point is "map", "user", "prestart", "join" or "terminal".
		Point string
	}
	// ClonePayload makes the payload's process. The caller stays as its init: it
	// gives up all capabilities, is not dumpable, reaps, reports the payload's
	// wait status and ends.
	ClonePayload struct {
		// UID and GID, when set, are the maps of a new user namespace for the
		// payload alone, written by init.
		UID, GID []definition.IDRange
		// PID says that init is PID 1 of its own pid namespace.
		PID bool
		// IntoCgroup has the payload, not init, be born in the container's v2 cgroup
		// (CLONE_INTO_CGROUP, Linux 5.7): moving it there would cost a grace period.
		IntoCgroup bool
		// HostProc says that /proc is the runner's, where the payload has another
		// number than in that namespace.
		HostProc bool
		// Stay has init live on when the payload has ended, until it is killed, for
		// services and steps.
		Stay bool
	}
	// NewSession makes the payload a session leader (setsid(2)).
	NewSession struct{}
	// SetTerminal opens a terminal of the container's devpts, hands its master to
	// the supervisor, and makes it stdin, stdout and stderr.
	SetTerminal struct {
		// HostDevices says that it is the host's devpts, for want of another.
		HostDevices bool
	}
	// SetRlimit sets one resource limit.
	SetRlimit struct{ definition.Rlimit }
	// SetOOMScoreAdj sets oom_score_adj.
	SetOOMScoreAdj struct{ Value int }
	// BoundCaps drops all other capabilities from the bounding set.
	BoundCaps struct{ Keep []string }
	// SetUser sets groups, gid and uid. Resolved means those that ResolveUser answered.
	SetUser struct {
		UID, GID uint32
		Groups   []uint32
		Resolved bool
		// KeepGroups leaves setgroups out, where the user namespace forbids it.
		KeepGroups bool
		// KeepCaps keeps the permitted set over the change (PR_SET_KEEPCAPS).
		KeepCaps bool
	}
	// SetCaps sets the capability sets.
	SetCaps struct{ Effective, Permitted, Inheritable, Ambient []string }
	// SetUmask sets the file mode creation mask.
	SetUmask struct{ Mask uint32 }
	// SetCwd changes to a folder of the container, which must be below its root.
	SetCwd struct{ Path string }
	// NoNewPrivs is prctl(2) PR_SET_NO_NEW_PRIVS.
	NoNewPrivs struct{}
	// CloseFDs closes every descriptor but stdin, stdout, stderr and the one that
	// reports on execve.
	CloseFDs struct{}
	// LoadFilter loads the seccomp filter.
	LoadFilter struct{ definition.Seccomp }
	// Exec is execve(2) of the payload, looked up in its PATH.
	Exec struct {
		Args []string
		Env  []definition.EnvVar
	}
)

func (DieWithSupervisor) String() string { return "die with the supervisor" }
func (o JoinCgroup) String() string      { return "join cgroup " + o.Controller }
func (UnshareUser) String() string       { return "new user namespace" }
func (o MapSelf) String() string {
	return fmt.Sprintf("map uid %s, gid %s (setgroups denied)",
		rangesText([]definition.IDRange{o.UID}), rangesText([]definition.IDRange{o.GID}))
}
func (BecomeRoot) String() string    { return "become uid 0 and gid 0 of the user namespace" }
func (o CloneInit) String() string   { return "clone init in new " + strings.Join(o.Namespaces, ", ") }
func (o Unshare) String() string     { return "unshare " + strings.Join(o.Namespaces, ", ") }
func (AwaitCgroup) String() string   { return "await the cgroup" }
func (EnterNet) String() string      { return "enter a new net namespace" }
func (Loopback) String() string      { return "bring lo up" }
func (o SetHostname) String() string { return "hostname " + o.Name }
func (o SetSysctl) String() string   { return fmt.Sprintf("sysctl %s = %s", o.Name, o.Value) }
func (o Sync) String() string        { return "sync: " + o.Point }
func (o ClonePayload) String() string {
	s := "clone payload"
	if o.IntoCgroup {
		s += " into the cgroup"
	}
	if o.UID != nil {
		s += fmt.Sprintf(" in a new user namespace: uid %s, gid %s", rangesText(o.UID), rangesText(o.GID))
	}
	if o.Stay {
		s += "; init stays when it has ended"
	}
	return s
}
func (NewSession) String() string { return "new session" }
func (o SetTerminal) String() string {
	if o.HostDevices {
		return "terminal of this machine's /dev/pts"
	}
	return "terminal"
}
func (o SetRlimit) String() string      { return "rlimit " + rlimitText(o.Rlimit) }
func (o SetOOMScoreAdj) String() string { return fmt.Sprintf("oom_score_adj %d", o.Value) }
func (o BoundCaps) String() string      { return "bounding set " + capsText(o.Keep) }
func (o SetUser) String() string {
	if o.Resolved {
		return "user, group and groups as resolved"
	}
	s := fmt.Sprintf("user %d, group %d", o.UID, o.GID)
	if o.KeepGroups {
		return s
	}
	return s + fmt.Sprintf(", groups %d", o.Groups)
}
func (o SetCaps) String() string {
	return fmt.Sprintf("capabilities: effective %s, permitted %s, inheritable %s, ambient %s",
		capsText(o.Effective), capsText(o.Permitted), capsText(o.Inheritable), capsText(o.Ambient))
}
func (o SetUmask) String() string { return fmt.Sprintf("umask %03o", o.Mask) }
func (o SetCwd) String() string   { return "cwd " + o.Path }
func (NoNewPrivs) String() string { return "no_new_privs" }
func (CloseFDs) String() string   { return "close every other descriptor" }
func (o LoadFilter) String() string {
	if o.Mode == definition.SeccompPolicy && o.Policy != nil {
		return fmt.Sprintf("seccomp policy (%d rules, default %s)", len(o.Policy.Rules), o.Policy.Default)
	}
	return "seccomp " + string(o.Mode)
}
func (o Exec) String() string {
	names := make([]string, len(o.Env))
	for i, e := range o.Env {
		names[i] = e.Name
	}
	return fmt.Sprintf("exec %q (environment %s)", o.Args, strings.Join(names, " "))
}

func (DieWithSupervisor) op() {}
func (JoinCgroup) op()        {}
func (UnshareUser) op()       {}
func (MapSelf) op()           {}
func (BecomeRoot) op()        {}
func (CloneInit) op()         {}
func (Unshare) op()           {}
func (AwaitCgroup) op()       {}
func (EnterNet) op()          {}
func (Loopback) op()          {}
func (SetHostname) op()       {}
func (SetSysctl) op()         {}
func (Sync) op()              {}
func (ClonePayload) op()      {}
func (NewSession) op()        {}
func (SetTerminal) op()       {}
func (SetRlimit) op()         {}
func (SetOOMScoreAdj) op()    {}
func (BoundCaps) op()         {}
func (SetUser) op()           {}
func (SetCaps) op()           {}
func (SetUmask) op()          {}
func (SetCwd) op()            {}
func (NoNewPrivs) op()        {}
func (CloseFDs) op()          {}
func (LoadFilter) op()        {}
func (Exec) op()              {}

func capsText(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.ToLower(strings.Join(names, "+"))
}

func rlimitText(r definition.Rlimit) string {
	value := func(v uint64) string {
		if v == definition.RlimitInfinity {
			return "unlimited"
		}
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("%s = %s (hard %s)", r.Name, value(r.Soft), value(r.Hard))
}
