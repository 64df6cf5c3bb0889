package stdlib

import (
	"strconv"
	"strings"

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

func (c *Call) pushMount(m definition.Mount) int {
	m.Target = Inside(m.Target)
	value := c.VM.State().NewUserData()
	value.Value = &Mount{Mount: m, Origin: c.Origin(), Bad: c.bad}
	return c.push(value)
}

func (c *Call) pushRootfs(r definition.Rootfs) int {
	value := c.VM.State().NewUserData()
	value.Value = &Rootfs{Rootfs: r, Origin: c.Origin(), Bad: c.bad}
	return c.push(value)
}

func bind(c *Call) int {
	m := definition.Mount{Type: definition.MountBind}
	if source, ok := c.word(1); ok {
		m.Source = c.host(source, c.Origin())
	}
	m.Target, _ = c.word(2)
	m.Write = c.flag("write", false)
	m.Optional = c.flag("optional", false)
	m.Shallow = !c.flag("recursive", true)
	return c.pushMount(m)
}

func cache(c *Call) int {
	m := definition.Mount{Type: definition.MountCache, Write: true}
	m.Source, _ = c.word(1)
	m.Target, _ = c.word(2)
	return c.pushMount(m)
}

func file(c *Call) int {
	m := definition.Mount{Type: definition.MountFile, Mode: c.mode()}
	var target, content bool
	m.Target, target = c.textOption("target")
	m.Content, content = c.textOption("content")
	if !target || !content {
		c.bad = true
		c.Problem(c.Called, "target and content are needed", c.Example)
	}
	return c.pushMount(m)
}

// tmpfs is told apart by its first argument: a size is no absolute path.
func tmpfs(c *Call) int {
	if target := c.text(1); strings.HasPrefix(target, "/") {
		return c.pushMount(definition.Mount{Type: definition.MountTmpfs, Target: target, Size: c.size(), Mode: c.mode()})
	}
	r := definition.Rootfs{Kind: definition.RootfsTmpfs}
	if c.given(2) {
		c.bad = true
		c.Problem(c.Called, "options are for a mount: the first argument is its target", c.Example)
	}
	if !c.given(1) {
		return c.pushRootfs(r)
	}
	before := len(*c.Problems)
	v := c.Read(c.L.Get(1), c.Called)
	size, err := luaval.Size(&v)
	if err != nil && v.Kind != luaval.Nothing {
		c.Problem(c.Called, err.Error(), "or a target like \"/scratch\"")
	}
	c.bad = c.bad || len(*c.Problems) > before
	r.Size = size
	return c.pushRootfs(r)
}

func dir(c *Call) int {
	r := definition.Rootfs{Kind: definition.RootfsDir, Write: c.flag("write", false)}
	if path, ok := c.word(1); ok {
		r.Path = c.host(path, c.Origin())
	}
	return c.pushRootfs(r)
}

func overlay(c *Call) int {
	r := definition.Rootfs{Kind: definition.RootfsOverlay, Size: c.size()}
	lower := c.options.Field("lower")
	switch {
	case lower == nil:
		c.bad = true
		c.Problem(c.Called, "lower is needed", c.Example)
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
	if upper, ok := c.textOption("upper"); ok {
		r.Upper = c.host(upper, c.options.Field("upper").Origin)
	}
	return c.pushRootfs(r)
}

// special is a mount of a kernel file system: an optional target, and options.
func (c *Call) special(m definition.Mount) int {
	if c.given(1) {
		m.Target, _ = c.word(1)
	}
	if len(c.Args) > 1 {
		m.Write = c.flag("write", false)
	}
	return c.pushMount(m)
}

func proc(c *Call) int {
	return c.special(definition.Mount{Type: definition.MountProc, Target: "/proc"})
}

func sysfs(c *Call) int {
	return c.special(definition.Mount{Type: definition.MountSysfs, Target: "/sys"})
}

func devpts(c *Call) int {
	return c.special(definition.Mount{Type: definition.MountDevpts, Target: "/dev/pts"})
}

func mqueue(c *Call) int {
	return c.special(definition.Mount{Type: definition.MountMqueue, Target: "/dev/mqueue"})
}

func cgroup(c *Call) int {
	return c.special(definition.Mount{Type: definition.MountCgroup, Target: "/sys/fs/cgroup"})
}
