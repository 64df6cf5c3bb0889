package nsinit

import (
	"encoding/binary"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// polled are the descriptors that init speaks through; a negative one is not waited
// for (poll(2)). Of the status pipe only the end is: the byte before it says
// nothing by itself, and waking us for it would delay execve.
func (c *Child) polled() [4]unix.PollFd {
	return [4]unix.PollFd{
		{Fd: int32(c.conn.wake), Events: unix.POLLIN},
		{Fd: int32(c.conn.socket), Events: unix.POLLIN},
		{Fd: int32(c.conn.status)},
		{Fd: int32(c.pidfd), Events: unix.POLLIN},
	}
}

// listen waits until init says something or has ended, who waits is woken, or for a
// time in milliseconds, unless that is -1, and takes what was said.
func (c *Child) listen(fds [4]unix.PollFd, timeout int) {
	if n, err := unix.Poll(fds[:], timeout); err != nil || n == 0 {
		return // EINTR, or the time
	}
	if c.take(fds) {
		time.Sleep(10 * time.Millisecond)
	}
}

// take takes what has come, and reports whether init has ended and cannot be reaped:
// while another process traces it, its end is that one's to see first (ptrace(2)).
func (c *Child) take(fds [4]unix.PollFd) (traced bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if fds[0].Revents != 0 {
		var b [8]byte
		unix.Read(c.conn.wake, b[:]) //nolint:errcheck // it was readable
	}
	if fds[1].Revents != 0 {
		c.receive()
	}
	if fds[2].Revents != 0 {
		c.readStatus()
	}
	if fds[3].Revents != 0 {
		// It may have been that of a stage that cloned the next, which a message tells.
		c.drain()
		pid := c.pid
		c.reap()
		traced = c.exit == nil && c.pid == pid
	}
	return traced
}

// drain takes all messages that are there.
func (c *Child) drain() {
	for c.receive() {
	}
}

// receive takes one message, if there is one.
func (c *Child) receive() bool {
	if c.conn.socket < 0 {
		return false
	}
	var message [256]byte
	var control [256]byte
	n, oob, _, _, err := unix.Recvmsg(c.conn.socket, message[:], control[:], unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
	switch {
	case err == unix.EAGAIN:
		return false
	case err == unix.EINTR || err == unix.ECONNRESET:
		// An init that ended with something unread is told of first, once; what it had
		// said comes after (unix_release_sock, __skb_try_recv_datagram).
		return true
	case err != nil || n == 0:
		closeFD(&c.conn.socket)
		return false
	}
	kind, words := decode(message[:n])
	files := descriptors(control[:oob])
	switch kind {
	case KindNote:
		c.notes = append(c.notes, int(words[0]))
	case KindFail:
		if c.failure == nil {
			call := int(words[0])
			c.failure = &StepError{Step: c.in.StepOf(call), Errno: unix.Errno(words[1]), Call: c.in.callName(call)}
		}
	case KindSync:
		c.parked = &parking{point: Point(words[0]), files: files}
		files = nil
	case KindChild:
		c.next(int(words[0]))
	case KindPayload:
		c.inside = int(words[0])
	case KindExit:
		c.report = append([]byte(nil), message[:n]...)
	}
	(&parking{files: files}).close()
	return true
}

func descriptors(control []byte) []*os.File {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return nil
	}
	var files []*os.File
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			continue
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "from-init"))
		}
	}
	return files
}

// next takes a clone of init in its place. It is our child and not reaped yet, so
// its pid is its own.
func (c *Child) next(pid int) {
	if pid <= 0 {
		return
	}
	unix.Close(c.pidfd) // first, so that the limit of open files cannot stand in the way
	c.former = append(c.former, c.pid)
	c.pid = pid
	fd, err := unix.PidfdOpen(pid, 0)
	c.pidfd = fd
	if err == nil {
		return
	}
	c.failure = &SpawnError{Doing: "open a pidfd of init", Cause: err}
	unix.Kill(pid, unix.SIGKILL)                                                //nolint:errcheck // it is our child, not reaped
	unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT|unix.WALL, nil) //nolint:errcheck // it is killed
	c.reap()
}

// readStatus takes the byte before execve, and the end of file: behind the byte that
// is success, unless a failure of execve came on the socket before it. Without the
// byte it is a death in set-up, told by the socket or the wait status.
func (c *Child) readStatus() {
	for c.conn.status >= 0 {
		var b [8]byte
		n, err := unix.Read(c.conn.status, b[:])
		switch {
		case err == unix.EAGAIN:
			return
		case err == unix.EINTR:
		case n > 0:
			c.ready = true
		default:
			c.endStatus()
		}
	}
}

func (c *Child) endStatus() {
	if c.conn.status < 0 {
		return
	}
	closeFD(&c.conn.status)
	c.drain()
	c.started = c.ready && c.failure == nil
}

// reap takes the end of init, after its last messages, and of its former stages.
func (c *Child) reap() {
	if c.exit != nil {
		return
	}
	var status unix.WaitStatus
	var usage unix.Rusage
	pid, err := unix.Wait4(c.pid, &status, unix.WNOHANG|unix.WALL, &usage)
	if err == unix.EINTR || err == nil && pid == 0 {
		return
	}
	c.drain()
	// A short life may end before its start was seen; and a process that is just
	// being forked elsewhere may hold the pipe for a moment, so do not wait for its end.
	c.readStatus()
	c.endStatus()
	for _, former := range c.former {
		unix.Wait4(former, nil, unix.WALL, nil) //nolint:errcheck // ended right after its message
	}
	c.former = nil
	usage.Maxrss = 0
	exit := Exit{Status: status, PID: c.pid, Rusage: usage}
	if len(c.report) >= exitSize {
		exit.take(c.report)
	}
	c.exit = &exit
}

// take takes what init reported of the payload.
func (e *Exit) take(report []byte) {
	le := binary.LittleEndian
	e.Rusage.Maxrss = int64(le.Uint64(report[exitMaxrss:]))
	e.Status = unix.WaitStatus(le.Uint32(report[exitStatus:]))
	e.PID, e.Reported = int(le.Uint32(report[exitPID:])), true
}

// reportedUsage is the processor time of the payload and all that it waited for.
func reportedUsage(report []byte) (usage unix.Rusage) {
	le := binary.LittleEndian // two struct timeval
	usage.Utime = unix.NsecToTimeval(int64(le.Uint64(report[exitUsage:]))*1e9 + int64(le.Uint64(report[exitUsage+8:]))*1e3)
	usage.Stime = unix.NsecToTimeval(int64(le.Uint64(report[exitUsage+16:]))*1e9 + int64(le.Uint64(report[exitUsage+24:]))*1e3)
	return usage
}
