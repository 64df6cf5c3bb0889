package nsinit

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
)

func mapText(ranges []definition.IDRange) string {
	var b strings.Builder
	for _, r := range ranges {
		fmt.Fprintf(&b, "%d %d %d\n", r.Container, r.Host, r.Size)
	}
	return b.String()
}

// mapSelf writes the own maps. It comes before any mount, so /proc is the host's.
// setgroups must be denied before an unprivileged gid_map (CVE-2014-8989).
func (in *Init) mapSelf(op plan.MapSelf) {
	for _, f := range []struct{ name, text string }{
		{"setgroups", "deny"},
		{"gid_map", mapText([]definition.IDRange{op.GID})},
		{"uid_map", mapText([]definition.IDRange{op.UID})},
	} {
		in.writeFile(Imm(unix.AT_FDCWD), "/proc/self/"+f.name, f.text)
	}
}

// writeFile writes an existing file in one write(2), as procfs wants it.
func (in *Init) writeFile(dir Arg, path, text string) {
	fd := in.NewWord(-1)
	in.Call(unix.SYS_OPENAT, dir, in.Str(path), Imm(unix.O_WRONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW), Imm(0)).Store(fd)
	in.Call(unix.SYS_WRITE, Word(fd), in.Str(text), Imm(len(text)))
	in.Call(unix.SYS_CLOSE, Word(fd))
}

// becomeRoot takes the ids that newuidmap(1) mapped. The change makes the process
// non-dumpable, which gives its /proc files to the host's root, and clears
// PDEATHSIG: both are put right.
func (in *Init) becomeRoot() {
	in.Call(unix.SYS_SETRESGID, Imm(0), Imm(0), Imm(0))
	in.Call(unix.SYS_SETRESUID, Imm(0), Imm(0), Imm(0))
	in.dumpable(1)
	in.rearm()
}

func (in *Init) dumpable(v int) {
	in.Call(unix.SYS_PRCTL, Imm(unix.PR_SET_DUMPABLE), Imm(v), Imm(0), Imm(0), Imm(0))
}

// cloneSibling goes on in a child that is the supervisor's own (CLONE_PARENT, so
// that the supervisor reaps it and PDEATHSIG follows the supervisor), reports its
// pid and ends this process. The child waits for that report, by the end of file of
// a pipe: should its own messages overtake it, the supervisor would look for the
// container in the process that is still outside of it.
func (in *Init) cloneSibling(flags uintptr) {
	message := in.Bytes(u32s(KindChild, 0))
	reported := in.Space(8)
	in.Call(unix.SYS_PIPE2, Addr(reported), Imm(unix.O_CLOEXEC))
	child := in.NewLabel()
	in.Call(unix.SYS_CLONE, Imm(flags|unix.CLONE_PARENT|uintptr(unix.SIGCHLD)), Imm(0), Imm(0), Imm(0), Imm(0)).Store(message + 4)
	parent := in.NewLabel()
	in.TestElse(Word(message+4), Imm(-1), Imm(0), parent)
	in.Jump(child)
	in.Bind(parent)
	in.send(message, 8)
	in.Exit(0)
	in.Bind(child)
	in.Call(unix.SYS_CLOSE, Word(reported+4))
	in.Call(unix.SYS_READ, Word(reported), Addr(in.scratch), Imm(1))
	in.Call(unix.SYS_CLOSE, Word(reported))
	in.rearm()
}
