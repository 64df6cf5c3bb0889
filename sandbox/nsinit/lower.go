package nsinit

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/plan"
)

// Lower adds an op on namespaces, privileges or the payload to the program. It
// returns false when the op is another package's, and the program's first mistake.
func (in *Init) Lower(op plan.Op) (bool, error) {
	switch op := op.(type) {
	case plan.DieWithSupervisor:
		in.pdeathsig = true
		in.dieWithSupervisor()
	case plan.JoinCgroup:
		in.joinCgroup(op.Controller)
	case plan.UnshareUser:
		in.Call(unix.SYS_UNSHARE, Imm(unix.CLONE_NEWUSER))
	case plan.MapSelf:
		in.mapSelf(op)
	case plan.BecomeRoot:
		in.becomeRoot()
	case plan.CloneInit:
		in.cloneSibling(in.namespaceFlags(op.Namespaces))
	case plan.Unshare:
		if len(op.Namespaces) != 1 || op.Namespaces[0] != "cgroup" {
			in.awaitKeeper()
		}
		in.Call(unix.SYS_UNSHARE, Imm(in.namespaceFlags(op.Namespaces)))
	case plan.AwaitCgroup:
		in.awaitCgroup()
	case plan.EnterNet:
		in.enterNet()
	case plan.SetHostname:
		in.Call(unix.SYS_SETHOSTNAME, in.Str(op.Name), Imm(len(op.Name)))
	case plan.SetSysctl:
		in.setSysctl(op)
	case plan.Sync:
		in.sync(op.Point)
	case plan.ClonePayload:
		in.clonePayload(op)
	default:
		return in.lowerPayload(op)
	}
	return true, in.Err()
}

// lowerPayload adds the ops between the payload's clone and its execve.
func (in *Init) lowerPayload(op plan.Op) (bool, error) {
	switch op.(type) {
	case plan.NewSession, plan.BoundCaps:
		// No id is involved: done while the keeper writes the maps.
	default:
		in.awaitKeeper()
	}
	switch op := op.(type) {
	case plan.NewSession:
		in.Call(unix.SYS_SETSID)
	case plan.SetTerminal:
		in.setTerminal(op)
	case plan.SetRlimit:
		in.setRlimit(op)
	case plan.SetOOMScoreAdj:
		in.setOOMScoreAdj(op.Value)
	case plan.BoundCaps:
		in.boundCaps(op.Keep)
	case plan.SetUser:
		in.setUser(op)
	case plan.SetCaps:
		in.setCaps(op)
	case plan.SetUmask:
		in.Call(unix.SYS_UMASK, Imm(op.Mask))
	case plan.SetCwd:
		in.setCwd(op.Path)
	case plan.NoNewPrivs:
		in.Call(unix.SYS_PRCTL, Imm(unix.PR_SET_NO_NEW_PRIVS), Imm(1), Imm(0), Imm(0), Imm(0))
	case plan.CloseFDs:
		in.closeFDs()
	case plan.LoadFilter:
		in.loadFilter(op)
	case plan.Exec:
		in.exec(op)
	case plan.Hide:
		in.dumpable(0)
	case plan.Leave:
		in.leave()
	case plan.AwaitTCP:
		in.awaitTCP(op.Port)
	case plan.AwaitFile:
		in.awaitFile(op.Path)
	default:
		return false, nil
	}
	return true, in.Err()
}

// NamespaceFlag is the CLONE_NEW flag of a namespace by its name in a definition
// ("mount", "pid", "net", "ipc", "uts", "cgroup", "user", "time"), or 0.
func NamespaceFlag(name string) uintptr {
	switch name {
	case "mount":
		return unix.CLONE_NEWNS
	case "pid":
		return unix.CLONE_NEWPID
	case "net":
		return unix.CLONE_NEWNET
	case "ipc":
		return unix.CLONE_NEWIPC
	case "uts":
		return unix.CLONE_NEWUTS
	case "cgroup":
		return unix.CLONE_NEWCGROUP
	case "user":
		return unix.CLONE_NEWUSER
	case "time":
		return unix.CLONE_NEWTIME
	}
	return 0
}

func (in *Init) namespaceFlags(names []string) uintptr {
	var flags uintptr
	for _, name := range names {
		flag := NamespaceFlag(name)
		if flag == 0 {
			in.Fail("no namespace is called %q", name)
		}
		flags |= flag
	}
	return flags
}

// u32s lays numbers out as the kernel and the protocol do.
func u32s(values ...uint32) []byte {
	b := make([]byte, 0, 4*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// send writes a message of n bytes to the supervisor. A dead one must not raise
// SIGPIPE here, whose status would hide the real end.
func (in *Init) send(message Mem, n int) {
	in.Call(unix.SYS_SENDTO, Imm(fdSocket), Addr(message), Imm(n), Imm(unix.MSG_NOSIGNAL), Imm(0), Imm(0))
}

// receive waits for the supervisor's answer; its end of file means that the
// supervisor is gone or wants no more of this container.
func (in *Init) receive(answer Mem, size int) {
	n := in.NewWord(0)
	in.Call(unix.SYS_RECVFROM, Imm(fdSocket), Addr(answer), Imm(size), Imm(0), Imm(0), Imm(0)).Store(n)
	answered := in.NewLabel()
	in.TestElse(Word(n), Imm(-1), Imm(0), answered)
	in.Exit(exitSetup)
	in.Bind(answered)
}

func (in *Init) sync(name string) {
	for _, p := range []Point{PointMap, PointUser, PointPrestart, PointJoin, PointServices, PointTerminal} {
		if p.String() != name {
			continue
		}
		in.send(in.Bytes(u32s(KindSync, uint32(p))), 8)
		if p == PointUser {
			in.receive(in.user, 4*(4+maxGroups))
		} else {
			in.receive(in.scratch, scratchSize)
		}
		return
	}
	in.Fail("no sync point is called %q", name)
}

// dieWithSupervisor sets PDEATHSIG and then looks whether the supervisor died
// before. getppid(2) does not tell: it is 0 in a new pid namespace either way.
func (in *Init) dieWithSupervisor() {
	in.Call(unix.SYS_PRCTL, Imm(unix.PR_SET_PDEATHSIG), Imm(int(unix.SIGKILL)), Imm(0), Imm(0), Imm(0))
	n, alive := in.NewWord(0), in.NewLabel()
	in.Call(unix.SYS_RECVFROM, Imm(fdSocket), Addr(in.scratch), Imm(4), Imm(unix.MSG_PEEK|unix.MSG_DONTWAIT), Imm(0), Imm(0)).
		Store(n).Else(alive, unix.EAGAIN)
	in.TestElse(Word(n), Imm(-1), Imm(0), alive)
	in.Exit(exitSetup)
	in.Bind(alive)
}

// rearm sets PDEATHSIG again after what clears it: fork(2), and a change of ids.
func (in *Init) rearm() {
	if in.pdeathsig {
		in.dieWithSupervisor()
	}
}

func (in *Init) joinCgroup(controller string) {
	f := in.Tasks[controller]
	if f == nil {
		in.Fail("no tasks file for the cgroup controller %q", controller)
		return
	}
	in.Call(unix.SYS_WRITE, in.Pass(f), in.Str("0"), Imm(1))
}
