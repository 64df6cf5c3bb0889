package definition

// RootfsKind says what a container's root filesystem is made from.
type RootfsKind string

// The kinds of root filesystem.
const (
	// RootfsHost is this machine's / with a throw-away layer on top.
	RootfsHost RootfsKind = "host"
	// RootfsHostReadonly is this machine's /, read-only.
	RootfsHostReadonly RootfsKind = "host-readonly"
	// RootfsDir is a folder, used in place (Write) or read-only.
	RootfsDir RootfsKind = "dir"
	// RootfsOverlay is Lower folders with Upper, or a throw-away layer, on top.
	RootfsOverlay RootfsKind = "overlay"
	// RootfsTmpfs is an empty tmpfs.
	RootfsTmpfs RootfsKind = "tmpfs"
)

// Rootfs is the container's root filesystem. Host paths are absolute.
type Rootfs struct {
	Kind RootfsKind `json:"kind,omitempty"`
	// Path is the folder of RootfsDir.
	Path string `json:"path,omitempty"`
	// Write makes RootfsDir writable in place.
	Write bool `json:"write,omitempty"`
	// Lower are the folders of RootfsOverlay, the topmost first.
	Lower []string `json:"lower,omitempty"`
	// Upper keeps the writes of RootfsOverlay; empty means a throw-away layer.
	Upper string `json:"upper,omitempty"`
	// Size bounds RootfsTmpfs and the throw-away layer, in bytes; 0 means half of this machine's memory.
	Size Bytes `json:"size,omitempty"`
}

// Mount types.
const (
	MountBind   = "bind"   // Source, a host path, at Target
	MountCache  = "cache"  // Source, the name of a folder kept between runs, at Target, writable
	MountFile   = "file"   // Content at Target
	MountTmpfs  = "tmpfs"  // an empty tmpfs of Size and Mode
	MountProc   = "proc"   // proc(5)
	MountSysfs  = "sysfs"  // sysfs(5), read-only unless Write
	MountDevpts = "devpts" // a private devpts
	MountMqueue = "mqueue" // POSIX message queues
	MountCgroup = "cgroup" // the container's own cgroup directory, read-only unless Write
)

// Mount is one thing mounted in the container. Target is absolute, in the container.
type Mount struct {
	Type   string `json:"type"`
	Source string `json:"source,omitempty"`
	Target string `json:"target"`
	// Write allows writing to a bind, sysfs or cgroup mount.
	Write bool `json:"write,omitempty"`
	// Optional skips a bind whose source does not exist, with a note.
	Optional bool `json:"optional,omitempty"`
	// Shallow leaves out the mounts below a bind's source.
	Shallow bool `json:"shallow,omitempty"`
	// Content of a MountFile, at most 16 MiB.
	Content string `json:"content,omitempty"`
	// Size bounds a tmpfs, in bytes; 0 means half of this machine's memory.
	Size Bytes `json:"size,omitempty"`
	// Mode of a tmpfs's root or of a file, as permission bits; nil means 0755 and 0644.
	Mode *uint32 `json:"mode,omitempty"`
}
