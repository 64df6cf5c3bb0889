package nsinit

import "golang.org/x/sys/unix"

// callName names a call of the program, for errors.
func (p *Program) callName(call int) string {
	if call < 0 || call >= len(p.ops) {
		return "init"
	}
	nr := p.ops[call].nr
	if nr == opJump {
		return "verification"
	}
	for _, c := range callNames {
		if c.nr == nr {
			return c.name
		}
	}
	return "system call"
}

// callNames are the calls that a plan's steps are made of.
var callNames = [...]struct {
	nr   uint32
	name string
}{
	{unix.SYS_CAPSET, "capset"}, {unix.SYS_CHDIR, "chdir"}, {unix.SYS_CLONE, "clone"}, {unix.SYS_CLONE3, "clone3"}, {unix.SYS_CLOSE, "close"},
	{unix.SYS_CLOSE_RANGE, "close_range"}, {unix.SYS_CONNECT, "connect"}, {unix.SYS_DUP3, "dup3"}, {unix.SYS_EXECVE, "execve"}, {unix.SYS_FACCESSAT, "faccessat"},
	{unix.SYS_FCHDIR, "fchdir"}, {unix.SYS_FCHMOD, "fchmod"}, {unix.SYS_FCHMODAT, "fchmodat"},
	{unix.SYS_FCHOWN, "fchown"}, {unix.SYS_FCHOWNAT, "fchownat"}, {unix.SYS_FSCONFIG, "fsconfig"},
	{unix.SYS_FSETXATTR, "fsetxattr"}, {unix.SYS_FSMOUNT, "fsmount"}, {unix.SYS_FSOPEN, "fsopen"},
	{unix.SYS_FSTATFS, "fstatfs"}, {unix.SYS_GETCWD, "getcwd"}, {unix.SYS_IOCTL, "ioctl"},
	{unix.SYS_LINKAT, "linkat"}, {unix.SYS_MKDIRAT, "mkdirat"}, {unix.SYS_MKNODAT, "mknodat"},
	{unix.SYS_MOUNT, "mount"}, {unix.SYS_MOUNT_SETATTR, "mount_setattr"}, {unix.SYS_MOVE_MOUNT, "move_mount"}, {unix.SYS_NANOSLEEP, "nanosleep"},
	{unix.SYS_OPENAT, "openat"}, {unix.SYS_OPENAT2, "openat2"}, {unix.SYS_OPEN_TREE, "open_tree"},
	{unix.SYS_PIPE2, "pipe2"}, {unix.SYS_PIVOT_ROOT, "pivot_root"}, {unix.SYS_PRCTL, "prctl"},
	{unix.SYS_PREAD64, "pread"}, {unix.SYS_PRLIMIT64, "prlimit"}, {unix.SYS_PWRITE64, "pwrite"},
	{unix.SYS_READ, "read"}, {unix.SYS_READLINKAT, "readlinkat"}, {unix.SYS_RECVFROM, "recvfrom"},
	{unix.SYS_RECVMSG, "recvmsg"}, {unix.SYS_RENAMEAT2, "renameat2"}, {unix.SYS_RT_SIGACTION, "rt_sigaction"}, {unix.SYS_SCHED_SETAFFINITY, "sched_setaffinity"}, {unix.SYS_SECCOMP, "seccomp"},
	{unix.SYS_SENDMSG, "sendmsg"}, {unix.SYS_SENDTO, "sendto"}, {unix.SYS_SETGROUPS, "setgroups"},
	{unix.SYS_SETHOSTNAME, "sethostname"}, {unix.SYS_SETNS, "setns"}, {unix.SYS_SETRESGID, "setresgid"},
	{unix.SYS_SETRESUID, "setresuid"}, {unix.SYS_SETSID, "setsid"}, {unix.SYS_SETXATTR, "setxattr"},
	{unix.SYS_SOCKET, "socket"}, {unix.SYS_STATX, "statx"}, {unix.SYS_SYMLINKAT, "symlinkat"},
	{unix.SYS_UMASK, "umask"}, {unix.SYS_UMOUNT2, "umount2"}, {unix.SYS_UNLINKAT, "unlinkat"},
	{unix.SYS_UNSHARE, "unshare"}, {unix.SYS_WAIT4, "wait4"}, {unix.SYS_WRITE, "write"},
}
