package plan

import (
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"

	"sandbox/sandbox/definition"
)

// shownTop are the folders of the host's / that a container of the host's files
// sees. An allow-list: machines carry unexpected folders at the top.
var shownTop = [...]string{"bin", "etc", "gnu", "lib", "lib32", "lib64", "libx32", "nix", "opt", "sbin", "snap", "usr", "var"}

// hiddenBelow are folders inside those that hold other people's things.
var hiddenBelow = [...]string{"/etc/ssl/private", "/etc/sudoers.d", "/var/backups", "/var/cache/sandbox", "/var/lib/docker", "/var/lib/containerd",
	"/var/lib/containers", "/var/lib/private", "/var/lib/systemd", "/var/log", "/var/mail", "/var/spool", "/var/tmp"}

// maskedPaths are those of the field's runtimes: kernel facts that tell about the
// host or other containers, or let a privileged process reach it.
var maskedPaths = [...]string{"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
	"/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"}

var readonlyPaths = [...]string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}

// root is init's part on the file system, up to the pivot. What is mounted later
// covers what was mounted before, so the order is from the root to the leaves, and
// read-only comes last, when everything has been made.
func (c *compiler) root() {
	if !c.ns["mount"] {
		c.hostMounts()
		return
	}
	c.init(PrivateMounts{}, "")
	c.newRoot()
	c.system()
	for _, i := range c.mountOrder() {
		c.mount(i)
	}
	for _, s := range c.def.Sysctl {
		c.init(SetSysctl{Name: s.Name, Value: s.Value}, "sysctl."+s.Name)
	}
	c.restrict()
	if !c.rootWritable() {
		c.init(ReadonlyRoot{}, "rootfs")
	}
	c.init(Pivot{}, "")
}

// hostMounts is namespaces.mount = "host": the host's own files, as they are.
func (c *compiler) hostMounts() {
	hint := `leave namespaces.mount alone, or leave this out`
	if len(c.def.Mounts) > 0 {
		c.problem("mounts", "mounts need a mount namespace", hint)
	}
	if k := c.def.Rootfs.Kind; k != "" && k != definition.RootfsHost {
		c.problem("rootfs", "a root filesystem needs a mount namespace", hint)
	}
	if len(c.def.Artifacts) > 0 {
		c.problem("artifacts", "artifacts need a mount namespace", hint)
	}
	if c.terminal {
		c.problem("process.terminal", "a terminal of its own needs a mount namespace", hint)
	}
	c.note("namespaces.mount", "the payload sees and writes the host's own files")
}

func (c *compiler) rootWritable() bool {
	switch c.def.Rootfs.Kind {
	case definition.RootfsHostReadonly:
		return false
	case definition.RootfsDir:
		return c.def.Rootfs.Write
	}
	return true
}

func (c *compiler) newRoot() {
	r := c.def.Rootfs
	switch r.Kind {
	case definition.RootfsDir:
		c.init(RootDir{Path: r.Path, Write: r.Write}, "rootfs")
	case definition.RootfsTmpfs:
		c.init(RootTmpfs{Size: r.Size}, "rootfs")
	case definition.RootfsOverlay:
		c.init(RootOverlay{Lower: r.Lower, Upper: r.Upper, Size: r.Size, UserXattr: c.userFirst}, "rootfs")
	case definition.RootfsHostReadonly:
		c.skeleton()
	default:
		// The host's / as an overlay needs a namespace that owns its mounts
		// (clone_private_mount), and one level of stacking left.
		if c.facts.Root && c.facts.RootDepth <= 1 {
			c.hostOverlay()
		} else {
			c.skeleton()
		}
	}
}

// hostOverlay is one overlay over /: what is not shown is hidden in its upper
// layer, where nothing is mounted that could be unmounted.
func (c *compiler) hostOverlay() {
	root := RootOverlay{Lower: []string{"/"}, Size: c.def.Rootfs.Size}
	var binds []string
	for _, t := range c.facts.Top {
		switch shown := slices.Contains(shownTop[:], t.Name); {
		case t.Link != "" && shown:
		case t.Dir && !shown:
			root.Hide = append(root.Hide, "/"+t.Name)
		case !t.Dir && !shown:
			root.Whiteout = append(root.Whiteout, "/"+t.Name)
		case shown:
			binds = append(binds, t.Mounts...)
		}
	}
	for _, s := range c.facts.Secrets {
		if slices.Contains(hiddenBelow[:], s) {
			root.Hide = append(root.Hide, s)
		} else {
			root.Whiteout = append(root.Whiteout, s)
		}
	}
	sort.Strings(root.Hide)
	sort.Strings(root.Whiteout)
	c.init(root, "rootfs")
	for _, m := range binds {
		if hiddenPath(m) {
			continue
		}
		// An overlay does not cross mounts of its lower layer.
		c.note("rootfs", m+" is a mount of its own on the host: it is read-only in the container")
		c.init(Bind{Source: m, Target: m, Recursive: true}, "rootfs")
	}
}

func hiddenPath(p string) bool {
	return slices.ContainsFunc(hiddenBelow[:], func(h string) bool { return p == h || strings.HasPrefix(p, h+"/") })
}

// skeleton is a tmpfs with the shown folders of / bound read-only: for ordinary
// users, who cannot put an overlay over /, for a / that is stacked too deep, and
// for "host-readonly".
func (c *compiler) skeleton() {
	c.init(RootTmpfs{Size: c.def.Rootfs.Size}, "rootfs")
	for _, t := range c.facts.Top {
		if !slices.Contains(shownTop[:], t.Name) {
			continue
		}
		switch {
		case t.Link != "":
			c.init(MakeLink{Path: "/" + t.Name, Target: t.Link}, "rootfs")
		case t.Dir:
			c.init(Bind{Source: "/" + t.Name, Target: "/" + t.Name, Recursive: true}, "rootfs")
		}
	}
	for _, s := range c.facts.Secrets {
		c.init(Mask{Path: s}, "rootfs")
	}
	if c.def.Rootfs.Kind == definition.RootfsHostReadonly {
		return
	}
	switch {
	case !c.facts.Root:
		c.note("rootfs", "the host's folders are read-only for an ordinary user; /, /root, /tmp and /var/tmp are writable")
	default:
		c.note("rootfs", fmt.Sprintf("/ is an overlay of depth %d, which cannot be stacked once more: the host's folders are read-only; /, /root, /tmp and /var/tmp are writable", c.facts.RootDepth))
	}
}

func (c *compiler) ofHost() bool {
	switch c.def.Rootfs.Kind {
	case "", definition.RootfsHost, definition.RootfsHostReadonly:
		return true
	}
	return false
}

// taken reports whether the recipe mounts something itself at the target.
func (c *compiler) taken(target string) bool {
	return slices.ContainsFunc(c.def.Mounts, func(m definition.Mount) bool { return path.Clean(m.Target) == target })
}

// system mounts what every container has: /proc, /sys, /dev and, in the host's
// files, fresh /tmp, /run, /root and /var/tmp.
func (c *compiler) system() {
	if !c.taken("/proc") {
		c.proc("/proc", "")
	}
	if !c.taken("/sys") {
		c.sysfs("/sys", "", false)
	}
	if !c.taken("/dev") {
		c.devices()
	}
	if !c.taken("/dev/shm") {
		c.tmpfs("/dev/shm", "1777", "64M")
	}
	if !c.ofHost() {
		if c.def.Rootfs.Kind == definition.RootfsTmpfs {
			c.init(MakeDir{Path: "/tmp", Mode: 0o1777}, "")
		}
		return
	}
	for _, t := range []struct{ target, mode string }{{"/tmp", "1777"}, {"/run", "755"}, {"/var/tmp", "1777"}, {"/root", "700"}} {
		if !c.taken(t.target) {
			c.tmpfs(t.target, t.mode, "")
		}
	}
	if !c.ns["net"] && c.facts.Resolv != "" {
		c.resolvConf()
	}
}

// resolvConf gives a container on the host's network the host's resolvers. A link
// into /run dangles in the fresh /run: the content goes where it points.
func (c *compiler) resolvConf() {
	if strings.HasPrefix(c.facts.Resolv, "/run/") {
		c.init(CopyHostFile{Source: c.facts.Resolv, Path: c.facts.Resolv}, "network")
	}
}

func (c *compiler) tmpfs(target, mode, size string) {
	options := []string{"mode=" + mode}
	if size != "" {
		options = append(options, "size="+size)
	}
	c.init(MountFS{Type: "tmpfs", Target: target, Options: options}, "")
}

func (c *compiler) proc(target, field string) {
	if !c.ns["pid"] {
		// The host's processes: a bind, as a new mount in a user namespace is refused.
		c.init(Bind{Source: "/proc", Target: target, Write: true, Recursive: true}, field)
		return
	}
	if c.userFirst && c.facts.ProcMasked {
		c.problem("namespaces.pid", "something is mounted over parts of /proc (a container with a masked /proc?), so an ordinary user may not mount one for a new pid namespace",
			`run as root, or set namespaces = { pid = "host" }`)
	}
	c.init(MountFS{Type: "proc", Target: target, NoExec: true}, field)
}

func (c *compiler) sysfs(target, field string, write bool) {
	if !c.ns["net"] {
		// sysfs shows the network namespace it is mounted in, and belongs to it.
		c.init(Bind{Source: "/sys", Target: target, Write: write, Recursive: true}, field)
		return
	}
	c.init(MountFS{Type: "sysfs", Target: target, Readonly: !write, NoExec: true}, field)
}

var deviceNodes = [...]struct {
	name         string
	major, minor uint32
}{{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}}

// devices makes /dev: no node of the host's but the harmless ones.
func (c *compiler) devices() {
	c.init(MountFS{Type: "tmpfs", Target: "/dev", NoExec: true, Dev: true, Options: []string{"mode=755", "size=64K"}}, "")
	for _, n := range deviceNodes {
		p := "/dev/" + n.name
		c.init(MakeDevice{Path: p, Source: p, Major: n.major, Minor: n.minor, Bind: c.userFirst}, "")
	}
	for _, l := range []struct{ name, target string }{
		{"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},
	} {
		c.init(MakeLink{Path: "/dev/" + l.name, Target: l.target}, "")
	}
	if !c.taken("/dev/pts") {
		c.devpts("/dev/pts", "")
	}
	if !c.taken("/dev/mqueue") && c.ns["ipc"] {
		c.init(MountFS{Type: "mqueue", Target: "/dev/mqueue", NoExec: true}, "")
	}
	for i, d := range c.def.Devices {
		source := d.Source
		if source == "" {
			source = d.Path
		}
		c.init(MakeDevice{Path: d.Path, Source: source, Bind: true}, fmt.Sprintf("devices[%d]", i+1))
	}
}

func (c *compiler) devpts(target, field string) {
	options := []string{"newinstance", "ptmxmode=0666", "mode=620"}
	if c.mapped(5) {
		options = append(options, "gid=5") // tty; EINVAL where gid 5 is not mapped
	}
	c.init(MountFS{Type: "devpts", Target: target, NoExec: true, Dev: true, Options: options}, field)
}

func mountField(i int) string { return fmt.Sprintf("mounts[%d]", i+1) }

// mountOrder is by depth of the target, else as in the recipe: a mount on a parent
// would cover one below.
func (c *compiler) mountOrder() []int {
	order := make([]int, len(c.def.Mounts))
	for i := range order {
		order[i] = i
	}
	depth := func(i int) int { return strings.Count(path.Clean(c.def.Mounts[i].Target), "/") }
	sort.SliceStable(order, func(a, b int) bool { return depth(order[a]) < depth(order[b]) })
	return order
}

func (c *compiler) mount(i int) {
	m, field := c.def.Mounts[i], mountField(i)
	switch m.Type {
	case definition.MountBind:
		c.bind(m, field)
	case definition.MountCache:
		c.init(Bind{Source: c.cachePath(m), Target: m.Target, Write: true, Recursive: true}, field)
	case definition.MountFile:
		c.init(BindFile{Target: m.Target, Content: m.Content, Mode: modeOr(m.Mode, 0o644)}, field)
	case definition.MountTmpfs:
		size := ""
		if m.Size > 0 {
			size = fmt.Sprint(int64(m.Size))
		}
		c.init(MountFS{Type: "tmpfs", Target: m.Target, Options: tmpfsOptions(fmt.Sprintf("%o", modeOr(m.Mode, 0o755)), size)}, field)
	case definition.MountProc:
		c.proc(m.Target, field)
	case definition.MountSysfs:
		c.sysfs(m.Target, field, m.Write)
	case definition.MountDevpts:
		c.devpts(m.Target, field)
	case definition.MountMqueue:
		c.init(MountFS{Type: "mqueue", Target: m.Target, NoExec: true}, field)
	case definition.MountCgroup:
		if len(c.setting.Dirs) == 0 || c.setting.Dirs[0].Version != 2 {
			c.problem(field, "there is no cgroup v2 folder of the container's to mount", "leave the cgroup mount out")
			return
		}
		c.init(BindCgroup{Target: m.Target, Write: m.Write}, field)
	default:
		c.problem(field, fmt.Sprintf("no mount type is called %q", m.Type), "")
	}
}

func tmpfsOptions(mode, size string) []string {
	options := []string{"mode=" + mode}
	if size != "" {
		options = append(options, "size="+size)
	}
	return options
}

func modeOr(mode *uint32, fallback uint32) uint32 {
	if mode != nil {
		return *mode
	}
	return fallback
}

func (c *compiler) bind(m definition.Mount, field string) {
	b := Bind{Source: m.Source, Target: m.Target, Write: m.Write, Recursive: !m.Shallow}
	if m.Shallow && c.userFirst {
		// The mounts below are locked together with it (mount_namespaces(7)).
		b.Recursive = true
		c.note(field, "recursive = false is not possible in a user namespace: the mounts below "+m.Source+" come along")
	}
	if m.Optional {
		b.Optional = c.maybe(field, m.Source+" does not exist: it is not mounted at "+m.Target)
	}
	c.init(b, field)
}

// restrict hides and write-protects parts of /proc and /sys.
func (c *compiler) restrict() {
	masked, readonly, field := c.def.MaskedPaths, c.def.ReadonlyPaths, "masked_paths"
	if masked == nil {
		masked, field = maskedPaths[:], ""
	}
	for _, p := range masked {
		c.init(Mask{Path: p}, field)
	}
	field = "readonly_paths"
	if readonly == nil {
		readonly, field = readonlyPaths[:], ""
	}
	for _, p := range readonly {
		c.init(ReadonlyPath{Path: p}, field)
	}
}
