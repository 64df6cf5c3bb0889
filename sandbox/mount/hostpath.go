package mount

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// trusted is a folder of the host, held open since before the payload ran.
type trusted struct {
	path string
	dir  *os.File
}

// Trust holds a host folder open as it is now, or the nearest one above it that
// exists. What CopyIn and CopyOut name below it is then reached from there without
// following any link: the payload may have made one, where it can write to the
// host's files, to lead the copy elsewhere.
func (r *Root) Trust(folder string) error {
	for path := filepath.Clean(folder); ; path = filepath.Dir(path) {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		switch {
		case err == nil:
			r.trusted = append(r.trusted, trusted{path, os.NewFile(uintptr(fd), path)})
			return nil
		case err != unix.ENOENT || path == "/":
			return fmt.Errorf("open the folder %s: %w", path, err)
		}
	}
}

// hostFolder opens a folder of the host, which is made, with its parents, when make
// says so.
func (r *Root) hostFolder(path string, make bool) (*os.File, error) {
	path = filepath.Clean(path)
	from, rest := r.nearest(path)
	if from == nil {
		if make {
			if err := os.MkdirAll(path, 0o755); err != nil {
				return nil, err
			}
		}
		return os.OpenFile(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	}
	dir, err := openHow(from, ".", &unix.OpenHow{Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC})
	for _, name := range rest {
		if err != nil {
			return nil, err
		}
		if make {
			if err := unix.Mkdirat(int(dir.Fd()), name, 0o755); err != nil && err != unix.EEXIST {
				dir.Close()
				return nil, fmt.Errorf("make the folder %s: %w", name, err)
			}
		}
		var next *os.File
		next, err = openat(dir, name, unix.O_PATH|unix.O_DIRECTORY, 0)
		dir.Close()
		dir, err = next, linked(name, err)
	}
	return dir, err
}

// hostEntry opens what a host path names, with O_PATH.
func (r *Root) hostEntry(path string) (*os.File, error) {
	path = filepath.Clean(path)
	if from, rest := r.nearest(path); from == nil || len(rest) == 0 {
		return os.OpenFile(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	}
	parent, err := r.hostFolder(filepath.Dir(path), false)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	f, err := openat(parent, filepath.Base(path), unix.O_PATH, 0)
	return f, linked(filepath.Base(path), err)
}

// nearest is the longest trusted folder that a path is in, and the names below it.
func (r *Root) nearest(path string) (from *os.File, rest []string) {
	longest := -1
	for _, t := range r.trusted {
		below, in := strings.CutPrefix(path+"/", strings.TrimSuffix(t.path, "/")+"/")
		if !in || len(t.path) <= longest {
			continue
		}
		longest, from, rest = len(t.path), t.dir, nil
		if below = strings.Trim(below, "/"); below != "" {
			rest = strings.Split(below, "/")
		}
	}
	return from, rest
}

// linked words the error of a name that is a link.
func linked(name string, err error) error {
	if err != nil && (errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR)) {
		return fmt.Errorf("%s is no folder or a link, which is not followed as the container may have made it: %w", name, err)
	}
	return err
}
