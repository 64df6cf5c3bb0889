package plan

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"sandbox/sandbox/definition"
)

// placed is a mount of the recipe with its place in the definition.
type placed struct {
	*definition.Mount
	index  int
	target string
}

func mountField(index int) string { return definition.Item("mounts", index+1) }

// placeMounts sorts the recipe's mounts: a deeper one would be covered by a mount
// above it that came later. At the same depth they keep their order.
func (c *compiler) placeMounts() {
	for i := range c.def.Mounts {
		m := &c.def.Mounts[i]
		c.mounts = append(c.mounts, placed{Mount: m, index: i, target: path.Clean("/" + m.Target)})
	}
	slices.SortStableFunc(c.mounts, func(a, b placed) int {
		return strings.Count(a.target, "/") - strings.Count(b.target, "/")
	})
}

// taken reports whether the recipe mounts something at p or above it.
func (c *compiler) taken(p string) bool {
	for i := range c.mounts {
		if below(p, c.mounts[i].target) {
			return true
		}
	}
	return false
}

// free reports whether a default mount is made at a target: the recipe has nothing
// there, and a root that cannot be written to has it.
func (c *compiler) free(target string) bool {
	if c.taken(target) {
		return false
	}
	r := c.def.Rootfs
	if r.Kind == definition.RootfsDir && !r.Write && hasName(RootTargets(), target) && !hasName(c.facts.RootEntries, target) {
		c.note("rootfs", "%s has no folder %s, which is left out", r.Path, target)
		return false
	}
	return true
}

// defaultMounts are the kernel's file systems, of the container's own namespaces,
// and fresh folders where programs write.
func (c *compiler) defaultMounts() {
	if c.free("/proc") {
		c.proc("/proc", "")
	}
	if c.free("/dev") {
		c.init(MountFS{Type: "tmpfs", Target: "/dev", NoExec: true, Dev: true, Options: []string{"mode=0755", "size=65536k"}}, "")
		c.devices()
	} else {
		c.recipeDevices()
	}
	r := c.def.Rootfs
	if c.isHost() && c.free("/run") {
		c.init(MountFS{Type: "tmpfs", Target: "/run", Options: c.bounded("mode=0755", 5)}, "")
	}
	// A folder or an image that can be written to has its own.
	if c.isHost() || r.Kind == definition.RootfsTmpfs || r.Kind == definition.RootfsDir && !r.Write {
		if c.free("/tmp") {
			c.init(MountFS{Type: "tmpfs", Target: "/tmp", Options: c.bounded("mode=1777", c.tmpShare())}, "")
		}
	}
	c.resolvConf()
}

// mountAll mounts, and then hides. /sys comes last where nothing of the recipe's is
// to lie on it: the net namespace that it belongs to may still be being made.
func (c *compiler) mountAll() {
	last := c.facts.Root && c.own.net && !c.inSys()
	onSys := func(p string) bool { return below(p, "/sys") }
	c.defaultMounts()
	if !last {
		c.system()
	}
	c.recipeMounts()
	if len(c.def.Sysctl) > 0 {
		if last {
			c.enterNet()
		}
		c.sysctls() // before /proc/sys is read-only
	}
	for _, p := range c.secrets {
		c.init(Mask{Path: p}, "rootfs")
	}
	c.protect(func(p string) bool { return !last || !onSys(p) })
	if last {
		c.system()
		c.protect(onSys)
	}
	if c.def.Rootfs.Kind == definition.RootfsHostReadonly {
		// Mount points could not be made on it any more.
		c.init(ReadonlyRoot{}, "rootfs")
	}
}

// inSys reports whether the recipe mounts something at or below /sys, or may hide
// something there: a path of its own can lead there by a link.
func (c *compiler) inSys() bool {
	if c.def.MaskedPaths != nil || c.def.ReadonlyPaths != nil {
		return true
	}
	for i := range c.mounts {
		if below(c.mounts[i].target, "/sys") || c.mounts[i].Type == definition.MountSysfs {
			return true
		}
	}
	return false
}

// system is /sys, of the container's net namespace and with its cgroup.
func (c *compiler) system() {
	c.enterNet()
	if c.free("/sys") {
		c.sysfs("/sys", "", false)
		c.cgroupfs()
	}
}

// enterNet is root's: an ordinary user's init is cloned into all its namespaces. A
// new net namespace takes the kernel longer than all else of a start together, so
// it is made while the recipe is loaded and the root is built, and entered where it
// is first needed: a sysfs is of the net namespace that it was mounted in, and so
// are the parameters below /proc/sys/net.
func (c *compiler) enterNet() {
	if c.facts.Root && c.own.net && !c.entered {
		c.entered = true
		c.init(EnterNet{}, "")
	}
}

// bounded are the options of a default tmpfs, which may take a share of this
// machine's memory, in percent. Each could take half of it as the kernel has it;
// with these shares a root in memory (half), /tmp, /dev/shm and /run together stay
// below all of it. What files hold is not freed when the kernel kills the one who
// wrote them, so that it would go on to kill others. A limit of memory counts the
// files itself, and needs no second bound that could be in the way.
func (c *compiler) bounded(mode string, percent int) []string {
	for _, w := range c.setting.Writes {
		if w.Limit == "memory" {
			return []string{mode}
		}
	}
	return []string{mode, "size=" + strconv.Itoa(percent) + "%"}
}

// tmpShare is that of /tmp: a half where the root itself takes no memory.
func (c *compiler) tmpShare() int {
	if k := c.def.Rootfs.Kind; k == definition.RootfsHostReadonly || k == definition.RootfsDir {
		return 50
	}
	return 25
}

// proc is of the container's own pid namespace. In a user namespace it can only be
// mounted by who also owns the pid namespace, and nowhere below a masked one
// (mount_too_revealing in fs/namespace.c).
func (c *compiler) proc(target, field string) {
	op := MountFS{Type: "proc", Target: target, NoExec: true}
	switch {
	case c.confined && !c.own.pid:
		op.Else = "/proc"
		op.Note = c.conditional("namespaces.pid", "%s is a read-only bind of the host's /proc: a new one needs a pid namespace of its own", target)
	case c.confined && c.facts.ProcMasked:
		c.problem("namespaces.pid", `run the outer container with an unmasked /proc (docker: --security-opt systempaths=unconfined), or say namespaces = { pid = "host" }`,
			"/proc is masked here (nested in a container?), and below a masked one no new /proc can be mounted in a user namespace")
	}
	c.init(op, field)
}

// sysfs is of the container's own net namespace, or of the host's.
func (c *compiler) sysfs(target, field string, write bool) {
	op := MountFS{Type: "sysfs", Target: target, Readonly: !write, NoExec: true}
	switch {
	case c.confined && !c.own.net:
		// Without an own net namespace it is refused for certain.
		c.note("network", "%s is a read-only bind of the host's /sys: a new one needs a network namespace of its own", target)
		c.init(Bind{Source: "/sys", Target: target, Recursive: true}, "network")
		return
	case c.confined:
		op.Else = "/sys"
		op.Note = c.conditional(field, "%s is a read-only bind of the host's /sys: something is mounted over parts of it (nested in a container?)", target)
	}
	c.init(op, field)
}

// cgroupfs shows the container's own cgroup, where programs look for their limits.
// There is no other below a sysfs of its own (CVE-2023-25809 had the host's).
func (c *compiler) cgroupfs() {
	if c.own.cgroup && c.inUnified() && c.limitedInUnified() && !c.taken("/sys/fs/cgroup") {
		c.awaitCgroup()
		c.init(BindCgroup{Target: "/sys/fs/cgroup"}, "")
	}
}

func (c *compiler) limitedInUnified() bool {
	for _, w := range c.setting.Writes {
		if w.Dir == 0 {
			return true
		}
	}
	return false
}

// node is one of the devices that every container has (Documentation/admin-guide/devices.txt).
type node struct {
	name         string
	major, minor uint32
}

// devices fills the fresh /dev. /dev/null comes first: it is what masks files.
func (c *compiler) devices() {
	for _, n := range [...]node{{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}} {
		if p := "/dev/" + n.name; !c.taken(p) {
			c.init(MakeDevice{Path: p, Source: p, Major: n.major, Minor: n.minor, Bind: c.confined}, "")
		}
	}
	for _, l := range [...][2]string{{"/dev/fd", "/proc/self/fd"}, {"/dev/stdin", "/proc/self/fd/0"}, {"/dev/stdout", "/proc/self/fd/1"},
		{"/dev/stderr", "/proc/self/fd/2"}, {"/dev/ptmx", "pts/ptmx"}} {
		if !c.taken(l[0]) {
			c.init(MakeLink{Path: l[0], Target: l[1]}, "")
		}
	}
	c.recipeDevices()
	if !c.taken("/dev/pts") {
		c.init(MountFS{Type: "devpts", Target: "/dev/pts", NoExec: true, Dev: true, Options: c.devptsOptions("/dev/pts")}, "")
	}
	if !c.taken("/dev/shm") {
		c.init(MountFS{Type: "tmpfs", Target: "/dev/shm", NoExec: true, Options: c.bounded("mode=1777", 10)}, "")
	}
	c.mqueue()
}

// devptsOptions: group 5 is tty on every distribution; gid= of an id that is not
// mapped is EINVAL.
func (c *compiler) devptsOptions(target string) []string {
	options := []string{"mode=0620", "ptmxmode=0666"}
	if !c.confined || c.gid5() {
		return append(options, "gid=5")
	}
	if c.terminal && target == "/dev/pts" {
		c.note("process.terminal", "the terminal belongs to the payload's group: group 5 (tty) has no mapping in the user namespace")
	}
	return options
}

func (c *compiler) gid5() bool {
	if c.facts.Root {
		return c.mappedIDs() > 5
	}
	return maps(c.ids.gid, 5)
}

// mqueue shows the ipc namespace's message queues; whose it is not, may not mount it.
func (c *compiler) mqueue() {
	switch {
	case c.taken("/dev/mqueue"):
	case c.confined && !c.own.ipc:
		c.note("namespaces.ipc", "there is no /dev/mqueue: the host's message queues cannot be mounted from a user namespace")
	default:
		c.init(MountFS{Type: "mqueue", Target: "/dev/mqueue", NoExec: true}, "")
	}
}

func (c *compiler) recipeDevices() {
	for i, d := range c.def.Devices {
		field, source := definition.Item("devices", i+1), deviceSource(d)
		n := slices.IndexFunc(c.facts.Devices, func(f DeviceFact) bool { return f.Path == source })
		switch {
		case n < 0:
			c.problem(field, "load its driver, or leave it out", "there is no %s on this machine", source)
		case c.facts.Devices[n].Kind != "c":
			c.problem(field, "bind a disk's file system instead", "%s is not a character device", source)
		default:
			f := c.facts.Devices[n]
			c.init(MakeDevice{Path: path.Clean(d.Path), Source: source, Major: f.Major, Minor: f.Minor, Bind: true}, field)
		}
	}
}

// recipeMounts come after the defaults, so that they can lie on them.
func (c *compiler) recipeMounts() {
	for _, m := range c.mounts {
		c.recipeMount(m, mountField(m.index))
	}
}

func (c *compiler) recipeMount(m placed, field string) {
	switch m.Type {
	case definition.MountBind:
		c.bind(m, field)
	case definition.MountCache:
		c.init(Bind{Source: c.cachePath(m.Source), Target: m.target, Write: true, Recursive: true}, field)
	case definition.MountFile:
		c.init(BindFile{Target: m.target, Content: m.Content, Mode: modeOr(m.Mode, 0o644)}, field)
	case definition.MountTmpfs:
		options := []string{"mode=0" + strconv.FormatUint(uint64(modeOr(m.Mode, 0o755)), 8)}
		if m.Size > 0 {
			options = append(options, "size="+strconv.FormatInt(int64(m.Size), 10))
		}
		c.init(MountFS{Type: "tmpfs", Target: m.target, Options: options}, field)
	case definition.MountProc:
		c.proc(m.target, field)
	case definition.MountMqueue:
		c.init(MountFS{Type: m.Type, Target: m.target, NoExec: true}, field)
	case definition.MountSysfs:
		c.sysfs(m.target, field, m.Write)
	case definition.MountDevpts:
		c.init(MountFS{Type: m.Type, Target: m.target, NoExec: true, Dev: true, Options: c.devptsOptions(m.target)}, field)
	case definition.MountCgroup:
		if c.inUnified() {
			c.awaitCgroup()
			c.init(BindCgroup{Target: m.target, Write: m.Write}, field)
		} else {
			c.note(field, "no cgroup is shown at %s: the container has none in a v2 hierarchy", m.target)
		}
	}
}

func (c *compiler) bind(m placed, field string) {
	op := Bind{Source: m.Source, Target: m.target, Write: m.Write, Recursive: !m.Shallow, Suid: c.def.Process.NewPrivs}
	if m.Optional {
		op.Optional = c.conditional(field, "%s is not mounted at %s: it does not exist", m.Source, m.target)
	}
	c.init(op, field)
}

func (c *compiler) cachePath(name string) string { return c.facts.CacheDir + "/caches/" + name }

func modeOr(mode *uint32, otherwise uint32) uint32 {
	if mode != nil {
		return *mode & 0o7777
	}
	return otherwise
}

// protect comes when all is mounted: what is to be masked or read-only exists.
func (c *compiler) protect(now func(p string) bool) {
	each := func(named, defaults []string, field string, op func(string) Op) {
		for _, p := range defaults {
			if named == nil && now(p) {
				c.init(op(p), "")
			}
		}
		for i, p := range named {
			if now(p) {
				c.init(op(p), definition.Item(field, i+1))
			}
		}
	}
	each(c.def.MaskedPaths, MaskedPaths(), "masked_paths", func(p string) Op { return Mask{Path: p} })
	each(c.def.ReadonlyPaths, ReadonlyPaths(), "readonly_paths", func(p string) Op { return ReadonlyPath{Path: p} })
}

// MaskedPaths are hidden unless the recipe says otherwise: interfaces of the kernel
// that tell of other processes, of hardware, or of keys, and dynamic_debug/control
// (CONFIG_DYNAMIC_DEBUG), which uid 0 of the host writes without a capability.
func MaskedPaths() []string {
	return []string{"/proc/acpi", "/proc/asound", "/proc/dynamic_debug", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
		"/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"}
}

// ReadonlyPaths are read-only unless the recipe says otherwise: uid 0 of any user
// namespace in which it is mapped to the host's could change the host there.
func ReadonlyPaths() []string {
	return []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
}

// sysctls are those of the container's namespaces. Root's user namespace does not
// exist yet: its parameters would be the host's.
func (c *compiler) sysctls() {
	for _, s := range c.def.Sysctl {
		field := definition.Join("sysctl", s.Name)
		switch {
		case c.facts.Root && strings.HasPrefix(strings.ReplaceAll(s.Name, "/", "."), "user."):
			c.problem(field, "run as an ordinary user, or leave it out", "root's user namespace is made when all else is set up, and this would change the host's")
		default:
			c.init(SetSysctl{Name: s.Name, Value: s.Value}, field)
		}
	}
}

// pivot is the last of the mounts: afterwards no host path can be reached.
func (c *compiler) pivot() { c.init(Pivot{}, "") }
