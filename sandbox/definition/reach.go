package definition

import "strings"

// Reach is something of the host, beyond the project's files to read, that a
// container gets at. What a recipe of the user's own asks for, it gets; to code of
// others it has to be granted.
type Reach struct {
	// Kind is "read", "write" or "host", as in a grant.
	Kind string
	// Value is an absolute host path, or a namespace of the host's by its name.
	Value string
	// Field is the path of the field that asks for it.
	Field string
}

// String returns the reach as its grant is written: "write=/srv".
func (r Reach) String() string { return r.Kind + "=" + r.Value }

// Reaches lists what of the host the container gets at, in the order of the fields.
// The root filesystems "host" and "host-readonly" are not in it: what they show of
// the host is bounded, and nothing of it is written to. real returns where the links
// of a host path lead; nil takes paths as they are written.
func (d *Definition) Reaches(real func(path string) string) []Reach {
	if real == nil {
		real = func(path string) string { return path }
	}
	r := reaches{project: d.Project, real: real}
	r.rootfs(&d.Rootfs)
	for i := range d.Mounts {
		if m := &d.Mounts[i]; m.Type == MountBind {
			r.path(m.Source, m.Write, Item("mounts", i+1))
		}
	}
	p := &d.Process
	if p.Stdin != "none" {
		r.path(p.Stdin, false, "process.stdin")
	}
	for _, out := range []struct{ path, field string }{{p.Stdout, "process.stdout"}, {p.Stderr, "process.stderr"}} {
		if out.path != "none" && out.path != "stdout" {
			r.result(out.path, out.field)
		}
	}
	if d.Network == NetworkHost {
		r.add("host", "net", "network")
	}
	r.namespaces(&d.Namespaces)
	for i := range d.Devices {
		source := d.Devices[i].Source
		if source == "" {
			source = d.Devices[i].Path
		}
		r.path(source, true, Item("devices", i+1))
	}
	for _, a := range d.Artifacts {
		r.result(a.Target, Join("artifacts", a.Path))
	}
	return r.all
}

type reaches struct {
	project string
	real    func(string) string
	all     []Reach
}

func (r *reaches) add(kind, value, field string) {
	r.all = append(r.all, Reach{kind, value, field})
}

// path is a host path that the payload itself reads or writes.
func (r *reaches) path(path string, write bool, field string) {
	switch {
	case path == "":
	case write:
		r.add("write", path, field)
	case !r.inside(path):
		r.add("read", path, field)
	}
}

// result is a host path that the runner writes what the payload made to. Also in the
// project it may be a file that others run: sandbox.toml, a Makefile, a hook of git's.
func (r *reaches) result(path, field string) {
	if path != "" {
		r.add("write", path, field)
	}
}

func (r *reaches) rootfs(f *Rootfs) {
	switch f.Kind {
	case RootfsDir:
		r.path(f.Path, f.Write, "rootfs")
	case RootfsOverlay:
		for _, lower := range f.Lower {
			r.path(lower, false, "rootfs")
		}
		r.path(f.Upper, true, "rootfs")
	}
}

func (r *reaches) namespaces(n *Namespaces) {
	for _, of := range []struct {
		mode NamespaceMode
		name string
	}{{n.Mount, "mount"}, {n.PID, "pid"}, {n.Net, "net"}, {n.IPC, "ipc"}, {n.UTS, "uts"}, {n.Cgroup, "cgroup"}, {n.User, "user"}} {
		if of.mode == NamespaceHost {
			r.add("host", of.name, "namespaces."+of.name)
		}
	}
}

// inside reports whether a host path is one of the project's, and leads nowhere else.
func (r *reaches) inside(path string) bool {
	return r.project != "" && lies(path, r.project) && lies(r.real(path), r.real(r.project))
}

// lies reports whether a path is a folder or in it.
func lies(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
}
