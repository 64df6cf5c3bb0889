package cgroups

import (
	"strings"

	"sandbox/sandbox/definition"
)

// Describe explains a Layout, read with limits, to a person: one line for what is
// mounted, one for how containers are killed and frozen, and one for each limit
// that works or does not, with the reason and what to do.
func Describe(layout Layout) []string {
	one, weight := definition.Bytes(1<<30), int64(100)
	all := definition.Limits{Memory: &one, Swap: &one, Pids: &weight, CPUs: 1, CPUWeight: weight}
	setting, missing := Resolve(layout, all)
	lines := []string{mounted(layout), tracked(layout, setting)}
	for _, row := range table {
		lines = append(lines, describeLimit(row, setting, missing))
	}
	if setting.Leaf {
		lines = append(lines, "the runner will move itself to a leaf of "+setting.Dirs[0].Parent+
			" to enable "+strings.Join(setting.Enable, ", ")+" (4 to 24 ms)")
	}
	return lines
}

func mounted(layout Layout) string {
	u := layout.Unified
	var names []string
	for _, h := range layout.V1 {
		names = append(names, strings.Join(h.Controllers, "+"))
	}
	v1 := strings.Join(names, " ")
	switch layout.Mode {
	case ModeV2:
		return "cgroup v2 at " + u.Mount + ", own cgroup " + u.Own.Path + ", controllers: " + orNone(u.Own.Controllers)
	case ModeHybrid:
		return "hybrid: cgroup v2 at " + u.Mount + ", own cgroup " + u.Own.Path + ", controllers: " + orNone(u.Own.Controllers) +
			"; v1: " + v1
	case ModeV1:
		return "cgroup v1: " + v1
	}
	return "no cgroup hierarchy is mounted"
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, " ")
}

func tracked(layout Layout, setting Setting) string {
	u := layout.Unified
	switch {
	case len(setting.Dirs) == 0:
		return setting.Note + "; containers are killed through their pid namespace, and cannot be paused"
	case setting.Dirs[0].Version == 2 && u.Kill:
		return "containers are made in " + setting.Dirs[0].Parent + ", killed by cgroup.kill, frozen by cgroup.freeze"
	case setting.Dirs[0].Version == 2 && u.Freeze:
		return "containers are made in " + setting.Dirs[0].Parent + ", killed one process at a time while frozen (no cgroup.kill before Linux 5.14)"
	}
	for _, d := range setting.Dirs {
		if contains(d.Controllers, "freezer") {
			return "containers are killed one process at a time while frozen by the v1 freezer"
		}
	}
	return "containers are killed one process at a time, and cannot be paused: no freezer"
}

func describeLimit(row row, setting Setting, missing []Missing) string {
	for _, m := range missing {
		if m.Limit == row.limit {
			return "limit " + row.limit + ": no: " + m.Reason + "; " + m.Hint
		}
	}
	for _, w := range setting.Writes {
		if w.Limit == row.limit {
			return "limit " + row.limit + ": yes, " + setting.Dirs[w.Dir].Parent + "/" + Name("ID") + "/" + w.File
		}
	}
	return "limit " + row.limit + ": no"
}
