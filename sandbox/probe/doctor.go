package probe

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
	"sandbox/sandbox/mount"
	"sandbox/sandbox/plan"
)

// Level says how much a check matters.
type Level string

// The levels.
const (
	LevelOK    Level = "ok"
	LevelWarn  Level = "warn"  // something works less well
	LevelError Level = "error" // containers cannot be run
)

// Check is one thing that was found out about this machine and this user.
type Check struct {
	Name  string `json:"name"`
	Level Level  `json:"level"`
	Text  string `json:"text"`
	// Advice says what to do; it may have several lines, and is empty when all is well.
	Advice string `json:"advice,omitempty"`
}

// Doctor finds out what containers can do here, by doing it where that leaves
// nothing behind: what sysctls and policies say is not always what happens.
func Doctor() []Check {
	f, err := Probe(plan.Wants{Limits: true, Maps: true, HostRootfs: true, HostMounts: true})
	if err != nil {
		return []Check{{"facts", LevelError, err.Error(), "the runner cannot start on this machine before this is put right"}}
	}
	checks := []Check{checkKernel(f), checkCaller(f), checkStateDir(f)}
	checks = append(checks, checkCgroups(f)...)
	checks = append(checks, checkUserNamespace(f))
	if !f.Root {
		checks = append(checks, checkSubordinate(f))
	}
	checks = append(checks, checkProc(f), checkOverlay(f), checkMemfd(), checkSeccomp(), checkKit())
	return append(checks, checkModules()...)
}

func checkKernel(f plan.Facts) Check {
	have := fmt.Sprintf("Linux %d.%d, %s", f.Kernel[0], f.Kernel[1], f.Arch)
	c := Check{"kernel", LevelOK, have, ""}
	switch {
	case !f.KernelAtLeast(5, 12):
		c.Level, c.Advice = LevelError, "use Linux 5.12 or newer: mount_setattr(2) is needed"
	case !f.KernelAtLeast(5, 14):
		c.Level, c.Text, c.Advice = LevelWarn, have+": containers are killed one process at a time", "use Linux 5.14 or newer, which has cgroup.kill"
	}
	if f.Arch != "amd64" && f.Arch != "arm64" {
		c.Level, c.Text, c.Advice = LevelError, have+": there is no init for it", "use a machine of amd64 or arm64"
	}
	return c
}

func checkCaller(f plan.Facts) Check {
	switch {
	case f.Root && f.MappedIDs != allIDs:
		return Check{"user", LevelOK, fmt.Sprintf("root of a user namespace with %d ids; mounts are as restricted as an ordinary user's", f.MappedIDs), ""}
	case f.Root:
		return Check{"user", LevelOK, "root", ""}
	case f.UID == 0:
		return Check{"user", LevelWarn, "uid 0 without CAP_SYS_ADMIN, treated as an ordinary user", "give the outer container CAP_SYS_ADMIN to have all of root's ways"}
	}
	return Check{"user", LevelOK, "ordinary user, uid " + strconv.Itoa(int(f.UID)), ""}
}

func checkStateDir(f plan.Facts) Check {
	parent := f.StateDir
	for unix.Access(parent, unix.F_OK) != nil && parent != "/" {
		parent = filepath.Dir(parent)
	}
	switch {
	case unix.Access(parent, unix.W_OK|unix.X_OK) != nil:
		return Check{"state", LevelError, "this user cannot make " + f.StateDir, "name another folder with SANDBOX_STATE_DIR"}
	case !onTmpfs(parent):
		return Check{"state", LevelWarn, f.StateDir + " is on a disk: each run takes half a millisecond more", "name a folder on a tmpfs with SANDBOX_STATE_DIR"}
	}
	return Check{"state", LevelOK, "running containers are recorded in " + f.StateDir, ""}
}

// checkCgroups asks for each limit by itself: one that is missing does not say
// that the others are.
func checkCgroups(f plan.Facts) []Check {
	lines := cgroups.Describe(f.Cgroup)
	setting, missing := cgroups.Resolve(f.Cgroup, allLimits())
	own := Check{"cgroups", LevelOK, lines[1], ""}
	if len(setting.Dirs) == 0 {
		own.Level, own.Advice = LevelWarn, delegate(f)
	}
	checks := []Check{{"cgroup hierarchies", LevelOK, lines[0], ""}, own}
	for _, limit := range []string{"memory", "swap", "pids", "cpus", "cpu_weight"} {
		c := Check{"limits." + limit, LevelOK, "can be enforced", ""}
		for _, m := range missing {
			if m.Limit == limit {
				c.Level, c.Text, c.Advice = LevelWarn, "cannot be enforced: "+m.Reason, m.Hint
			}
		}
		if c.Level == LevelWarn && len(setting.Dirs) == 0 {
			c.Text = "cannot be enforced without a cgroup"
			if f.Cgroup.Mode == cgroups.ModeV2 || f.Cgroup.Mode == cgroups.ModeNone { // there, one brings the controllers along
				c.Advice = "see cgroups, or set best_effort = true in limits"
			}
		}
		checks = append(checks, c)
	}
	return checks
}

func allLimits() definition.Limits {
	bytes, pids := definition.Bytes(1<<30), int64(100)
	return definition.Limits{Memory: &bytes, Swap: &bytes, Pids: &pids, CPUs: 1, CPUWeight: 100}
}

func delegate(f plan.Facts) string {
	switch {
	case f.Cgroup.Mode == cgroups.ModeNone:
		return "as root: mount -t cgroup2 none /sys/fs/cgroup"
	case f.Root:
		return "have /sys/fs/cgroup mounted writable, by the outer container if this is one"
	}
	if unix.Access("/run/systemd/system", unix.F_OK) == nil {
		return "start the runner with systemd-run --user --scope -p Delegate=yes"
	}
	return "run as root, or have root make a cgroup v2 folder that belongs to this user and start the runner in it"
}

// oneID is what the lack of others comes to.
const oneID = "a container has one uid and one gid, and none to change to or to give files to"

func checkSubordinate(f plan.Facts) Check {
	const uids, gids = "/etc/subuid", "/etc/subgid"
	var todo []string
	if !f.NewIDMap {
		todo = append(todo, "install uidmap (apt) or shadow-utils (dnf)")
	}
	if len(subordinate(uids, int(f.UID))) == 0 || len(subordinate(gids, int(f.UID))) == 0 {
		free := freeRange(uids, gids)
		todo = append(todo, fmt.Sprintf("usermod --add-subuids %s --add-subgids %s %s", free, free, userName(f.UID)))
	}
	advice := "as root: " + strings.Join(todo, "; ")
	switch {
	case !f.NewIDMap:
		return Check{"subordinate ids", LevelWarn, "newuidmap and newgidmap are not installed set-user-ID: " + oneID, advice}
	case len(todo) > 0:
		return Check{"subordinate ids", LevelWarn, "this user has none in /etc/subuid and /etc/subgid: " + oneID, advice}
	}
	return Check{"subordinate ids", LevelOK, fmt.Sprintf("%d uids, %d gids", count(f.SubUIDs), count(f.SubGIDs)), ""}
}

func count(ranges []definition.IDRange) uint64 {
	n := uint64(0)
	for _, r := range ranges {
		n += uint64(r.Size)
	}
	return n
}

func checkProc(f plan.Facts) Check {
	masked, err := mount.ProbeProcMasked()
	switch {
	case err != nil:
		return Check{"proc", LevelError, err.Error(), "mount a procfs at /proc"}
	case masked && (!f.Root || f.MappedIDs != allIDs):
		return Check{"proc", LevelError, "something is mounted over parts of /proc, so that none can be mounted in a user namespace",
			"start the outer container with an unmasked /proc (docker: --security-opt systempaths=unconfined), or say namespaces = { pid = \"host\" }"}
	}
	return Check{"proc", LevelOK, "containers have a /proc of their own", ""}
}

// checkMemfd makes one as init's is made (memfd_create(2), Linux 6.3).
func checkMemfd() Check {
	fd, err := unix.MemfdCreate("sandbox-doctor", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_EXEC)
	if err == unix.EINVAL {
		fd, err = unix.MemfdCreate("sandbox-doctor", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return Check{"memfd", LevelError, "no executable memfd can be made: " + err.Error(), "as root: sysctl vm.memfd_noexec=1"}
	}
	unix.Close(fd)
	return Check{"memfd", LevelOK, "init can run from sealed memory", ""}
}

// checkSeccomp asks for the actions that filters use (seccomp(2),
// SECCOMP_GET_ACTION_AVAIL).
func checkSeccomp() Check {
	for _, a := range [...]struct {
		name   string
		action uint32
	}{{"kill", unix.SECCOMP_RET_KILL_PROCESS}, {"errno", unix.SECCOMP_RET_ERRNO}, {"trap", unix.SECCOMP_RET_TRAP}, {"log", unix.SECCOMP_RET_LOG}} {
		if err := actionAvailable(a.action); err != nil {
			return Check{"seccomp", LevelError, "the kernel does not take the action " + a.name + ": " + err.Error(),
				"use a kernel with CONFIG_SECCOMP_FILTER, or say seccomp = \"none\""}
		}
	}
	return Check{"seccomp", LevelOK, "system calls can be filtered, with all actions", ""}
}

// checkKit looks where the runner does.
func checkKit() Check {
	const name = "sandbox-kit"
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if unix.Access(beside, unix.X_OK) == nil {
			return Check{"kit", LevelOK, beside, ""}
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return Check{"kit", LevelOK, path, ""}
	}
	return Check{"kit", LevelWarn, name + ", which compiles a recipe's own seccomp policy, is neither beside the runner nor in PATH",
		"copy it there from where the runner was built: make build makes both"}
}

// checkModules tells of security modules, which can refuse what the kernel allows;
// nothing where it cannot be known.
func checkModules() []Check {
	text, err := os.ReadFile("/sys/kernel/security/lsm")
	if err != nil {
		return nil
	}
	c := Check{"security modules", LevelOK, strings.TrimSpace(string(text)), ""}
	if label, err := os.ReadFile("/proc/self/attr/current"); err == nil {
		if l := strings.Trim(string(label), "\x00\n"); l != "" {
			c.Text += "; the runner is " + l
		}
	}
	return []Check{c}
}
