package cgroups

import (
	"errors"
	"fmt"
	"strings"
)

// Setting is how a container's cgroup is made on one host. It is plain data,
// JSON-able; a Setting without Dirs makes no cgroup.
type Setting struct {
	// Dirs are the hierarchies in which a cgroup is made: the v2 one, if any,
	// first, then the v1 ones.
	Dirs []Dir `json:"dirs,omitempty"`
	// Leaf moves the runner out of Dirs[0].Parent into a leaf of its own first.
	Leaf bool `json:"leaf,omitempty"`
	// Enable are the controllers to enable for the children of Dirs[0].Parent.
	Enable []string `json:"enable,omitempty"`
	// Writes are the limits, in the order they are written.
	Writes []Write `json:"writes,omitempty"`
	// Note says why there is no cgroup, or that it is not below the runner's own.
	Note string `json:"note,omitempty"`
}

// Dir is a cgroup to be made.
type Dir struct {
	// Version is 2 or 1. A process is born in a cgroup of version 2
	// (CLONE_INTO_CGROUP) and joins one of version 1 by writing "0" to its tasks.
	Version int `json:"version"`
	// Controllers that the limits need here, on v2; all of the hierarchy's on v1.
	Controllers []string `json:"controllers,omitempty"`
	// Parent is the absolute path of the cgroup in which it is made.
	Parent string `json:"parent"`
}

// Path is the container's cgroup in the hierarchy, absolute.
func (d Dir) Path(id string) string { return d.Parent + "/" + Name(id) }

// Write is one value of one limit.
type Write struct {
	// Limit is the field of definition.Limits, as a recipe spells it.
	Limit      string `json:"limit"`
	Controller string `json:"controller"`
	// Dir is the index in Setting.Dirs.
	Dir   int    `json:"dir"`
	File  string `json:"file"`
	Value string `json:"value"`
	// Optional skips the write where the kernel has no such file.
	Optional bool `json:"optional,omitempty"`
}

// String returns "memory.max = 1073741824".
func (w Write) String() string { return w.File + " = " + w.Value }

// Joins are the tasks files, absolute, to which the container's first process
// writes "0", in the order of (*Group).TasksFiles.
func (s Setting) Joins(id string) []string {
	var joins []string
	for _, d := range s.Dirs {
		if d.Version == 1 {
			joins = append(joins, d.Path(id)+"/tasks")
		}
	}
	return joins
}

// Record is what must be remembered of a container's cgroups to find them again.
func (s Setting) Record(id string) Record {
	return Record{ID: id, Dirs: s.Dirs, Leaf: s.Leaf, Enable: s.Enable}
}

// Record names the cgroups of one container. It is known before they exist, and
// written to the state first. Open finds them again.
type Record struct {
	ID     string   `json:"id"`
	Dirs   []Dir    `json:"dirs,omitempty"`
	Leaf   bool     `json:"leaf,omitempty"`
	Enable []string `json:"enable,omitempty"`
}

// Paths are the container's cgroups, absolute, the v2 one first.
func (r Record) Paths() []string {
	paths := make([]string, len(r.Dirs))
	for i, d := range r.Dirs {
		paths[i] = d.Path(r.ID)
	}
	return paths
}

// Name is the directory name of a container's cgroup.
func Name(id string) string { return "sandbox-" + id }

// leafName is the directory name of the runner's own leaf.
func leafName(id string) string { return Name(id) + leafSuffix }

const leafSuffix = ".runner"

// CheckID reports whether an id can name a cgroup: 1 to 128 of the bytes
// "A-Z a-z 0-9 _ . -". Others could climb out of the parent or, with a newline,
// forge the lines of /proc/PID/cgroup.
func CheckID(id string) error {
	if id == "" || len(id) > 128 {
		return fmt.Errorf("cgroup id %.140q has %d bytes; 1 to 128 are allowed", id, len(id))
	}
	for i := 0; i < len(id); i++ {
		c := id[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '.', c == '-':
		default:
			return fmt.Errorf("cgroup id %q: the byte %q is not allowed; letters, digits, \"_\", \".\" and \"-\" are", id, c)
		}
	}
	if strings.Contains(id, "..") {
		return fmt.Errorf("cgroup id %q contains \"..\"", id)
	}
	return nil
}

// checkParent refuses paths of a record that are not what Resolve makes.
func checkParent(path string) error {
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "/../") || strings.HasSuffix(path, "/..") ||
		strings.IndexByte(path, 0) >= 0 {
		return fmt.Errorf("cgroup parent %q is not a plain absolute path", path)
	}
	return nil
}

// LimitError says which limit could not be set, and by what.
type LimitError struct {
	Limit      string
	Controller string
	// Path is the file that was written.
	Path  string
	Value string
	Err   error
	Hint  string
}

func (e *LimitError) Error() string {
	s := fmt.Sprintf("set limit %s (%s controller): write %q to %s: %v", e.Limit, e.Controller, e.Value, e.Path, e.Err)
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

func (e *LimitError) Unwrap() error { return e.Err }

// ErrNoFreezer means that a container has no cgroup that can be frozen.
var ErrNoFreezer = errors.New("the container has no cgroup that can be frozen: " +
	"it needs cgroup v2 with Linux 5.2, or the v1 freezer controller, writable by this user")
