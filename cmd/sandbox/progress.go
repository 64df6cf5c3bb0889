package main

import (
	"strconv"

	"sandbox/sandbox"
	"sandbox/sandbox/definition"
)

// What is said while a run goes on, by the rules of ui.go and these:
//
//   - nothing with --quiet or --json
//   - the terminal is the payload's: a line is said once, when a step has ended or a
//     service is ready, and never drawn over

// progress says what has become of a step or a service.
func (u *ui) progress(p sandbox.Progress) {
	switch {
	case p.Service != nil:
		u.say("sandbox: service " + p.Name + ": ready after " + duration(p.Service.Ready))
	case p.Step != nil:
		u.say("sandbox: step " + p.Name + ": " + u.paint(stepColor(p.Step), stepEnd(p.Step)) + spent(p))
	}
}

func spent(p sandbox.Progress) string {
	if p.Step.Verdict == definition.VerdictSkipped {
		return ""
	}
	text := " after " + duration(p.Step.Wall) + " (cpu " + duration(p.Step.CPU)
	if p.Memory != nil {
		text += ", memory now " + size(*p.Memory)
	}
	return text + ")"
}

// stepEnd words how a step ended.
func stepEnd(s *definition.StepRun) string {
	switch s.Verdict {
	case definition.VerdictExited:
		return "exited " + strconv.Itoa(s.ExitCode)
	case definition.VerdictSkipped:
		return "skipped"
	case definition.VerdictTimeout:
		return "stopped by the limit " + s.Limit + " of " + s.LimitValue
	case definition.VerdictOOM:
		return "out of memory"
	case definition.VerdictFailed:
		return "failed"
	}
	return ended(&definition.Result{Verdict: s.Verdict, Signal: s.Signal})
}

func stepColor(s *definition.StepRun) string {
	switch {
	case s.Verdict == definition.VerdictSkipped:
		return faint
	case s.Failed():
		return red
	}
	return green
}

// stepText begins what is said of a run with the step that it failed at.
func stepText(r *definition.Result) string {
	if r.Step == "" {
		return ""
	}
	return "step " + r.Step + ": "
}

// services shows the end of what services wrote that did not end well, or when the
// run did not, and where all of it is kept.
func (u *ui) services(r *definition.Result) {
	for _, s := range r.Services {
		if len(s.LastLines) > 0 {
			u.say("sandbox: service " + s.Name + ": the last lines of its output:")
			for _, line := range s.LastLines {
				u.say("  " + printable(line))
			}
		}
		if s.Log != "" && !u.quiet {
			u.say("sandbox: service " + s.Name + ": kept its output in " + printable(s.Log))
		}
	}
}
