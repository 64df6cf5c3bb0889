package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// base is where every distribution mounts its hierarchies.
const base = "/sys/fs/cgroup"

// Probe reads what this host offers this process. Without limits to set it reads
// no more than the place of the v2 cgroup, in 20 to 30 µs; with limits it takes
// up to 100 µs. mountinfo, at 50 to 150 µs, is read only where a hierarchy is not
// mounted where it is expected.
func Probe(limits bool, mine func(pid int) bool) (Layout, error) {
	layout := Layout{Mode: ModeNone, UID: os.Geteuid()}
	text, err := readFile(unix.AT_FDCWD, "/proc/self/cgroup")
	if errors.Is(err, fs.ErrNotExist) {
		// A kernel without cgroups has no such file.
		return layout, nil
	}
	if err != nil {
		return layout, fmt.Errorf("probe cgroups: read /proc/self/cgroup: %w", err)
	}
	own := parseMembership(text)
	point, path := findUnified(own)
	complete := point == base
	if point == "" || limits && !complete {
		layout.V1, complete = findV1(own)
	}
	if point == "" || limits && !complete {
		text, err := readFile(unix.AT_FDCWD, "/proc/self/mountinfo")
		if err != nil {
			return layout, fmt.Errorf("probe cgroups: read /proc/self/mountinfo: %w", err)
		}
		mounts := parseMounts(text)
		layout.V1 = searchV1(own, mounts)
		if point == "" {
			point, path = searchUnified(own, mounts)
		}
	}
	if point != "" {
		layout.Unified = probeUnified(point, path, limits, mine)
	}
	switch {
	case point != "" && (len(layout.V1) > 0 || point != base && magicOf(base) != unix.CGROUP2_SUPER_MAGIC):
		layout.Mode = ModeHybrid
	case point != "":
		layout.Mode = ModeV2
	case len(layout.V1) > 0:
		layout.Mode = ModeV1
	}
	return layout, nil
}

func magicOf(path string) int64 {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return 0
	}
	return int64(st.Type)
}

// findUnified looks where the v2 hierarchy is expected, without mountinfo.
func findUnified(own []membership) (point, path string) {
	for _, m := range own {
		if m.named || len(m.controllers) > 0 {
			continue
		}
		for _, point := range []string{base, base + "/unified"} {
			if visible(m.path, "/") != "" && magicOf(below(point, m.path)) == unix.CGROUP2_SUPER_MAGIC {
				return point, m.path
			}
		}
	}
	return "", ""
}

// searchUnified takes the last v2 mount that shows the runner's own cgroup: it
// may lie over the others.
func searchUnified(own []membership, mounts []mount) (point, path string) {
	for _, m := range own {
		if m.named || len(m.controllers) > 0 {
			continue
		}
		for _, mnt := range mounts {
			seen := visible(m.path, mnt.root)
			if mnt.version == 2 && seen != "" && magicOf(below(mnt.point, seen)) == unix.CGROUP2_SUPER_MAGIC {
				point, path = mnt.point, seen
			}
		}
	}
	return point, path
}

func probeUnified(point, path string, limits bool, mine func(pid int) bool) *Unified {
	u := &Unified{Mount: point, Own: probePlace(point, path, limits, mine)}
	if u.Own.Root {
		// The root has no such files of its own.
		u.Kill, u.Freeze = kernelAtLeast(5, 14), kernelAtLeast(5, 2)
	} else {
		own := below(point, path)
		u.Kill, u.Freeze = exists(own+"/cgroup.kill"), exists(own+"/cgroup.freeze")
	}
	if limits && path != "/" {
		parent := path[:strings.LastIndexByte(path, '/')]
		if parent == "" {
			parent = "/"
		}
		above := probePlace(point, parent, true, mine)
		u.Above = &above
	}
	return u
}

func probePlace(point, path string, limits bool, mine func(pid int) bool) Place {
	dir := below(point, path)
	p := Place{Path: path, Writable: writable(dir) && writable(dir+"/cgroup.procs")}
	kind, err := readFile(unix.AT_FDCWD, dir+"/cgroup.type")
	// Only the real root has no cgroup.type (Linux 4.14).
	p.Root = errors.Is(err, fs.ErrNotExist)
	if kind = strings.TrimSpace(kind); kind != "domain" {
		p.Type = kind
	}
	if !limits {
		return p
	}
	p.Controllers = fields(dir + "/cgroup.controllers")
	p.Enabled = fields(dir + "/cgroup.subtree_control")
	p.Control = writable(dir + "/cgroup.subtree_control")
	p.Delegated = p.Writable && !p.Root && (os.Geteuid() != 0 || path == "/" || delegated(dir))
	if !p.Root {
		// The root may be full of them, and it does not matter.
		p.Processes = processesIn(dir, mine)
	}
	return p
}

// delegated reads the mark that systemd leaves on units with Delegate=yes.
func delegated(dir string) bool {
	var value [8]byte
	for _, name := range []string{"trusted.delegate", "user.delegate"} {
		if n, err := unix.Getxattr(dir, name, value[:]); err == nil && string(value[:n]) == "1" {
			return true
		}
	}
	return false
}

func processesIn(dir string, mine func(pid int) bool) Processes {
	pids, err := pidsOf(dir)
	if err != nil {
		return ProcessesOthers
	}
	for _, pid := range pids {
		if pid != os.Getpid() && (mine == nil || !mine(pid)) {
			return ProcessesOthers
		}
	}
	if len(pids) == 0 {
		return ProcessesNone
	}
	return ProcessesSelf
}

// findV1 looks for the hierarchies where they are expected, without mountinfo,
// which takes longer than all the rest. It is complete when none is elsewhere.
func findV1(own []membership) (all []Hierarchy, complete bool) {
	complete = true
	for _, m := range own {
		if !m.matters() {
			continue
		}
		point := base + "/" + strings.Join(m.controllers, ",")
		path := visible(m.path, "/")
		if path != "" && magicOf(below(point, path)) == unix.CGROUP_SUPER_MAGIC {
			all = append(all, probeHierarchy(Hierarchy{Controllers: m.controllers, Mount: point, Own: path}))
			continue
		}
		complete = false
	}
	return all, complete
}

func probeHierarchy(h Hierarchy) Hierarchy {
	dir := below(h.Mount, h.Own)
	h.Writable = writable(dir)
	h.Swap = contains(h.Controllers, "memory") && exists(dir+"/memory.memsw.limit_in_bytes")
	return h
}

// searchV1 finds the mount of each v1 hierarchy that matters.
func searchV1(own []membership, mounts []mount) []Hierarchy {
	var all []Hierarchy
	for _, m := range own {
		if !m.matters() {
			continue
		}
		h := Hierarchy{Controllers: m.controllers}
		for _, mnt := range mounts {
			if mnt.version != 1 || !containsAll(mnt.options, m.controllers) {
				continue
			}
			seen := visible(m.path, mnt.root)
			if seen != "" && magicOf(below(mnt.point, seen)) != unix.CGROUP_SUPER_MAGIC {
				seen = ""
			}
			if seen != "" || h.Mount == "" {
				h.Mount, h.Own = mnt.point, seen
			}
		}
		if h.Mount == "" {
			continue
		}
		if h.Own != "" {
			h = probeHierarchy(h)
		}
		all = append(all, h)
	}
	return all
}

func containsAll(list, wanted []string) bool {
	for _, w := range wanted {
		if !contains(list, w) {
			return false
		}
	}
	return true
}

func fields(path string) []string {
	text, err := readFile(unix.AT_FDCWD, path)
	if err != nil {
		return nil
	}
	return strings.Fields(text)
}

// writable asks the kernel, which also knows of read-only mounts; AT_EACCESS
// because the effective ids are the ones that will write.
func writable(path string) bool {
	return unix.Faccessat(unix.AT_FDCWD, path, unix.W_OK, unix.AT_EACCESS) == nil
}

func exists(path string) bool {
	return unix.Faccessat(unix.AT_FDCWD, path, unix.F_OK, 0) == nil
}

func kernelAtLeast(major, minor int) bool {
	var uts unix.Utsname
	if unix.Uname(&uts) != nil {
		return false
	}
	have, part := [2]int{}, 0
	for _, c := range uts.Release {
		switch {
		case '0' <= c && c <= '9':
			have[part] = have[part]*10 + int(c-'0')
		case part == 1:
			return have[0] > major || have[0] == major && have[1] >= minor
		default:
			part++
		}
	}
	return false
}
