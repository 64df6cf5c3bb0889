package mount

import (
	"errors"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/plan"
)

// Error is something of the host that a mount step cannot use.
type Error struct {
	Doing string
	Cause error
	hint  string
}

func (e *Error) Error() string { return e.Doing + ": " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Hint says what to do about it, or is empty.
func (e *Error) Hint() string { return e.hint }

// sourceError is about a path of the host.
func sourceError(p string, err error) error {
	e := &Error{Doing: "open " + p + " on the host", Cause: err}
	var at *fs.PathError
	if errors.As(err, &at) {
		e.Cause = at.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.hint = "make it first, or say optional = true for a mount that may be missing"
	case errors.Is(err, fs.ErrPermission):
		e.hint = "the caller must be able to look into every folder above it"
	}
	return e
}

// Explain says what to do about a mount step that init failed at with errno, or
// is empty.
func Explain(op plan.Op, errno unix.Errno) string {
	switch op := op.(type) {
	case plan.RootOverlay:
		if hint := explainOverlay(op, errno); hint != "" {
			return hint
		}
	case plan.MountFS:
		if hint := explainFS(op, errno); hint != "" {
			return hint
		}
	case plan.MakeDevice:
		if errno == unix.ENODEV {
			return "something else has that name already; give the container a /dev of its own (a tmpfs)"
		}
	case plan.SetCwd:
		if errno == unix.ENOENT {
			return "the path is looked up in the container: make the folder in the root filesystem, or mount something there"
		}
	case plan.Pivot:
		if errno == unix.EINVAL {
			return "the host's / is an initramfs, which pivot_root(2) cannot leave; start from a real root file system (switch_root)"
		}
	}
	return explainErrno(op, errno)
}

func explainOverlay(op plan.RootOverlay, errno unix.Errno) string {
	switch errno {
	case unix.EINVAL:
		if op.UserXattr {
			return "a submount of a lower folder is locked by the parent user namespace (/ always has some), or the maximum overlay stacking depth of two is reached; use folders without submounts, or rootfs = \"host-readonly\""
		}
		return "the maximum overlay stacking depth of two is reached when a lower folder lies on two overlays (a container in a container); or upper and its work folder are on a file system that cannot be a layer (overlay, NFS, vfat); or a path has a comma, on Linux before 6.5"
	case unix.EOPNOTSUPP:
		return "hiding folders needs extended attributes on tmpfs: user.* since Linux 6.6; use rootfs = \"host-readonly\""
	case unix.ENODEV:
		return "this kernel has no overlay file system: modprobe overlay"
	case unix.ELOOP:
		return "one layer lies in another: upper and its work folder must be outside of each other and of what is hidden"
	}
	return ""
}

func explainFS(op plan.MountFS, errno unix.Errno) string {
	switch {
	case errno == unix.EPERM && op.Type == "proc":
		return "in a user namespace a new procfs needs its own pid namespace and an unmasked /proc outside; nested in a container with a masked /proc (docker: --security-opt systempaths=unconfined) there is none"
	case errno == unix.EPERM && op.Type == "sysfs":
		return "in a user namespace sysfs needs its own network namespace: network = \"none\""
	case errno == unix.EINVAL && op.Type == "devpts":
		return "gid 5 is not mapped in this user namespace; give it a range with idmap"
	case errno == unix.EINVAL && op.Type == "tmpfs":
		return "an option of tmpfs is malformed, or its owner is not mapped in this user namespace: " + strings.Join(op.Options, ", ")
	case errno == unix.ENODEV:
		return "this kernel was built without " + op.Type
	}
	return ""
}

func explainErrno(op plan.Op, errno unix.Errno) string {
	switch errno {
	case unix.EPERM:
		return "mounting needs CAP_SYS_ADMIN in the mount namespace's user namespace; in one, flags of the source's mount (read-only, nodev, nosuid) are locked, and a security module (AppArmor's restriction of user namespaces) may forbid it: sandbox doctor"
	case unix.EINVAL:
		if b, ok := op.(plan.Bind); ok && !b.Recursive {
			return "a submount of " + b.Source + " is locked by the parent user namespace: bind it with its submounts (without shallow = true)"
		}
		return "a folder cannot be mounted on a file, nor a file on a folder; or this kernel (5.12 or newer is needed) does not take the combination: dmesg(1) may say more"
	case unix.ENOSPC:
		return "too many mounts (sysctl fs.mount-max), or the throw-away layer's size is too small"
	case unix.ENOENT:
		return "the target does not exist and is not made in folders of the host (or is a link to nowhere): make it there, or use a root with a layer of its own: rootfs = sandbox.overlay{ lower = { … } }"
	case unix.ENOTDIR:
		return "a part of the path is a file"
	case unix.ELOOP:
		return "/proc, /sys and /dev of a root filesystem must not be links; elsewhere it is a chain of links without an end"
	case unix.EROFS:
		return "the target does not exist and the file system is read-only: make it there, or use a root with a layer of its own: rootfs = sandbox.overlay{ lower = { … } }"
	case unix.EBUSY:
		return "it is a mount point or in use; another container may be using the same upper folder"
	case unix.EACCES:
		return "the caller may not look into a folder of the path, or may not write there; root's files stay root's in a user namespace"
	case unix.ENOTSUP:
		return "only a procfs may be at /proc"
	case unix.ENOSYS:
		return "Linux 5.12 or newer is needed, and a seccomp filter around this (an old container engine's) may hide open_tree(2), fsopen(2) and mount_setattr(2)"
	case unix.ENXIO, unix.EXDEV:
		return "the path leads out of the root by a link of procfs"
	}
	return ""
}
