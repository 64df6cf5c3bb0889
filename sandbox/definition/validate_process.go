package definition

import (
	"math"
	"strconv"
	"strings"
)

// Validate returns what is wrong with the payload; paths start with "process".
func (p Process) Validate() Problems {
	var ps Problems
	ps.command("process.args", p.Args)
	if p.Cwd != "" {
		ps.absolute("process.cwd", p.Cwd)
	}
	for _, e := range p.Env {
		ps.env("process.env", e)
	}
	if p.User != "" {
		user, group, both := strings.Cut(p.User, ":")
		ps.id("process.user", user)
		if both {
			ps.id("process.user", group)
		}
	}
	if len(p.Groups) > 65536 { // NGROUPS_MAX
		ps.add("process.groups", "%d groups; the kernel takes 65536", len(p.Groups))
	}
	for i, g := range p.Groups {
		ps.id(Item("process.groups", i+1), g)
	}
	if p.Umask != nil && *p.Umask > 0o777 {
		ps.add("process.umask", "%#o is not between 0 and 0777", *p.Umask)
	}
	if p.Terminal != "" && p.Terminal != TerminalAuto && p.Terminal != TerminalYes && p.Terminal != TerminalNo {
		ps.add("process.terminal", "there is no terminal mode %s", clip(string(p.Terminal)))
	}
	ps.streams(p)
	if adj := p.OOMScoreAdj; adj != nil && (*adj < -1000 || *adj > 1000) {
		ps.add("process.oom_score_adj", "%d is not between -1000 and 1000", *adj)
	}
	return ps
}

func (ps *Problems) env(path string, e EnvVar) {
	at := Join(path, e.Name)
	switch {
	case e.Name == "":
		ps.add(path, "a variable's name is empty")
	case strings.ContainsAny(e.Name, "=\x00"):
		ps.add(at, "the name %s has a \"=\" or a NUL byte", clip(e.Name))
	default:
		ps.argument(at, e.Name+"="+e.Value)
	}
}

// id checks a user or group: a number, or a name as in passwd(5).
func (ps *Problems) id(path, s string) {
	switch {
	case s == "":
		ps.hint(path, `"uid", "uid:gid", "name" or "name:group"`, "a user or group is empty")
	case len(s) > maxName || strings.ContainsAny(s, ":/,\x00\n \t"):
		ps.add(path, "%s is no user or group", clip(s))
	case strings.Trim(s, digits) == "":
		// The highest is -1, which means "leave it" to setresuid(2).
		if n, err := strconv.ParseUint(s, 10, 64); err != nil || n >= math.MaxUint32 {
			ps.add(path, "the id %s is above 4294967294", clip(s))
		}
	case s[0] == '-':
		ps.add(path, "the id %s is negative", clip(s))
	}
}

// streams checks where stdin comes from, and stdout and stderr go to.
func (ps *Problems) streams(p Process) {
	for _, s := range [...]struct{ path, value string }{
		{"process.stdin", p.Stdin}, {"process.stdout", p.Stdout}, {"process.stderr", p.Stderr},
	} {
		if s.value != "" && s.value != "none" && !(s.path == "process.stderr" && s.value == "stdout") {
			ps.absolute(s.path, s.value)
		}
	}
	if p.Terminal == TerminalYes && (p.Stdin != "" || p.Stdout != "" || p.Stderr != "") {
		ps.hint("process.terminal", "leave one of them out", "a terminal contradicts stdin, stdout or stderr from elsewhere")
	}
}

// rlimitNames are those of setrlimit(2), in the kernel's order.
var rlimitNames = [...]string{"cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as",
	"locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime"}

func validateRlimits(limits []Rlimit) Problems {
	var ps Problems
	seen := map[string]bool{}
	for _, r := range limits {
		path := Join("rlimits", r.Name)
		known := false
		for _, n := range rlimitNames {
			known = known || n == r.Name
		}
		switch {
		case !known:
			ps.hint(path, strings.Join(rlimitNames[:], ", "), "there is no resource limit %s", clip(r.Name))
		case seen[r.Name]:
			ps.add(path, "the limit is set twice")
		case r.Soft > r.Hard:
			ps.hint(path, "{ soft, hard }", "the soft limit %s is above the hard limit %s", rlimitText(r.Soft), rlimitText(r.Hard))
		case r.Name == "nofile" && r.Hard != RlimitInfinity && r.Hard < 4:
			ps.add(path, "%d open files are not enough for a program to start", r.Hard)
		}
		seen[r.Name] = true
	}
	return ps
}

func rlimitText(n uint64) string {
	if n == RlimitInfinity {
		return "unlimited"
	}
	return strconv.FormatUint(n, 10)
}

// CapabilityNames are the capabilities by number (capability.h, Linux 5.9 on).
var CapabilityNames = [...]string{"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
	"SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
	"SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
	"SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
	"MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE"}

// CapabilityNumber returns a capability's number, or -1.
func CapabilityNumber(name string) int {
	for i, n := range CapabilityNames {
		if n == name {
			return i
		}
	}
	return -1
}

// Validate returns what is wrong with the sets; paths start with "caps".
func (c Capabilities) Validate() Problems {
	var ps Problems
	if same(c.Bounding, c.Effective) && same(c.Effective, c.Permitted) && c.Bounding != nil {
		ps.capabilities("caps", c.Bounding)
	} else {
		ps.capabilities("caps.bounding", c.Bounding)
		ps.capabilities("caps.effective", c.Effective)
		ps.capabilities("caps.permitted", c.Permitted)
	}
	ps.capabilities("caps.inheritable", c.Inheritable)
	ps.capabilities("caps.ambient", c.Ambient)
	if c.Permitted != nil {
		// capabilities(7): effective and ambient are subsets of permitted.
		ps.subset("caps.effective", c.Effective, "permitted", c.Permitted)
		ps.subset("caps.ambient", c.Ambient, "permitted", c.Permitted)
	}
	if c.Inheritable != nil {
		ps.subset("caps.ambient", c.Ambient, "inheritable", c.Inheritable)
	}
	return ps
}

func same(a, b []string) bool {
	if len(a) != len(b) || (a == nil) != (b == nil) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (ps *Problems) capabilities(path string, names []string) {
	for i, n := range names {
		if CapabilityNumber(n) < 0 {
			hint := "capabilities(7) lists them"
			if n == "ALL" {
				hint = "name those that are needed"
			}
			ps.hint(Item(path, i+1), hint, "there is no capability %s", clip(n))
		}
	}
}

func (ps *Problems) subset(path string, names []string, of string, super []string) {
	for _, n := range names {
		found := false
		for _, s := range super {
			found = found || s == n
		}
		if !found && CapabilityNumber(n) >= 0 {
			ps.add(path, "%s is not in the %s set", n, of)
		}
	}
}
