package probe

import (
	"bufio"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
)

// userNamespaces says why this user may not make user namespaces, or is empty.
// What a security module refuses at the time shows when it is tried.
func userNamespaces() string {
	if number("/proc/sys/user/max_user_namespaces", 1) == 0 {
		return "user.max_user_namespaces is 0"
	}
	if os.Geteuid() == 0 {
		return ""
	}
	if number("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0 {
		return "kernel.unprivileged_userns_clone is 0"
	}
	if number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) == 1 && unconfined() {
		return "AppArmor restricts them (kernel.apparmor_restrict_unprivileged_userns is 1) to programs with a profile that allows it"
	}
	return ""
}

func unconfined() bool {
	text, err := os.ReadFile("/proc/self/attr/apparmor/current")
	return err == nil && strings.HasPrefix(string(text), "unconfined")
}

// number reads a sysctl, or returns the fallback where there is none.
func number(path string, fallback int) int {
	n, err := strconv.Atoi(strings.TrimSpace(readSmall(path)))
	if err != nil {
		return fallback
	}
	return n
}

// probeMaps finds the subordinate ids of the caller (subuid(5)) and the helpers
// that can map them.
func probeMaps(f *plan.Facts) {
	f.NewIDMap = setuidInPath("newuidmap") && setuidInPath("newgidmap")
	if !f.NewIDMap {
		return
	}
	f.SubUIDs = subordinate("/etc/subuid", int(f.UID))
	f.SubGIDs = subordinate("/etc/subgid", int(f.UID))
}

// setuidInPath looks for a program that runs as root: set-user-ID, or with file
// capabilities as Fedora and Arch install them.
func setuidInPath(name string) bool {
	for _, dir := range []string{"/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin"} {
		var st unix.Stat_t
		if unix.Stat(dir+"/"+name, &st) != nil {
			continue
		}
		var value [32]byte
		n, err := unix.Getxattr(dir+"/"+name, "security.capability", value[:])
		if st.Mode&unix.S_ISUID != 0 || err == nil && n > 0 {
			return true
		}
	}
	return false
}

func subordinate(path string, uid int) []definition.IDRange {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	name := ""
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		name = u.Username
	}
	var ranges []definition.IDRange
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Split(s.Text(), ":")
		if len(fields) != 3 || (fields[0] != strconv.Itoa(uid) && (name == "" || fields[0] != name)) {
			continue
		}
		start, err1 := strconv.ParseUint(fields[1], 10, 32)
		size, err2 := strconv.ParseUint(fields[2], 10, 32)
		if err1 == nil && err2 == nil && size > 0 {
			ranges = append(ranges, definition.IDRange{Host: uint32(start), Size: uint32(size)})
		}
	}
	return ranges
}

// freeRange are 65536 ids that no user has in the files, as usermod(8) takes them:
// two users with the same ids could reach each other's containers.
func freeRange(paths ...string) string {
	start := uint64(100000)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Split(strings.TrimSpace(line), ":")
			if len(fields) != 3 {
				continue
			}
			first, err1 := strconv.ParseUint(fields[1], 10, 32)
			size, err2 := strconv.ParseUint(fields[2], 10, 32)
			if err1 == nil && err2 == nil && first+size > start {
				start = first + size
			}
		}
	}
	return fmt.Sprintf("%d-%d", start, start+65535)
}

// rlimits are the caller's own, of those that are asked for.
func rlimits(names []string) []definition.Rlimit {
	var found []definition.Rlimit
	for _, name := range names {
		for i, known := range [...]string{"cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile",
			"memlock", "as", "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime"} {
			var r unix.Rlimit
			if name == known && unix.Prlimit(0, i, nil, &r) == nil {
				found = append(found, definition.Rlimit{Name: name, Soft: r.Cur, Hard: r.Max})
			}
		}
	}
	return found
}
