package mount

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// LeftOutError lists what a copy left out; all else was copied. Left out are
// devices, FIFOs, sockets, and links out of the copied folder: those that are
// absolute, climb above it, or have a ".." behind a name.
type LeftOutError struct {
	// Items are "path (why)", at most maxLeftOut of them.
	Items []string
	// More is how many further ones there are.
	More int
}

const maxLeftOut = 20

func (e *LeftOutError) Error() string {
	s := "not copied: " + strings.Join(e.Items, ", ")
	if e.More > 0 {
		s += fmt.Sprintf(" and %d more", e.More)
	}
	return s
}

// Hint says what to do about it.
func (e *LeftOutError) Hint() string {
	return "only regular files, folders and links within the copied folder are copied; write archives for anything else"
}

// maxDepth bounds the folders in each other of a copy; each holds descriptors.
const maxDepth = 200

// copier copies a tree between two folders by descriptors, so that neither side can
// lead it elsewhere while it works.
type copier struct {
	anyLink bool // the source is trusted: its links are copied as they are
	leftOut LeftOutError
}

// CopyOut copies a regular file or folder of the container to a host path, whose
// parent is made. The files belong to the caller and have no set-user-ID bits. An
// existing folder is merged into; each file is replaced by a rename; links in the
// target are never followed. Parts of the source that are not copied are a
// *LeftOutError.
func (r *Root) CopyOut(name, target string) error {
	source, err := r.open(name, unix.O_PATH)
	if err != nil {
		return inContainer("copy", name, err)
	}
	defer source.Close()
	target = filepath.Clean(target)
	parent, err := r.hostFolder(filepath.Dir(target), true)
	if err != nil {
		return fmt.Errorf("copy %s to %s: %w", name, target, err)
	}
	defer parent.Close()
	c := &copier{}
	if err := c.copyTop(source, parent, filepath.Base(target)); err != nil {
		return fmt.Errorf("copy %s to %s: %w", name, target, err)
	}
	return nil
}

// CopyIn copies a regular file or folder of the host to a path of the container,
// whose parent folder exists.
func (r *Root) CopyIn(source, name string) error {
	f, err := r.hostEntry(source)
	if err != nil {
		return sourceError(source, err)
	}
	defer f.Close()
	parent, base, err := r.openParent(name)
	if err != nil {
		return inContainer("copy "+source+" to", name, err)
	}
	defer parent.Close()
	c := &copier{anyLink: true}
	if err := c.copyTop(f, parent, base); err != nil {
		return inContainer("copy "+source+" to", name, err)
	}
	return nil
}

func (c *copier) copyTop(source, parent *os.File, base string) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(source.Fd()), &st); err != nil {
		return err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR, unix.S_IFREG:
	default:
		return fmt.Errorf("it is a %s", kindName(st.Mode))
	}
	if err := c.entry(source, parent, base, nil); err != nil {
		return err
	}
	if len(c.leftOut.Items) > 0 {
		return &c.leftOut
	}
	return nil
}

// entry copies what source, an O_PATH descriptor, stands for, as base in parent.
func (c *copier) entry(source, parent *os.File, base string, at []string) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(source.Fd()), &st); err != nil {
		return err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return c.regular(source, parent, base)
	case unix.S_IFDIR:
		return c.folder(source, parent, base, at)
	case unix.S_IFLNK:
		return c.link(source, parent, base, at)
	}
	c.skip(at, kindName(st.Mode))
	return nil
}

func (c *copier) skip(at []string, why string) {
	if len(c.leftOut.Items) < maxLeftOut {
		c.leftOut.Items = append(c.leftOut.Items, fmt.Sprintf("%q (%s)", strings.Join(at, "/"), why))
		return
	}
	c.leftOut.More++
}

func (c *copier) folder(source, parent *os.File, base string, at []string) error {
	if len(at) > maxDepth {
		return fmt.Errorf("more than %d folders in each other: %w", maxDepth, unix.ELOOP)
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(source.Fd()), &st); err != nil {
		return err
	}
	from, err := openHow(source, ".", &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC})
	if err != nil {
		return err
	}
	defer from.Close()
	made := unix.Mkdirat(int(parent.Fd()), base, 0o700)
	if made != nil && made != unix.EEXIST {
		return made
	}
	to, err := openat(parent, base, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return fmt.Errorf("%s is not a folder, or is a link: %w", base, err)
	}
	defer to.Close()
	for {
		names, err := from.Readdirnames(256)
		for _, name := range names {
			if err := c.child(from, to, name, at); err != nil {
				return err
			}
		}
		if len(names) == 0 || err != nil {
			break // the end, or what became of a folder removed meanwhile
		}
	}
	if made == nil {
		return unix.Fchmod(int(to.Fd()), st.Mode&0o777|0o700)
	}
	return nil
}

// child copies one entry of a folder. One that vanished meanwhile is not there.
func (c *copier) child(from, to *os.File, name string, at []string) error {
	f, err := openat(from, name, unix.O_PATH, 0)
	if err == unix.ELOOP { // RESOLVE_NO_SYMLINKS refuses a link as last name as well
		f, err = openHow(from, name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH})
	}
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer f.Close()
	if err := c.entry(f, to, name, append(at[:len(at):len(at)], name)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (c *copier) link(source, parent *os.File, base string, at []string) error {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(source.Fd()), "", buf)
	if err != nil {
		return err
	}
	target := string(buf[:n])
	if !c.anyLink && !staysInside(target, len(at)-1) {
		c.skip(at, "a link to "+target)
		return nil
	}
	temp := tempName()
	if err := unix.Symlinkat(target, int(parent.Fd()), temp); err != nil {
		return err
	}
	return rename(parent, temp, base)
}

// staysInside says that a link, depth folders below the top, leads to the top or
// below. A ".." behind a name is refused: that name may be a link itself.
func staysInside(target string, depth int) bool {
	if target == "" || target[0] == '/' {
		return false
	}
	named := false
	for part := range strings.SplitSeq(target, "/") {
		switch {
		case part == "" || part == ".":
		case part != "..":
			named = true
		case named:
			return false
		default:
			depth--
		}
	}
	return depth >= 0
}

// regular writes a file beside its place and renames it there.
func (c *copier) regular(source, parent *os.File, base string) error {
	from, err := reopen(source, unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer from.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(from.Fd()), &st); err != nil {
		return err
	}
	temp := tempName()
	to, err := openat(parent, temp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = copyContent(to, from, st.Size)
	if err == nil {
		err = unix.Fchmod(int(to.Fd()), st.Mode&0o777)
	}
	if e := to.Close(); err == nil {
		err = e
	}
	if err != nil {
		unix.Unlinkat(int(parent.Fd()), temp, 0) //nolint:errcheck // the first error counts
		return err
	}
	return rename(parent, temp, base)
}

func tempName() string { return ".sandbox-" + rand.Text() + ".tmp" }

func rename(parent *os.File, temp, base string) error {
	err := unix.Renameat(int(parent.Fd()), temp, int(parent.Fd()), base)
	if err != nil {
		unix.Unlinkat(int(parent.Fd()), temp, 0) //nolint:errcheck // the first error counts
		if err == unix.EISDIR {
			return fmt.Errorf("%s is a folder in the target: %w", base, err)
		}
	}
	return err
}

// copyContent copies size bytes, hole by hole: a sparse file stays one.
func copyContent(to, from *os.File, size int64) error {
	for at := int64(0); at < size; {
		data, err := unix.Seek(int(from.Fd()), at, unix.SEEK_DATA)
		if err == unix.ENXIO {
			break // only a hole is left
		}
		end := size
		if err != nil {
			data = at // the file system knows no holes
		} else if hole, err := unix.Seek(int(from.Fd()), data, unix.SEEK_HOLE); err == nil {
			end = min(hole, size)
		}
		if err := copyRange(to, from, data, end); err != nil {
			return err
		}
		at = end
	}
	return to.Truncate(size)
}

func copyRange(to, from *os.File, at, end int64) error {
	in, out := at, at
	for in < end {
		n, err := unix.CopyFileRange(int(from.Fd()), &in, int(to.Fd()), &out, int(min(end-in, 1<<30)), 0)
		switch {
		case err == unix.EINTR:
		case errors.Is(err, unix.EXDEV), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS),
			errors.Is(err, unix.EOPNOTSUPP), err == nil && n == 0:
			return copyBytes(to, from, in, end)
		case err != nil:
			return err
		}
	}
	return nil
}

// copyBytes is for where copy_file_range(2) is not supported, or lies about an end
// of file (pseudo files).
func copyBytes(to, from *os.File, at, end int64) error {
	buf := make([]byte, 256<<10)
	for at < end {
		n, err := from.ReadAt(buf[:min(int64(len(buf)), end-at)], at)
		if n == 0 {
			if err != nil && err != io.EOF {
				return err
			}
			return nil // it was truncated meanwhile
		}
		if _, err := to.WriteAt(buf[:n], at); err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}
