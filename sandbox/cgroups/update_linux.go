package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"math"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
)

// Update changes limits of the running container; nil and zero fields stay. All
// that can be known beforehand is checked first: a controller the container was
// not started with, and memory it cannot give back. When a write fails after
// that, the limits written before it stay changed.
func (g *Group) Update(limits definition.Limits) error {
	var writes []Write
	for _, row := range table {
		if !row.asked(limits) || row.limit == "swap" && limits.Swap == nil {
			continue
		}
		i, files := g.find(row)
		if i < 0 {
			return fmt.Errorf("set limit %s: the container was started without the %s controller; "+
				"a limit can be changed while it runs only when it was set at the start", row.limit, row.controller)
		}
		if g.record.Dirs[i].Version == 1 && row.controller == "memory" {
			continue
		}
		for _, f := range files {
			writes = append(writes, Write{Limit: row.limit, Controller: row.controller, Dir: i, File: f.name,
				Value: f.value(limits), Optional: f.name == "memory.oom.group"})
		}
	}
	more, err := g.memoryWrites(limits)
	if err != nil {
		return err
	}
	for _, w := range append(more, writes...) {
		err := writeFile(g.fds[w.Dir], w.File, w.Value)
		if err != nil && !(w.Optional && errors.Is(err, fs.ErrNotExist)) {
			return g.limitError(w, err)
		}
	}
	return nil
}

// find is the cgroup that has the first file of a limit, and the files; or -1.
func (g *Group) find(row row) (int, []file) {
	for i, d := range g.record.Dirs {
		files := row.v1
		if d.Version == 2 {
			files = row.v2
		}
		if g.fds[i] >= 0 && unix.Faccessat(g.fds[i], files[0].name, unix.F_OK, 0) == nil {
			return i, files
		}
	}
	return -1, nil
}

// memoryWrites are the v1 writes for memory and swap in the order that keeps
// memsw at or above memory at each moment; v2 has no such order. On both it first
// checks the usage.
func (g *Group) memoryWrites(limits definition.Limits) ([]Write, error) {
	if limits.Memory == nil && limits.Swap == nil {
		return nil, nil
	}
	i, _ := g.find(table[0])
	if i < 0 {
		return nil, nil
	}
	if err := g.fits(i, limits); err != nil || g.record.Dirs[i].Version == 2 {
		return nil, err
	}
	memory, err := readNumber(g.fds[i], "memory.limit_in_bytes")
	if err != nil {
		return nil, fmt.Errorf("read %s/memory.limit_in_bytes: %w", g.Paths()[i], err)
	}
	wanted := memory
	if limits.Memory != nil {
		wanted = int64(*limits.Memory)
	}
	writes := []Write{{Limit: "memory", Controller: "memory", Dir: i, File: "memory.limit_in_bytes", Value: decimal(wanted)}}
	both, err := readNumber(g.fds[i], "memory.memsw.limit_in_bytes")
	if errors.Is(err, fs.ErrNotExist) && limits.Swap == nil {
		return writes, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s/memory.memsw.limit_in_bytes: %w", g.Paths()[i], err)
	}
	swap := both - memory
	if limits.Swap != nil {
		swap = int64(*limits.Swap)
	}
	sum := wanted + swap
	if wanted > math.MaxInt64-swap {
		sum = math.MaxInt64
	}
	memsw := Write{Limit: "swap", Controller: "memory", Dir: i, File: "memory.memsw.limit_in_bytes", Value: decimal(sum)}
	if sum > both {
		return append([]Write{memsw}, writes...), nil
	}
	return append(writes, memsw), nil
}

// fits refuses a memory limit below what cannot be dropped: v2 takes it and kills
// the container; v1 answers EBUSY, but only when it is sure at that moment.
func (g *Group) fits(i int, limits definition.Limits) error {
	if limits.Memory == nil {
		return nil
	}
	usage, file, shmem := "memory.current", "file", "shmem"
	if g.record.Dirs[i].Version == 1 {
		usage, file, shmem = "memory.usage_in_bytes", "total_cache", "total_shmem"
	}
	used, err := readNumber(g.fds[i], usage)
	if err != nil {
		return fmt.Errorf("read %s/%s: %w", g.Paths()[i], usage, err)
	}
	stat, err := readFile(g.fds[i], "memory.stat")
	if err != nil {
		return fmt.Errorf("read %s/memory.stat: %w", g.Paths()[i], err)
	}
	// Page cache can be dropped; tmpfs files count as such but cannot.
	cache, _ := keyOf(stat, "memory.stat", file)
	shared, _ := keyOf(stat, "memory.stat", shmem)
	if held := used - cache + shared; held > int64(*limits.Memory) {
		return fmt.Errorf("set limit memory to %s: the container holds %d bytes now and would be killed; "+
			"free memory in it first", limits.Memory, held)
	}
	return nil
}
