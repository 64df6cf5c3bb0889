package sandbox

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
)

// Exit codes of the runner that are not the payload's own, as timeout(1) and the
// shells have them.
const codeTimeout = 124

// judge sets the verdict from how the payload ended. It runs after the payload's
// end and before the cgroup is removed.
func (c *container) judge() {
	m, r := c.monitor, c.result
	status := m.exit.Status
	c.judged = true
	r.Wall = definition.Duration(m.ended.Sub(m.started))
	r.CPU = definition.Duration(cpuTime(m.exit.Rusage))
	c.readPeaks()
	switch {
	case m.first != nil && m.first.limit != "":
		r.Verdict, r.ExitCode = definition.VerdictTimeout, codeTimeout
		r.Limit, r.LimitValue = m.first.limit, m.first.value
		if status.Signaled() {
			r.Signal = SignalName(status.Signal())
		}
	case !status.Signaled():
		r.Verdict, r.ExitCode = definition.VerdictExited, status.ExitStatus()
	default:
		sig := status.Signal()
		r.Signal, r.ExitCode = SignalName(sig), 128+int(sig)
		r.Verdict = c.signalVerdict(sig)
	}
	if r.Failure != nil {
		r.Verdict = definition.VerdictFailed
		r.ExitCode = c.failedCode()
	}
}

func (c *container) signalVerdict(sig unix.Signal) definition.Verdict {
	m, r := c.monitor, c.result
	switch {
	case m.ours(sig):
		return definition.VerdictKilled
	case sig == unix.SIGKILL && r.OOMKills > 0:
		// Only a SIGKILL that we did not send, together with a kill counted by the
		// container's cgroup, is the out-of-memory killer's.
		r.Limit, r.LimitValue = "memory", c.memoryLimit(c.final.oom)
		return definition.VerdictOOM
	}
	return definition.VerdictSignaled
}

// memoryLimit says whose limit of memory was reached.
func (c *container) memoryLimit(oom cgroups.OOM) string {
	limit := c.def.Limits.Memory
	switch {
	case oom.Own && limit != nil:
		return limit.String()
	case oom.Whose != "":
		return "that of the cgroup " + oom.Whose + " above the container"
	}
	return "that of the machine"
}

// readPeaks reads what the cgroup counted.
func (c *container) readPeaks() {
	r, m := c.result, c.monitor
	if c.group == nil {
		return
	}
	if c.final == nil {
		f := c.readFinal()
		c.final = &f
	}
	f := c.final
	r.Peak = f.peak
	if r.Peak.Pids == nil && m.peakPids > 0 {
		r.Peak.Pids = &m.peakPids // sampled
	}
	r.CPU = max(r.CPU, f.stats.CPU) // processes that nobody waited for are in the cgroup's time only
	r.OOMKills = f.oom.Kills
}

// cpuTime is the processor time of a process and of all it waited for.
func cpuTime(usage unix.Rusage) time.Duration {
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// SignalName returns "SEGV" for SIGSEGV, and "RT3" or a number for those without
// a name.
func SignalName(sig unix.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return strings.TrimPrefix(name, "SIG")
	}
	if sig >= 34 && sig <= 64 {
		return "RT" + strconv.Itoa(int(sig)-34)
	}
	return strconv.Itoa(int(sig))
}

// signalByName reads "TERM" or "SIGTERM".
func signalByName(name string) (unix.Signal, bool) {
	name = strings.ToUpper(strings.TrimPrefix(strings.ToUpper(name), "SIG"))
	sig := unix.SignalNum("SIG" + name)
	return sig, sig != 0
}
