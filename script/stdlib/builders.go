package stdlib

import (
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
)

// Mount is what a builder of a mount returns. A bad one has problems that are
// noted already.
type Mount struct {
	definition.Mount
	Origin definition.Origin
	Bad    bool
}

// Describe words it for messages.
func (m *Mount) Describe() string { return "a mount (sandbox." + m.Type + ")" }

// Rootfs is what a builder of a root filesystem returns.
type Rootfs struct {
	definition.Rootfs
	Origin definition.Origin
	Bad    bool
}

// Describe words it for messages.
func (r *Rootfs) Describe() string { return "a root filesystem (sandbox." + string(r.Kind) + ")" }

func quote(s string) string { return strconv.Quote(s) }

func (c *call) pushMount(L *lua.LState, m definition.Mount) int {
	m.Target = Inside(m.Target)
	value := c.VM.State().NewUserData()
	value.Value = &Mount{Mount: m, Origin: c.Origin(), Bad: c.bad}
	L.Push(value)
	return 1
}

func (c *call) pushRootfs(L *lua.LState, r definition.Rootfs) int {
	value := c.VM.State().NewUserData()
	value.Value = &Rootfs{Rootfs: r, Origin: c.Origin(), Bad: c.bad}
	L.Push(value)
	return 1
}

func bind(l *Load, L *lua.LState) int {
	c := l.begin(L, "bind", 3, bindOptions)
	m := definition.Mount{Type: definition.MountBind}
	if source, ok := c.text(L, 1, "a host path"); ok {
		m.Source = c.host(source, l.Origin())
	}
	m.Target, _ = c.text(L, 2, "a target, as in sandbox.bind(\".\", \"/src\")")
	m.Write = c.flag("write", false)
	m.Optional = c.flag("optional", false)
	m.Shallow = !c.flag("recursive", true)
	return c.pushMount(L, m)
}

func cache(l *Load, L *lua.LState) int {
	c := l.begin(L, "cache", 2, nil)
	m := definition.Mount{Type: definition.MountCache, Write: true}
	m.Source, _ = c.text(L, 1, "a name")
	m.Target, _ = c.text(L, 2, "a target, as in sandbox.cache(\"go-build\", \"/cache\")")
	return c.pushMount(L, m)
}

func file(l *Load, L *lua.LState) int {
	c := l.begin(L, "file", 1, fileOptions)
	m := definition.Mount{Type: definition.MountFile, Mode: c.mode()}
	var target, content bool
	m.Target, target = c.word("target")
	m.Content, content = c.word("content")
	if !target || !content {
		c.bad = true
		l.Problem(c.name, "target and content are needed", "sandbox.file { target = \"/etc/motd\", content = \"hello\" }")
	}
	return c.pushMount(L, m)
}

// tmpfs is told apart by its first argument: a size is no absolute path.
func tmpfs(l *Load, L *lua.LState) int {
	if target, ok := L.Get(1).(lua.LString); ok && strings.HasPrefix(string(target), "/") {
		c := l.begin(L, "tmpfs", 2, tmpfsOptions)
		return c.pushMount(L, definition.Mount{Type: definition.MountTmpfs, Target: string(target), Size: c.size(), Mode: c.mode()})
	}
	c := l.begin(L, "tmpfs", 1, nil)
	r := definition.Rootfs{Kind: definition.RootfsTmpfs}
	if L.Get(1) == lua.LNil {
		return c.pushRootfs(L, r)
	}
	before := len(*l.Problems)
	v := l.Read(L.Get(1), c.name)
	size, err := luaval.Size(&v)
	if err != nil && v.Kind != luaval.Nothing {
		l.Problem(c.name, err.Error(), "or a target like \"/scratch\"")
	}
	c.bad = c.bad || len(*l.Problems) > before
	r.Size = size
	return c.pushRootfs(L, r)
}

func dir(l *Load, L *lua.LState) int {
	c := l.begin(L, "dir", 2, writeOptions)
	r := definition.Rootfs{Kind: definition.RootfsDir, Write: c.flag("write", false)}
	if path, ok := c.text(L, 1, "a folder's path"); ok {
		r.Path = c.host(path, l.Origin())
	}
	return c.pushRootfs(L, r)
}

func overlay(l *Load, L *lua.LState) int {
	c := l.begin(L, "overlay", 1, overlayOptions)
	r := definition.Rootfs{Kind: definition.RootfsOverlay, Size: c.size()}
	lower := c.options.Field("lower")
	switch {
	case lower == nil:
		c.bad = true
		l.Problem(c.name, "lower is needed", "sandbox.overlay { lower = { \"rootfs\" } }")
	case lower.Kind == luaval.String:
		r.Lower = []string{c.host(lower.Text, lower.Origin)}
	case lower.Kind == luaval.List:
		for i := range lower.Items {
			item := &lower.Items[i]
			if item.Kind != luaval.String {
				c.reject("lower", "a list of folders", item)
				continue
			}
			r.Lower = append(r.Lower, c.host(item.Text, item.Origin))
		}
	default:
		c.reject("lower", "a list of folders", lower)
	}
	if upper, ok := c.word("upper"); ok {
		r.Upper = c.host(upper, c.options.Field("upper").Origin)
	}
	return c.pushRootfs(L, r)
}

// special is a mount of a kernel file system: an optional target, and options.
func special(l *Load, L *lua.LState, m definition.Mount) int {
	writable := m.Type == definition.MountSysfs || m.Type == definition.MountCgroup
	fields, last := writeOptions, 2
	if !writable {
		fields, last = nil, 1
	}
	c := l.begin(L, m.Type, last, fields)
	if L.Get(1) != lua.LNil {
		m.Target, _ = c.text(L, 1, "a target")
	}
	if writable {
		m.Write = c.flag("write", false)
	}
	return c.pushMount(L, m)
}

func proc(l *Load, L *lua.LState) int {
	return special(l, L, definition.Mount{Type: definition.MountProc, Target: "/proc"})
}

func sysfs(l *Load, L *lua.LState) int {
	return special(l, L, definition.Mount{Type: definition.MountSysfs, Target: "/sys"})
}

func devpts(l *Load, L *lua.LState) int {
	return special(l, L, definition.Mount{Type: definition.MountDevpts, Target: "/dev/pts"})
}

func mqueue(l *Load, L *lua.LState) int {
	return special(l, L, definition.Mount{Type: definition.MountMqueue, Target: "/dev/mqueue"})
}

func cgroup(l *Load, L *lua.LState) int {
	return special(l, L, definition.Mount{Type: definition.MountCgroup, Target: "/sys/fs/cgroup"})
}
