// Package probe finds out what this kernel, host and user can do (plan.Facts), and
// explains it (Doctor). It reads only what a definition asks for, and keeps
// nothing from one process to the next: sysctls and security policies change
// within a boot, and a cache is one more file to trust.
package probe

import (
	"fmt"
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
	f := plan.Facts{Arch: runtime.GOARCH, UID: uint32(os.Geteuid()), GID: uint32(os.Getegid()), LastCap: lastCapability()}
	f.Kernel = kernel()
	f.Capabilities = effective()
	f.Root = f.UID == 0 && f.Capabilities&(1<<unix.CAP_SYS_ADMIN) != 0
	f.MappedIDs = mappedIDs()
	f.UserNS = userNamespaces()
	var err error
	if f.StateDir, err = StateDir(); err != nil {
		return f, err
	}
	f.CacheDir = CacheDir()
	if f.Cgroup, err = cgroups.Probe(w.Limits, w.Own); err != nil {
		return f, err
	}
	if w.HostRootfs {
		if err := probeHostRootfs(&f, w.HostMounts && f.Root); err != nil {
			return f, err
		}
	}
	if w.Resolv {
		f.Resolv = resolved("/etc/resolv.conf")
	}
	if w.RootDir != "" {
		f.RootEntries = existingIn(w.RootDir, plan.RootTargets())
	}
	if !f.Root || f.MappedIDs != allIDs {
		if f.ProcMasked, err = mount.ProbeProcMasked(); err != nil {
			return f, err
		}
	}
	if !f.Root {
		probeUser(&f, w)
	}
	for _, d := range w.Devices {
		if device, ok := probeDevice(d); ok {
			f.Devices = append(f.Devices, device)
		}
	}
	f.Rlimits = rlimits(w.Rlimits)
	if w.Terminal {
		_, err := unix.IoctlGetTermios(0, unix.TCGETS)
		f.StdinTerminal, f.Term = err == nil, os.Getenv("TERM")
	}
	return f, nil
}

// allIDs is the size of the initial user namespace's map.
const allIDs = 1<<32 - 1

// probeHostRootfs leaves out what mountinfo tells, 60 to 150 µs, unless an overlay
// of / is wanted: recursive binds bring the mounts along.
func probeHostRootfs(f *plan.Facts, mounts bool) error {
	var err error
	if mounts {
		f.Top, f.RootDepth, err = mount.ProbeTop()
		f.Var = append(folders("/var"), folders("/var/lib")...)
	} else {
		f.Top, err = top()
		f.Var = existing(plan.VarPaths())
	}
	f.Secrets = existing(plan.SecretPaths())
	f.Home = os.Getenv("HOME")
	return err
}

// top lists the entries of /.
func top() ([]plan.TopEntry, error) {
	entries, err := os.ReadDir("/")
	if err != nil {
		return nil, fmt.Errorf("list /: %w", err)
	}
	list := make([]plan.TopEntry, 0, len(entries))
	for _, e := range entries {
		t := plan.TopEntry{Name: e.Name(), Dir: e.IsDir()}
		if e.Type() == os.ModeSymlink {
			if t.Link, err = os.Readlink("/" + t.Name); err != nil {
				return nil, fmt.Errorf("read the link /%s: %w", t.Name, err)
			}
		}
		list = append(list, t)
	}
	return list, nil
}

// folders lists the folders in one, as paths, sorted; none when it cannot be read.
func folders(dir string) []string {
	var found []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			found = append(found, dir+"/"+e.Name())
		}
	}
	return found
}

// probeUser finds what an ordinary user may map.
func probeUser(f *plan.Facts, w plan.Wants) {
	if !w.Maps {
		return
	}
	probeMaps(f)
	groups, _ := os.Getgroups()
	for _, g := range groups {
		f.Groups = append(f.Groups, uint32(g))
	}
}

// resolved is the file that a link of the host leads to, or "". The text is read
// once more before it is used, by a descriptor.
func resolved(path string) string {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	target, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return ""
	}
	return target
}

// existingIn keeps the paths that are there in a root folder. They are looked up
// in it again, by descriptor, when they are mounted on.
func existingIn(root string, paths []string) []string {
	var found []string
	for _, p := range paths {
		var st unix.Stat_t
		if unix.Lstat(root+p, &st) == nil {
			found = append(found, p)
		}
	}
	return found
}

func probeDevice(path string) (plan.DeviceFact, bool) {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return plan.DeviceFact{}, false
	}
	d := plan.DeviceFact{Path: path, Major: unix.Major(uint64(st.Rdev)), Minor: unix.Minor(uint64(st.Rdev))}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFCHR:
		d.Kind = "c"
	case unix.S_IFBLK:
		d.Kind = "b"
	}
	return d, true
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

// lastCapability is what the kernel knows, up to what this program does: reading
// another from the bounding set is EINVAL (prctl(2)).
func lastCapability() int {
	last := unix.CAP_LAST_CAP
	for ; last > 0; last-- {
		if _, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(last), 0, 0, 0); err == nil {
			break
		}
	}
	return last
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
	fields := strings.Fields(readSmall("/proc/self/uid_map"))
	if len(fields) < 3 || fields[0] != "0" {
		return 1
	}
	n, _ := strconv.ParseUint(fields[2], 10, 32)
	return uint32(n)
}

// readSmall reads a file of the kernel's of at most a few lines; "" when it cannot.
// os.ReadFile would take three times as long.
func readSmall(path string) string {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	var b [512]byte
	n, err := unix.Read(fd, b[:])
	if err != nil {
		return ""
	}
	return string(b[:n])
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
// on a tmpfs, as they do not outlive the boot and a disk costs 0.4 ms a run:
// /run/sandbox, or an ordinary user's $XDG_RUNTIME_DIR/sandbox, or a folder in
// /dev/shm. One that is there already must be the caller's alone.
func StateDir() (string, error) {
	if dir := os.Getenv("SANDBOX_STATE_DIR"); dir != "" {
		return dir, nil
	}
	return checked(stateDir())
}

func stateDir() string {
	name := "sandbox-" + strconv.Itoa(os.Geteuid())
	runtimeDir := os.Getenv("XDG_RUNTIME_DIR")
	switch {
	case os.Geteuid() == 0 && onTmpfs("/run"):
		return "/run/sandbox"
	case os.Geteuid() != 0 && strings.HasPrefix(runtimeDir, "/") && onTmpfs(runtimeDir):
		return runtimeDir + "/sandbox"
	case onTmpfs("/dev/shm"):
		return "/dev/shm/" + name
	case os.Geteuid() == 0:
		return "/run/sandbox"
	}
	return filepath.Join(os.TempDir(), name)
}

// checked refuses a folder that someone else may have made: /dev/shm and /tmp are
// everybody's.
func checked(dir string) (string, error) {
	var st unix.Stat_t
	err := unix.Lstat(dir, &st)
	why := ""
	switch {
	case err == unix.ENOENT:
	case err != nil:
		return "", fmt.Errorf("look at the state folder %s: %w", dir, err)
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		why = "it is not a folder"
	case int(st.Uid) != os.Geteuid():
		why = "it belongs to uid " + strconv.Itoa(int(st.Uid))
	case st.Mode&0o022 != 0:
		why = fmt.Sprintf("others may write to it (mode %04o)", st.Mode&0o7777)
	}
	if why != "" {
		return "", fmt.Errorf("the state folder %s cannot be trusted: %s; remove it, or name another one with SANDBOX_STATE_DIR", dir, why)
	}
	return dir, nil
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
