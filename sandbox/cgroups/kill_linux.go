package cgroups

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Kill ends every process of the container, in cgroups below as well, and returns
// when none is left. A tree that forks while it is killed cannot escape: v2 kills
// in the kernel (cgroup.kill, Linux 5.14); else the tree may fork no more, is
// frozen, killed and thawed, until it is empty.
func (g *Group) Kill(ctx context.Context) error {
	if fd := g.FD(); fd >= 0 {
		err := writeFile(fd, "cgroup.kill", "1")
		if err == nil {
			err = waitEvent(ctx, fd, "populated", 0)
		}
		if err == nil || gone(err) && !exists(g.Paths()[0]) {
			return g.killRest(ctx)
		}
		if !gone(err) {
			return fmt.Errorf("kill cgroup %s: %w", g.Paths()[0], err)
		}
	}
	return g.killTree(ctx)
}

// killRest looks after the v1 cgroups, which hold nobody when the kernel has
// emptied the v2 one, unless a process was moved by hand.
func (g *Group) killRest(ctx context.Context) error {
	if len(g.record.Dirs) == 1 || len(g.members()) == 0 {
		return nil
	}
	return g.killTree(ctx)
}

func (g *Group) killTree(ctx context.Context) error {
	for i := range g.fds {
		// Where there is no pids controller, only the freezer holds back a fork.
		_ = writeFile(g.fds[i], "pids.max", "0")
	}
	pause := pause{first: 100 * time.Microsecond, most: 10 * time.Millisecond}
	for {
		pids := g.members()
		if len(pids) == 0 {
			return nil
		}
		if err := g.killFrozen(ctx); err != nil {
			return err
		}
		if err := pause.wait(ctx); err != nil {
			if pids = g.members(); len(pids) > 0 {
				return fmt.Errorf("kill cgroup %s: %d processes are left, like %d: %w", g.Paths()[0], len(pids), pids[0], err)
			}
		}
	}
}

// killFrozen kills all members while they can neither fork nor end, so that no
// process id is another's by the time it is used. A kill on v1 is carried out
// only after the thaw, which is done whatever happens.
func (g *Group) killFrozen(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	if err := g.Freeze(bounded); err == nil {
		defer g.unfreeze()
	}
	for _, pid := range g.members() {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("kill process %d of cgroup %s: %w", pid, g.Paths()[0], err)
		}
	}
	return nil
}

// unfreeze does not wait, and does not care whether anybody is left.
func (g *Group) unfreeze() {
	if fd := g.FD(); fd >= 0 {
		_ = writeFile(fd, "cgroup.freeze", "0")
	}
	if i := g.freezer(); i >= 0 {
		_ = writeFile(g.fds[i], "freezer.state", "THAWED")
	}
}

// members are the processes in all the cgroups of the container and below. Those
// outside the runner's pid namespace, 0 to it, cannot be signalled and are left out.
func (g *Group) members() []int {
	var pids []int
	for i, path := range g.Paths() {
		if g.fds[i] >= 0 {
			pids = append(pids, treePids(path)...)
		}
	}
	return pids
}

func treePids(path string) []int {
	var pids []int
	here, _ := pidsOf(path)
	for _, pid := range here {
		if pid > 0 {
			pids = append(pids, pid)
		}
	}
	for _, child := range children(path) {
		pids = append(pids, treePids(child)...)
	}
	return pids
}
