// Package probe finds out what this kernel, host and user can do (plan.Facts), and
// explains it (Doctor). It reads only what a definition asks for, and keeps
// nothing from one process to the next: sysctls and security policies change
// within a boot, and a cache is one more file to trust.
package probe

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/mount"
	"sandbox/sandbox/plan"
)

// Probe reads the facts. It makes nothing.
func Probe(w plan.Wants) (plan.Facts, error) {
	f := plan.Facts{Arch: runtime.GOARCH, UID: uint32(os.Geteuid()), GID: uint32(os.Getegid()), LastCap: unix.CAP_LAST_CAP}
	f.Kernel = kernel()
	f.Capabilities = effective()
	f.Root = f.UID == 0 && f.Capabilities&(1<<unix.CAP_SYS_ADMIN) != 0
	f.MappedIDs = mappedIDs()
	f.StateDir, f.CacheDir = StateDir(), CacheDir()
	var err error
	if f.Cgroup, err = cgroups.Probe(w.Limits); err != nil {
		return f, err
	}
	if w.HostRootfs {
		if f.Top, f.RootDepth, err = mount.ProbeTop(); err != nil {
			return f, err
		}
		f.Secrets = existing(plan.SecretPaths())
	}
	if w.Resolv {
		f.Resolv, _ = filepath.EvalSymlinks("/etc/resolv.conf")
	}
	if !f.Root {
		f.UserNS = userNamespaces()
		if w.Maps {
			probeMaps(&f)
		}
		if f.ProcMasked, err = mount.ProbeProcMasked(); err != nil {
			return f, err
		}
	}
	if w.Terminal {
		_, err := unix.IoctlGetTermios(0, unix.TCGETS)
		f.StdinTerminal = err == nil
	}
	return f, nil
}

func kernel() [2]int {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return [2]int{}
	}
	release := unix.ByteSliceToString(u.Release[:])
	major, rest, _ := strings.Cut(release, ".")
	minor := rest
	if i := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		minor = rest[:i]
	}
	var v [2]int
	v[0], _ = strconv.Atoi(major)
	v[1], _ = strconv.Atoi(minor)
	return v
}

// effective is the thread's effective capability set.
func effective() uint64 {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&header, &data[0]) != nil {
		return 0
	}
	return uint64(data[0].Effective) | uint64(data[1].Effective)<<32
}

// mappedIDs is how many ids from 0 on exist in the own user namespace.
func mappedIDs() uint32 {
	text, err := os.ReadFile("/proc/self/uid_map")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 3 || fields[0] != "0" {
		return 1
	}
	n, _ := strconv.ParseUint(fields[2], 10, 32)
	return uint32(n)
}

// existing keeps the paths that are there; a final "*" matches names.
func existing(patterns []string) []string {
	var found []string
	for _, p := range patterns {
		if stem, ok := strings.CutSuffix(p, "*"); ok {
			dir, prefix := filepath.Split(stem)
			entries, _ := os.ReadDir(dir)
			for _, e := range entries {
				if strings.HasPrefix(e.Name(), prefix) {
					found = append(found, dir+e.Name())
				}
			}
			continue
		}
		var st unix.Stat_t
		if unix.Lstat(p, &st) == nil {
			found = append(found, p)
		}
	}
	return found
}

// StateDir is where the states of running containers are: SANDBOX_STATE_DIR, else
// on a tmpfs, as they do not outlive the boot and a disk costs 0.4 ms a run.
func StateDir() string {
	if dir := os.Getenv("SANDBOX_STATE_DIR"); dir != "" {
		return dir
	}
	if os.Geteuid() != 0 {
		if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" && onTmpfs(dir) {
			return dir + "/sandbox"
		}
	} else if onTmpfs("/run") {
		return "/run/sandbox"
	}
	name := "sandbox-" + strconv.Itoa(os.Geteuid())
	if onTmpfs("/dev/shm") {
		return "/dev/shm/" + name
	}
	return filepath.Join(os.TempDir(), name)
}

func onTmpfs(dir string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(dir, &fs) == nil && fs.Type == unix.TMPFS_MAGIC
}

// CacheDir is where what is kept between runs is: SANDBOX_CACHE_DIR, /var/cache/sandbox
// for root, else $XDG_CACHE_HOME/sandbox or ~/.cache/sandbox.
func CacheDir() string {
	switch home := os.Getenv("HOME"); {
	case os.Getenv("SANDBOX_CACHE_DIR") != "":
		return os.Getenv("SANDBOX_CACHE_DIR")
	case os.Geteuid() == 0:
		return "/var/cache/sandbox"
	case os.Getenv("XDG_CACHE_HOME") != "":
		return os.Getenv("XDG_CACHE_HOME") + "/sandbox"
	case home != "":
		return home + "/.cache/sandbox"
	}
	return filepath.Join(os.TempDir(), "sandbox-cache-"+strconv.Itoa(os.Geteuid()))
}
