package nsinit

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/plan"
)

// procfs makes in.Proc a descriptor of a procfs: the container's own, else a new
// private one, else (a user namespace below a masked /proc: EPERM) what is at
// /proc. It is verified to be procfs before anything is written through it
// (CVE-2019-16884, CVE-2025-52881).
func (in *Init) procfs() {
	fs, buf := in.NewWord(-1), in.Space(256)
	have, bind, private := in.NewLabel(), in.NewLabel(), in.NewLabel()
	in.TestElse(Word(in.Proc), Imm(1<<31), Imm(1<<31), have)
	in.Call(unix.SYS_FSOPEN, in.Str("proc"), Imm(unix.FSOPEN_CLOEXEC)).Store(fs).Else(bind, unix.EPERM)
	in.Call(unix.SYS_FSCONFIG, Word(fs), Imm(unix.FSCONFIG_CMD_CREATE), Imm(0), Imm(0), Imm(0)).Else(bind, unix.EPERM)
	in.Call(unix.SYS_FSMOUNT, Word(fs), Imm(unix.FSMOUNT_CLOEXEC), Imm(unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)).
		Store(in.Proc).Else(bind, unix.EPERM)
	in.Jump(private)
	in.Bind(bind)
	in.Call(unix.SYS_OPENAT, Imm(unix.AT_FDCWD), in.Str("/proc"), Imm(unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC), Imm(0)).Store(in.Proc)
	in.Bind(private)
	in.Bind(have)
	in.Call(unix.SYS_FSTATFS, Word(in.Proc), Addr(buf))
	wrong, right := in.NewLabel(), in.NewLabel()
	in.TestElse(Long(buf), Imm(-1), Imm(unix.PROC_SUPER_MAGIC), wrong)
	in.Jump(right)
	in.Bind(wrong)
	in.Raise(unix.ENOTSUP)
	in.Bind(right)
}

// writeProc writes one file of procfs, never through a link or a mount on top.
func (in *Init) writeProc(path, text string) {
	in.procfs()
	how := in.Bytes(openHow(unix.O_WRONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW,
		unix.RESOLVE_BENEATH|unix.RESOLVE_NO_MAGICLINKS|unix.RESOLVE_NO_XDEV))
	fd := in.NewWord(-1)
	in.Call(unix.SYS_OPENAT2, Word(in.Proc), in.Str(path), Addr(how), Imm(24)).Store(fd)
	in.Call(unix.SYS_WRITE, Word(fd), in.Str(text), Imm(len(text)))
	in.Call(unix.SYS_CLOSE, Word(fd))
}

// openHow is struct open_how.
func openHow(flags, resolve uint32) []byte { return u32s(flags, 0, 0, 0, resolve, 0) }

// setSysctl writes below /proc/sys. Either separator is taken, as in sysctl(8):
// names with a slash have their dots left alone ("net/ipv4/conf/eth0.100/…").
func (in *Init) setSysctl(op plan.SetSysctl) {
	path := op.Name
	if !strings.Contains(path, "/") {
		path = strings.ReplaceAll(path, ".", "/")
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			in.Fail("the sysctl name %q is not a path below /proc/sys", op.Name)
			return
		}
	}
	in.writeProc("sys/"+path, op.Value)
}

func (in *Init) setOOMScoreAdj(value int) {
	text := strconv.Itoa(value)
	switch {
	case !in.joined:
		in.writeProc("self/oom_score_adj", text)
	case len(text) > 12:
		in.Fail("oom_score_adj %d", value)
	default:
		copy(in.memory[in.oom:], append(u32s(uint32(len(text))), text...))
	}
}
