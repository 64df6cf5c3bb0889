package cgroups

import (
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
)

// Stats reads what the container uses now. What this kernel or this Group does not
// count is nil. CPU comes from cpu.stat on v2, which needs no controller, else from
// cpuacct; Wall is left to the caller.
func (g *Group) Stats() definition.Stats {
	var s definition.Stats
	if g.has("memory") {
		s.MemoryPeak = (*definition.Bytes)(g.first("memory.peak", "memory.max_usage_in_bytes"))
		s.Memory = (*definition.Bytes)(g.first("memory.current", "memory.usage_in_bytes"))
	}
	if g.has("pids") {
		s.Pids = g.first("pids.current", "pids.current")
	}
	for i, d := range g.record.Dirs {
		if d.Version == 2 {
			if usec, err := readKey(g.fds[i], "cpu.stat", "usage_usec"); err == nil {
				s.CPU = definition.Duration(usec) * definition.Duration(time.Microsecond)
				return s
			}
		} else if nsec, err := readNumber(g.fds[i], "cpuacct.usage"); err == nil {
			s.CPU = definition.Duration(nsec)
		}
	}
	return s
}

// Peak reads the most that the container used at once: memory on v1 and from Linux
// 5.19 on v2, pids from Linux 6.1. Else it is nil. It must be
// read before Remove.
func (g *Group) Peak() definition.Peak {
	var p definition.Peak
	if g.has("memory") {
		p.Memory = (*definition.Bytes)(g.first("memory.peak", "memory.max_usage_in_bytes"))
	}
	if g.has("pids") {
		p.Pids = g.first("pids.peak", "pids.peak")
	}
	return p
}

// Empty reports whether no process is left in the container's v2 cgroup and below;
// without one it is not known, and false.
func (g *Group) Empty() bool {
	fd := g.FD()
	if fd < 0 {
		return false
	}
	n, err := readKey(fd, "cgroup.events", "populated")
	return err == nil && n == 0
}

// has reports whether a controller counts for the container: on v2 those that the
// cgroup above has enabled, with or without a limit.
func (g *Group) has(controller string) bool {
	for i, d := range g.record.Dirs {
		if d.Version == 2 && !contains(d.Controllers, controller) {
			g.offered.Do(func() {
				text, _ := readFile(g.fds[i], "cgroup.controllers")
				g.controllers = strings.Fields(text)
			})
			if contains(g.controllers, controller) {
				return true
			}
		} else if contains(d.Controllers, controller) {
			return true
		}
	}
	return false
}

// first reads a number from the first cgroup that has the file.
func (g *Group) first(v2, v1 string) *int64 {
	for i, d := range g.record.Dirs {
		name := v1
		if d.Version == 2 {
			name = v2
		}
		if n, err := readNumber(g.fds[i], name); err == nil {
			return &n
		}
	}
	return nil
}

// OOM is what the kernel killed for memory.
type OOM struct {
	// Kills counts the processes of the container that were killed (Linux 4.13 on v1).
	Kills int64
	// Own says that the container's own limit was reached.
	Own bool
	// Whose is the absolute path of the cgroup whose limit was reached: the
	// container's own or one above; empty when nothing was killed, or when the
	// machine itself ran out or the cgroup above cannot be told.
	Whose string
}

// OOM reads how often the kernel killed a process of the container for memory,
// and whose limit it was. It must be read before Remove.
func (g *Group) OOM() OOM {
	if !g.has("memory") {
		return OOM{}
	}
	for i, d := range g.record.Dirs {
		fd, path := g.fds[i], d.Path(g.record.ID)
		if d.Version == 2 {
			kills, err := readKey(fd, "memory.events", "oom_kill")
			if err != nil {
				continue
			}
			return oomV2(fd, kills, d, path)
		}
		if kills, err := readKey(fd, "memory.oom_control", "oom_kill"); err == nil {
			return oomV1(kills, d, path)
		}
	}
	return OOM{}
}

// oomV2 asks memory.events, where oom counts how often this limit, or one below it,
// could not be kept, and memory.events.local (Linux 5.2) of the cgroups above, where
// it counts that very limit.
func oomV2(fd int, kills int64, d Dir, path string) OOM {
	report := OOM{Kills: kills}
	if kills == 0 {
		return report
	}
	if n, err := readKey(fd, "memory.events", "oom"); err == nil && n > 0 {
		report.Own, report.Whose = true, path
		return report
	}
	for dir := d.Parent; magicOf(dir) == unix.CGROUP2_SUPER_MAGIC; dir = dir[:lastSlash(dir)] {
		if n, err := readKey(unix.AT_FDCWD, dir+"/memory.events.local", "oom"); err == nil && n > 0 {
			report.Whose = dir
			return report
		}
	}
	return report
}

// oomV1 compares the peaks with the limits, from the container's own upwards:
// failcnt counts reclaims as well, and stays 0 when memory and swap have one limit.
func oomV1(kills int64, d Dir, path string) OOM {
	report := OOM{Kills: kills}
	if kills == 0 {
		return report
	}
	if reachedV1(path) {
		report.Own, report.Whose = true, path
		return report
	}
	for dir := d.Parent; magicOf(dir) == unix.CGROUP_SUPER_MAGIC; dir = dir[:lastSlash(dir)] {
		if reachedV1(dir) {
			report.Whose = dir
			return report
		}
	}
	return report
}

func reachedV1(dir string) bool {
	for _, kind := range []string{"/memory.", "/memory.memsw."} {
		limit, err1 := readNumber(unix.AT_FDCWD, dir+kind+"limit_in_bytes")
		peak, err2 := readNumber(unix.AT_FDCWD, dir+kind+"max_usage_in_bytes")
		// A charge that would pass the limit is not counted: 64 pages are charged at once.
		if err1 == nil && err2 == nil && peak >= limit-64*int64(unix.Getpagesize()) {
			return true
		}
	}
	return false
}

func lastSlash(path string) int {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return i
		}
	}
	return 0
}
