package plan

import (
	"fmt"
	"strings"

	"sandbox/sandbox/definition"
)

// Ops of the init side on the file system, encoded by mount. Paths of the
// container are absolute and resolved below the new root by file descriptor
// (openat2(2) RESOLVE_IN_ROOT), with missing parents made one at a time; host
// paths are those of the runtime mount namespace.
type (
	// PrivateMounts stops the propagation of mounts between the host and here.
	PrivateMounts struct{}

	// RootDir makes a folder of the host the new root.
	RootDir struct {
		Path  string
		Write bool
	}
	// RootTmpfs makes an empty tmpfs the new root. Size 0 is the kernel's default.
	RootTmpfs struct{ Size definition.Bytes }
	// RootOverlay makes an overlay the new root. Without Upper its writes go to a
	// tmpfs of Size that vanishes with the mount namespace.
	RootOverlay struct {
		Lower []string
		Upper string
		Size  definition.Bytes
		// Hide are folders of the root made empty (opaque), Whiteout files removed,
		// in the throw-away layer: nothing is mounted there that could be unmounted.
		Hide, Whiteout []string
		// UserXattr is for an overlay mounted in a user namespace.
		UserXattr bool
	}

	// MakeDir makes a folder, with its parents.
	MakeDir struct {
		Path string
		Mode uint32
	}
	// MakeLink makes a symbolic link, when nothing of that name exists.
	MakeLink struct{ Path, Target string }
	// MakeFile writes a file that does not exist yet.
	MakeFile struct {
		Path    string
		Content string
		Mode    uint32
	}
	// CopyHostFile puts the content of a host file, read before the spawn, at Path.
	CopyHostFile struct{ Source, Path string }

	// Bind attaches a host file or folder.
	Bind struct {
		Source, Target string
		Write          bool
		// Recursive brings the mounts below the source along. In a user namespace
		// it must be set: they are locked together.
		Recursive bool
		// Optional skips a missing source, with the note of that number.
		Optional int
		// Dev and Suid allow device nodes and set-user-ID programs on it.
		Dev, Suid bool
	}
	// BindFile mounts Content, read-only, at Target.
	BindFile struct {
		Target, Content string
		Mode            uint32
	}
	// MountFS mounts a new file system: "proc", "sysfs", "tmpfs", "devpts" or "mqueue".
	MountFS struct {
		Type, Target string
		Readonly     bool
		NoExec       bool
		Suid, Dev    bool
		// Options are the file system's own, "key" or "key=value".
		Options []string
		// Else is used when the kernel refuses (EPERM): "" for none, or a host path
		// bound recursively, read-only, with the note of number Note.
		Else string
		Note int
	}
	// BindCgroup attaches the container's own cgroup folder: that of the unified
	// hierarchy.
	BindCgroup struct {
		Target string
		Write  bool
	}
	// MakeDevice makes a device node, or binds the host's where mknod is not allowed.
	MakeDevice struct {
		Path, Source string
		Major, Minor uint32
		// Bind means by binding Source.
		Bind bool
	}
	// Mask hides a path, if it exists: a folder under an empty read-only tmpfs, a
	// file under the container's own null device.
	Mask struct{ Path string }
	// ReadonlyPath makes a path read-only, if it exists.
	ReadonlyPath struct{ Path string }
	// ReadonlyRoot makes the root mount read-only; submounts stay as they are.
	ReadonlyRoot struct{}
	// Pivot makes the new root the root, and detaches the old one.
	Pivot struct{}
)

func (PrivateMounts) String() string { return "make every mount private" }
func (o RootDir) String() string     { return fmt.Sprintf("root %s%s", o.Path, readonlyText(o.Write)) }
func (o RootTmpfs) String() string   { return "root tmpfs" + sizeText(o.Size) }
func (o RootOverlay) String() string {
	s := "root overlay of " + strings.Join(o.Lower, ", ")
	if o.Upper != "" {
		s += ", writes kept in " + o.Upper
	} else {
		s += ", writes thrown away" + sizeText(o.Size)
	}
	if len(o.Hide) > 0 {
		s += ", empty: " + strings.Join(o.Hide, " ")
	}
	if len(o.Whiteout) > 0 {
		s += ", removed: " + strings.Join(o.Whiteout, " ")
	}
	return s
}
func (o MakeDir) String() string  { return fmt.Sprintf("mkdir %s (%04o)", o.Path, o.Mode) }
func (o MakeLink) String() string { return fmt.Sprintf("link %s → %s", o.Path, o.Target) }
func (o MakeFile) String() string {
	return fmt.Sprintf("file %s (%d bytes, %04o)", o.Path, len(o.Content), o.Mode)
}
func (o CopyHostFile) String() string { return fmt.Sprintf("file %s, a copy of %s", o.Path, o.Source) }
func (o Bind) String() string {
	s := fmt.Sprintf("bind %s → %s%s", o.Source, o.Target, readonlyText(o.Write))
	if o.Recursive {
		s += ", recursive"
	}
	if o.Optional > 0 {
		s += ", optional"
	}
	return s
}
func (o BindFile) String() string {
	return fmt.Sprintf("file %s (%d bytes, %04o, read-only)", o.Target, len(o.Content), o.Mode)
}
func (o MountFS) String() string {
	s := fmt.Sprintf("mount %s → %s", o.Type, o.Target)
	if o.Readonly {
		s += ", read-only"
	}
	if len(o.Options) > 0 {
		s += " (" + strings.Join(o.Options, ", ") + ")"
	}
	if o.Else != "" {
		s += ", else bind " + o.Else
	}
	return s
}
func (o BindCgroup) String() string {
	return fmt.Sprintf("bind the own cgroup → %s%s", o.Target, readonlyText(o.Write))
}
func (o MakeDevice) String() string {
	if o.Bind {
		return fmt.Sprintf("device %s, bind of %s", o.Path, o.Source)
	}
	return fmt.Sprintf("device %s (%d:%d)", o.Path, o.Major, o.Minor)
}
func (o Mask) String() string         { return "mask " + o.Path }
func (o ReadonlyPath) String() string { return "read-only " + o.Path }
func (ReadonlyRoot) String() string   { return "read-only root" }
func (Pivot) String() string          { return "pivot to the new root" }

func (PrivateMounts) op() {}
func (RootDir) op()       {}
func (RootTmpfs) op()     {}
func (RootOverlay) op()   {}
func (MakeDir) op()       {}
func (MakeLink) op()      {}
func (MakeFile) op()      {}
func (CopyHostFile) op()  {}
func (Bind) op()          {}
func (BindFile) op()      {}
func (MountFS) op()       {}
func (BindCgroup) op()    {}
func (MakeDevice) op()    {}
func (Mask) op()          {}
func (ReadonlyPath) op()  {}
func (ReadonlyRoot) op()  {}
func (Pivot) op()         {}

func readonlyText(write bool) string {
	if write {
		return ", writable"
	}
	return ", read-only"
}

func sizeText(size definition.Bytes) string {
	if size == 0 {
		return ""
	}
	return ", at most " + size.String()
}
