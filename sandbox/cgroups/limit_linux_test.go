package cgroups

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
)

func TestPidsLimitBites(t *testing.T) {
	eachLayout(t, definition.Limits{Pids: count(8)}, func(t *testing.T, s Setting) {
		g := create(t, s)
		p := start(t, g, "i=0; while [ $i -lt 20 ]; do sleep 1000 & i=$((i+1)); done; echo all; exec sleep 1000")
		state := p.wait(t)
		if state.Success() || !strings.Contains(strings.ToLower(p.errors()), "fork") {
			t.Errorf("%v, stderr %q; want a failed fork", state, p.errors())
		}
		stats := g.Stats()
		if stats.Pids == nil || *stats.Pids < 5 || *stats.Pids > 8 {
			t.Errorf("pids now = %v, want 5 to 8", stats.Pids)
		}
		if peak := g.Peak().Pids; peak != nil && *peak != 8 {
			t.Errorf("peak of pids = %d, want 8", *peak)
		}
	})
}

func TestMemoryLimitKills(t *testing.T) {
	const limit = 32 << 20
	eachLayout(t, definition.Limits{Memory: size(limit)}, func(t *testing.T, s Setting) {
		g := create(t, s)
		// tail keeps the endless line; the rlimit is a second line of defence.
		p := start(t, g, "ulimit -v 2000000; exec tail /dev/zero")
		state := p.wait(t)
		if status := state.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
			t.Errorf("%v (%s), want killed", state, p.errors())
		}
		if report := g.OOM(); report.Kills < 1 || !report.Own || !contains(g.Paths(), report.Whose) {
			t.Errorf("OOM = %+v, want a kill for its own limit", report)
		}
		if peak := g.Peak().Memory; peak != nil && (*peak > limit || *peak < limit/2) {
			t.Errorf("peak of memory = %d, want at most %d", *peak, limit)
		} else if peak == nil && (s.Dirs[0].Version != 2 || kernelAtLeast(5, 19)) {
			t.Error("no peak of memory")
		}
	})
}

func TestMemoryLimitOfACgroupAbove(t *testing.T) {
	eachLayout(t, definition.Limits{Memory: size(32 << 20)}, func(t *testing.T, s Setting) {
		outer := create(t, s)
		memory := s.Writes[0].Dir
		inner := Setting{Dirs: []Dir{s.Dirs[memory]}}
		inner.Dirs[0].Parent = outer.Paths()[memory]
		if inner.Dirs[0].Version == 2 {
			inner.Enable = []string{"memory"}
		}
		g := create(t, inner)
		p := start(t, g, "ulimit -v 2000000; exec tail /dev/zero")
		p.wait(t)
		want := inner.Dirs[0].Parent
		if report := g.OOM(); report.Kills < 1 || report.Own || report.Whose != want {
			t.Errorf("OOM = %+v, want a kill for the limit of %s", report, want)
		}
	})
}

// TestLeaf runs itself once more, alone in a delegated cgroup.
func TestLeaf(t *testing.T) {
	if os.Getenv("CGROUPS_TEST_ALONE") != "" {
		leaf(t)
		return
	}
	eachLayout(t, definition.Limits{Pids: count(100)}, func(t *testing.T, s Setting) {
		if s.Dirs[0].Version != 2 || !contains(s.Dirs[0].Controllers, "pids") {
			if host, err := Probe(true, nil); err != nil || host.Mode == ModeV2 {
				t.Fatalf("%+v without the v1 hierarchies, %v", s, err)
			}
			t.Skip("missing: the pids controller on cgroup v2")
		}
		g := create(t, s)
		if os.Geteuid() == 0 {
			// As systemd marks units with Delegate=yes (CGROUP_DELEGATION.md).
			if err := unix.Setxattr(g.Paths()[0], "trusted.delegate", []byte("1"), 0); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv("CGROUPS_TEST_ALONE", "1")
		p := start(t, g, "exec "+executable(t)+" -test.v -test.run '^TestLeaf$'")
		output, err := io.ReadAll(p.lines)
		if state := p.wait(t); err != nil || !state.Success() || strings.Contains(string(output), "SKIP") {
			t.Errorf("%v, %v:\n%s%s", state, err, output, p.errors())
		}
	})
}

func executable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func leaf(t *testing.T) {
	before, err := Probe(true, nil)
	if err != nil {
		t.Fatal(err)
	}
	setting, _ := Resolve(before, definition.Limits{Pids: count(50)})
	if !setting.Leaf {
		t.Fatalf("not a leaf, in %+v: %+v", before.Unified, setting)
	}
	g, err := Create(setting, uniqueID())
	if err != nil {
		t.Fatal(err)
	}
	during, err := Probe(true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := before.Unified.Own.Path + "/" + leafName(g.record.ID); during.Unified.Own.Path != want {
		t.Errorf("the runner is in %s, want %s", during.Unified.Own.Path, want)
	}
	// A runner in a leaf finds the way for further containers open.
	beside, missing := Resolve(during, definition.Limits{Pids: count(50)})
	if len(missing) > 0 || beside.Leaf || beside.Dirs[0].Parent != setting.Dirs[0].Parent {
		t.Errorf("from the leaf: %+v, %v", beside, missing)
	}
	if _, err := Create(setting, g.record.ID); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create twice: %v", err)
	}
	if err := g.Remove(); err != nil {
		t.Fatal(err)
	}
	after, err := Probe(true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v\nafter %+v", before.Unified, after.Unified)
	}
}

func TestProcessorLimitsAreSet(t *testing.T) {
	eachLayout(t, definition.Limits{CPUs: 0.5, CPUWeight: 100}, func(t *testing.T, s Setting) {
		g := create(t, s)
		want := map[string]string{"cpu.max": "50000 100000", "cpu.weight": "100", "cpu.cfs_quota_us": "50000", "cpu.shares": "1024"}
		for _, w := range s.Writes {
			got, err := readFile(g.fds[w.Dir], w.File)
			if err != nil || strings.TrimSpace(got) != want[w.File] {
				t.Errorf("%s = %q, %v; want %s", w.File, got, err, want[w.File])
			}
		}
		if len(s.Writes) != 2 {
			t.Errorf("writes %v, want two", s.Writes)
		}
	})
}

func TestFreezeAndThaw(t *testing.T) {
	eachLayout(t, definition.Limits{}, func(t *testing.T, s Setting) {
		g := create(t, s)
		p := start(t, g, "exec cat")
		echo := func(within time.Duration) error {
			p.stdout.SetReadDeadline(time.Now().Add(within))
			_, err := p.lines.ReadString('\n')
			return err
		}
		ask := func() {
			if _, err := io.WriteString(p.stdin, "x\n"); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.Freeze(soon(t)); err != nil {
			t.Fatal(err)
		}
		ask()
		if err := echo(100 * time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("a frozen process answered (%v)", err)
		}
		if err := g.Thaw(soon(t)); err != nil {
			t.Fatal(err)
		}
		if err := echo(20 * time.Second); err != nil {
			t.Fatalf("no answer after the thaw: %v", err)
		}
		// A freeze that runs out of time must leave the container running.
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if err := g.Freeze(ended); err == nil {
			if err := g.Thaw(soon(t)); err != nil {
				t.Fatal(err)
			}
		}
		ask()
		if err := echo(20 * time.Second); err != nil {
			t.Fatalf("no answer after a failed freeze: %v", err)
		}
	})
}

// forkers keep forking for ever, at most ten at a time.
const forkers = "for i in 1 2 3 4 5; do while :; do /bin/true; done & done; echo going; wait"

func TestKillOfATreeThatForks(t *testing.T) {
	eachLayout(t, definition.Limits{}, func(t *testing.T, s Setting) {
		g := create(t, s)
		p := start(t, g, forkers)
		if _, err := p.lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		nested := g.Paths()[0] + "/a"
		for _, path := range []string{nested, nested + "/b"} {
			if err := os.Mkdir(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := writeFile(unix.AT_FDCWD, nested+"/b/cgroup.procs", fmt.Sprint(p.cmd.Process.Pid)); err != nil {
			t.Fatal(err)
		}
		if pids, _ := pidsOf(nested + "/b"); len(pids) != 1 {
			t.Fatalf("the nested cgroup holds %v, want one process", pids)
		}
		if err := g.Kill(soon(t)); err != nil {
			t.Fatal(err)
		}
		if left := g.members(); len(left) > 0 {
			t.Errorf("processes %v are left", left)
		}
		p.wait(t)
	})
}

func TestKillOfAFrozenTree(t *testing.T) {
	eachLayout(t, definition.Limits{}, func(t *testing.T, s Setting) {
		g := create(t, s)
		p := start(t, g, "exec sleep 1000")
		if err := g.Freeze(soon(t)); err != nil {
			t.Fatal(err)
		}
		if err := g.Kill(soon(t)); err != nil {
			t.Fatal(err)
		}
		p.wait(t)
	})
}

func TestKillWithoutCgroupKill(t *testing.T) {
	eachLayout(t, definition.Limits{}, func(t *testing.T, s Setting) {
		g := create(t, s)
		p := start(t, g, forkers)
		if err := g.killTree(soon(t)); err != nil {
			t.Fatal(err)
		}
		p.wait(t)
	})
}

func TestStats(t *testing.T) {
	eachLayout(t, definition.Limits{Memory: size(64 << 20), Pids: count(50)}, func(t *testing.T, s Setting) {
		g := create(t, s)
		p := start(t, g, "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; echo done; exec cat")
		if _, err := p.lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		stats := g.Stats()
		if stats.Memory == nil || *stats.Memory <= 0 || stats.Pids == nil || *stats.Pids != 1 {
			t.Errorf("stats %+v, want memory above 0 and one process", stats)
		}
		if s.Dirs[0].Version == 2 && stats.CPU < definition.Duration(time.Millisecond) {
			t.Errorf("cpu time %v, want above 1 ms", stats.CPU)
		}
		if report := g.OOM(); report != (OOM{}) {
			t.Errorf("OOM = %+v, want none", report)
		}
	})
}
