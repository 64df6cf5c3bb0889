package nsinit

import (
	"os"

	"golang.org/x/sys/unix"
)

// Join is a running container to enter (setns(2) with a pidfd, Linux 5.8).
type Join struct {
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
	in.dumpable(0)
	in.Call(unix.SYS_SETNS, in.Pass(j.PIDFD), Imm(in.namespaceFlags(j.Namespaces)))
	in.cloneSibling(0)
}
