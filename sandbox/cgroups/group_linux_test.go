package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
)

func TestUpdate(t *testing.T) {
	eachLayout(t, definition.Limits{Memory: size(64 << 20), Pids: count(50)}, func(t *testing.T, s Setting) {
		g := create(t, s)
		// It holds some 4 MiB: the shell's variable.
		p := start(t, g, "x=$(head -c 4000000 /dev/zero | tr '\\0' x); echo held; read line; echo ${#x} >/dev/null")
		if _, err := p.lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		for _, memory := range []definition.Bytes{256 << 20, 32 << 20, 128 << 20} {
			if err := g.Update(definition.Limits{Memory: size(memory), Pids: count(int64(memory >> 20))}); err != nil {
				t.Fatal(err)
			}
			if got := g.first("memory.max", "memory.limit_in_bytes"); got == nil || *got != int64(memory) {
				t.Errorf("memory = %v, want %d", got, memory)
			}
			if got := g.first("pids.max", "pids.max"); got == nil || *got != int64(memory>>20) {
				t.Errorf("pids = %v, want %d", got, memory>>20)
			}
			if got := g.first("memory.max", "memory.memsw.limit_in_bytes"); got != nil && *got != int64(memory) {
				t.Errorf("memory and swap = %v, want %d", got, memory)
			}
		}
		if err := g.Update(definition.Limits{Memory: size(1 << 20)}); err == nil || !strings.Contains(err.Error(), "would be killed") {
			t.Errorf("a limit below the usage: %v", err)
		}
		if got := g.first("memory.max", "memory.limit_in_bytes"); got == nil || *got != 128<<20 {
			t.Errorf("memory after a refused update = %v", got)
		}
		fmt.Fprintln(p.stdin)
		if state := p.wait(t); !state.Success() {
			t.Errorf("the payload ended with %v", state)
		}
	})
}

func TestUpdateOfWhatWasNotSet(t *testing.T) {
	eachLayout(t, definition.Limits{}, func(t *testing.T, s Setting) {
		g := create(t, s)
		i, _ := g.find(table[2])
		err := g.Update(definition.Limits{Pids: count(5)})
		if i >= 0 {
			// Some hosts enable the controller for every cgroup.
			if got := g.first("pids.max", "pids.max"); err != nil || got == nil || *got != 5 {
				t.Errorf("update: %v, pids = %v", err, got)
			}
			return
		}
		if err == nil || !strings.Contains(err.Error(), "started without the pids controller") {
			t.Errorf("update: %v", err)
		}
	})
}

func TestCreateTwice(t *testing.T) {
	eachLayout(t, definition.Limits{}, func(t *testing.T, s Setting) {
		g := create(t, s)
		if _, err := Create(s, g.record.ID); !errors.Is(err, fs.ErrExist) {
			t.Errorf("second create: %v, want fs.ErrExist", err)
		}
		if !exists(g.Paths()[0]) {
			t.Error("the first one is gone")
		}
	})
}

func TestCreateUndoesWhatItMade(t *testing.T) {
	eachLayout(t, definition.Limits{}, func(t *testing.T, s Setting) {
		id := uniqueID()
		first := s.Dirs[0]
		s.Dirs = append(s.Dirs, Dir{Version: first.Version, Parent: first.Parent + "/missing"})
		if _, err := Create(s, id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("create: %v, want that the parent does not exist", err)
		}
		if exists(first.Path(id)) {
			t.Errorf("%s is still there", first.Path(id))
		}
	})
}

func TestOpenKillsAndRemoves(t *testing.T) {
	eachLayout(t, definition.Limits{Pids: count(50)}, func(t *testing.T, s Setting) {
		g := create(t, s)
		p := start(t, g, "exec sleep 1000")
		again, err := Open(g.Record())
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Kill(soon(t)); err != nil {
			t.Fatal(err)
		}
		p.wait(t)
		if err := again.Remove(); err != nil {
			t.Fatal(err)
		}
		gone, err := Open(g.Record())
		if err != nil {
			t.Fatalf("open what is gone: %v", err)
		}
		if err := errors.Join(gone.Kill(soon(t)), gone.Remove()); err != nil {
			t.Errorf("kill and remove what is gone: %v", err)
		}
	})
}

func TestRemoveOfWhatRuns(t *testing.T) {
	eachLayout(t, definition.Limits{}, func(t *testing.T, s Setting) {
		g := create(t, s)
		start(t, g, "exec sleep 1000")
		err := removeTree(g.Paths()[0], time.Now())
		if err == nil || !strings.Contains(err.Error(), "still holds 1 process") {
			t.Errorf("remove: %v", err)
		}
	})
}

func TestLookAlikes(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/"+Name("x"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, version := range []int{1, 2} {
		_, err := Open(Record{ID: "x", Dirs: []Dir{{Version: version, Parent: dir}}})
		if err == nil || !strings.Contains(err.Error(), "not on a cgroup") {
			t.Errorf("open: %v", err)
		}
		_, err = Create(Setting{Dirs: []Dir{{Version: version, Parent: dir}}}, "y")
		if err == nil || !strings.Contains(err.Error(), "not on a cgroup") || exists(dir+"/"+Name("y")) {
			t.Errorf("create: %v", err)
		}
	}
	for _, parent := range []string{"", "relative", "/sys/fs/cgroup/../x", "/a\x00b", "/a/.."} {
		if _, err := Open(Record{ID: "x", Dirs: []Dir{{Version: 2, Parent: parent}}}); err == nil || !strings.Contains(err.Error(), "plain absolute") {
			t.Errorf("open %q: %v", parent, err)
		}
	}
	for _, id := range []string{"", "..", "a/b", "../x", "a..b", "a\n", "a b", strings.Repeat("a", 129)} {
		if _, err := Create(Setting{}, id); err == nil {
			t.Errorf("create took the id %q", id)
		}
	}
}

func TestProbeWithoutLimitsReadsTheSamePlace(t *testing.T) {
	full, err := Probe(true, nil)
	if err != nil {
		t.Fatal(err)
	}
	short, err := Probe(false, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := Resolve(full, definition.Limits{})
	b, _ := Resolve(short, definition.Limits{})
	if full.Mode != short.Mode || fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("with limits %s %+v, without %s %+v", full.Mode, a, short.Mode, b)
	}
	for _, line := range Describe(full) {
		t.Log(line)
	}
}

func TestHierarchiesAreFoundWithAndWithoutMountinfo(t *testing.T) {
	text, err := readFile(unix.AT_FDCWD, "/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	mountinfo, err := readFile(unix.AT_FDCWD, "/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	own, mounts := parseMembership(text), parseMounts(mountinfo)
	found, complete := findV1(own)
	if searched := searchV1(own, mounts); complete && !reflect.DeepEqual(found, searched) {
		t.Errorf("found %+v\nsearched %+v", found, searched)
	}
	point, path := findUnified(own)
	if p, q := searchUnified(own, mounts); point != "" && (p != point || q != path) {
		t.Errorf("found %s %s, searched %s %s", point, path, p, q)
	}
}

func BenchmarkProbe(b *testing.B) {
	for _, limits := range []bool{false, true} {
		b.Run(fmt.Sprintf("limits=%t", limits), func(b *testing.B) {
			for b.Loop() {
				if _, err := Probe(limits, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCreateRemove(b *testing.B) {
	layout, err := Probe(true, nil)
	if err != nil {
		b.Fatal(err)
	}
	for name, limits := range map[string]definition.Limits{
		"no limits":       {},
		"memory and pids": {Memory: size(1 << 30), Pids: count(100)},
	} {
		b.Run(name, func(b *testing.B) {
			setting, missing := Resolve(layout, limits)
			if len(missing) > 0 || len(setting.Dirs) == 0 {
				refuse(b, layout, setting, missing)
			}
			for b.Loop() {
				g, err := Create(setting, uniqueID())
				if err != nil {
					b.Fatal(err)
				}
				if _, err := g.Apply(); err != nil {
					b.Fatal(err)
				}
				if err := g.Remove(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
