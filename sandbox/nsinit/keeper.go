package nsinit

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/plan"
)

// Layout of the exit message: kind, status, pid, padding, then struct rusage.
const (
	exitStatus = 4
	exitPID    = 8
	exitUsage  = 16
	exitMaxrss = exitUsage + 32 // behind two struct timeval
	exitSize   = exitUsage + 144
)

// Offsets in struct clone_args, and its size with a cgroup (Linux 5.7).
const (
	cloneArgsFlags  = 0
	cloneArgsSignal = 32
	cloneArgsCgroup = 80
	cloneArgsSize   = 88
)

// firstPayloadPID is the first child of a pid namespace's init.
const firstPayloadPID = 2

// lastCapability is the highest capability number a 64-bit set can hold.
const lastCapability = 63

// clonePayload splits init in two: the child goes on to become the payload, this
// process stays as its keeper and never returns from here.
//
// The keeper is not dumpable from before the payload exists, so that no payload of
// the same user can trace it, read its memory (the program holds the environment)
// or take its socket; the child, in which only our program runs so far, may be
// dumped again, as otherwise its /proc files would not be its own.
func (in *Init) clonePayload(op plan.ClonePayload) {
	flags := uintptr(unix.SIGCHLD)
	maps := op.UID != nil || op.GID != nil
	release := in.Space(8) // pipe: read end, write end
	if maps {
		flags |= unix.CLONE_NEWUSER
		in.procfs()
	}
	in.Call(unix.SYS_PIPE2, Addr(release), Imm(unix.O_CLOEXEC))
	if !op.PID {
		// Without a pid namespace orphans would go to the host's init.
		in.Call(unix.SYS_PRCTL, Imm(unix.PR_SET_CHILD_SUBREAPER), Imm(1), Imm(0), Imm(0), Imm(0))
	}
	in.dumpable(0)
	message := in.Bytes(u32s(KindPayload, 0))
	payload, keeper, child := message+4, in.NewLabel(), in.NewLabel()
	if op.IntoCgroup {
		in.cloneIntoCgroup(flags).Store(payload)
	} else {
		in.Call(unix.SYS_CLONE, Imm(flags), Imm(0), Imm(0), Imm(0), Imm(0)).Store(payload)
	}
	in.TestElse(Word(payload), Imm(-1), Imm(0), keeper)
	in.Jump(child)

	in.Bind(keeper)
	if maps {
		in.writeMaps(op, payload)
	}
	named, unknown := in.NewLabel(), in.NewLabel()
	in.TestElse(Word(payload), Imm(-1), Imm(firstPayloadPID), unknown)
	in.Jump(named)
	in.Bind(unknown)
	in.send(message, 8)
	in.Bind(named)
	in.keep(payload, release, op.Stay)

	in.Bind(child)
	in.dumpable(1)
	in.release = release // awaited before the first step that needs the maps
	in.keeper = true
	if !op.PID && in.pdeathsig {
		// The keeper's death ends a pid namespace, but not a mere child.
		in.Call(unix.SYS_PRCTL, Imm(unix.PR_SET_PDEATHSIG), Imm(int(unix.SIGKILL)), Imm(0), Imm(0), Imm(0))
	}
	// With a pid namespace there is nothing to arm again when ids change.
	in.pdeathsig = in.pdeathsig && !op.PID
}

// cloneIntoCgroup is clone3(2), whose struct clone_args has the exit signal apart
// from the flags, and the cgroup's descriptor last.
func (in *Init) cloneIntoCgroup(flags uintptr) Instr {
	if in.cgroup == 0 {
		in.Fail("a payload to be born in a cgroup that was not awaited")
	}
	text := make([]byte, cloneArgsSize)
	binary.LittleEndian.PutUint64(text[cloneArgsFlags:], uint64(flags&^uintptr(unix.SIGCHLD))|unix.CLONE_INTO_CGROUP)
	binary.LittleEndian.PutUint64(text[cloneArgsSignal:], uint64(unix.SIGCHLD))
	args := in.Bytes(text)
	in.Set(args+cloneArgsCgroup, Word(in.cgroup))
	return in.Call(unix.SYS_CLONE3, Addr(args), Imm(cloneArgsSize))
}

// awaitKeeper parks the child until its user namespace has maps, and its keeper has
// nothing left that a payload could take; the end of file means that the keeper
// failed, and has said so, or was killed before the child could be told of that.
func (in *Init) awaitKeeper() {
	release := in.release
	if release == 0 {
		return
	}
	in.release = 0
	n, mapped := in.NewWord(0), in.NewLabel()
	in.Call(unix.SYS_CLOSE, Word(release+4))
	in.Call(unix.SYS_READ, Word(release), Addr(in.scratch), Imm(1)).Store(n)
	in.TestElse(Word(n), Imm(-1), Imm(0), mapped)
	in.Exit(exitSetup)
	in.Bind(mapped)
}

// writeMaps writes the maps of the payload's user namespace. The program cannot
// print a number, so the kernel does: the keeper has one child, and its
// "children" file (proc_pid_children(5)) is that child's pid and a blank.
func (in *Init) writeMaps(op plan.ClonePayload, payload Mem) {
	dir, named, open := in.NewWord(-1), in.NewLabel(), in.NewLabel()
	name := in.Space(16)
	if op.PID && !op.HostProc {
		// The first child of a pid namespace's init is 2, with or without that
		// file, which needs CONFIG_PROC_CHILDREN. In the runner's /proc, 2 is another.
		other := in.NewLabel()
		in.TestElse(Word(payload), Imm(-1), Imm(firstPayloadPID), other)
		in.Call(unix.SYS_OPENAT, Word(in.Proc), in.Str("2"), Imm(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC), Imm(0)).Store(dir).Then(open)
		in.Bind(other)
	}
	fd, n := in.NewWord(-1), in.NewWord(0)
	in.Call(unix.SYS_OPENAT, Word(in.Proc), in.Str("thread-self/children"), Imm(unix.O_RDONLY|unix.O_CLOEXEC), Imm(0)).Store(fd)
	in.Call(unix.SYS_READ, Word(fd), Addr(in.scratch), Imm(15)).Store(n)
	in.CountElse(n, named) // one less than was read: without the blank
	in.Raise(unix.ECHILD)
	in.Bind(named)
	in.Call(unix.SYS_PREAD64, Word(fd), Addr(name), Word(n), Imm(0))
	in.Call(unix.SYS_OPENAT, Word(in.Proc), Addr(name), Imm(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC), Imm(0)).Store(dir)
	in.Bind(open)
	in.writeFile(Word(dir), "gid_map", mapText(op.GID))
	in.writeFile(Word(dir), "uid_map", mapText(op.UID))
}

// keep is the rest of the keeper's life. It releases the child when it has no
// capability and none of the host's folders any more: a payload with
// CAP_SYS_PTRACE in the keeper's user namespace can follow its /proc/1/fd.
func (in *Init) keep(payload, release Mem, stay bool) {
	// Of its descriptors only the socket stays. The status pipe must go, as its end
	// of file reports execve; stdio must go, so that its readers see an end of file.
	in.Call(unix.SYS_DUP3, Word(release+4), Imm(fdStatus), Imm(unix.O_CLOEXEC))
	in.Call(unix.SYS_CLOSE_RANGE, Imm(0), Imm(fdSocket-1), Imm(0))
	in.Call(unix.SYS_CLOSE_RANGE, Imm(fdStatus+1), Imm(^uint32(0)), Imm(0))
	in.Call(unix.SYS_PRCTL, Imm(unix.PR_SET_NAME), in.Str("sandbox-init"), Imm(0), Imm(0), Imm(0)).Ignore()
	in.dropAll()
	in.rearm()                                                           // last: nothing from here on clears it
	in.Call(unix.SYS_WRITE, Imm(fdStatus), in.Str("1"), Imm(1)).Ignore() // a child that was killed is reaped below
	in.Call(unix.SYS_CLOSE, Imm(fdStatus))

	message := in.Bytes(append(u32s(KindExit), make([]byte, exitSize-4)...))
	// __WALL, as a payload may clone with another signal than SIGCHLD.
	again := in.NewLabel()
	in.Bind(again)
	in.Call(unix.SYS_WAIT4, Imm(-1), Addr(message+exitStatus), Imm(unix.WALL), Addr(message+exitUsage)).Store(message + exitPID)
	in.TestElse(Word(message+exitPID), Imm(-1), Word(payload), again)
	in.send(message, exitSize)
	if in.stays = stay; stay {
		in.stay()
	}
	in.Exit(0)
}

// dropAll gives up every capability, for good: it never executes another program,
// and under no_new_privs execve could give none back that it has not got
// (cap_bprm_creds_from_file). To drop the bounding set too would be 41 calls more.
func (in *Init) dropAll() {
	in.Call(unix.SYS_PRCTL, Imm(unix.PR_SET_NO_NEW_PRIVS), Imm(1), Imm(0), Imm(0), Imm(0))
	in.Call(unix.SYS_PRCTL, Imm(unix.PR_CAP_AMBIENT), Imm(unix.PR_CAP_AMBIENT_CLEAR_ALL), Imm(0), Imm(0), Imm(0))
	in.capset(0, 0, 0)
}
