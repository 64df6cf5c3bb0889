//go:build cgo

package compile

import (
	"testing"

	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
)

// expect is what a policy says about a call, read straight from its rules.
func expect(t testing.TB, policy *definition.Policy, arch string, d data) uint32 {
	t.Helper()
	lib, audit := libseccomp.ArchAMD64, uint32(auditAMD64)
	if arch == "arm64" {
		lib, audit = libseccomp.ArchARM64, auditARM64
	}
	if d.arch != audit {
		return retKillProcess
	}
	if arch == "amd64" && d.nr >= 0x40000000 {
		if d.nr == ^uint32(0) {
			return retErrno | uint32(unix.ENOSYS)
		}
		return retKillProcess
	}
	name, err := libseccomp.ScmpSyscall(int32(d.nr)).GetNameByArch(lib)
	known := err == nil && d.nr < maxNumber
	for recentName, nr := range recent {
		if nr == d.nr {
			name, known = recentName, true
		}
	}
	if arch == "amd64" && d.nr == 335 {
		name, known = "uretprobe", true
	}
	for _, rule := range policy.Rules {
		for _, one := range rule.Names {
			if known && one == name && holds(rule.Args, d.args) {
				return answerOf(t, rule.Action, rule.Errno)
			}
		}
	}
	fallback := answerOf(t, policy.Default, policy.Errno)
	if fallback == retAllow || fallback == retLog || known && (d.nr <= PolicyLevel || named(policy, name)) {
		return fallback
	}
	return retErrno | uint32(unix.ENOSYS)
}

func named(policy *definition.Policy, name string) bool {
	for _, rule := range policy.Rules {
		for _, one := range rule.Names {
			if one == name {
				return true
			}
		}
	}
	return false
}

func answerOf(t testing.TB, action definition.Action, errno string) uint32 {
	t.Helper()
	switch action {
	case definition.ActionAllow:
		return retAllow
	case definition.ActionLog:
		return retLog
	case definition.ActionTrap:
		return retTrap
	case definition.ActionKill:
		return retKillProcess
	}
	switch errno {
	case "", "EPERM":
		return retErrno | uint32(unix.EPERM)
	case "ENOSYS":
		return retErrno | uint32(unix.ENOSYS)
	case "EACCES":
		return retErrno | uint32(unix.EACCES)
	case "EAFNOSUPPORT":
		return retErrno | uint32(unix.EAFNOSUPPORT)
	}
	t.Fatalf("no number for %s in this test", errno)
	return 0
}

func holds(conds []definition.PolicyArg, args [6]uint64) bool {
	for _, c := range conds {
		x, ok := args[c.Index], false
		switch c.Op {
		case "==":
			ok = x == c.Value
		case "!=":
			ok = x != c.Value
		case "<":
			ok = x < c.Value
		case "<=":
			ok = x <= c.Value
		case ">":
			ok = x > c.Value
		case ">=":
			ok = x >= c.Value
		case "masked":
			ok = x&c.Mask == c.Value
		}
		if !ok {
			return false
		}
	}
	return true
}
