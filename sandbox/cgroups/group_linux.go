package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Group is the cgroup of one container, in every hierarchy it needs. Its methods
// may be called from several goroutines at a time, but for Remove and Close.
type Group struct {
	record Record
	writes []Write
	// fds are the open directories, one for each of record.Dirs; -1 when it is gone.
	fds []int

	offered     sync.Once
	controllers []string // of the v2 cgroup, once asked for
}

// Create makes a container's cgroups and opens them; it sets no limit yet. What
// it made is removed again when it fails. An id in use is an error that matches
// fs.ErrExist.
func Create(setting Setting, id string) (*Group, error) {
	if err := CheckID(id); err != nil {
		return nil, err
	}
	g := &Group{record: setting.Record(id), writes: setting.Writes}
	if err := g.prepare(setting); err != nil {
		return nil, err
	}
	for _, d := range setting.Dirs {
		if err := g.make(d); err != nil {
			g.undo(setting)
			return nil, err
		}
	}
	return g, nil
}

// make makes one directory and opens it.
func (g *Group) make(d Dir) error {
	path := d.Path(g.record.ID)
	if err := unix.Mkdir(path, 0o755); err != nil {
		return mkdirError(path, err)
	}
	fd, err := openCgroup(path, d.Version)
	if err == nil && d.Version == 1 && contains(d.Controllers, "cpuset") {
		err = inheritCpuset(fd, d.Parent)
	}
	if err != nil {
		if fd >= 0 {
			unix.Close(fd)
		}
		unix.Rmdir(path)
		return err
	}
	g.fds = append(g.fds, fd)
	return nil
}

func mkdirError(path string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, unix.EEXIST):
		hint = "; the id is in use, or a killed runner left it behind"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.EROFS):
		hint = "; this user may not make cgroups there"
	case errors.Is(err, unix.EAGAIN):
		hint = "; cgroup.max.descendants or cgroup.max.depth of a cgroup above is reached"
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.ENOMEM):
		hint = "; the kernel can make no more cgroups"
	}
	return fmt.Errorf("make cgroup %s: %w%s", path, err, hint)
}

// undo removes what a failed Create made. Nothing has run in it yet.
func (g *Group) undo(setting Setting) {
	for i := range g.fds {
		unix.Rmdir(setting.Dirs[i].Path(g.record.ID))
	}
	g.Close()
	if setting.Leaf {
		leaveLeaf(g.record)
	}
}

// inheritCpuset copies the parent's processors and memory nodes: a new v1 cpuset
// has none, and lets no process in (ENOSPC).
func inheritCpuset(fd int, parent string) error {
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := readFile(unix.AT_FDCWD, parent+"/"+name)
		if err == nil {
			err = writeFile(fd, name, strings.TrimSpace(value))
		}
		if err != nil {
			return fmt.Errorf("copy %s from cgroup %s: %w", name, parent, err)
		}
	}
	return nil
}

// prepare makes the controllers available to the children of the v2 parent.
func (g *Group) prepare(setting Setting) error {
	if len(setting.Enable) == 0 {
		return nil
	}
	parent := setting.Dirs[0].Parent
	fd, err := openCgroup(parent, 2)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if setting.Leaf {
		if err := moveToLeaf(parent, g.record.ID); err != nil {
			return err
		}
	}
	for _, controller := range setting.Enable {
		// One by one: a write of several fails as a whole.
		if err := writeFile(fd, "cgroup.subtree_control", "+"+controller); err != nil {
			if setting.Leaf {
				leaveLeaf(g.record)
			}
			hint := ""
			if errors.Is(err, unix.EBUSY) {
				hint = "; a process has entered that cgroup in the meantime"
			}
			return fmt.Errorf("enable the %s controller in %s/cgroup.subtree_control: %w%s", controller, parent, err, hint)
		}
	}
	return nil
}

// moveToLeaf moves the whole runner to a cgroup below its own.
func moveToLeaf(parent, id string) error {
	leaf := parent + "/" + leafName(id)
	if err := unix.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return mkdirError(leaf, err)
	}
	if err := writeFile(unix.AT_FDCWD, leaf+"/cgroup.procs", "0"); err != nil {
		unix.Rmdir(leaf)
		return fmt.Errorf("move the runner to its own cgroup %s: %w", leaf, err)
	}
	return nil
}

// leaveLeaf undoes moveToLeaf, unless another container still needs the
// controllers; then the leaf stays until the delegated cgroup goes. It does what
// it can: what stays behind bounds nobody.
func leaveLeaf(record Record) {
	if len(record.Dirs) == 0 {
		return
	}
	parent := record.Dirs[0].Parent
	leaf := parent + "/" + leafName(record.ID)
	for _, child := range children(parent) {
		if child != leaf {
			return
		}
	}
	for _, controller := range record.Enable {
		_ = writeFile(unix.AT_FDCWD, parent+"/cgroup.subtree_control", "-"+controller)
	}
	pids, err := pidsOf(leaf)
	if err == nil && holds(pids, unix.Getpid()) {
		_ = writeFile(unix.AT_FDCWD, parent+"/cgroup.procs", "0")
	}
	unix.Rmdir(leaf)
}

func holds(list []int, n int) bool {
	for _, have := range list {
		if have == n {
			return true
		}
	}
	return false
}

// Open finds the cgroups of a record again. Those that are gone are left out: a
// Group of which none is left can still be killed and removed, without effect.
func Open(record Record) (*Group, error) {
	if err := CheckID(record.ID); err != nil {
		return nil, err
	}
	g := &Group{record: record}
	for _, d := range record.Dirs {
		if err := checkParent(d.Parent); err != nil {
			g.Close()
			return nil, err
		}
		fd, err := openCgroup(d.Path(record.ID), d.Version)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			g.Close()
			return nil, err
		}
		g.fds = append(g.fds, fd)
	}
	return g, nil
}

// Close closes the directories; the cgroups stay.
func (g *Group) Close() {
	for i, fd := range g.fds {
		if fd >= 0 {
			unix.Close(fd)
		}
		g.fds[i] = -1
	}
}

// Record is what Open needs to find the group again.
func (g *Group) Record() Record { return g.record }

// Paths are the container's cgroups, absolute, the v2 one first.
func (g *Group) Paths() []string { return g.record.Paths() }

// FD is the directory of the v2 cgroup for CLONE_INTO_CGROUP (clone(2)), open
// until Close or Remove; -1 when there is none, or it is gone.
func (g *Group) FD() int {
	if len(g.record.Dirs) > 0 && g.record.Dirs[0].Version == 2 {
		return g.fds[0]
	}
	return -1
}

// TasksFiles opens the tasks file of each v1 cgroup for writing. A process, still
// of one thread, joins by writing "0" to each; the caller closes them. Writing to
// cgroup.procs, or any number but 0, would wait an RCU grace period of 4 to 24 ms
// (kernel/cgroup/cgroup.c, cgroup_procs_write_start).
func (g *Group) TasksFiles() ([]int, error) {
	var files []int
	for i, d := range g.record.Dirs {
		if d.Version != 1 {
			continue
		}
		fd, err := retry(func() (int, error) { return unix.Openat(g.fds[i], "tasks", unix.O_WRONLY|unix.O_CLOEXEC, 0) })
		if err != nil {
			for _, f := range files {
				unix.Close(f)
			}
			return nil, fmt.Errorf("open %s/tasks: %w", d.Path(g.record.ID), err)
		}
		files = append(files, fd)
	}
	return files, nil
}

// Apply sets the limits of the Setting that Create was given, before any process
// is inside. It returns the files that were left out because this kernel has none.
func (g *Group) Apply() (skipped []Write, err error) {
	for _, w := range g.writes {
		err := writeFile(g.fds[w.Dir], w.File, w.Value)
		if err != nil && w.Optional && errors.Is(err, fs.ErrNotExist) {
			skipped = append(skipped, w)
			continue
		}
		if err != nil {
			return skipped, g.limitError(w, err)
		}
	}
	return skipped, nil
}

func (g *Group) limitError(w Write, err error) error {
	e := &LimitError{Limit: w.Limit, Controller: w.Controller, Value: w.Value, Err: err,
		Path: g.record.Dirs[w.Dir].Path(g.record.ID) + "/" + w.File}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Hint = "this kernel is built or booted without it"
		if w.File == "memory.memsw.limit_in_bytes" || w.File == "memory.swap.max" {
			e.Hint = "this kernel does not account for swap"
		}
	case errors.Is(err, unix.EINVAL) && w.File == "cpu.cfs_quota_us":
		e.Hint = "on cgroup v1 it cannot be above the quota of a cgroup above"
	case errors.Is(err, unix.EINVAL) && w.Limit == "swap":
		e.Hint = "memory and swap together cannot be below memory"
	case errors.Is(err, unix.EBUSY):
		e.Hint = "the container uses more than that now"
	}
	return e
}
