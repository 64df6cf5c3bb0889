package sandbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// runStep runs a step of the recipe, unless it is to be skipped, and writes down how
// it ended. What went wrong is the step's: the walk goes on, as later steps may be
// there for that.
func (c *container) runStep(op plan.RunStep) {
	run := definition.StepRun{Name: op.Name, Verdict: definition.VerdictSkipped}
	if c.wanted(op.When) {
		c.progress(Progress{Name: op.Name})
		before := c.oomKills()
		run.StartedAt = time.Now().UTC()
		exit, err := c.performStep(op)
		run.Wall = definition.Duration(time.Since(run.StartedAt))
		run.OOMKills = c.oomKills() - before
		if err != nil {
			c.refuseStep(&run, err)
		} else {
			c.judgeStep(&run, op, exit)
		}
		c.monitor.leave()
	}
	c.mu.Lock()
	c.result.Steps = append(c.result.Steps, run)
	c.mu.Unlock()
	c.progress(Progress{Name: op.Name, Step: &run, Memory: c.memoryNow()})
}

// wanted reports whether a step is to run. Nothing does once the whole container was
// to end; an interruption is a failure.
func (c *container) wanted(when definition.When) bool {
	m := c.monitor
	m.takeStops()
	if m.isEnding() || c.ctx.Err() != nil {
		return false
	}
	failed := c.failedStep() != nil || m.interruption() != 0
	return when == definition.WhenAlways || failed == (when == definition.WhenFailure)
}

// failedStep is the first step that failed, or nil.
func (c *container) failedStep() *definition.StepRun {
	for i := range c.result.Steps {
		if c.result.Steps[i].Failed() {
			return &c.result.Steps[i]
		}
	}
	return nil
}

func (c *container) performStep(op plan.RunStep) (exit nsinit.Exit, err error) {
	p, err := plan.CompileStep(c.def, c.Facts, op.Number)
	if err != nil {
		return exit, err
	}
	m := c.monitor
	interrupted := m.interruption()
	m.late = false
	until := m.alarms.wall
	if end := time.Now().Add(time.Duration(op.Wall)); op.Wall > 0 && (until.IsZero() || end.Before(until)) {
		until = end
	}
	child, err := c.start(p, nsinit.Spawn{Stdin: c.stdio.in, Stdout: c.stdio.out, Stderr: c.stdio.err}, until)
	if errors.Is(err, context.DeadlineExceeded) {
		m.expire()
		return nsinit.Exit{Status: unix.WaitStatus(unix.SIGKILL)}, nil
	}
	if err != nil {
		return exit, err
	}
	defer child.Close()
	m.begin(child)
	m.takeStops() // what was asked for before there was something to wake
	if sig := m.interruption(); sig != interrupted {
		m.signal(sig) // that came while it could not take it
	}
	if op.Wall > 0 {
		m.alarms.step = time.Now().Add(time.Duration(op.Wall))
	}
	exit = m.follow(child)
	m.alarms.step, m.alarms.stepGrace = time.Time{}, time.Time{}
	if m.late {
		signalSession(child.PID(), unix.SIGKILL)
	}
	c.spent += cpuTime(exit.Rusage)
	return exit, nil
}

// refuseStep is the end of a step that could not be started.
func (c *container) refuseStep(run *definition.StepRun, err error) {
	run.Verdict, run.ExitCode, run.Error = definition.VerdictFailed, exitCode(err), err.Error()
	if sig := c.monitor.interruption(); sig != 0 && c.ctx.Err() != nil {
		run.Verdict, run.ExitCode = definition.VerdictKilled, 128+int(sig)
		return
	}
	if c.failedStep() != nil {
		return
	}
	f := definition.Failure{Reason: "step " + run.Name + ": " + err.Error()}
	var failed *Error
	if errors.As(err, &failed) {
		f.Origin, f.Hint = failed.Origin, failed.Hint
	}
	c.fail(f)
	c.result.ExitCode = run.ExitCode
}

func (c *container) judgeStep(run *definition.StepRun, op plan.RunStep, exit nsinit.Exit) {
	m, status := c.monitor, exit.Status
	run.CPU = definition.Duration(cpuTime(exit.Rusage))
	if status.Signaled() {
		run.Signal = SignalName(status.Signal())
	}
	switch {
	case m.late:
		run.Verdict, run.ExitCode = definition.VerdictTimeout, codeTimeout
		run.Limit, run.LimitValue = definition.Join(definition.Item("steps", op.Number), "wall"), op.Wall.String()
	case m.first != nil && m.first.limit != "":
		run.Verdict, run.ExitCode = definition.VerdictTimeout, codeTimeout
		run.Limit, run.LimitValue = m.first.limit, m.first.value
	case !status.Signaled():
		run.Verdict, run.ExitCode = definition.VerdictExited, status.ExitStatus()
	default:
		sig := status.Signal()
		run.ExitCode = 128 + int(sig)
		switch {
		case m.ours(sig):
			run.Verdict = definition.VerdictKilled
		case sig == unix.SIGKILL && run.OOMKills > 0:
			run.Verdict, run.Limit, run.LimitValue = definition.VerdictOOM, "memory", c.memoryLimit(c.group.OOM())
		default:
			run.Verdict = definition.VerdictSignaled
		}
	}
}

// judgeSteps makes the result of the first step that failed, or of the success of
// all.
func (c *container) judgeSteps() {
	m, r := c.monitor, c.result
	c.judged = true
	r.Wall, r.CPU = definition.Duration(m.ended.Sub(m.started)), definition.Duration(c.spent)
	c.readPeaks()
	sig, failed := m.interruption(), c.failedStep()
	switch {
	case failed != nil:
		r.Step, r.Verdict, r.ExitCode = failed.Name, failed.Verdict, failed.ExitCode
		r.Signal, r.Limit, r.LimitValue = failed.Signal, failed.Limit, failed.LimitValue
	case m.first != nil && m.first.limit != "":
		r.Verdict, r.ExitCode, r.Limit, r.LimitValue = definition.VerdictTimeout, codeTimeout, m.first.limit, m.first.value
	case sig != 0:
		r.Verdict, r.ExitCode, r.Signal = definition.VerdictKilled, 128+int(sig), SignalName(sig)
	case m.first != nil || c.ctx.Err() != nil:
		r.Verdict, r.ExitCode, r.Signal = definition.VerdictKilled, 128+int(unix.SIGKILL), "KILL"
	default:
		r.Verdict, r.ExitCode = definition.VerdictExited, 0
	}
	if r.Failure != nil {
		r.Verdict = definition.VerdictFailed
		r.ExitCode = c.failedCode()
	}
}

func (c *container) oomKills() int64 {
	if c.group == nil {
		return 0
	}
	return c.group.OOM().Kills
}

// memoryNow is what the container uses, or nil.
func (c *container) memoryNow() *definition.Bytes {
	if c.group == nil || c.Progress == nil {
		return nil
	}
	return c.group.Stats().Memory
}

// begin has limits and signals act on a step.
func (m *monitor) begin(step *nsinit.Child) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.target, m.late = step, false
}

// leave has signals act on nothing: what was sent to one step did not end the next.
func (m *monitor) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.target = nil
	clear(m.forwarded)
}

// expire is the end of a step's time before its execve.
func (m *monitor) expire() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.c.def.Limits; due(&m.alarms.wall) {
		m.first = &stop{limit: "wall", value: l.Wall.String()}
	} else {
		m.late = true
	}
}

// endStep asks a step whose time is over to end.
func (m *monitor) endStep() {
	m.late = true
	m.signalGroup(unix.SIGTERM)
	m.signalGroup(unix.SIGCONT)
	m.alarms.stepGrace = time.Now().Add(killGrace)
}

// signalGroup sends a signal to the step and what is in its process group.
func (m *monitor) signalGroup(sig unix.Signal) {
	unix.Kill(-m.target.PID(), sig) //nolint:errcheck // it is ours, not reaped, and leads the group
}

// signalSession sends a signal to what is in the session that a step has led. A
// process that made one of its own is not found.
func signalSession(leader int, sig unix.Signal) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		fd, err := unix.PidfdOpen(pid, 0) // first, so that it is the process that is looked at
		if err != nil {
			continue
		}
		if sessionOf(path) == leader {
			unix.PidfdSendSignal(fd, sig, nil, 0) //nolint:errcheck // it may have ended
		}
		unix.Close(fd)
	}
}

// sessionOf reads a process's session from its stat file (proc_pid_stat(5)), or 0.
func sessionOf(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	// The name in parentheses may have blanks and parentheses itself.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 4 {
		return 0
	}
	session, _ := strconv.Atoi(fields[3])
	return session
}
