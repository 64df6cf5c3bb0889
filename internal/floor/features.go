package floor

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// What a test may skip for want of is found out here a second time, by trying and
// without the packages under test: they would be believed in their own cause, and a
// feature that they overlook would be a skip for ever.

// Cgroups is what this process can do with control groups for certain; there may
// be more.
type Cgroups struct {
	// Made says that a cgroup can be made at all.
	Made bool
	// Any are the controllers that a cgroup made by any process of this one's cgroup has.
	Any []string
	// Alone are those that an ordinary user's process, alone in its cgroup, could hand
	// on. Root's cgroup may be somebody else's to manage.
	Alone []string
}

// Limits reports whether this process can limit what all the controllers are for.
func (c Cgroups) Limits(controllers ...string) bool {
	for _, name := range controllers {
		if !slices.Contains(c.Any, name) && !slices.Contains(c.Alone, name) {
			return false
		}
	}
	return true
}

// TryCgroups makes cgroups, empty ones, and removes them.
func TryCgroups() Cgroups {
	var c Cgroups
	membership, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(membership)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) < 3 || strings.HasPrefix(fields[1], "name=") {
			continue
		}
		if fields[1] == "" {
			c.tryUnified(fields[2])
		} else if _, ok := try("/sys/fs/cgroup/" + fields[1] + fields[2]); ok {
			c.Made = true
			c.Any = append(c.Any, strings.Split(fields[1], ",")...)
		}
	}
	return c
}

func (c *Cgroups) tryUnified(path string) {
	for _, mount := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		own := strings.TrimSuffix(mount+path, "/")
		if _, err := os.Stat(own + "/cgroup.controllers"); err != nil {
			continue
		}
		controllers, ok := try(own)
		c.Made = c.Made || ok
		c.Any = append(c.Any, controllers...)
		if ok && os.Geteuid() != 0 && slices.Equal(words(own+"/cgroup.procs"), []string{strconv.Itoa(os.Getpid())}) && mayWrite(own+"/cgroup.subtree_control") {
			c.Alone = words(own + "/cgroup.controllers")
		}
		if above := own[:strings.LastIndexByte(own, '/')]; path != "/" {
			controllers, ok = try(above)
			c.Made = c.Made || ok
			c.Any = append(c.Any, controllers...)
		}
		return
	}
}

var tries atomic.Int64

// try makes a cgroup in one, and returns the controllers that it has. A process can
// be moved there only by who may write to cgroup.procs of the cgroup above both.
func try(parent string) (controllers []string, ok bool) {
	dir := fmt.Sprintf("%s/floor-%d-%d", parent, os.Getpid(), tries.Add(1))
	if !mayWrite(parent+"/cgroup.procs") || os.Mkdir(dir, 0o755) != nil {
		return nil, false
	}
	defer os.Remove(dir)
	if kind := words(dir + "/cgroup.type"); len(kind) > 0 && !slices.Equal(kind, []string{"domain"}) {
		return nil, false // threaded, or below such a one
	}
	return words(dir + "/cgroup.controllers"), true
}

func mayWrite(path string) bool {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		f.Close()
	}
	return err == nil
}

func words(path string) []string {
	text, _ := os.ReadFile(path)
	return strings.Fields(string(text))
}

// SubordinateIDs reports whether newuidmap(1) and newgidmap(1) are installed and
// the files name this user.
func SubordinateIDs() bool {
	for _, program := range []string{"newuidmap", "newgidmap"} {
		if _, err := exec.LookPath(program); err != nil {
			return false
		}
	}
	me, err := user.Current()
	if err != nil {
		return false
	}
	for _, file := range []string{"/etc/subuid", "/etc/subgid"} {
		named := slices.ContainsFunc(words(file), func(line string) bool {
			return strings.HasPrefix(line, me.Username+":") || strings.HasPrefix(line, me.Uid+":")
		})
		if !named {
			return false
		}
	}
	return true
}
