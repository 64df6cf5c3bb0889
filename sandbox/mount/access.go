package mount

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Root is the root of a container, with its mount namespace held open: the mounts
// below the root live until Close. The container may be running, and hostile.
// Paths are absolute, in the container, and resolved inside its root.
type Root struct {
	dir   *os.File // O_PATH
	mntns *os.File
}

// OpenRoot opens the root and the mount namespace of a process, which must not
// end, nor change its root, meanwhile: init, parked after Pivot.
func OpenRoot(pid int) (*Root, error) {
	proc := "/proc/" + strconv.Itoa(pid)
	mntns, err := os.OpenFile(proc+"/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("hold the container's mount namespace: %w", err)
	}
	dir, err := os.OpenFile(proc+"/root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		mntns.Close()
		return nil, fmt.Errorf("open the container's root: %w", err)
	}
	return &Root{dir: dir, mntns: mntns}, nil
}

// Close lets the mounts go. It may be called more than once, and on nil.
func (r *Root) Close() error {
	if r == nil || r.dir == nil {
		return nil
	}
	err := r.dir.Close()
	if e := r.mntns.Close(); err == nil {
		err = e
	}
	r.dir, r.mntns = nil, nil
	return err
}
