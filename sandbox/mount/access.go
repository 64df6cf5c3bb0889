package mount

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Root is the root of a container, with its mount namespace held open: the mounts
// below the root live until Close. The container may be running, and hostile.
// Paths are absolute, in the container, and resolved inside its root.
type Root struct {
	dir   *os.File // O_PATH
	mntns *os.File
	// trusted are the host's folders that copies begin at.
	trusted []trusted
	// noLinks has no link of a path followed.
	noLinks bool
}

// OpenRoot opens the root and the mount namespace of a process, which must not
// end, nor change its root, meanwhile: init, parked after Pivot. A process in the
// caller's own mount namespace is an error: its root would be the host's.
func OpenRoot(pid int) (*Root, error) {
	proc := "/proc/" + strconv.Itoa(pid)
	mntns, err := os.OpenFile(proc+"/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("hold the container's mount namespace: %w", err)
	}
	var own, its unix.Stat_t
	if err = unix.Stat("/proc/self/ns/mnt", &own); err == nil {
		err = unix.Fstat(int(mntns.Fd()), &its)
	}
	if err == nil && own.Ino == its.Ino && own.Dev == its.Dev {
		err = errors.New("the process is not in a mount namespace of its own")
	}
	if err != nil {
		mntns.Close()
		return nil, fmt.Errorf("hold the container's mount namespace: %w", err)
	}
	dir, err := os.OpenFile(proc+"/root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		mntns.Close()
		return nil, fmt.Errorf("open the container's root: %w", err)
	}
	return &Root{dir: dir, mntns: mntns}, nil
}

// OpenHost opens this machine's own root, for a container without one.
func OpenHost() (*Root, error) {
	dir, err := os.OpenFile("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open this machine's root: %w", err)
	}
	return &Root{dir: dir}, nil
}

// RefuseLinks has no link followed from now on. In the host's root one that the
// payload made would lead to files that are not the payload's, with the rights of
// the caller.
func (r *Root) RefuseLinks() { r.noLinks = true }

// Close lets the mounts go. It may be called more than once, and on nil.
func (r *Root) Close() error {
	if r == nil || r.dir == nil {
		return nil
	}
	err := r.dir.Close()
	if r.mntns != nil {
		err = errors.Join(err, r.mntns.Close())
	}
	for _, t := range r.trusted {
		t.dir.Close()
	}
	r.dir, r.mntns, r.trusted = nil, nil, nil
	return err
}

// Read returns the content of a regular file of at most 16 MiB.
func (r *Root) Read(name string) ([]byte, error) {
	b, err := r.Head(name, maxContent+1)
	if err == nil && len(b) > maxContent {
		return nil, fmt.Errorf("read %s in the container: it is larger than 16 MiB; copy it out instead", name)
	}
	return b, err
}

// Head returns the first n bytes of a regular file, or all when it is shorter.
func (r *Root) Head(name string, n int) ([]byte, error) {
	f, err := r.openRegular(name, unix.O_RDONLY)
	if err != nil {
		return nil, inContainer("read", name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, int64(n)))
	if err != nil {
		return nil, inContainer("read", name, err)
	}
	return b, nil
}

// Mode returns st_mode of what a path leads to.
func (r *Root) Mode(name string) (uint32, error) {
	f, err := r.open(name, unix.O_PATH)
	if err != nil {
		return 0, inContainer("look at", name, err)
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return 0, inContainer("look at", name, err)
	}
	return st.Mode, nil
}

// Write replaces the content of a regular file, whose mode stays, or makes it in an
// existing folder, with mode's permission bits.
func (r *Root) Write(name string, content []byte, mode uint32) error {
	f, err := r.openRegular(name, unix.O_WRONLY|unix.O_TRUNC)
	if err == unix.ENOENT {
		f, err = r.create(name, mode&0o777)
	}
	if err != nil {
		return inContainer("write", name, err)
	}
	_, err = f.Write(content)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return inContainer("write", name, err)
	}
	return nil
}

func (r *Root) create(name string, mode uint32) (*os.File, error) {
	dir, base, err := r.openParent(name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	f, err := openat(dir, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Fchmod(int(f.Fd()), mode); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// open is openat2(2) below the root. A path that crosses ".." while the container
// renames folders fails with EAGAIN: it is tried a bounded number of times.
func (r *Root) open(name string, flags uint64) (*os.File, error) {
	if r == nil || r.dir == nil {
		return nil, os.ErrClosed
	}
	if !strings.HasPrefix(name, "/") {
		return nil, fmt.Errorf("the path is not absolute: %w", unix.EINVAL)
	}
	h := unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	if r.noLinks {
		h.Resolve |= unix.RESOLVE_NO_SYMLINKS
	}
	f, err := openHow(r.dir, name, &h)
	if r.noLinks && err == unix.ELOOP {
		err = fmt.Errorf("a part of the path is a link, which is not followed among this machine's own files: %w", err)
	}
	return f, err
}

func openHow(dir *os.File, name string, h *unix.OpenHow) (*os.File, error) {
	for tries := 0; ; tries++ {
		fd, err := unix.Openat2(int(dir.Fd()), name, h)
		switch {
		case err == nil:
			return os.NewFile(uintptr(fd), name), nil
		case err == unix.EINTR, err == unix.EAGAIN && tries < 128:
		default:
			return nil, err
		}
	}
}

// openat opens one name in a folder, without any link.
func openat(dir *os.File, name string, flags, mode uint64) (*os.File, error) {
	return openHow(dir, name, &unix.OpenHow{Flags: flags | unix.O_CLOEXEC | unix.O_NOFOLLOW, Mode: mode,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS})
}

// openRegular looks before it opens: to open a device or a FIFO has effects.
func (r *Root) openRegular(name string, flags int) (*os.File, error) {
	f, err := r.open(name, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := ledToKernel(f, name, flags); err != nil {
		return nil, err
	}
	return reopen(f, flags)
}

// ledToKernel refuses what a link of the container's leads to among the kernel's own
// files: a write there changes the kernel's state with the supervisor's privileges
// (CVE-2025-52881), a read may consume a log or never end. By its own name procfs
// can be read.
func ledToKernel(f *os.File, name string, flags int) error {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil {
		return err
	}
	switch st.Type {
	case unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC:
	default:
		return nil
	}
	if path.Clean(name) == "/proc/kmsg" || !strings.HasPrefix(path.Clean(name), "/proc/") && !strings.HasPrefix(path.Clean(name), "/sys/") {
		return fmt.Errorf("it is a file of the kernel's: %w", unix.EACCES)
	}
	if flags&unix.O_ACCMODE != unix.O_RDONLY {
		return fmt.Errorf("files of the kernel's are not written from outside; use sysctl: %w", unix.EACCES)
	}
	return nil
}

// reopen opens the regular file that an O_PATH descriptor stands for.
func reopen(f *os.File, flags int) (*os.File, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		return nil, unix.EISDIR
	default:
		return nil, fmt.Errorf("it is a %s, not a regular file", kindName(st.Mode))
	}
	fd, err := unix.Open("/proc/self/fd/"+strconv.Itoa(int(f.Fd())), flags|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// openParent opens the folder that a path lies in, and returns its last name.
func (r *Root) openParent(name string) (*os.File, string, error) {
	dir, base := path.Split(strings.TrimRight(name, "/"))
	if base == "" || base == "." || base == ".." {
		return nil, "", fmt.Errorf("the path names no file: %w", unix.EINVAL)
	}
	f, err := r.open(dir, unix.O_PATH|unix.O_DIRECTORY)
	return f, base, err
}

func inContainer(deed, name string, err error) error {
	return fmt.Errorf("%s %s in the container: %w", deed, name, err)
}

func kindName(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return "regular file"
	case unix.S_IFDIR:
		return "folder"
	case unix.S_IFLNK:
		return "symbolic link"
	case unix.S_IFIFO:
		return "FIFO"
	case unix.S_IFSOCK:
		return "socket"
	}
	return "device"
}
