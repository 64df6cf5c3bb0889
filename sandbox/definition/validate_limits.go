package definition

import (
	"math"
	"strings"
)

// Validate returns what is wrong with the limits; paths start with "limits".
func (l Limits) Validate() Problems {
	var ps Problems
	if m := l.Memory; m != nil && *m < 1<<20 {
		hint := "no program starts in less than 1M"
		if *m > 0 && *m < 1<<14 {
			hint = "a number is bytes: write \"" + Bytes(*m<<20).String() + "\""
		}
		ps.hint("limits.memory", hint, "%s is too little", m.String())
	}
	if l.Swap != nil && *l.Swap < 0 {
		ps.add("limits.swap", "the size %d is negative", int64(*l.Swap))
	}
	if l.Swap != nil && l.Memory == nil {
		ps.hint("limits.swap", "set limits.memory too", "a limit of swap needs one of memory")
	}
	if n := l.Pids; n != nil && (*n < 1 || *n > 1<<22) { // PID_MAX_LIMIT
		ps.add("limits.pids", "%d is not between 1 and 4194304", *n)
	}
	// The kernel's quota is at least 1 ms of a period of 100 ms (kernel/sched/core.c).
	if c := l.CPUs; math.IsNaN(c) || c != 0 && (c < 0.01 || c > 8192) {
		ps.add("limits.cpus", "%v is not between 0.01 and 8192", c)
	}
	if w := l.CPUWeight; w != 0 && (w < 1 || w > 10000) {
		ps.add("limits.cpu_weight", "%d is not between 1 and 10000", w)
	}
	for _, t := range [...]struct {
		path  string
		value Duration
	}{{"limits.cpu_time", l.CPUTime}, {"limits.wall", l.Wall}, {"limits.idle", l.Idle}} {
		if t.value < 0 {
			ps.add(t.path, "the time %s is negative", t.value)
		}
	}
	if l.Output < 0 {
		ps.add("limits.output", "the size %d is negative", int64(l.Output))
	}
	return ps
}

// Validate returns what is wrong with the modes; paths start with "namespaces".
func (n Namespaces) Validate() Problems {
	var ps Problems
	for _, m := range [...]struct {
		name string
		mode NamespaceMode
	}{{"mount", n.Mount}, {"pid", n.PID}, {"net", n.Net}, {"ipc", n.IPC}, {"uts", n.UTS}, {"cgroup", n.Cgroup}, {"user", n.User}, {"time", n.Time}} {
		if m.mode != "" && m.mode != NamespaceNew && m.mode != NamespaceHost {
			ps.hint("namespaces."+m.name, `"new" or "host"`, "there is no mode %s", clip(string(m.mode)))
		}
	}
	return ps
}

// Validate returns what is wrong with the mapping; paths start with "idmap".
func (m IDMap) Validate() Problems {
	var ps Problems
	ps.ranges("idmap.uid", m.UID)
	ps.ranges("idmap.gid", m.GID)
	return ps
}

// ranges checks extents of a map (user_namespaces(7)).
func (ps *Problems) ranges(path string, all []IDRange) {
	if len(all) > 340 {
		ps.add(path, "%d ranges; the kernel takes 340", len(all))
		return
	}
	for i, r := range all {
		at := Item(path, i+1)
		switch end := uint64(math.MaxUint32); {
		case r.Size == 0:
			ps.add(at, "the range is empty")
			continue
		case uint64(r.Container)+uint64(r.Size) > end || uint64(r.Host)+uint64(r.Size) > end:
			ps.add(at, "the range goes beyond the id 4294967294")
			continue
		}
		for j, o := range all[:i] {
			if overlap(r.Container, r.Size, o.Container, o.Size) {
				ps.add(at, "the ids inside overlap those of range %d", j+1)
			}
			if overlap(r.Host, r.Size, o.Host, o.Size) {
				ps.add(at, "the host's ids overlap those of range %d", j+1)
			}
		}
	}
}

func overlap(a, sizeA, b, sizeB uint32) bool {
	return uint64(a) < uint64(b)+uint64(sizeB) && uint64(b) < uint64(a)+uint64(sizeA)
}

// ipcSysctls are those of the ipc namespace, below kernel (ipc/ipc_sysctl.c).
var ipcSysctls = [...]string{"auto_msgmni", "msg_next_id", "msgmax", "msgmnb", "msgmni", "sem", "sem_next_id", "shm_next_id",
	"shm_rmid_forced", "shmall", "shmmax", "shmmni"}

// validateSysctl checks that each parameter belongs to a namespace of the
// container: others would change the host.
func (d *Definition) validateSysctl() Problems {
	var ps Problems
	for _, s := range d.Sysctl {
		path := Join("sysctl", s.Name)
		if s.Name == "" || strings.Trim(s.Name, letters+digits+"_-./*") != "" || strings.Contains(s.Name, "..") || strings.HasPrefix(s.Name, "/") {
			ps.hint(path, `a name like "net.core.somaxconn"`, "%s is no parameter", clip(s.Name))
			continue
		}
		if strings.ContainsAny(s.Value, "\x00\n") {
			ps.add(path, "the value %s has a NUL byte or a line break", clip(s.Value))
		}
		ps.sysctl(path, s.Name, d)
	}
	return ps
}

func (ps *Problems) sysctl(path, name string, d *Definition) {
	ipc := strings.HasPrefix(name, "fs.mqueue.")
	for _, n := range ipcSysctls {
		ipc = ipc || name == "kernel."+n
	}
	switch {
	case strings.HasPrefix(name, "net."):
		if d.Network == NetworkHost || d.Namespaces.Net == NamespaceHost {
			ps.hint(path, `it needs network = "none"`, "it would change the host's network")
		}
	case ipc:
		if d.Namespaces.IPC == NamespaceHost {
			ps.hint(path, "leave out namespaces.ipc", "it would change the host's ipc namespace")
		}
	case name == "kernel.hostname" || name == "kernel.domainname":
		ps.hint(path, "write hostname", "the host name is a field of its own")
	case strings.HasPrefix(name, "user."):
		if d.Namespaces.User == NamespaceHost {
			ps.hint(path, "leave out namespaces.user", "it would change the host's user namespace")
		}
	default:
		ps.hint(path, "net.*, fs.mqueue.*, user.* and kernel's shm*, msg* and sem are", "it belongs to no namespace: it would change the host")
	}
}

func validateHooks(hooks []HookRef) Problems {
	var ps Problems
	for i, h := range hooks {
		path := Item("hooks", i+1)
		before := len(ps)
		switch h.Stage {
		case StagePrestart, StagePoststart, StageCollect, StagePoststop:
		default:
			ps.add(path, "there is no stage %s", clip(string(h.Stage)))
		}
		if h.Label == "" {
			ps.add(path, "the hook's label is empty")
		}
		if len(h.Label) > 100 {
			ps.add(path, "the hook's label has %d bytes; 100 at most", len(h.Label))
		}
		if h.Deadline < 0 {
			ps.add(path, "the hook's deadline %s is negative", h.Deadline)
		}
		for ; before < len(ps); before++ {
			ps[before].Origin = h.Origin
		}
	}
	return ps
}
