package cgroups

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Freeze stops every process of the container and returns when all have stopped.
// When ctx ends first, or anything fails, they run again.
func (g *Group) Freeze(ctx context.Context) error {
	if fd := g.FD(); fd >= 0 {
		err := writeFile(fd, "cgroup.freeze", "1")
		if err == nil {
			err = waitEvent(ctx, fd, "frozen", 1)
			if err == nil {
				return nil
			}
			_ = writeFile(fd, "cgroup.freeze", "0")
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("freeze cgroup %s: %w", g.Paths()[0], err)
		}
	}
	i := g.freezer()
	if i < 0 {
		return ErrNoFreezer
	}
	if err := freezeV1(ctx, g.fds[i]); err != nil {
		_ = writeFile(g.fds[i], "freezer.state", "THAWED")
		return fmt.Errorf("freeze cgroup %s: %w", g.Paths()[i], err)
	}
	return nil
}

// Thaw lets every process of the container run again.
func (g *Group) Thaw(ctx context.Context) error {
	if fd := g.FD(); fd >= 0 {
		err := writeFile(fd, "cgroup.freeze", "0")
		if err == nil {
			err = waitEvent(ctx, fd, "frozen", 0)
		}
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("thaw cgroup %s: %w", g.Paths()[0], err)
		}
	}
	i := g.freezer()
	if i < 0 {
		return ErrNoFreezer
	}
	if err := writeFile(g.fds[i], "freezer.state", "THAWED"); err != nil {
		return fmt.Errorf("thaw cgroup %s: %w", g.Paths()[i], err)
	}
	return nil
}

// freezer is the index of the v1 freezer cgroup, or -1.
func (g *Group) freezer() int {
	for i, d := range g.record.Dirs {
		if d.Version == 1 && contains(d.Controllers, "freezer") && g.fds[i] >= 0 {
			return i
		}
	}
	return -1
}

// freezeV1 asks again and again: a task in vfork or in an uninterruptible sleep
// keeps the state at FREEZING until the file is read anew, and one that was just
// forked is caught only by another write. A thaw in between frees a task that
// another, already frozen, keeps from stopping.
func freezeV1(ctx context.Context, fd int) error {
	pause := pause{first: 50 * time.Microsecond, most: 2 * time.Millisecond}
	for round := 1; ; round++ {
		if err := writeFile(fd, "freezer.state", "FROZEN"); err != nil {
			return err
		}
		state, err := readFile(fd, "freezer.state")
		if err != nil {
			return err
		}
		if strings.TrimSpace(state) == "FROZEN" {
			return nil
		}
		if round%50 == 0 {
			if err := writeFile(fd, "freezer.state", "THAWED"); err != nil {
				return err
			}
		}
		if err := pause.wait(ctx); err != nil {
			return fmt.Errorf("its processes have not stopped: %w", err)
		}
	}
}

// waitEvent waits until a key of cgroup.events has a value. The kernel wakes a
// poll(2) for priority data at each change.
func waitEvent(ctx context.Context, dir int, key string, want int64) error {
	fd, err := retry(func() (int, error) { return unix.Openat(dir, "cgroup.events", unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	buffer := make([]byte, 256)
	for {
		// A read arms the next poll.
		n, err := retry(func() (int, error) { return unix.Pread(fd, buffer, 0) })
		if err != nil {
			return err
		}
		have, err := keyOf(string(buffer[:n]), "cgroup.events", key)
		if err != nil {
			return err
		}
		if have == want {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("cgroup.events still says %q %d: %w", key, have, err)
		}
		// Short, because nothing else would notice that ctx has ended.
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLPRI}}
		if _, err := unix.Poll(poll, 20); err != nil && err != unix.EINTR {
			return err
		}
	}
}

// pause is a wait that grows, for files that no event tells of.
type pause struct{ first, most time.Duration }

func (p *pause) wait(ctx context.Context) error {
	timer := time.NewTimer(p.first)
	defer timer.Stop()
	p.first = min(2*p.first, p.most)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ctx.Err()
	}
}
