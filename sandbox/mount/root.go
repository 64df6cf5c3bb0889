package mount

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

const cloned = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC

// rootDir clones the folder before anything is attached over "/", so that the
// clone of "/" itself would not hold what is made here. Read-only is set at once:
// then the kernel itself keeps missing targets from being made in the folder.
func (e *encoder) rootDir(op plan.RootDir) error {
	if err := hostFolder(op.Path); err != nil {
		return err
	}
	e.hostRoot = true
	e.Call(unix.SYS_OPEN_TREE, nsinit.Imm(unix.AT_FDCWD), e.Str(op.Path), nsinit.Imm(cloned|unix.AT_RECURSIVE)).Store(e.Root)
	flags := uint64(unix.MOUNT_ATTR_NODEV)
	if !op.Write {
		flags |= unix.MOUNT_ATTR_RDONLY
	}
	e.setattr(nsinit.Word(e.Root), "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, attr{set: flags})
	e.makeScratch(0)
	e.attachRoot()
	return nil
}

// rootTmpfs is a folder of the scratch tmpfs, whose own root stays out of reach.
func (e *encoder) rootTmpfs(op plan.RootTmpfs) {
	e.makeScratch(op.Size)
	e.Call(unix.SYS_MKDIRAT, nsinit.Word(e.scratch), e.Str("root"), nsinit.Imm(parentMode))
	e.Call(unix.SYS_OPEN_TREE, nsinit.Word(e.scratch), e.Str("root"), nsinit.Imm(cloned)).Store(e.Root)
	e.setattr(nsinit.Word(e.Root), "", unix.AT_EMPTY_PATH, attr{set: unix.MOUNT_ATTR_NODEV})
	e.attachRoot()
}

// makeScratch attaches a tmpfs over "/": no folder of the host becomes a mount
// point, and paths of the host still start at the host's root below it.
func (e *encoder) makeScratch(size definition.Bytes) {
	e.Call(unix.SYS_UMASK, nsinit.Imm(0))
	options := []string{"mode=0755"}
	if size > 0 {
		options = append(options, "size="+strconv.FormatInt(int64(size), 10))
	}
	e.newFS("tmpfs", options, 0, nsinit.Label(0)).Store(e.scratch)
	e.close(e.config)
	e.Call(unix.SYS_MOVE_MOUNT, nsinit.Word(e.scratch), e.blank, nsinit.Imm(unix.AT_FDCWD), e.Str("/"), nsinit.Imm(unix.MOVE_MOUNT_F_EMPTY_PATH))
	e.Call(unix.SYS_MKDIRAT, nsinit.Word(e.scratch), e.Str("empty"), nsinit.Imm(0o555))
}

// attachRoot attaches the new root over "/" too. A process that joins the mount
// namespace from now on lands in it, and not in the host's root.
func (e *encoder) attachRoot() {
	e.Call(unix.SYS_MOVE_MOUNT, nsinit.Word(e.Root), e.blank, nsinit.Imm(unix.AT_FDCWD), e.Str("/"), nsinit.Imm(unix.MOVE_MOUNT_F_EMPTY_PATH))
}

// newFS makes a file system; the last call, whose result is the mount, is for the
// caller to store. EPERM of any of them goes on at refused, unless that is zero.
func (e *encoder) newFS(fs string, options []string, flags uint64, refused nsinit.Label) nsinit.Instr {
	orElse := func(c nsinit.Instr) nsinit.Instr {
		if refused != 0 {
			c.Else(refused, unix.EPERM)
		}
		return c
	}
	orElse(e.Call(unix.SYS_FSOPEN, e.Str(fs), nsinit.Imm(unix.FSOPEN_CLOEXEC)).Store(e.config))
	e.Call(unix.SYS_FSCONFIG, nsinit.Word(e.config), nsinit.Imm(unix.FSCONFIG_SET_STRING), e.Str("source"), e.Str(fs), nsinit.Imm(0))
	for _, o := range options {
		key, value, valued := strings.Cut(o, "=")
		if valued {
			e.Call(unix.SYS_FSCONFIG, nsinit.Word(e.config), nsinit.Imm(unix.FSCONFIG_SET_STRING), e.Str(key), e.Str(value), nsinit.Imm(0))
		} else {
			e.Call(unix.SYS_FSCONFIG, nsinit.Word(e.config), nsinit.Imm(unix.FSCONFIG_SET_FLAG), e.Str(key), nsinit.Imm(0), nsinit.Imm(0))
		}
	}
	orElse(e.Call(unix.SYS_FSCONFIG, nsinit.Word(e.config), nsinit.Imm(unix.FSCONFIG_CMD_CREATE), nsinit.Imm(0), nsinit.Imm(0), nsinit.Imm(0)))
	return orElse(e.Call(unix.SYS_FSMOUNT, nsinit.Word(e.config), nsinit.Imm(unix.FSMOUNT_CLOEXEC), nsinit.Imm(flags)))
}

// rootOverlay mounts the overlay from within the scratch tmpfs: its paths are
// relative, and are host paths no more once the container has pivoted.
func (e *encoder) rootOverlay(op plan.RootOverlay) error {
	lower := make([]string, len(op.Lower))
	for i, l := range op.Lower {
		if err := hostFolder(l); err != nil {
			return err
		}
		lower[i] = strings.NewReplacer(`\`, `\\`, `:`, `\:`).Replace(l)
	}
	e.makeScratch(op.Size)
	upper, work := "upper", "work"
	if op.Upper != "" {
		upper = op.Upper
		work = path.Join(path.Dir(op.Upper), "."+path.Base(op.Upper)+".overlay-work")
		for _, p := range []string{upper, work} {
			e.Call(unix.SYS_MKDIRAT, nsinit.Imm(unix.AT_FDCWD), e.Str(p), nsinit.Imm(parentMode)).Ignore(unix.EEXIST)
		}
	} else {
		e.Call(unix.SYS_FCHDIR, nsinit.Word(e.scratch))
		e.prepareUpper(op)
		e.Call(unix.SYS_MKDIRAT, nsinit.Imm(unix.AT_FDCWD), e.Str(work), nsinit.Imm(0o700))
	}
	// index, xino and metacopy may be on by the module's parameters; they tie the
	// layers to each other or need what a user namespace has not.
	options := []string{"lowerdir=" + strings.Join(lower, ":"), "upperdir=" + upper, "workdir=" + work,
		"index=off", "xino=off", "metacopy=off"}
	if op.UserXattr {
		options = append(options, "userxattr")
	}
	e.newFS("overlay", options, unix.MOUNT_ATTR_NODEV, nsinit.Label(0)).Store(e.Root)
	e.close(e.config)
	e.attachRoot()
	return nil
}

// prepareUpper fills the throw-away layer with opaque folders and whiteouts. It is
// the working directory, and ours alone.
func (e *encoder) prepareUpper(op plan.RootOverlay) {
	made := map[string]bool{}
	e.upperFolder(op, "/", made)
	name, length := "trusted.overlay.opaque", 1
	if op.UserXattr {
		name = "user.overlay.opaque"
	}
	for _, p := range op.Hide {
		p = e.clean(p)
		switch st := lowerStat(op.Lower, p); {
		case st == nil || p == "/":
		case st.Mode&unix.S_IFMT != unix.S_IFDIR:
			e.whiteout(op, p, made)
		default:
			e.upperFolder(op, p, made)
			e.Call(unix.SYS_SETXATTR, e.Str("upper"+p), e.Str(name), e.Str("y"), nsinit.Imm(length), nsinit.Imm(0))
		}
	}
	for _, p := range op.Whiteout {
		e.whiteout(op, e.clean(p), made)
	}
}

// whiteout is a character device 0:0, which anyone may make (Linux 5.8).
func (e *encoder) whiteout(op plan.RootOverlay, p string, made map[string]bool) {
	if p == "/" || made[p] || lowerStat(op.Lower, p) == nil {
		return
	}
	made[p] = true
	e.upperFolder(op, path.Dir(p), made)
	e.Call(unix.SYS_MKNODAT, nsinit.Imm(unix.AT_FDCWD), e.Str("upper"+p), nsinit.Imm(unix.S_IFCHR), nsinit.Imm(0))
}

// upperFolder makes a folder of the upper layer, with the mode and owner of the
// lower one, which it stands for from now on.
func (e *encoder) upperFolder(op plan.RootOverlay, p string, made map[string]bool) {
	if made[p] {
		return
	}
	made[p] = true
	if p != "/" {
		e.upperFolder(op, path.Dir(p), made)
	}
	mode, st := uint32(parentMode), lowerStat(op.Lower, p)
	if st != nil {
		mode = st.Mode & 0o1777
	}
	e.Call(unix.SYS_MKDIRAT, nsinit.Imm(unix.AT_FDCWD), e.Str("upper"+p), nsinit.Imm(mode))
	if st != nil && st.Uid|st.Gid != 0 && !op.UserXattr { // a user namespace may not map the owner
		e.Call(unix.SYS_FCHOWNAT, nsinit.Imm(unix.AT_FDCWD), e.Str("upper"+p), nsinit.Imm(st.Uid), nsinit.Imm(st.Gid), nsinit.Imm(unix.AT_SYMLINK_NOFOLLOW))
	}
}

// lowerStat is what the layers have at p, or nil.
func lowerStat(lower []string, p string) *syscall.Stat_t {
	for _, l := range lower {
		if info, err := os.Lstat(l + p); err == nil {
			return info.Sys().(*syscall.Stat_t)
		}
	}
	return nil
}

// pivot makes the attached root the root. The old root is stacked upon it, which
// is where "." then leads umount2(2) to (pivot_root(2)); it is private since
// PrivateMounts, so that nothing of this reaches the host.
func (e *encoder) pivot() {
	// "/" alone is the old root itself, not what is attached over it (path_init in
	// fs/namei.c).
	e.Call(unix.SYS_OPENAT, nsinit.Imm(unix.AT_FDCWD), e.Str("/"), nsinit.Imm(openPath|unix.O_DIRECTORY), nsinit.Imm(0)).Store(e.temp)
	e.Call(unix.SYS_FCHDIR, nsinit.Word(e.Root))
	e.Call(unix.SYS_PIVOT_ROOT, e.Str("."), e.Str("."))
	// "." is looked up to the top of what is stacked there, which is the scratch
	// tmpfs on the old root. Out of the way, on the old root's /proc, it goes
	// together with the old root; else each is unmounted by itself, and each umount2
	// waits for a grace period of the kernel (60 µs). With the old root left there,
	// the process would count as chrooted: it could reach it, and make no user
	// namespace (EPERM).
	stacked, moved := e.NewLabel(), e.NewLabel()
	e.Call(unix.SYS_MOVE_MOUNT, nsinit.Word(e.scratch), e.blank, nsinit.Word(e.temp), e.Str("proc"), nsinit.Imm(unix.MOVE_MOUNT_F_EMPTY_PATH)).
		Then(moved).Else(stacked)
	e.Bind(stacked)
	e.Call(unix.SYS_UMOUNT2, e.Str("."), nsinit.Imm(unix.MNT_DETACH))
	e.Bind(moved)
	e.close(e.temp)
	e.Call(unix.SYS_UMOUNT2, e.Str("."), nsinit.Imm(unix.MNT_DETACH))
	e.Call(unix.SYS_CHDIR, e.Str("/"))
}

// hostFolder is an error unless p is an absolute path to a folder.
func hostFolder(p string) error {
	if !strings.HasPrefix(p, "/") {
		return fmt.Errorf("the host path %q is not absolute", p)
	}
	info, err := os.Lstat(p)
	switch {
	case err != nil:
		return sourceError(p, err)
	case info.Mode()&os.ModeSymlink != 0:
		to, _ := os.Readlink(p)
		return &Error{Doing: "use " + p + " as a root", Cause: unix.ELOOP, hint: "it is a link to " + to + ": name the folder itself"}
	case !info.IsDir():
		return &Error{Doing: "use " + p + " as a root", Cause: unix.ENOTDIR, hint: "a root filesystem is a folder; unpack archives and images first"}
	}
	return nil
}
