// Package leakcheck compares what the kernel has before and after a test: cgroups
// of ours, mounts, children, network links, state folders and file descriptors.
package leakcheck

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// Check registers a comparison at the end of the test. The state folders are
// those whose content must be gone by then.
func Check(t testing.TB, stateDirs ...string) {
	t.Helper()
	before := snapshot(t, stateDirs)
	t.Cleanup(func() {
		// What a killed process leaves is taken away by the kernel in its own time;
		// wait for that, not for a fixed while.
		var diff []string
		for deadline := time.Now().Add(5 * time.Second); ; {
			if diff = difference(before, snapshot(t, stateDirs)); len(diff) == 0 {
				return
			}
			if time.Now().After(deadline) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("left behind:\n%s", strings.Join(diff, "\n"))
	})
}

func snapshot(t testing.TB, stateDirs []string) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	add := func(kind string, items []string) {
		for _, item := range items {
			seen[kind+" "+item] = true
		}
	}
	add("cgroup", cgroups())
	add("mount", mounts())
	add("child", children())
	add("descriptor", descriptors())
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatalf("list network links: %v", err)
	}
	for _, l := range links {
		seen["link "+l.Attrs().Name] = true
	}
	for _, dir := range stateDirs {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			seen["state "+filepath.Join(dir, e.Name())] = true
		}
	}
	return seen
}

func difference(before, after map[string]bool) []string {
	var diff []string
	for item := range after {
		if !before[item] {
			diff = append(diff, "  "+item)
		}
	}
	sort.Strings(diff)
	return diff
}

// cgroups are the cgroup folders named as ours, in every hierarchy, but those of
// runners that other tests have started at the same time.
func cgroups() []string {
	var found []string
	filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), "sandbox-") && !ofOthers(path) {
			found = append(found, path)
		}
		return nil
	})
	return found
}

// ofOthers reports whether a process in the cgroup descends from a runner that lives,
// and not from this process.
func ofOthers(cgroup string) bool {
	pids, _ := os.ReadFile(cgroup + "/cgroup.procs")
	runner := false
	for _, pid := range strings.Fields(string(pids)) {
		for pid != "" && pid != "0" {
			if pid == strconv.Itoa(os.Getpid()) {
				return false
			}
			exe, _ := os.Readlink("/proc/" + pid + "/exe")
			runner = runner || filepath.Base(exe) == "sandbox" || strings.HasSuffix(exe, ".test")
			pid = parent(pid)
		}
	}
	return runner
}

// parent is the parent of a process, or "" when it has ended.
func parent(pid string) string {
	text, _ := os.ReadFile("/proc/" + pid + "/stat")
	// Behind the name in parentheses, which may have any characters (proc_pid_stat(5)).
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(f) < 2 {
		return ""
	}
	return f[1]
}

// mounts are the mount points of this mount namespace.
func mounts() []string {
	text, _ := os.ReadFile("/proc/self/mountinfo")
	var found []string
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 4 {
			found = append(found, f[0]+" "+f[4])
		}
	}
	return found
}

// children are this process's children, zombies included.
func children() []string {
	var found []string
	threads, _ := os.ReadDir("/proc/self/task")
	for _, t := range threads {
		text, _ := os.ReadFile("/proc/self/task/" + t.Name() + "/children")
		for _, pid := range strings.Fields(string(text)) {
			name, _ := os.ReadFile("/proc/" + pid + "/comm")
			found = append(found, fmt.Sprintf("%s (%s)", pid, strings.TrimSpace(string(name))))
		}
	}
	return found
}

// descriptors are this process's open files, by what they are: numbers are reused.
func descriptors() []string {
	entries, _ := os.ReadDir("/proc/self/fd")
	count := map[string]int{}
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil || strings.HasPrefix(target, "anon_inode:[event") {
			continue // the runtime's own poller, made at any time
		}
		if i := strings.IndexByte(target, ':'); i > 0 && !strings.HasPrefix(target, "/") {
			target = target[:i] // "pipe:[123]": the number differs, the count is compared
		}
		count[target]++
	}
	var found []string
	for target, n := range count {
		for i := range n {
			found = append(found, target+" #"+strconv.Itoa(i+1))
		}
	}
	return found
}
