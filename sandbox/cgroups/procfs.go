package cgroups

import "strings"

// membership is one line of /proc/PID/cgroup (cgroups(7)).
type membership struct {
	controllers []string // empty for v2
	named       bool     // a v1 hierarchy without controllers, like name=systemd
	path        string
}

// matters says whether the hierarchy has a v1 controller that is used here.
func (m membership) matters() bool {
	for _, c := range m.controllers {
		switch c {
		case "memory", "pids", "cpu", "freezer":
			return true
		}
	}
	return false
}

// parseMembership reads /proc/PID/cgroup. The path is the rest of the line, colons
// included. The path of a removed cgroup ends in " (deleted)".
func parseMembership(text string) []membership {
	var all []membership
	for _, line := range strings.Split(text, "\n") {
		id, rest, ok := strings.Cut(line, ":")
		names, path, ok2 := strings.Cut(rest, ":")
		if !ok || !ok2 {
			continue
		}
		m := membership{path: path}
		switch {
		case id == "0" && names == "":
		case strings.HasPrefix(names, "name=") || names == "":
			m.named = true
		default:
			m.controllers = strings.Split(names, ",")
		}
		all = append(all, m)
	}
	return all
}

// mount is one line of mountinfo that shows a cgroup hierarchy.
type mount struct {
	root    string // the part of the hierarchy that is mounted
	point   string
	version int
	options []string // of the super block: the controllers, on v1
}

// parseMounts picks the cgroup mounts from mountinfo (proc(5)).
func parseMounts(text string) []mount {
	var all []mount
	for _, line := range strings.Split(text, "\n") {
		// The optional fields before " - " vary in number.
		before, after, ok := strings.Cut(line, " - ")
		if !ok || !strings.HasPrefix(after, "cgroup") {
			continue
		}
		left, right := strings.Split(before, " "), strings.Split(after, " ")
		if len(left) < 6 || len(right) < 3 {
			continue
		}
		m := mount{root: unescape(left[3]), point: unescape(left[4])}
		switch right[0] {
		case "cgroup":
			m.version, m.options = 1, strings.Split(right[2], ",")
		case "cgroup2":
			m.version = 2
		default:
			continue
		}
		all = append(all, m)
	}
	return all
}

// unescape undoes the octal escapes of mountinfo: space, tab, newline, backslash.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && octal(s[i+1]) && octal(s[i+2]) && octal(s[i+3]) {
			out = append(out, (s[i+1]-'0')<<6|(s[i+2]-'0')<<3|(s[i+3]-'0'))
			i += 3
			continue
		}
		out = append(out, s[i])
	}
	return string(out)
}

func octal(c byte) bool { return '0' <= c && c <= '7' }

// visible turns a path of a hierarchy into one below a mount that shows only root
// of it; "" when the mount does not show it. In a cgroup namespace both may start
// with "/..", which cannot be compared.
func visible(path, root string) string {
	if path == "/.." || strings.HasPrefix(path, "/../") || strings.HasSuffix(path, " (deleted)") {
		return ""
	}
	switch {
	case root == "/":
		return path
	case path == root:
		return "/"
	case strings.HasPrefix(path, root+"/"):
		return path[len(root):]
	}
	return ""
}
