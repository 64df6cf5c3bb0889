package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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

// stepOrigin is where the recipe has the step that a run failed at, or "".
func stepOrigin(r *definition.Result, origins definition.Origins) string {
	for i, s := range r.Steps {
		if s.Name == r.Step {
			field := definition.Item("steps", i+1)
			return origin(origins.Of(field), field)
		}
	}
	return ""
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

// board says what becomes of the cells of a matrix. On a terminal those that run are
// drawn below what has been said, again and again; elsewhere a cell is said once, when
// it has ended.
type board struct {
	*ui
	silent  bool
	columns int // of the terminal; 0 for none
	drawn   int // lines that stand there to be drawn over
}

func newBoard(u *ui, silent bool) *board {
	b := &board{ui: u, silent: silent || u.quiet}
	if !b.silent && os.Getenv("TERM") != "dumb" {
		b.columns = columnsOf(u.w)
	}
	return b
}

// drawEvery is the time between two drawings.
const drawEvery = 200 * time.Millisecond

// maxDrawn bounds the cells that are drawn at once.
const maxDrawn = 16

// ticker says when to draw again; never without a terminal.
func (b *board) ticker() <-chan time.Time {
	if b.columns == 0 {
		return nil
	}
	return time.Tick(drawEvery)
}

// ended says how a cell ended.
func (b *board) ended(c *cell) {
	if b.silent {
		return
	}
	b.erase()
	b.say("sandbox: " + c.String() + ": " + b.paint(cellColor(c), cellEnd(c)) + " after " + duration(c.result.Wall) + usage(&c.result))
}

// draw draws the cells that run.
func (b *board) draw(m *matrix) {
	if b.columns == 0 {
		return
	}
	b.erase()
	waiting := 0
	for _, c := range m.cells {
		switch {
		case c.state == cellWaiting:
			waiting++
		case c.state == cellRunning && b.drawn < maxDrawn:
			b.line("  " + c.String() + "  running " + duration(c.took()))
		}
	}
	if waiting > 0 {
		b.line("  " + strconv.Itoa(waiting) + " waiting")
	}
}

// line draws a line that can be drawn over: one that wraps would be two.
func (b *board) line(text string) {
	if runes := []rune(text); len(runes) >= b.columns {
		text = string(runes[:max(0, b.columns-1)])
	}
	b.say(b.paint(faint, text))
	b.drawn++
}

// erase removes what is to be drawn over: up, and clear to the end (ECMA-48 CUU, ED).
func (b *board) erase() {
	if b.drawn > 0 {
		io.WriteString(b.w, "\x1b["+strconv.Itoa(b.drawn)+"A\x1b[J") //nolint — as in say
		b.drawn = 0
	}
}

// finish says how all of them ended: the end of what the failed ones wrote, then one
// table. With --quiet only what failed.
func (b *board) finish(m *matrix) {
	b.erase()
	if m.line.has("json") {
		return
	}
	rows := [][]string{{"cell", "verdict", "code", "wall", "peak memory"}}
	for _, c := range m.cells {
		if c.state == cellEnded && c.failed() {
			b.output(m, c)
		}
		if b.quiet && !c.failed() {
			continue
		}
		rows = append(rows, cellRow(c))
	}
	if len(rows) == 1 {
		return
	}
	b.say("sandbox: " + summed(m.cells))
	for i, text := range table(rows) {
		if i == 0 {
			text = b.paint(faint, text)
		}
		b.say("  " + text)
	}
}

func (b *board) output(m *matrix, c *cell) {
	lines := c.lastLines(m)
	if len(lines) == 0 {
		b.complaint(c.String()+": "+cellEnd(c), "", "")
		return
	}
	b.say("sandbox: " + c.String() + ": " + b.paint(red, cellEnd(c)) + "; the last lines of its output, which is in " + printable(shorten(c.log(m))) + ":")
	for _, line := range lines {
		b.say("  " + printable(line))
	}
}

// summed counts the cells: "3 of 4 cells went well".
func summed(cells []*cell) string {
	good := 0
	for _, c := range cells {
		if !c.failed() {
			good++
		}
	}
	return strconv.Itoa(good) + " of " + strconv.Itoa(len(cells)) + " cells went well"
}

func cellRow(c *cell) []string {
	if c.state != cellEnded {
		return []string{c.String(), string(definition.VerdictSkipped), "", "", ""}
	}
	memory := ""
	if peak := c.result.Peak.Memory; peak != nil {
		memory = size(*peak)
	}
	return []string{c.String(), string(c.result.Verdict), strconv.Itoa(c.result.ExitCode), duration(c.result.Wall), memory}
}

// cellEnd words how a cell ended.
func cellEnd(c *cell) string {
	r := &c.result
	if !r.Started && r.Error != "" {
		first, _, _ := strings.Cut(r.Error, "\n")
		return "failed: " + printable(first)
	}
	return stepText(r) + stepEnd(&definition.StepRun{Verdict: r.Verdict, ExitCode: r.ExitCode, Signal: r.Signal, Limit: r.Limit, LimitValue: r.LimitValue})
}

func cellColor(c *cell) string {
	if c.failed() {
		return red
	}
	return green
}

// table aligns rows; what follows the first column's name is short.
func table(rows [][]string) []string {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, text := range row {
			width[i] = max(width[i], utf8.RuneCountInString(text))
		}
	}
	lines := make([]string, len(rows))
	for n, row := range rows {
		line := ""
		for i, text := range row {
			line += text + strings.Repeat(" ", width[i]-utf8.RuneCountInString(text)+2)
		}
		lines[n] = strings.TrimRight(line, " ")
	}
	return lines
}
