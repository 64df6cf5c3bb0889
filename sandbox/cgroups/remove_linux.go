package cgroups

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds Remove: dead processes leave their cgroup only when they have
// been reaped, or their last thread has left the processor.
const patience = 2 * time.Second

// Remove removes the container's cgroups and those below, and closes them. All
// processes must have ended; it waits up to two seconds for the kernel to be done
// with them. A cgroup that is gone already is no error; of several errors the
// first is returned, and all are tried.
func (g *Group) Remove() error {
	deadline := time.Now().Add(patience)
	var first error
	for i, path := range g.Paths() {
		if err := g.verify(i); err != nil {
			first = firstOf(first, err)
			continue
		}
		first = firstOf(first, removeTree(path, deadline))
	}
	if g.record.Leaf {
		leaveLeaf(g.record)
	}
	g.Close()
	return first
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// verify refuses to remove by a path that is no longer the open directory.
func (g *Group) verify(i int) error {
	if i >= len(g.fds) || g.fds[i] < 0 {
		return nil
	}
	var open, named unix.Stat_t
	path := g.Paths()[i]
	if unix.Fstat(g.fds[i], &open) != nil || unix.Lstat(path, &named) != nil {
		return nil
	}
	if open.Dev != named.Dev || open.Ino != named.Ino {
		return fmt.Errorf("remove cgroup %s: another one has taken its place", path)
	}
	return nil
}

// removeTree removes a cgroup after those below it.
func removeTree(path string, deadline time.Time) error {
	wait := 100 * time.Microsecond
	for {
		err := unix.Rmdir(path)
		switch {
		case err == nil, errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV):
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.ENOTEMPTY):
			return fmt.Errorf("remove cgroup %s: %w", path, err)
		}
		for _, child := range children(path) {
			if err := removeTree(child, deadline); err != nil {
				return err
			}
		}
		if time.Now().After(deadline) {
			if pids, err := pidsOf(path); err == nil && len(pids) > 0 {
				return fmt.Errorf("remove cgroup %s: it still holds %d processes, like %d; kill them first", path, len(pids), pids[0])
			}
			return fmt.Errorf("remove cgroup %s: %w", path, err)
		}
		time.Sleep(wait)
		wait = min(2*wait, 10*time.Millisecond)
	}
}
