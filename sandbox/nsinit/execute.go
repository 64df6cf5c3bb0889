package nsinit

import (
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/plan"
)

// exitSetup is the exit code of init when it ends before execve.
const exitSetup = 125

// setCwd changes the folder and verifies that it is below the root: a descriptor
// of the host's that leaked would lead out by /proc/self/fd (CVE-2024-21626).
func (in *Init) setCwd(path string) {
	in.Call(unix.SYS_CHDIR, in.Str(path))
	in.Call(unix.SYS_GETCWD, Addr(in.scratch), Imm(scratchSize))
	// The kernel writes "(unreachable)/…" for a folder outside.
	outside, below := in.NewLabel(), in.NewLabel()
	in.TestElse(Word(in.scratch), Imm(0xff), Imm('/'), outside)
	in.Jump(below)
	in.Bind(outside)
	in.Raise(unix.EXDEV)
	in.Bind(below)
}

// closeFDs really closes everything, and leaves the socket and the status pipe to
// execve: until then they report its failure.
func (in *Init) closeFDs() {
	in.Call(unix.SYS_CLOSE_RANGE, Imm(fdStatus+1), Imm(^uint32(0)), Imm(0))
	in.Call(unix.SYS_CLOSE_RANGE, Imm(fdSocket), Imm(fdStatus), Imm(unix.CLOSE_RANGE_CLOEXEC))
}

// exec says on the status pipe that all is done but execve, and tries the
// candidates of the payload's PATH.
//
// As execvp(3) does, it goes on after ENOENT, ENOTDIR and EACCES, and reports
// EACCES rather than ENOENT. Unlike it, and like the OCI runtimes, it hands no
// file without "#!" to /bin/sh (ENOEXEC is an error) and looks in no relative
// folder of PATH: what runs would depend on the working directory.
func (in *Init) exec(op plan.Exec) {
	if len(op.Args) == 0 || op.Args[0] == "" {
		in.Fail("nothing to execute")
		return
	}
	env := make([]string, len(op.Env))
	path := "/bin:/usr/bin"
	for i, e := range op.Env {
		env[i] = e.Name + "=" + e.Value
		if e.Name == "PATH" {
			path = e.Value
		}
	}
	argv, envp := Addr(in.Strings(op.Args)), Addr(in.Strings(env))
	in.Call(unix.SYS_WRITE, Imm(fdStatus), in.Str("1"), Imm(1))
	if strings.Contains(op.Args[0], "/") {
		refused, file := in.NewLabel(), in.Str(op.Args[0])
		in.Call(unix.SYS_EXECVE, file, argv, envp).Else(refused)
		in.Bind(refused)
		in.refused()
		in.Call(unix.SYS_EXECVE, file, argv, envp) // once more, to report how it fails
		return
	}
	denied := in.NewWord(0)
	for _, file := range candidates(path, op.Args[0]) {
		in.tryExec(in.Str(file), argv, envp, denied)
	}
	in.refused()
	missing := in.NewLabel()
	in.TestElse(Word(denied), Imm(-1), Imm(1), missing)
	in.Raise(unix.EACCES)
	in.Bind(missing)
	in.Raise(unix.ENOENT)
}

// refused parks after a failed execve, so that the supervisor can find out why in
// the container's own root: ENOENT alone does not say whether the program, its
// interpreter or its loader is missing. A filter may forbid it; then it is left out.
func (in *Init) refused() {
	on := in.NewLabel()
	in.Call(unix.SYS_SENDTO, Imm(fdSocket), Addr(in.Bytes(u32s(KindSync, uint32(PointRefused)))), Imm(8),
		Imm(unix.MSG_NOSIGNAL), Imm(0), Imm(0)).Else(on)
	in.Call(unix.SYS_RECVFROM, Imm(fdSocket), Addr(in.scratch), Imm(scratchSize), Imm(0), Imm(0), Imm(0)).Else(on)
	in.Bind(on)
}

func candidates(path, name string) []string {
	var files []string
	for dir := range strings.SplitSeq(path, ":") {
		if strings.HasPrefix(dir, "/") {
			files = append(files, strings.TrimRight(dir, "/")+"/"+name)
		}
	}
	return files
}

// tryExec goes on behind itself only when the next candidate is to be tried.
func (in *Init) tryExec(file, argv, envp Arg, denied Mem) {
	failed, notFound, notDir, next := in.NewLabel(), in.NewLabel(), in.NewLabel(), in.NewLabel()
	fatal := in.NewLabel()
	in.Call(unix.SYS_EXECVE, file, argv, envp).Else(failed)
	in.Bind(failed)
	in.TestElse(in.Errno(), Imm(-1), Imm(int(unix.ENOENT)), notFound)
	in.Jump(next)
	in.Bind(notFound)
	in.TestElse(in.Errno(), Imm(-1), Imm(int(unix.ENOTDIR)), notDir)
	in.Jump(next)
	in.Bind(notDir)
	in.TestElse(in.Errno(), Imm(-1), Imm(int(unix.EACCES)), fatal)
	in.Set(denied, Imm(1))
	in.Jump(next)
	in.Bind(fatal)
	in.refused()
	in.Call(unix.SYS_EXECVE, file, argv, envp) // once more, to report how it fails
	in.Bind(next)
}
