package cgroups

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sandbox/internal/floor"
	"sandbox/sandbox/definition"
)

// The tests of this file make real cgroups below the test's own. Each runs on
// every layout the host can show: its own and, on a hybrid host, also the v1
// hierarchies alone.

func TestMain(m *testing.M) {
	before, _ := os.ReadDir("/proc/self/fd")
	code := m.Run()
	after, _ := os.ReadDir("/proc/self/fd")
	// The runtime itself may have opened its poller: two descriptors, and one for pidfds.
	if code == 0 && len(after) > len(before)+4 {
		fmt.Fprintf(os.Stderr, "leak: %d descriptors before the tests, %d after\n", len(before), len(after))
		code = 1
	}
	for _, left := range leftovers() {
		fmt.Fprintln(os.Stderr, "leak: cgroup", left)
		code = 1
	}
	os.Exit(code)
}

func leftovers() []string {
	layout, err := Probe(true, nil)
	if err != nil {
		return []string{err.Error()}
	}
	var parents, left []string
	if u := layout.Unified; u != nil {
		parents = append(parents, below(u.Mount, u.Own.Path))
		if u.Above != nil {
			parents = append(parents, below(u.Mount, u.Above.Path))
		}
	}
	for _, h := range layout.V1 {
		parents = append(parents, below(h.Mount, h.Own))
	}
	for _, parent := range parents {
		for _, child := range children(parent) {
			if strings.Contains(child, prefix()) {
				left = append(left, child)
			}
		}
	}
	return left
}

func prefix() string { return fmt.Sprintf("cgtest-%d-", os.Getpid()) }

var counter atomic.Int64

func uniqueID() string { return fmt.Sprintf("%s%d", prefix(), counter.Add(1)) }

// eachLayout runs a test on every layout of this host that takes the limits.
func eachLayout(t *testing.T, limits definition.Limits, test func(*testing.T, Setting)) {
	t.Helper()
	host, err := Probe(true, nil)
	if err != nil {
		t.Fatal(err)
	}
	layouts := map[string]Layout{string(host.Mode): host}
	if host.Mode == ModeHybrid {
		v1 := host
		v1.Mode, v1.Unified = ModeV1, nil
		layouts["v1 alone"] = v1
	}
	for name, layout := range layouts {
		t.Run(name, func(t *testing.T) {
			setting, missing := Resolve(layout, limits)
			if len(missing) > 0 || len(setting.Dirs) == 0 {
				refuse(t, layout, setting, missing)
			}
			test(t, setting)
		})
	}
}

// refuse skips a test when the host lacks what it needs; where this user has it, that
// is a failure of Resolve.
func refuse(t testing.TB, layout Layout, setting Setting, missing []Missing) {
	t.Helper()
	tried := floor.TryCgroups()
	for _, m := range missing {
		if tried.Limits(m.Controller) {
			t.Fatalf("%s, though this user can have it", m)
		}
		for _, h := range layout.V1 {
			if h.Writable && contains(h.Controllers, m.Controller) {
				t.Fatalf("%s, though %s is writable", m, h.Mount)
			}
		}
		if u := layout.Unified; u != nil && u.Own.Root && u.Own.Control && contains(u.Own.Controllers, m.Controller) {
			t.Fatalf("%s, though the root has it", m)
		}
		t.Skipf("missing: %s", m)
	}
	if tried.Made {
		t.Fatalf("%s, though this user can make one", setting.Note)
	}
	t.Skipf("missing: %s", setting.Note)
}

// create makes a group that is killed and removed at the end of the test.
func create(t *testing.T, setting Setting) *Group {
	t.Helper()
	g, err := Create(setting, uniqueID())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := g.Kill(ctx); err != nil {
			t.Error(err)
		}
		paths := g.Paths()
		if err := g.Remove(); err != nil {
			t.Error(err)
		}
		for _, path := range paths {
			if exists(path) {
				t.Errorf("%s is still there", path)
			}
		}
	})
	if _, err := g.Apply(); err != nil {
		t.Fatal(err)
	}
	return g
}

// process is a shell script that runs in a group.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *os.File
	lines  *bufio.Reader
	stderr string // a file: children that stay behind would keep a pipe open
	ended  chan error
}

// start runs a script in a group and returns when it is inside.
func start(t *testing.T, g *Group, script string) *process {
	t.Helper()
	tasks, err := g.TasksFiles()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{stderr: t.TempDir() + "/stderr", ended: make(chan error, 1)}
	stderr, err := os.Create(p.stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	join := ""
	p.cmd = exec.Command("/bin/sh")
	for i, fd := range tasks {
		p.cmd.ExtraFiles = append(p.cmd.ExtraFiles, os.NewFile(uintptr(fd), "tasks"))
		join += fmt.Sprintf("echo 0 >&%d; exec %d>&-; ", 3+i, 3+i)
	}
	p.cmd.Args = []string{"sh", "-c", join + "echo ready; " + script}
	p.cmd.Stderr = stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: g.FD() >= 0, CgroupFD: g.FD()}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdout, p.lines, p.cmd.Stdout = read, bufio.NewReader(read), write
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	err = p.cmd.Start()
	write.Close()
	for _, f := range p.cmd.ExtraFiles {
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { read.Close() })
	go func() { p.ended <- p.cmd.Wait() }()
	if line, err := p.lines.ReadString('\n'); line != "ready\n" {
		t.Fatalf("the script did not start: %q, %v, %s", line, err, p.errors())
	}
	return p
}

func (p *process) errors() string {
	text, err := os.ReadFile(p.stderr)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (p *process) wait(t *testing.T) *os.ProcessState {
	t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState
	case <-time.After(60 * time.Second):
		t.Fatal("the process does not end")
		return nil
	}
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func size(n definition.Bytes) *definition.Bytes { return &n }
func count(n int64) *int64                      { return &n }
