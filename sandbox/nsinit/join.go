package nsinit

import (
	"os"

	"golang.org/x/sys/unix"
)

// Join is a running container to enter (setns(2) with a pidfd, Linux 5.8).
type Join struct {
	// Kept are the container's namespaces, in the order to enter them, where they have
	// been opened; the rest is then not needed.
	Kept []*os.File
	// PIDFD is a pidfd of a process in the container, usually the payload.
	PIDFD *os.File
	// Namespaces are those of the container that are not the supervisor's own, by
	// name; entering one's own user namespace is EINVAL.
	Namespaces []string
}

// JoinContainer enters a container, as a child in its pid namespace that is the
// supervisor's own. Cgroups are joined before, by CLONE_INTO_CGROUP or JoinCgroup,
// as the host's files are gone afterwards; SetUser, SetCaps, NoNewPrivs, CloseFDs,
// LoadFilter and Exec follow.
//
// The process is not dumpable from before it can be seen inside until its execve,
// so that the container's root can neither trace it nor open its descriptors
// (CVE-2016-9962).
func (in *Init) JoinContainer(j Join) {
	in.joined, in.pdeathsig = true, true
	in.oomScoreAdj()
	in.dumpable(0)
	in.enter(j)
	in.cloneSibling(0)
}

// VisitContainer enters a container's namespaces but that of processes, where nobody
// sees the visitor.
func (in *Init) VisitContainer(j Join) {
	in.joined, in.pdeathsig = true, true
	in.dumpable(0)
	in.enter(j)
	in.rearm() // as the new capabilities of a user namespace clear it
}

func (in *Init) enter(j Join) {
	for _, f := range j.Kept {
		in.Call(unix.SYS_SETNS, in.Pass(f), Imm(0))
	}
	if flags := in.namespaceFlags(j.Namespaces); flags != 0 && len(j.Kept) == 0 { // EINVAL; all may be the host's
		in.Call(unix.SYS_SETNS, in.Pass(j.PIDFD), Imm(flags))
	}
}

// oomScoreAdj writes the value that SetOOMScoreAdj, lowered later, leaves in memory.
// It is inherited by clone(2), and must be written before the process is made
// non-dumpable: its /proc files then belong to the host's root.
func (in *Init) oomScoreAdj() {
	in.oom = in.Space(16)
	fd, size, none := in.NewWord(-1), in.oom, in.NewLabel()
	set := in.NewLabel()
	in.TestElse(Word(size), Imm(-1), Imm(0), set)
	in.Jump(none)
	in.Bind(set)
	in.Call(unix.SYS_OPENAT, Imm(unix.AT_FDCWD), in.Str("/proc/self/oom_score_adj"), Imm(unix.O_WRONLY|unix.O_CLOEXEC), Imm(0)).Store(fd)
	in.Call(unix.SYS_WRITE, Word(fd), Addr(in.oom+4), Word(size))
	in.Bind(none)
}
