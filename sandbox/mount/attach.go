package mount

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// maxContent bounds the content of one file, in bytes.
const maxContent = 16 << 20

func (e *encoder) bind(op plan.Bind) error {
	if op.Source == "/" && op.Recursive {
		return &Error{Doing: "bind /", Cause: unix.EINVAL, hint: "the container's own root is attached there: bind the folders of / that are needed, or shallow = true, or use rootfs = \"host\""}
	}
	k := folder
	info, err := os.Stat(op.Source)
	switch {
	case err == nil && !info.IsDir():
		k = file
	case err != nil && op.Optional == 0:
		return sourceError(op.Source, err)
	}
	flags := uint64(0)
	if !op.Write {
		flags |= unix.MOUNT_ATTR_RDONLY
	}
	if !op.Dev {
		flags |= unix.MOUNT_ATTR_NODEV
	}
	if !op.Suid {
		flags |= unix.MOUNT_ATTR_NOSUID
	}
	recursive := uint(0)
	if op.Recursive {
		recursive = unix.AT_RECURSIVE
	}
	skip := e.NewLabel()
	c := e.clone(nsinit.Imm(unix.AT_FDCWD), op.Source, recursive)
	if op.Optional > 0 {
		c.Else(skip, unix.ENOENT, unix.ENOTDIR).Note(op.Optional)
	}
	if flags != 0 {
		e.setattr(nsinit.Word(e.source), "", unix.AT_EMPTY_PATH|int(recursive), attr{set: flags})
	}
	target := e.clean(op.Target)
	if target == "/proc" {
		e.verifyProc(e.source)
	}
	e.resolve(target, k, modeOf(k))
	e.attach(target)
	e.Bind(skip)
	if err == nil {
		e.binds = append(e.binds, target)
	}
	return nil
}

func modeOf(k kind) uint32 {
	if k == file {
		return 0o644
	}
	return parentMode
}

// verifyProc fails with ENOTSUP unless fd is on a procfs: on anything else at /proc,
// writes to labels and sysctls would go astray (CVE-2019-16884).
func (e *encoder) verifyProc(fd nsinit.Mem) {
	e.Call(unix.SYS_FSTATFS, nsinit.Word(fd), nsinit.Addr(e.statx))
	wrong, right := e.NewLabel(), e.NewLabel()
	e.TestElse(nsinit.Long(e.statx), nsinit.Imm(-1), nsinit.Imm(unix.PROC_SUPER_MAGIC), wrong)
	e.Jump(right)
	e.Bind(wrong)
	e.Raise(unix.ENOTSUP)
	e.Bind(right)
}

// bindFile keeps the content in the scratch tmpfs, which has no other name than
// this mount of the file.
func (e *encoder) bindFile(op plan.BindFile) {
	e.files++
	name := "file" + strconv.Itoa(e.files)
	e.Call(unix.SYS_OPENAT, nsinit.Word(e.scratch), e.Str(name), nsinit.Imm(unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_CLOEXEC),
		nsinit.Imm(op.Mode&0o777)).Store(e.temp)
	e.write(op.Content)
	e.clone(nsinit.Word(e.scratch), name, 0)
	e.setattr(nsinit.Word(e.source), "", unix.AT_EMPTY_PATH,
		attr{set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOSUID})
	e.resolve(op.Target, file, 0o644)
	e.attach(op.Target)
}

// write writes content to temp and closes it. A short write is a full file system.
func (e *encoder) write(content string) {
	if len(content) > maxContent {
		e.Fail("a file of %d bytes, at most %d", len(content), maxContent)
		return
	}
	if content != "" {
		e.Call(unix.SYS_WRITE, nsinit.Word(e.temp), nsinit.Addr(e.Bytes([]byte(content))), nsinit.Imm(len(content))).Store(e.target)
		short, whole := e.NewLabel(), e.NewLabel()
		e.TestElse(nsinit.Word(e.target), nsinit.Imm(-1), nsinit.Imm(len(content)), short)
		e.Jump(whole)
		e.Bind(short)
		e.Raise(unix.ENOSPC)
		e.Bind(whole)
	}
	e.closeNow(e.temp)
}

func (e *encoder) mountFS(op plan.MountFS) error {
	target := e.clean(op.Target)
	proc := target == "/proc"
	if proc && op.Type != "proc" {
		return &Error{Doing: "mount " + op.Type + " at /proc", Cause: unix.EINVAL, hint: "only a procfs may be at /proc"}
	}
	flags := uint64(0)
	for _, f := range []struct {
		set  bool
		flag uint64
	}{{op.Readonly, unix.MOUNT_ATTR_RDONLY}, {op.NoExec, unix.MOUNT_ATTR_NOEXEC}, {!op.Suid, unix.MOUNT_ATTR_NOSUID}, {!op.Dev, unix.MOUNT_ATTR_NODEV}} {
		if f.set {
			flags |= f.flag
		}
	}
	refused, mounted := e.NewLabel(), e.NewLabel()
	orElse := nsinit.Label(0)
	if op.Else != "" {
		orElse = refused
	}
	e.newFS(op.Type, op.Options, flags, orElse).Store(e.source)
	e.close(e.config)
	if proc {
		e.Call(unix.SYS_FCNTL, nsinit.Word(e.source), nsinit.Imm(unix.F_DUPFD_CLOEXEC), nsinit.Imm(nsinit.FirstFD)).Store(e.Proc)
	}
	if op.Else != "" {
		e.Jump(mounted)
		e.Bind(refused)
		e.bindInstead(op)
		e.Bind(mounted)
	}
	e.resolve(target, folder, parentMode)
	e.attach(target)
	if op.Type == "tmpfs" {
		e.tmpfs = append(e.tmpfs, target)
	}
	return nil
}

// bindInstead is for a file system that a user namespace may not mount anew: proc
// below a masked one, sysfs without an own net namespace. The clone brings along
// the masks that are the reason of the refusal.
func (e *encoder) bindInstead(op plan.MountFS) {
	e.degraded(op.Note)
	e.clone(nsinit.Imm(unix.AT_FDCWD), op.Else, unix.AT_RECURSIVE)
	e.setattr(nsinit.Word(e.source), "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE,
		attr{set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC})
	if op.Target == "/proc" {
		e.verifyProc(e.source)
		// The clone is read-only; init itself still has to write to its own files.
		e.Call(unix.SYS_OPENAT, nsinit.Imm(unix.AT_FDCWD), e.Str(op.Else), nsinit.Imm(openPath|unix.O_DIRECTORY|unix.O_NOFOLLOW), nsinit.Imm(0)).Store(e.Proc)
	}
}

// degraded sends a note.
func (e *encoder) degraded(note int) {
	if note > 0 {
		next := e.NewLabel()
		e.Raise(unix.EPERM).Else(next).Note(note)
		e.Bind(next)
	}
}

func (e *encoder) bindCgroup(op plan.BindCgroup) error {
	if e.CgroupDir == "" {
		return &Error{Doing: op.String(), Cause: errors.New("the container has no cgroup in a v2 hierarchy"), hint: "leave the cgroup mount out; on a v1 host there is nothing to show"}
	}
	e.clone(nsinit.Imm(unix.AT_FDCWD), e.CgroupDir, unix.AT_RECURSIVE)
	flags := uint64(unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC)
	if !op.Write {
		flags |= unix.MOUNT_ATTR_RDONLY
	}
	e.setattr(nsinit.Word(e.source), "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, attr{set: flags})
	e.resolve(op.Target, folder, parentMode)
	e.attach(op.Target)
	return nil
}

// mask hides what exists: an empty folder, or the null device, cloned over it. What
// it is, is asked first: to close a clone that could not be attached waits for a
// grace period of the kernel (75 µs each, Linux 6.18).
func (e *encoder) mask(p string) {
	p = e.clean(p)
	skip, notFolder, cloned := e.NewLabel(), e.NewLabel(), e.NewLabel()
	e.ifExists(p, skip)
	e.Call(unix.SYS_STATX, nsinit.Word(e.target), e.blank, nsinit.Imm(unix.AT_EMPTY_PATH), nsinit.Imm(unix.STATX_TYPE), nsinit.Addr(e.statx))
	e.TestElse(nsinit.Word(e.statx+statxMode), nsinit.Imm(unix.S_IFMT), nsinit.Imm(unix.S_IFDIR), notFolder)
	e.clone(nsinit.Word(e.scratch), "empty", 0)
	e.setattr(nsinit.Word(e.source), "", unix.AT_EMPTY_PATH,
		attr{set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC})
	e.Jump(cloned)
	e.Bind(notFolder)
	if e.null {
		e.clone(nsinit.Word(e.Null), "", unix.AT_EMPTY_PATH)
	} else {
		e.Call(unix.SYS_MKNODAT, nsinit.Word(e.scratch), e.Str("none"), nsinit.Imm(unix.S_IFREG|0o444), nsinit.Imm(0)).Ignore(unix.EEXIST)
		e.clone(nsinit.Word(e.scratch), "none", 0)
		e.setattr(nsinit.Word(e.source), "", unix.AT_EMPTY_PATH, attr{set: unix.MOUNT_ATTR_RDONLY})
	}
	e.Bind(cloned)
	e.attach(p)
	e.Bind(skip)
}

func (e *encoder) readonlyPath(p string) {
	p = e.clean(p)
	skip := e.NewLabel()
	e.ifExists(p, skip)
	e.clone(nsinit.Word(e.target), "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE)
	e.setattr(nsinit.Word(e.source), "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, attr{set: unix.MOUNT_ATTR_RDONLY})
	e.attach(p)
	e.Bind(skip)
}

// openParent makes parent a descriptor of the folder that p lies in. That of a tmpfs
// of ours is kept for the next step: nobody else has made anything in it yet.
func (e *encoder) openParent(p string) {
	dir := path.Dir(p)
	if e.kept = slices.Contains(e.tmpfs, dir); e.kept && e.held == dir {
		e.Set(e.parent, nsinit.Word(e.heldFD))
		return
	}
	e.resolve(dir, folder, parentMode)
	e.Set(e.parent, nsinit.Word(e.target))
	if e.kept {
		e.held = dir
		e.Set(e.heldFD, nsinit.Word(e.target))
	}
}

// closeParent closes what openParent opened, unless it is kept.
func (e *encoder) closeParent() {
	if !e.kept {
		e.close(e.parent)
	}
}

func (e *encoder) makeDir(op plan.MakeDir) {
	e.resolve(op.Path, folder, op.Mode)
	e.close(e.target)
}

func (e *encoder) makeLink(op plan.MakeLink) {
	p := e.clean(op.Path)
	e.openParent(p)
	e.Call(unix.SYS_SYMLINKAT, e.Str(op.Target), nsinit.Word(e.parent), e.Str(path.Base(p))).Ignore(unix.EEXIST)
	e.closeParent()
}

// makeFile leaves what exists alone.
func (e *encoder) makeFile(p, content string, mode uint32) {
	p = e.clean(p)
	there := e.NewLabel()
	e.openParent(p)
	e.create(p, mode).Else(there, unix.EEXIST)
	e.write(content)
	e.Bind(there)
	e.closeParent()
}

func (e *encoder) create(p string, mode uint32) nsinit.Instr {
	return e.Call(unix.SYS_OPENAT, nsinit.Word(e.parent), e.Str(path.Base(p)),
		nsinit.Imm(unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_WRONLY|unix.O_CLOEXEC), nsinit.Imm(mode)).Store(e.temp)
}

// copyHostFile replaces what is there, unless the root is the user's own folder.
func (e *encoder) copyHostFile(op plan.CopyHostFile) error {
	content, err := readHostFile(op.Source)
	if err != nil {
		return err
	}
	p := e.clean(op.Path)
	if !e.hostRoot {
		e.openParent(p)
		e.Call(unix.SYS_UNLINKAT, nsinit.Word(e.parent), e.Str(path.Base(p)), nsinit.Imm(0)).Ignore(unix.ENOENT)
		e.closeParent()
	}
	e.makeFile(p, content, 0o644)
	return nil
}

// readHostFile reads a regular file of at most maxContent bytes.
func readHostFile(name string) (string, error) {
	f, err := os.OpenFile(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return "", sourceError(name, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("read %s: it is not a regular file", name)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxContent+1))
	if err == nil && len(b) > maxContent {
		err = fmt.Errorf("read %s: it is larger than %d bytes", name, maxContent)
	}
	return string(b), err
}
