package nsinit

// Fixed file descriptors of the machine, besides stdin, stdout and stderr.
const (
	fdSocket  = 3 // SEQPACKET: messages to the supervisor, answers from it
	fdStatus  = 4 // pipe: one byte before execve; its end of file after that byte is success
	fdProgram = 5 // comes with the program
	// FirstFD is the first of the descriptors that come with a program for its use.
	FirstFD = fdProgram + 1
	// maxFiles is how many may come with a program (SCM_MAX_FD, less the program).
	maxFiles = 252
)

// Kinds of message, the first u32 of each. Child to supervisor unless said otherwise.
// Before anything else the machine waits for a message of its own kind: the size of
// its program, with the program's file and those that it refers to.
//
//	child                          supervisor
//	NOTE number, errno       ───▶  kept for the Result
//	FAIL call, errno         ───▶  the call's step names the error; the child has exited
//	SYNC point (+ fds)       ───▶  does what the point asks
//	                         ◀───  answer: KindGo and the point's words; end of file means: exit
//	CHILD pid                ───▶  pid of the init, from the process that cloned it
//	PAYLOAD pid              ───▶  pid of the payload in init's pid namespace, unless 2
//	                         ◀───  KindCgroup (+ fd): the cgroup for the payload to be born in
//	                         ◀───  KindNet (+ fd): the net namespace to enter; without fd: make one
//	EXIT status, pid, rusage ───▶  raw wait status of the payload
const (
	KindNote    = 1
	KindFail    = 2
	KindSync    = 3
	KindChild   = 4
	KindExit    = 5
	KindGo      = 6
	KindPayload = 7
	KindNet     = 8
	KindCgroup  = 9
)

// Point is a place where init parks until the supervisor answers.
type Point uint32

// The sync points.
const (
	// PointMap: the user namespace exists and wants its maps (user_namespaces(7)).
	PointMap Point = 1
	// PointUser: the rootfs is complete; the answer holds uid, gid, count and groups.
	PointUser Point = 2
	// PointPrestart: all is set up; hooks run, and the supervisor takes its fds.
	PointPrestart Point = 3
	// PointTerminal: carries the terminal's master.
	PointTerminal Point = 4
	// PointRefused: execve has failed; the payload's process can still be looked at.
	PointRefused Point = 5
	// PointJoin: the payload's process is in all namespaces, which can be opened.
	PointJoin Point = 6
	// PointServices: as PointJoin, and closed to what runs in the container.
	PointServices Point = 7
)

// String names the point.
func (p Point) String() string {
	switch p {
	case PointMap:
		return "map"
	case PointUser:
		return "user"
	case PointPrestart:
		return "prestart"
	case PointTerminal:
		return "terminal"
	case PointRefused:
		return "refused"
	case PointJoin:
		return "join"
	case PointServices:
		return "services"
	}
	return "unknown"
}
