package cgroups

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"sandbox/sandbox/definition"
)

// Hosts as Probe would describe them.
var (
	allV2 = []string{"cpuset", "cpu", "io", "memory", "pids"}

	// rootOfV2 is root in the real root of v2: a machine without systemd.
	rootOfV2 = Layout{Mode: ModeV2, Unified: &Unified{Mount: "/sys/fs/cgroup", Kill: true, Freeze: true,
		Own: Place{Path: "/", Root: true, Controllers: allV2, Enabled: []string{"memory"}, Writable: true, Control: true}}}

	// session is root in an ssh session: others share the scope, the slice above enables some.
	session = Layout{Mode: ModeV2, Unified: &Unified{Mount: "/sys/fs/cgroup", Kill: true, Freeze: true,
		Own: Place{Path: "/user.slice/user-0.slice/session-3.scope", Controllers: []string{"cpu", "memory", "pids"},
			Writable: true, Control: true, Processes: ProcessesOthers},
		Above: &Place{Path: "/user.slice/user-0.slice", Controllers: []string{"cpu", "memory", "pids"},
			Enabled: []string{"memory", "pids"}, Writable: true, Control: true, Processes: ProcessesNone}}}

	// scope is an ordinary user alone in a delegated scope.
	scope = Layout{Mode: ModeV2, UID: 1000, Unified: &Unified{Mount: "/sys/fs/cgroup", Kill: true, Freeze: true,
		Own: Place{Path: "/user.slice/user@1000.service/app.slice/run-1.scope", Controllers: []string{"memory", "pids"},
			Writable: true, Control: true, Delegated: true, Processes: ProcessesSelf},
		Above: &Place{Path: "/user.slice/user@1000.service/app.slice", Controllers: []string{"memory", "pids"},
			Enabled: []string{"memory", "pids"}, Writable: true, Control: true, Processes: ProcessesNone}}}

	// login is an ordinary user in a session scope that belongs to root.
	login = Layout{Mode: ModeV2, UID: 1000, Unified: &Unified{Mount: "/sys/fs/cgroup", Kill: true, Freeze: true,
		Own: Place{Path: "/user.slice/user-1000.slice/session-3.scope", Controllers: []string{"cpu", "memory", "pids"},
			Processes: ProcessesOthers},
		Above: &Place{Path: "/user.slice/user-1000.slice", Controllers: []string{"cpu", "memory", "pids"},
			Enabled: []string{"memory", "pids"}, Processes: ProcessesNone}}}

	// inDocker is root at the top of a cgroup namespace, with a shell beside.
	inDocker = Layout{Mode: ModeV2, Unified: &Unified{Mount: "/sys/fs/cgroup", Kill: true, Freeze: true,
		Own: Place{Path: "/", Controllers: allV2, Writable: true, Control: true, Delegated: true, Processes: ProcessesOthers}}}

	v1Hosts = []Hierarchy{
		{Controllers: []string{"cpu", "cpuacct"}, Mount: "/sys/fs/cgroup/cpu,cpuacct", Own: "/", Writable: true},
		{Controllers: []string{"memory"}, Mount: "/sys/fs/cgroup/memory", Own: "/job", Writable: true, Swap: true},
		{Controllers: []string{"pids"}, Mount: "/sys/fs/cgroup/pids", Own: "/", Writable: true},
		{Controllers: []string{"freezer"}, Mount: "/sys/fs/cgroup/freezer", Own: "/", Writable: true},
	}
	v1Only = Layout{Mode: ModeV1, V1: v1Hosts}
	hybrid = Layout{Mode: ModeHybrid, V1: v1Hosts, Unified: &Unified{Mount: "/sys/fs/cgroup/unified", Kill: true, Freeze: true,
		Own: Place{Path: "/", Root: true, Controllers: []string{"hugetlb"}, Writable: true, Control: true}}}
)

func bytesOf(n definition.Bytes) *definition.Bytes { return &n }
func number(n int64) *int64                        { return &n }

var (
	memoryAndPids = definition.Limits{Memory: bytesOf(1 << 20), Pids: number(64)}
	everything    = definition.Limits{Memory: bytesOf(1 << 20), Swap: bytesOf(1 << 19), Pids: number(64), CPUs: 1.5, CPUWeight: 100}
)

// show is a Setting as text, to be compared and read.
func show(s Setting, missing []Missing) string {
	var lines []string
	for _, d := range s.Dirs {
		lines = append(lines, "mkdir "+d.Path("x"))
	}
	if s.Leaf {
		lines = append(lines, "leaf")
	}
	for _, c := range s.Enable {
		lines = append(lines, "enable "+c)
	}
	for _, w := range s.Writes {
		line := s.Dirs[w.Dir].Parent + ": " + w.String()
		if w.Optional {
			line += " (optional)"
		}
		lines = append(lines, line)
	}
	for _, j := range s.Joins("x") {
		lines = append(lines, "join "+j)
	}
	if s.Note != "" {
		lines = append(lines, s.Note)
	}
	for _, m := range missing {
		lines = append(lines, "MISSING "+m.String()+" | "+m.Hint)
	}
	return strings.Join(lines, "\n")
}

const bestEffort = ", or set best_effort = true in limits"

var resolveCases = []struct {
	name   string
	layout Layout
	limits definition.Limits
	want   string
}{
	{"v2 root, no limits", rootOfV2, definition.Limits{}, "mkdir /sys/fs/cgroup/sandbox-x"},
	{"v2 root, all limits", rootOfV2, everything, `mkdir /sys/fs/cgroup/sandbox-x
enable pids
enable cpu
/sys/fs/cgroup: memory.max = 1048576
/sys/fs/cgroup: memory.oom.group = 1 (optional)
/sys/fs/cgroup: memory.swap.max = 524288
/sys/fs/cgroup: pids.max = 64
/sys/fs/cgroup: cpu.max = 150000 100000
/sys/fs/cgroup: cpu.weight = 100`},
	{"hybrid, no limits", hybrid, definition.Limits{}, "mkdir /sys/fs/cgroup/unified/sandbox-x"},
	{"hybrid, all limits", hybrid, everything, `mkdir /sys/fs/cgroup/unified/sandbox-x
mkdir /sys/fs/cgroup/memory/job/sandbox-x
mkdir /sys/fs/cgroup/pids/sandbox-x
mkdir /sys/fs/cgroup/cpu,cpuacct/sandbox-x
/sys/fs/cgroup/memory/job: memory.limit_in_bytes = 1048576
/sys/fs/cgroup/memory/job: memory.memsw.limit_in_bytes = 1572864
/sys/fs/cgroup/pids: pids.max = 64
/sys/fs/cgroup/cpu,cpuacct: cpu.cfs_quota_us = 150000
/sys/fs/cgroup/cpu,cpuacct: cpu.shares = 1024
join /sys/fs/cgroup/memory/job/sandbox-x/tasks
join /sys/fs/cgroup/pids/sandbox-x/tasks
join /sys/fs/cgroup/cpu,cpuacct/sandbox-x/tasks`},
	{"v1, no limits", v1Only, definition.Limits{}, `mkdir /sys/fs/cgroup/freezer/sandbox-x
join /sys/fs/cgroup/freezer/sandbox-x/tasks`},
	{"v1, swap implied", v1Only, memoryAndPids, `mkdir /sys/fs/cgroup/memory/job/sandbox-x
mkdir /sys/fs/cgroup/pids/sandbox-x
mkdir /sys/fs/cgroup/freezer/sandbox-x
/sys/fs/cgroup/memory/job: memory.limit_in_bytes = 1048576
/sys/fs/cgroup/memory/job: memory.memsw.limit_in_bytes = 1048576 (optional)
/sys/fs/cgroup/pids: pids.max = 64
join /sys/fs/cgroup/memory/job/sandbox-x/tasks
join /sys/fs/cgroup/pids/sandbox-x/tasks
join /sys/fs/cgroup/freezer/sandbox-x/tasks`},
	{"v1, swap without memory", v1Only, definition.Limits{Swap: bytesOf(1)}, `mkdir /sys/fs/cgroup/freezer/sandbox-x
join /sys/fs/cgroup/freezer/sandbox-x/tasks
MISSING the limit swap needs the memory controller: cgroup v1 bounds swap only together with memory | set limits.memory too`},
	{"session: a sibling", session, memoryAndPids, `mkdir /sys/fs/cgroup/user.slice/user-0.slice/sandbox-x
/sys/fs/cgroup/user.slice/user-0.slice: memory.max = 1048576
/sys/fs/cgroup/user.slice/user-0.slice: memory.oom.group = 1 (optional)
/sys/fs/cgroup/user.slice/user-0.slice: memory.swap.max = 0 (optional)
/sys/fs/cgroup/user.slice/user-0.slice: pids.max = 64
the container's cgroup is made beside the runner's /sys/fs/cgroup/user.slice/user-0.slice/session-3.scope, which holds processes; what bounds that cgroup alone does not bound the container`},
	{"session, no limits: below", session, definition.Limits{}, "mkdir /sys/fs/cgroup/user.slice/user-0.slice/session-3.scope/sandbox-x"},
	{"session: a sibling with more", session, definition.Limits{CPUs: 0.001}, `mkdir /sys/fs/cgroup/user.slice/user-0.slice/sandbox-x
enable cpu
/sys/fs/cgroup/user.slice/user-0.slice: cpu.max = 1000 100000
the container's cgroup is made beside the runner's /sys/fs/cgroup/user.slice/user-0.slice/session-3.scope, which holds processes; what bounds that cgroup alone does not bound the container`},
	{"scope: a leaf", scope, definition.Limits{Pids: number(64)}, `mkdir /sys/fs/cgroup/user.slice/user@1000.service/app.slice/run-1.scope/sandbox-x
leaf
enable pids
/sys/fs/cgroup/user.slice/user@1000.service/app.slice/run-1.scope: pids.max = 64`},
	{"scope, no limits: no leaf", scope, definition.Limits{}, "mkdir /sys/fs/cgroup/user.slice/user@1000.service/app.slice/run-1.scope/sandbox-x"},
	{"scope: not delegated", scope, definition.Limits{Pids: number(64), CPUs: 1}, `mkdir /sys/fs/cgroup/user.slice/user@1000.service/app.slice/run-1.scope/sandbox-x
leaf
enable pids
/sys/fs/cgroup/user.slice/user@1000.service/app.slice/run-1.scope: pids.max = 64
MISSING the limit cpus needs the cpu controller: it is not in /sys/fs/cgroup/user.slice/user@1000.service/app.slice/run-1.scope/cgroup.controllers` +
		" | as root, delegate it with systemctl edit user@.service: [Service] Delegate=cpu memory pids; or set best_effort = true in limits"},
	{"login: nothing", login, memoryAndPids, "no cgroup: this user may not make one in /sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope\n" +
		"MISSING the limit memory needs the memory controller: this user may not make a cgroup in /sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope" +
		" | start the runner with systemd-run --user --scope -p Delegate=yes" + bestEffort + "\n" +
		"MISSING the limit pids needs the pids controller: this user may not make a cgroup in /sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope" +
		" | start the runner with systemd-run --user --scope -p Delegate=yes" + bestEffort},
	{"docker: occupied", inDocker, definition.Limits{Pids: number(1)}, "mkdir /sys/fs/cgroup/sandbox-x\n" +
		"MISSING the limit pids needs the pids controller: it is not in /sys/fs/cgroup/cgroup.subtree_control and cannot be added while /sys/fs/cgroup holds processes (the no internal process rule)" +
		" | move all processes of this cgroup namespace to a cgroup below its root first" + bestEffort},
	{"none", Layout{Mode: ModeNone}, definition.Limits{Pids: number(1)}, "no cgroup: no hierarchy is mounted on /sys/fs/cgroup\n" +
		"MISSING the limit pids needs the pids controller: no cgroup hierarchy is mounted on /sys/fs/cgroup | mount cgroup2 there as root" + bestEffort},
}

func TestResolve(t *testing.T) {
	for _, c := range resolveCases {
		t.Run(c.name, func(t *testing.T) {
			if got := show(Resolve(c.layout, c.limits)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// change copies a layout deeply and changes the copy.
func change(t *testing.T, layout Layout, edit func(*Layout)) Layout {
	t.Helper()
	text, err := json.Marshal(layout)
	if err != nil {
		t.Fatal(err)
	}
	var copied Layout
	if err := json.Unmarshal(text, &copied); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(copied, layout) {
		t.Fatalf("json changed the layout\n%+v\nto\n%+v", layout, copied)
	}
	edit(&copied)
	return copied
}

func TestResolveReasons(t *testing.T) {
	cases := []struct {
		name   string
		layout Layout
		edit   func(*Layout)
		want   string // a part of the first reason
	}{
		{"v1 read-only", v1Only, func(l *Layout) { l.V1[2].Writable = false }, "may not make a cgroup in /sys/fs/cgroup/pids"},
		{"v1 hidden", v1Only, func(l *Layout) { l.V1[2].Own = "" }, "does not show the runner's own cgroup"},
		{"v1 without", v1Only, func(l *Layout) { l.V1 = l.V1[:2] }, "no mounted v1 hierarchy has it"},
		{"hybrid without", hybrid, func(l *Layout) { l.V1 = l.V1[:2] }, "no v1 hierarchy has it, and the v2 one"},
		{"v2 threaded", rootOfV2, func(l *Layout) { l.Unified.Own.Type = "threaded" }, "is a threaded cgroup"},
		{"v2 control", rootOfV2, func(l *Layout) { l.Unified.Own.Control = false }, "may not write that file"},
		{"alone, not delegated", inDocker, func(l *Layout) {
			l.Unified.Own.Processes, l.Unified.Own.Delegated = ProcessesSelf, false
		}, "no internal process rule"},
		{"namespace, read-only", inDocker, func(l *Layout) { l.Unified.Own.Writable = false }, "may not make a cgroup in /sys/fs/cgroup"},
		{"root, delegated but not alone", inDocker, func(*Layout) {}, "no internal process rule"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, missing := Resolve(change(t, c.layout, c.edit), definition.Limits{Pids: number(9)})
			if len(missing) != 1 || !strings.Contains(missing[0].Reason, c.want) || missing[0].Hint == "" {
				t.Errorf("missing %+v, want one with %q and a hint", missing, c.want)
			}
		})
	}
	alone := change(t, inDocker, func(l *Layout) { l.Unified.Own.Processes = ProcessesSelf })
	if s, missing := Resolve(alone, memoryAndPids); !s.Leaf || len(missing) > 0 {
		t.Errorf("alone in a namespace: %+v, %v; want a leaf", s, missing)
	}
	noSwap := change(t, v1Only, func(l *Layout) { l.V1[1].Swap = false })
	if _, missing := Resolve(noSwap, everything); len(missing) != 1 || missing[0].Limit != "swap" {
		t.Errorf("no account of swap: %v", missing)
	}
	if _, missing := Resolve(noSwap, memoryAndPids); len(missing) != 0 {
		t.Errorf("no account of swap, none asked for: %v", missing)
	}
}

func TestDescribe(t *testing.T) {
	for _, layout := range []Layout{rootOfV2, session, scope, login, inDocker, v1Only, hybrid, {Mode: ModeNone}} {
		text := strings.Join(Describe(layout), "\n")
		for _, row := range table {
			if strings.Count(text, "limit "+row.limit+": ") != 1 {
				t.Errorf("%s: no line for %s in\n%s", layout.Mode, row.limit, text)
			}
		}
	}
	text := strings.Join(Describe(scope), "\n")
	for _, want := range []string{"limit pids: yes, /sys", "limit cpus: no: it is not in", "leaf", "cgroup.kill"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
