package mount

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"sandbox/sandbox/plan"
)

// ProbeTop returns the entries of the host's /, sorted, with the mount points at or
// below each, and how many overlays / is stacked on. It reads
// /proc/self/mountinfo once.
func ProbeTop() ([]plan.TopEntry, int, error) {
	entries, err := os.ReadDir("/")
	if err != nil {
		return nil, 0, fmt.Errorf("list /: %w", err)
	}
	mounts, err := readMounts()
	if err != nil {
		return nil, 0, err
	}
	top := make([]plan.TopEntry, 0, len(entries))
	for _, entry := range entries {
		t := plan.TopEntry{Name: entry.Name(), Dir: entry.IsDir()}
		if entry.Type() == os.ModeSymlink {
			if t.Link, err = os.Readlink("/" + t.Name); err != nil {
				return nil, 0, fmt.Errorf("read the link /%s: %w", t.Name, err)
			}
		}
		for _, m := range mounts {
			if m.fs != "autofs" && (m.point == "/"+t.Name || strings.HasPrefix(m.point, "/"+t.Name+"/")) && !slices.Contains(t.Mounts, m.point) {
				t.Mounts = append(t.Mounts, m.point)
			}
		}
		slices.Sort(t.Mounts)
		top = append(top, t)
	}
	return top, rootDepth(mounts), nil
}

// rootDepth is 1 when / is an overlay. Whether its layers lie on another one cannot
// be seen: their paths mean nothing here.
func rootDepth(mounts []mountEntry) int {
	depth := 0
	for _, m := range mounts {
		if m.point == "/" && m.fs == "overlay" {
			depth = 1
		} else if m.point == "/" {
			depth = 0
		}
	}
	return depth
}

// ProbeProcMasked says whether anything is mounted below /proc: then a user
// namespace may not mount a new procfs (mount_too_revealing in fs/namespace.c,
// which passes over folders that procfs keeps empty for binfmt_misc and nfsd).
func ProbeProcMasked() (bool, error) {
	mounts, err := readMounts()
	return slices.ContainsFunc(mounts, func(m mountEntry) bool {
		return m.fs != "autofs" && m.fs != "binfmt_misc" && m.fs != "nfsd" && strings.HasPrefix(m.point, "/proc/")
	}), err
}

type mountEntry struct{ point, fs string }

func readMounts() ([]mountEntry, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("read the mounts of this host: %w", err)
	}
	return parseMounts(string(b))
}

// parseMounts reads mountinfo lines (proc_pid_mountinfo(5)):
//
//	36 35 98:0 /root /point options optional… - type source superoptions
func parseMounts(text string) ([]mountEntry, error) {
	var mounts []mountEntry
	for line := range strings.Lines(text) {
		head, tail, ok := strings.Cut(line, " - ")
		fields := strings.SplitN(head, " ", 6)
		fs, _, _ := strings.Cut(tail, " ")
		if !ok || len(fields) < 6 || fs == "" {
			return nil, fmt.Errorf("read the mounts of this host: the line %q", strings.TrimSuffix(line, "\n"))
		}
		mounts = append(mounts, mountEntry{unescape(fields[4]), fs})
	}
	return mounts, nil
}

// unescape undoes the octal escapes of blanks and backslashes.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && octal(s[i+1]) && octal(s[i+2]) && octal(s[i+3]) {
			b.WriteByte((s[i+1]-'0')<<6 | (s[i+2]-'0')<<3 | (s[i+3] - '0'))
			i += 3
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func octal(c byte) bool { return c >= '0' && c <= '7' }
