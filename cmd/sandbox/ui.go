package main

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox"
	"sandbox/sandbox/definition"
	"sandbox/script"
)

// Everything that the program itself says is printed in this file and, while a run
// goes on, in progress.go, by these rules:
//
//   - to stderr, a line at a time, each starting "sandbox: "; what belongs to the
//     line before is indented by two spaces: "  from build.lua:9: limits.memory",
//     "  hint: …", "  (frame of a traceback)"
//   - lower case, no final period
//   - what a recipe or the host brought in has its control characters escaped
//   - colours only on a terminal that can, and never with NO_COLOR set
//   - a run that went well says one line, and one for each artifact; --quiet nothing
//
// What was asked for (a plan, a report, completions) goes to stdout, and is printed
// by its command.
type ui struct {
	w     io.Writer
	color bool
	quiet bool
}

func newUI(w *os.File) *ui { return &ui{w: w, color: colorful(w)} }

func colorful(w *os.File) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	_, err := unix.IoctlGetTermios(int(w.Fd()), unix.TCGETS)
	return err == nil
}

// Colours, as SGR parameters.
const (
	red    = "31"
	yellow = "33"
	faint  = "2"
	green  = "32"
)

func (u *ui) paint(color, text string) string {
	if !u.color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// say prints lines that were made by paint and printable.
func (u *ui) say(lines ...string) {
	io.WriteString(u.w, strings.Join(lines, "\n")+"\n") //nolint — nothing is left to be done when stderr is gone
}

// log prints a line of a hook.
func (u *ui) log(line string) { u.say("sandbox: " + printable(line)) }

func (u *ui) note(text string) {
	if !u.quiet {
		u.say("sandbox: " + u.paint(yellow, "note:") + " " + printable(text))
	}
}

func (u *ui) warn(text string) {
	u.say("sandbox: " + u.paint(yellow, "warning:") + " " + printable(text))
}

// failure prints an error of any kind.
func (u *ui) failure(err error) {
	var problems definition.Problems
	var recipe *script.Error
	var step *sandbox.Error
	switch {
	case errors.As(err, &recipe):
		u.recipe(recipe)
	case errors.As(err, &step):
		u.complaint(err.Error(), origin(step.Origin, step.Field), step.Hint)
	case errors.As(err, &problems):
		for _, p := range problems {
			u.problem(p)
		}
	default:
		var hinted interface{ Hint() string }
		hint := ""
		if errors.As(err, &hinted) {
			hint = hinted.Hint()
		}
		u.complaint(err.Error(), "", hint)
	}
}

// problem prints one problem of a definition.
func (u *ui) problem(p definition.Problem) {
	hint := p.Hint
	p.Hint = ""
	u.complaint(p.Error(), "", hint)
}

// recipe prints what is wrong with a recipe: its program, then its definition.
func (u *ui) recipe(e *script.Error) {
	for _, p := range e.Lua {
		// The first line of the report is the error, the others are frames.
		_, frames, _ := strings.Cut(p.Report(), "\n")
		hint, bare := p.Hint, *p
		bare.Hint = ""
		u.complaint(bare.Error(), "", hint)
		if frames != "" {
			u.say(u.paint(faint, frames))
		}
	}
	for _, p := range e.Problems {
		u.problem(p)
	}
}

func (u *ui) complaint(text, from, hint string) {
	if hint == "" {
		text, hint, _ = strings.Cut(text, "; hint: ")
	}
	lines := strings.Split(text, "\n")
	u.say("sandbox: " + u.paint(red, printable(lines[0])))
	for _, line := range lines[1:] {
		u.say("  " + printable(strings.TrimSpace(line)))
	}
	if from != "" {
		u.say("  from " + printable(from))
	}
	if hint != "" {
		u.say("  " + u.paint(green, "hint:") + " " + printable(hint))
	}
}

// origin words a place in a recipe: "build.lua:17: mounts[1]".
func origin(at definition.Origin, field string) string {
	switch {
	case at.IsZero():
		return ""
	case field == "":
		return at.String()
	}
	return at.String() + ": " + field
}

// summary says how a run ended.
func (u *ui) summary(r *definition.Result, origins definition.Origins) {
	for _, n := range r.Notes {
		u.note(n)
	}
	for _, w := range r.Warnings {
		u.warn(w)
	}
	used, step := "after "+duration(r.Wall)+usage(r), stepText(r)
	switch r.Verdict {
	case definition.VerdictExited:
		if !u.quiet {
			u.say("sandbox: " + u.paint(codeColor(r.ExitCode), step+"exited "+strconv.Itoa(r.ExitCode)) + " " + used)
			if from := stepOrigin(r, origins); from != "" {
				u.say("  from " + printable(from))
			}
		}
	case definition.VerdictOOM:
		u.outOfMemory(r, origins, used)
	case definition.VerdictTimeout:
		u.complaint(step+"stopped by the limit "+r.Limit+" of "+r.LimitValue+" "+used, limitOrigin(r, origins), "")
	case definition.VerdictFailed:
		u.failed(r, used)
	default:
		u.complaint(step+ended(r)+" "+used, stepOrigin(r, origins), "")
	}
	if u.quiet {
		return
	}
	for _, a := range r.Artifacts {
		u.say("sandbox: " + "copied " + printable(a.Path) + " to " + printable(shorten(a.Target)))
	}
}

// outOfMemory says whose limit was reached, which it was, and the peak in used.
func (u *ui) outOfMemory(r *definition.Result, origins definition.Origins, used string) {
	if strings.HasPrefix(r.LimitValue, "that of ") {
		u.complaint("out of memory: the limit reached was "+r.LimitValue+", "+used, "", "set limits.memory below it, run fewer things beside it, or let the payload use less")
		return
	}
	u.complaint("out of memory: the container's own limit memory of "+r.LimitValue+" was reached, "+used, limitOrigin(r, origins), "raise limits.memory, or let the payload use less")
}

func codeColor(code int) string {
	if code == 0 {
		return green
	}
	return red
}

func ended(r *definition.Result) string {
	by := "the runner"
	if r.Signal != "" {
		by = "SIG" + r.Signal
	}
	if r.Verdict == definition.VerdictKilled {
		return "killed by " + by
	}
	return "ended by " + by
}

func (u *ui) failed(r *definition.Result, used string) {
	if r.Failure == nil {
		u.complaint("failed "+used, "", "")
		return
	}
	from := origin(r.Failure.Origin, "")
	if r.Failure.Hook != "" {
		from = origin(r.Failure.Origin, "hook "+quote(r.Failure.Hook))
	}
	u.complaint("failed "+used+": "+r.Failure.Reason, from, r.Failure.Hint)
}

func limitOrigin(r *definition.Result, origins definition.Origins) string {
	field := "limits." + r.Limit
	if strings.HasPrefix(r.Limit, "steps[") {
		field = r.Limit
	}
	return origin(origins.Of(field), field)
}

// usage says what was used: " (cpu 20.1s, memory 812M, 64 pids)".
func usage(r *definition.Result) string {
	parts := []string{"cpu " + duration(r.CPU)}
	if r.Peak.Memory != nil {
		parts = append(parts, "peak memory "+size(*r.Peak.Memory))
	}
	if r.Peak.Pids != nil {
		parts = append(parts, "peak pids "+strconv.FormatInt(*r.Peak.Pids, 10))
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// duration rounds for people: 3.2ms, 812ms, 12.3s, 1m4s.
func duration(d definition.Duration) string {
	t := time.Duration(d)
	switch {
	case t >= time.Minute:
		t = t.Round(time.Second)
	case t >= 10*time.Second:
		t = t.Round(100 * time.Millisecond)
	case t >= time.Second:
		t = t.Round(10 * time.Millisecond)
	case t >= 10*time.Millisecond:
		t = t.Round(time.Millisecond)
	default:
		t = t.Round(100 * time.Microsecond)
	}
	return definition.Duration(t).String()
}

// size rounds for people: 812M, 1.4G.
func size(b definition.Bytes) string {
	unit, name := definition.Bytes(1), ""
	for _, next := range []string{"K", "M", "G", "T", "P"} {
		if b < unit<<10 {
			break
		}
		unit, name = unit<<10, next
	}
	if tenths := (b*10 + unit/2) / unit; unit > 1 && tenths < 100 {
		return strconv.FormatInt(int64(tenths/10), 10) + "." + strconv.FormatInt(int64(tenths%10), 10) + name
	}
	return strconv.FormatInt(int64((b+unit/2)/unit), 10) + name
}

// shorten writes a path below the current folder relative to it.
func shorten(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if below, ok := strings.CutPrefix(path, strings.TrimSuffix(here, "/")+"/"); ok {
		return below
	}
	return path
}

func quote(s string) string { return strconv.Quote(s) }
