package nsinit

import (
	"encoding/binary"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
)

// capability names by number (capabilities(7)).
var capabilityNames = [...]string{
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
	"LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
	"SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
	"SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
	"MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
	"CHECKPOINT_RESTORE",
}

func (in *Init) capabilities(names []string) uint64 {
	var set uint64
next:
	for _, name := range names {
		short := strings.TrimPrefix(strings.ToUpper(name), "CAP_")
		for i, known := range capabilityNames {
			if short == known {
				set |= 1 << i
				continue next
			}
		}
		in.Fail("no capability is called %q", name)
	}
	return set
}

// boundCaps drops what is not kept from the bounding set, up to the kernel's last
// capability (EINVAL beyond it). A new user namespace has it full again, so this
// comes after that.
func (in *Init) boundCaps(keep []string) {
	set, done := in.capabilities(keep), in.NewLabel()
	for c := range lastCapability + 1 {
		if set&(1<<c) == 0 {
			in.Call(unix.SYS_PRCTL, Imm(unix.PR_CAPBSET_DROP), Imm(c), Imm(0), Imm(0), Imm(0)).Else(done, unix.EINVAL)
		}
	}
	in.Bind(done)
}

func (in *Init) setCaps(op plan.SetCaps) {
	ambient := in.capabilities(op.Ambient)
	in.capset(in.capabilities(op.Effective), in.capabilities(op.Permitted), in.capabilities(op.Inheritable))
	in.Call(unix.SYS_PRCTL, Imm(unix.PR_CAP_AMBIENT), Imm(unix.PR_CAP_AMBIENT_CLEAR_ALL), Imm(0), Imm(0), Imm(0))
	for c := range len(capabilityNames) {
		if ambient&(1<<c) != 0 {
			in.Call(unix.SYS_PRCTL, Imm(unix.PR_CAP_AMBIENT), Imm(unix.PR_CAP_AMBIENT_RAISE), Imm(c), Imm(0), Imm(0))
		}
	}
}

// capset sets the three sets of the own process (capset(2), version 3: the low
// halves first, then the high ones).
func (in *Init) capset(effective, permitted, inheritable uint64) {
	header := in.Bytes(u32s(unix.LINUX_CAPABILITY_VERSION_3, 0))
	data := in.Bytes(u32s(uint32(effective), uint32(permitted), uint32(inheritable),
		uint32(effective>>32), uint32(permitted>>32), uint32(inheritable>>32)))
	in.Call(unix.SYS_CAPSET, Addr(header), Addr(data))
}

// setUser sets the groups first, as that needs CAP_SETGID, and the uid last.
func (in *Init) setUser(op plan.SetUser) {
	uid, gid := Imm(op.UID), Imm(op.GID)
	count, groups := Imm(len(op.Groups)), Addr(in.Bytes(u32s(op.Groups...)))
	if op.Resolved {
		uid, gid, count, groups = Word(in.user+4), Word(in.user+8), Word(in.user+12), Addr(in.user+16)
	}
	if op.KeepCaps {
		in.Call(unix.SYS_PRCTL, Imm(unix.PR_SET_KEEPCAPS), Imm(1), Imm(0), Imm(0), Imm(0))
	}
	if in.terminal {
		// The terminal is the payload's to open again; where the id is not mapped
		// or the owner is right already it stays as it is.
		in.Call(unix.SYS_FCHOWN, Imm(0), uid, Imm(-1)).Ignore()
	}
	if !op.KeepGroups {
		in.Call(unix.SYS_SETGROUPS, count, groups)
	}
	in.Call(unix.SYS_SETRESGID, gid, gid, gid)
	in.Call(unix.SYS_SETRESUID, uid, uid, uid)
	if op.KeepCaps {
		in.Call(unix.SYS_PRCTL, Imm(unix.PR_SET_KEEPCAPS), Imm(0), Imm(0), Imm(0), Imm(0))
	}
	if in.keeper && in.pdeathsig {
		in.Call(unix.SYS_PRCTL, Imm(unix.PR_SET_PDEATHSIG), Imm(int(unix.SIGKILL)), Imm(0), Imm(0), Imm(0))
	} else {
		in.rearm()
	}
}

// rlimit resources by name without "RLIMIT_", by number: the same on amd64 and arm64.
var rlimitNames = [...]string{"cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile",
	"memlock", "as", "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime"}

func (in *Init) setRlimit(op plan.SetRlimit) {
	for i, name := range rlimitNames {
		if name == op.Name {
			limit := binary.LittleEndian.AppendUint64(nil, op.Soft)
			limit = binary.LittleEndian.AppendUint64(limit, op.Hard)
			in.Call(unix.SYS_PRLIMIT64, Imm(0), Imm(i), Addr(in.Bytes(limit)), Imm(0))
			return
		}
	}
	in.Fail("no rlimit is called %q", op.Name)
}

// loadFilter loads in.Filter without TSYNC: there is one thread. What follows it
// must be allowed by it: write, execve, and exit_group when that fails.
func (in *Init) loadFilter(op plan.LoadFilter) {
	if op.Mode == definition.SeccompNone {
		return
	}
	n := len(in.Filter) / 8
	if n == 0 || n > 4096 || len(in.Filter)%8 != 0 {
		in.Fail("a seccomp filter of %d bytes; want 1 to 4096 instructions of 8 bytes", len(in.Filter))
		return
	}
	program := in.Bytes(binary.LittleEndian.AppendUint64(make([]byte, 0, 16), uint64(n)))
	at := in.Space(8)
	in.Pointer(at, in.Bytes(in.Filter))
	if at != program+8 {
		in.Fail("struct sock_fprog is not contiguous")
	}
	in.Call(unix.SYS_SECCOMP, Imm(unix.SECCOMP_SET_MODE_FILTER), Imm(0), Addr(program))
	in.filtered = true
}
