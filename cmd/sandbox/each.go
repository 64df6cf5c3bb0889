package main

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox"
	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
	"sandbox/sandbox/probe"
	"sandbox/script"
)

// maxCells bounds a matrix: each cell is a container and a log.
const maxCells = 1000

// axis is one --each: a param and the values that it takes.
type axis struct {
	name   string
	values []string
}

// matrix is one `sandbox run --each`: the product of the values of some params. Each
// cell is a `sandbox run` of its own, in a process of its own, which ends with this one.
type matrix struct {
	*app
	line  *arguments
	cells []*cell
	jobs  int
	dir   string   // of the logs
	logs  *os.Root // the same, whatever has become of its path
	board *board

	interrupted unix.Signal
}

// each runs a matrix; the exit code is 1 when any cell failed.
func (a *app) each(line *arguments) error {
	m := &matrix{app: a, line: line}
	result, err := m.prepare()
	if err != nil {
		return a.fail(err)
	}
	if err := m.check(); err != nil {
		return err
	}
	if err := m.openLogs(); err != nil {
		return a.fail(err)
	}
	a.ui.quiet = line.has("quiet")
	m.board = newBoard(a.ui, line.has("json"))
	m.run()
	m.sweep()
	m.board.finish(m)
	err = m.report(result)
	m.removeLogs()
	return err
}

// prepare reads the flags, and opens the file of --result.
func (m *matrix) prepare() (*os.File, error) {
	axes, err := parseAxes(m.line)
	if err != nil {
		return nil, err
	}
	m.cells = product(axes)
	m.jobs = runtime.GOMAXPROCS(0)
	if text, ok := m.line.own["jobs"]; ok {
		if m.jobs, err = strconv.Atoi(text); err != nil || m.jobs < 1 {
			return nil, &usageError{message: "--jobs " + quote(text) + " is no number above 0"}
		}
	}
	if m.line.has("id") {
		return nil, &usageError{message: "--id names one container, and --each makes several", hint: "leave it out: each gets an id from the recipe's name"}
	}
	r := &running{app: m.app, line: m.line}
	err = r.openResult()
	return r.result, err
}

// parseAxes reads --each NAME=A,B.
func parseAxes(line *arguments) ([]axis, error) {
	const hint = "--each go=1.25,1.26"
	if len(line.lists["each"]) == 0 {
		return nil, &usageError{message: "--jobs and --logs go with --each", hint: hint}
	}
	var axes []axis
	cells := 1
	for _, word := range line.lists["each"] {
		name, list, ok := strings.Cut(word, "=")
		values := strings.Split(list, ",")
		switch {
		case !ok || name == "":
			return nil, &usageError{message: "--each " + quote(word) + " names no param and its values", hint: hint}
		case slices.ContainsFunc(axes, func(a axis) bool { return a.name == name }):
			return nil, &usageError{message: "--each " + name + " is given twice", hint: "write all values in one: " + hint}
		case line.params[name] != nil:
			return nil, &usageError{message: "--" + name + " is given, and --each " + name + " too", hint: "leave one of them out"}
		}
		for i, v := range values {
			if slices.Contains(values[:i], v) {
				return nil, &usageError{message: "--each " + name + " has the value " + quote(v) + " twice"}
			}
		}
		axes = append(axes, axis{name, values})
		if cells *= len(values); cells > maxCells {
			return nil, &usageError{message: "--each makes more than " + strconv.Itoa(maxCells) + " containers"}
		}
	}
	return axes, nil
}

// product makes the cells; the last axis changes fastest.
func product(axes []axis) []*cell {
	cells := []*cell{{}}
	for _, a := range axes {
		var next []*cell
		for _, c := range cells {
			for _, v := range a.values {
				next = append(next, &cell{values: append(slices.Clone(c.values), cellValue{a.name, v})})
			}
		}
		cells = next
	}
	for i, c := range cells {
		c.number = i + 1
	}
	return cells
}

// check loads the recipe for every cell before any of them runs. What is wrong with
// several is said once.
func (m *matrix) check() error {
	said := map[string]bool{}
	once := func(text string, err error) {
		if !said[text] {
			said[text] = true
			m.ui.failure(err)
		}
	}
	written := map[string]*cell{}
	for _, c := range m.cells {
		line := c.arguments(m.line)
		recipe, err := m.load(line)
		if err == nil {
			err = errors.Join(checkGrants(recipe, line), c.shares(definitionOf(recipe), written))
			recipe.Close()
		}
		var wrong *script.Error
		switch {
		case err == nil:
		case errors.As(err, &wrong) && len(wrong.Lua) == 0:
			for _, p := range wrong.Problems {
				once(p.Error(), definition.Problems{p})
			}
		default:
			once(err.Error(), err)
		}
	}
	if len(said) > 0 {
		return codeError(exitFailed)
	}
	return nil
}

// run starts the cells, at most jobs at a time, and waits for all of them. The thread
// that starts a process has to live as long as that: PDEATHSIG follows it (prctl(2)).
func (m *matrix) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	signals, _ := catchSignals()
	ended := make(chan *cell)
	tick := m.board.ticker()
	waiting, running := m.cells, 0
	for {
		for running < m.jobs && len(waiting) > 0 && m.interrupted == 0 {
			c := waiting[0]
			waiting = waiting[1:]
			c.start(m, ended)
			running++
		}
		m.board.draw(m)
		if running == 0 {
			return
		}
		select {
		case c := <-ended:
			running--
			c.state = cellEnded
			m.board.ended(c)
		case sig := <-signals:
			m.forward(sig)
		case <-tick:
		}
	}
}

// sweep removes what cells left that were killed, or ended by a signal in their first
// moments.
func (m *matrix) sweep() {
	if !slices.ContainsFunc(m.cells, func(c *cell) bool { return c.lost }) {
		return
	}
	facts, err := probe.Probe(plan.Wants{})
	if err == nil {
		err = sandbox.Sweep(facts.StateDir, (&running{app: m.app}).revive, m.ui.log)
	}
	if err != nil {
		m.ui.warn(err.Error())
	}
}

// forward passes a signal to the cells, which are in process groups of their own. No
// further cell is started once the end was asked for.
func (m *matrix) forward(sig os.Signal) {
	number, ok := sig.(unix.Signal)
	if !ok || number == unix.SIGWINCH {
		return
	}
	if number != unix.SIGUSR1 && number != unix.SIGUSR2 {
		m.interrupted = number
	}
	for _, c := range m.cells {
		if c.state == cellRunning && c.command != nil && c.command.Process != nil {
			c.command.Process.Signal(number) //nolint:errcheck // it may just have ended
		}
	}
}

// report prints and writes how all cells ended, and returns the exit code.
func (m *matrix) report(file *os.File) error {
	if m.line.has("json") {
		text, err := m.cellsJSON("")
		if err != nil {
			return m.fail(err)
		}
		m.ui.say(text)
	}
	if file != nil {
		text, err := m.cellsJSON("  ")
		if err == nil {
			_, err = file.WriteString(text + "\n")
		}
		if err = errors.Join(err, file.Close()); err != nil {
			return m.fail(err)
		}
	}
	switch {
	case m.interrupted != 0:
		return codeError(128 + int(m.interrupted))
	case slices.ContainsFunc(m.cells, (*cell).failed):
		return codeError(exitProblem)
	}
	return nil
}

// openLogs makes the folder of the logs: that of --logs, or one of its own.
func (m *matrix) openLogs() (err error) {
	if m.dir = m.line.own["logs"]; m.dir != "" {
		err = os.MkdirAll(m.dir, 0o755)
	} else {
		m.dir, err = os.MkdirTemp("", "sandbox-each-")
	}
	if err == nil {
		m.logs, err = os.OpenRoot(m.dir)
	}
	return err
}

// removeLogs keeps what was asked for, and else the logs of the cells that failed.
func (m *matrix) removeLogs() {
	for _, c := range m.cells {
		if !m.line.has("logs") && !c.failed() {
			m.logs.Remove(c.logName()) //nolint:errcheck // it may not have been made
		}
	}
	if !m.line.has("logs") {
		os.Remove(m.dir) //nolint:errcheck // there may be logs in it
	}
}

// took is the time of a cell until now, or until its end.
func (c *cell) took() definition.Duration {
	if c.state == cellRunning {
		return definition.Duration(time.Since(c.started))
	}
	return c.result.Wall
}
