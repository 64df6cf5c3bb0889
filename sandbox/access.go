package sandbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
)

// access is the container as its hooks may touch it: definition.Host. Every
// method fails once its context is done, so that a hook that was given up on
// cannot act later.
type access struct {
	c    *container
	hook definition.HookRef
}

var _ definition.Host = (*access)(nil)

func (a *access) ID() string { return a.c.id }

func (a *access) PID() int {
	if a.c.child == nil || a.c.monitor == nil {
		return 0
	}
	pid, err := a.c.child.PayloadPID()
	if err != nil {
		return 0 // it has ended
	}
	return pid
}

func (a *access) Cgroup() string { return a.c.cgroupPath() }

// NetNS is a path below /proc; it names the namespace as long as init lives.
func (a *access) NetNS() string {
	if a.c.child == nil {
		return ""
	}
	return fmt.Sprintf("/proc/%d/ns/net", a.c.child.PID())
}

// files is the container's root, while there is one.
func (a *access) files(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if a.c.root == nil {
		return errors.New("the container's files are not there at this stage")
	}
	return nil
}

func (a *access) Read(ctx context.Context, path string) ([]byte, error) {
	if err := a.files(ctx); err != nil {
		return nil, err
	}
	return a.c.root.Read(path)
}

func (a *access) Write(ctx context.Context, path string, content []byte, mode uint32) error {
	if err := a.files(ctx); err != nil {
		return err
	}
	return a.c.root.Write(path, content, mode)
}

func (a *access) CopyIn(ctx context.Context, source, target string) error {
	if err := a.files(ctx); err != nil {
		return err
	}
	host, err := a.c.projectPath(source)
	if err != nil {
		return err
	}
	return a.c.root.CopyIn(host, target)
}

func (a *access) CopyOut(ctx context.Context, source, target string) error {
	if err := a.files(ctx); err != nil {
		return err
	}
	host, err := a.c.projectPath(target)
	if err != nil {
		return err
	}
	return a.c.root.CopyOut(source, host)
}

func (a *access) Exec(ctx context.Context, request definition.ExecRequest) (definition.ExecResult, error) {
	if err := a.running(ctx); err != nil {
		return definition.ExecResult{}, err
	}
	return a.c.exec(ctx, request)
}

func (a *access) Signal(ctx context.Context, signal string) error {
	if err := a.running(ctx); err != nil {
		return err
	}
	number, ok := signalByName(signal)
	if !ok {
		return fmt.Errorf("no signal is called %q", signal)
	}
	if len(a.c.def.Steps) > 0 {
		return errors.New("no step runs yet, and there is no other payload")
	}
	m := a.c.monitor
	m.mu.Lock()
	m.forwarded[number] = true
	m.mu.Unlock()
	return m.signal(number)
}

func (a *access) Pause(ctx context.Context) error {
	if err := a.running(ctx); err != nil {
		return err
	}
	return a.c.freeze(ctx)
}

func (a *access) Resume(ctx context.Context) error {
	if err := a.running(ctx); err != nil {
		return err
	}
	return a.c.thaw(ctx)
}

func (a *access) Update(ctx context.Context, limits definition.Limits) error {
	if err := a.running(ctx); err != nil {
		return err
	}
	return a.c.update(limits)
}

func (a *access) Stats(ctx context.Context) (definition.Stats, error) {
	if err := context.Cause(ctx); err != nil {
		return definition.Stats{}, err
	}
	m := a.c.monitor
	if m == nil {
		return definition.Stats{}, errors.New("the payload has not been started")
	}
	s := a.c.usage()
	end := time.Now()
	if a.ended() {
		end = m.ended
		s.CPU = max(s.CPU, definition.Duration(cpuTime(m.exit.Rusage)))
	}
	s.Wall = definition.Duration(end.Sub(m.started))
	return s, nil
}

func (a *access) Log(line string) {
	a.c.mu.Lock()
	a.c.result.Log = append(a.c.result.Log, line)
	a.c.mu.Unlock()
	if a.c.Options.Log != nil {
		a.c.Options.Log(line)
	}
}

// running fails unless the payload runs.
func (a *access) running(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case a.c.monitor == nil:
		return errors.New("the payload has not been started")
	case a.ended():
		return errors.New("the payload has ended")
	}
	return nil
}

func (a *access) ended() bool {
	select {
	case <-a.c.monitor.done:
		return true
	default:
		return false
	}
}

// projectPath is a host path a hook may use: below the project, without "..".
func (c *container) projectPath(path string) (string, error) {
	project := c.def.Project
	full := path
	if !strings.HasPrefix(path, "/") {
		full = project + "/" + path
	}
	for _, part := range strings.Split(full, "/") {
		if part == ".." {
			return "", fmt.Errorf("the host path %q climbs out of the project", path)
		}
	}
	if project == "" || (full != project && !strings.HasPrefix(full, project+"/")) {
		return "", fmt.Errorf("the host path %q is not below the project %s", path, project)
	}
	return full, nil
}

// freezer and limits of the cgroup, with an error where there is none.

func (c *container) freeze(ctx context.Context) error {
	if c.group == nil {
		return fmt.Errorf("pause the container: it has no cgroup: %w", unix.ENOTSUP)
	}
	return c.group.Freeze(ctx)
}

func (c *container) thaw(ctx context.Context) error {
	if c.group == nil {
		return fmt.Errorf("resume the container: it has no cgroup: %w", unix.ENOTSUP)
	}
	return c.group.Thaw(ctx)
}

func (c *container) update(limits definition.Limits) error {
	if c.group == nil {
		return fmt.Errorf("update limits: the container has no cgroup: %w", unix.ENOTSUP)
	}
	return c.group.Update(limits)
}
