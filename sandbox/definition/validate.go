package definition

import (
	"fmt"
	"strconv"
	"strings"
)

// Bounds of the kernel (limits.h, binfmts.h).
const (
	maxPath     = 4095 // PATH_MAX without its NUL
	maxName     = 255  // NAME_MAX
	maxArgument = 128<<10 - 1
	maxHostname = 64
	maxContent  = 16 << 20
)

// Validate returns all that is wrong with the definition, in the order of its
// fields, with origins. It touches nothing: what depends on this host is for
// plan.Compile.
func (d *Definition) Validate() Problems {
	var ps Problems
	if d.Name != "" {
		ps.name("name", d.Name)
	}
	ps = append(ps, d.Rootfs.Validate()...)
	ps = append(ps, validateMounts(d.Mounts)...)
	if len(d.Process.Args) == 0 && len(d.Steps) == 0 {
		ps.hint("process.args", `write process = { args = { "true" } }`, "no program is named")
	}
	ps = append(ps, d.Process.Validate()...)
	ps = append(ps, d.validateJoined()...)
	ps = append(ps, d.Limits.Validate()...)
	if d.Limits.Pids != nil && *d.Limits.Pids == 1 && !d.Process.NoInit {
		ps.hint("limits.pids", "2 is the least with process.init", "1 process is not enough for init and the payload")
	}
	if d.Network != "" && d.Network != NetworkNone && d.Network != NetworkHost {
		ps.hint("network", `"none" or "host"`, "there is no network mode %q", string(d.Network))
	}
	ps = append(ps, d.Namespaces.Validate()...)
	ps = append(ps, d.IDMap.Validate()...)
	ps = append(ps, d.Caps.Validate()...)
	ps = append(ps, d.Seccomp.Validate()...)
	ps = append(ps, validateRlimits(d.Rlimits)...)
	ps = append(ps, validateDevices(d.Devices)...)
	ps = append(ps, d.validateSysctl()...)
	ps = append(ps, d.validateHostname()...)
	ps.paths("masked_paths", d.MaskedPaths)
	ps.paths("readonly_paths", d.ReadonlyPaths)
	ps = append(ps, validateArtifacts(d.Artifacts)...)
	ps = append(ps, validateHooks(d.Hooks)...)
	ps = append(ps, d.conflicts()...)
	return ps.At(d.Origins)
}

// conflicts are fields that contradict one another.
func (d *Definition) conflicts() Problems {
	var ps Problems
	switch {
	case d.Network == NetworkHost && d.Namespaces.Net == NamespaceNew:
		ps.hint("namespaces.net", "leave one of them out", `a new network namespace contradicts network = "host"`)
	case d.Network != NetworkHost && d.Namespaces.Net == NamespaceHost:
		ps.hint("namespaces.net", `write network = "host"`, `the host's network namespace contradicts network = "none"`)
	}
	if d.Namespaces.User == NamespaceHost && (d.IDMap.UID != nil || d.IDMap.GID != nil) {
		ps.hint("idmap", "leave out namespaces.user", "the host's user namespace cannot be mapped")
	}
	if d.Namespaces.Mount == NamespaceHost {
		ps = append(ps, d.hostMountConflicts()...)
	}
	return ps
}

// hostMountConflicts are fields that need a mount namespace of the container's own.
// Empty lists of paths ask for what is so anyhow.
func (d *Definition) hostMountConflicts() Problems {
	var ps Problems
	const hint = "leave it out, or leave out namespaces.mount"
	if d.Rootfs.Kind != "" || d.Rootfs.Size != 0 {
		ps.hint("rootfs", hint, "in the host's mount namespace the payload works on this machine's own files, and nothing is thrown away")
	}
	for i := range d.Mounts {
		ps.hint(Item("mounts", i+1), hint, "the mount at %s would be the host's: it needs a mount namespace of the container's own", clip(d.Mounts[i].Target))
	}
	for _, f := range [...]struct {
		path string
		n    int
		what string
	}{{"devices", len(d.Devices), "all of the host's /dev is there"}, {"masked_paths", len(d.MaskedPaths), "nothing can be hidden"},
		{"readonly_paths", len(d.ReadonlyPaths), "nothing can be made read-only"}} {
		if f.n > 0 {
			ps.hint(f.path, hint, "%s in the host's mount namespace", f.what)
		}
	}
	for _, a := range d.Artifacts {
		ps.hint(Join("artifacts", a.Path), "let the payload write to where it is wanted, or leave out namespaces.mount",
			"in the host's mount namespace %s is the host's own already", clip(a.Path))
	}
	return ps
}

func (d *Definition) validateHostname() Problems {
	var ps Problems
	switch {
	case d.Hostname == "":
		return nil
	case len(d.Hostname) > maxHostname:
		ps.add("hostname", "%d bytes are too long; the kernel keeps %d", len(d.Hostname), maxHostname)
	case strings.Trim(d.Hostname, letters+digits+"-._") != "":
		ps.hint("hostname", "letters, digits, - and .", "%s is no host name", clip(d.Hostname))
	}
	if d.Namespaces.UTS == NamespaceHost {
		ps.hint("hostname", "leave out namespaces.uts", "the host's name would change: it needs a uts namespace of its own")
	}
	return ps
}

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
)

// name checks a name that becomes part of paths and ids.
func (ps *Problems) name(path, s string) {
	switch {
	case s == "":
		ps.add(path, "the name is empty")
	case len(s) > 64:
		ps.add(path, "the name has %d bytes; 64 at most", len(s))
	case strings.Trim(s, letters+digits+"_-.") != "":
		ps.hint(path, "letters, digits, _, - and .", "%s is no name", clip(s))
	case s[0] == '.' || s[0] == '-':
		ps.add(path, "the name %s starts with %q", clip(s), s[0])
	}
}

// absolute checks a path in the container or on the host, and reports whether it
// is fit for more checks.
func (ps *Problems) absolute(path, s string) bool {
	switch {
	case s == "":
		ps.add(path, "the path is empty")
	case strings.IndexByte(s, 0) >= 0:
		ps.add(path, "the path %s has a NUL byte", clip(s))
	case len(s) > maxPath:
		ps.add(path, "the path has %d bytes; the kernel takes %d", len(s), maxPath)
	case s[0] != '/':
		ps.hint(path, "write "+strconv.Quote("/"+s), "the path %s is not absolute", clip(s))
	default:
		return ps.components(path, s)
	}
	return false
}

func (ps *Problems) components(path, s string) bool {
	if s == "/" {
		return true
	}
	for part := range strings.SplitSeq(s[1:], "/") {
		switch {
		case part == "..":
			ps.hint(path, "write where it leads: nothing may climb out", "the path %s has a \"..\"", clip(s))
			return false
		case part == "" || part == ".":
			ps.add(path, "the path %s is not clean: it has an empty part, a \".\" or a final slash", clip(s))
			return false
		case len(part) > maxName:
			ps.add(path, "a part of the path has %d bytes; file systems take %d", len(part), maxName)
			return false
		}
	}
	return true
}

func (ps *Problems) paths(path string, all []string) {
	for i, s := range all {
		if ps.absolute(Item(path, i+1), s) && s == "/" {
			ps.add(Item(path, i+1), "the path is \"/\"")
		}
	}
}

// argument checks a string that execve gets.
func (ps *Problems) argument(path, s string) {
	switch {
	case strings.IndexByte(s, 0) >= 0:
		ps.add(path, "the string %s has a NUL byte", clip(s))
	case len(s) > maxArgument:
		ps.hint(path, "put it in a file", "the string has %d bytes; the kernel takes %d (MAX_ARG_STRLEN)", len(s), maxArgument)
	}
}

// clip quotes a string, cut when it is long.
func clip(s string) string {
	if len(s) > 60 {
		return fmt.Sprintf("%q…", s[:60])
	}
	return strconv.Quote(s)
}

func below(s, dir string) bool { return s == dir || strings.HasPrefix(s, dir+"/") }
