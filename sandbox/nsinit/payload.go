package nsinit

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// PayloadPID is the payload's process id on the host; found when first asked for,
// once execve has succeeded, or while its failure is being looked into, or while it
// is parked at PointJoin.
func (c *Child) PayloadPID() (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.payloadPID()
}

func (c *Child) payloadPID() (int, error) {
	c.readStatus()
	switch {
	case c.payload > 0:
		return c.payload, nil
	case !c.started && (c.parked == nil || c.parked.point != PointRefused && c.parked.point != PointJoin):
		return 0, fmt.Errorf("the payload has not started")
	case c.exit != nil:
		return 0, fmt.Errorf("the payload has ended: %w", unix.ESRCH)
	case !c.in.keeper:
		c.payload = c.pid
		return c.pid, nil
	}
	c.drain() // a payload that is not process 2 has been announced
	// In the order they were cloned or inherited (proc_pid_children(5)).
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", c.pid, c.pid))
	if err != nil {
		return 0, fmt.Errorf("find the payload's process: %w", err)
	}
	first, _, _ := bytes.Cut(children, []byte(" "))
	pid, err := strconv.Atoi(string(first))
	if err != nil {
		return 0, fmt.Errorf("the payload has ended: %w", unix.ESRCH)
	}
	return c.identify(pid)
}

// identify takes a pidfd of the keeper's first child and only then asks whether it
// is the payload and not an orphan that the keeper inherited when the payload had
// ended: the pidfd stays that process's.
func (c *Child) identify(pid int) (int, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, fmt.Errorf("find the payload's process: %w", err)
	}
	parent, inside, err := processIDs(pid)
	if err != nil || parent != c.pid || inside != c.inside {
		unix.Close(fd)
		return 0, fmt.Errorf("the payload has ended: %w", unix.ESRCH)
	}
	c.payload, c.payloadFD = pid, fd
	return pid, nil
}

// processIDs reads a process's parent and its pid in its innermost namespace.
func processIDs(pid int) (parent, inside int, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range bytes.SplitSeq(status, []byte("\n")) {
		fields := bytes.Fields(line)
		if len(fields) < 2 {
			continue
		}
		switch string(fields[0]) {
		case "PPid:":
			parent, err = strconv.Atoi(string(fields[1]))
		case "NSpid:":
			inside, err = strconv.Atoi(string(fields[len(fields)-1]))
		}
		if err != nil {
			return 0, 0, err
		}
	}
	return parent, inside, nil
}

// Signal sends a signal to the payload, never to a process that got its pid later.
// One that has ended is unix.ESRCH.
func (c *Child) Signal(sig unix.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.payloadPID(); err != nil {
		return err
	}
	fd := c.payloadFD
	if !c.in.keeper {
		fd = c.pidfd
	}
	err := error(unix.ESRCH)
	if c.exit == nil {
		err = unix.PidfdSendSignal(fd, sig, nil, 0)
	}
	if err != nil {
		return fmt.Errorf("send %s to the payload: %w", unix.SignalName(sig), err)
	}
	return nil
}
