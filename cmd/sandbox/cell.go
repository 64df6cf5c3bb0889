package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
)

// cell is one combination of a matrix.
type cell struct {
	number  int // from 1
	values  []cellValue
	state   cellState
	command *exec.Cmd
	started time.Time
	result  definition.Result // once ended
	outcome *os.File          // what it writes its Result to
	lost    bool              // it wrote no result
}

// cellValue is the value of one param.
type cellValue struct{ name, value string }

type cellState uint8

const (
	cellWaiting cellState = iota
	cellRunning
	cellEnded
)

// String is the cell's name, "go=1.25 race=true".
func (c *cell) String() string {
	words := make([]string, len(c.values))
	for i, v := range c.values {
		words[i] = v.name + "=" + v.value
	}
	return printable(strings.Join(words, " "))
}

// failed reports whether the cell did not end well, or was not run.
func (c *cell) failed() bool {
	return c.state != cellEnded || c.result.Verdict != definition.VerdictExited || c.result.ExitCode != 0
}

// log is the file that has the cell's output, by its path.
func (c *cell) log(m *matrix) string { return filepath.Join(m.dir, c.logName()) }

func (c *cell) logName() string {
	name := strings.Map(func(r rune) rune {
		if r == '=' || r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, c.String())
	return fmt.Sprintf("%03d-%.100s.log", c.number, name)
}

// outcomeFD is where the cell writes its Result: a file in memory, which no payload can
// replace, as it could what lies in a folder that it may write to.
const outcomeFD = "/proc/self/fd/3"

// openLog makes the cell's log anew: a payload may have put a link in its place.
func (c *cell) openLog(m *matrix) (*os.File, error) {
	if err := m.logs.Remove(c.logName()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return m.logs.OpenFile(c.logName(), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
}

// arguments are the cell's own: the matrix's, with its values as params.
func (c *cell) arguments(line *arguments) *arguments {
	own := &arguments{recipe: line.recipe, own: map[string]string{}, lists: map[string][]string{allowFlag.name: line.lists[allowFlag.name]}, params: map[string][]string{}, bare: line.bare, command: line.command}
	for name, values := range line.params {
		own.params[name] = values
	}
	for _, v := range c.values {
		own.params[v.name] = []string{v.value}
	}
	return own
}

// shares is an error when another cell writes the same file of the host: the last one
// to end would win.
func (c *cell) shares(def *definition.Definition, written map[string]*cell) error {
	var problems definition.Problems
	claim := func(path, field string) {
		switch other := written[path]; {
		case path == "" || path == "none" || path == "stdout":
		case other == nil:
			written[path] = c
		case other != c:
			problems = append(problems, definition.Problem{Path: field, Message: "all cells of --each would write " + shorten(path),
				Hint: "have the path depend on the params, as in \"dist-\" .. p." + c.values[len(c.values)-1].name})
		}
	}
	for _, a := range def.Artifacts {
		claim(a.Target, definition.Join("artifacts", a.Path))
	}
	claim(def.Process.Stdout, "process.stdout")
	claim(def.Process.Stderr, "process.stderr")
	if problems == nil {
		return nil
	}
	return problems.At(def.Origins)
}

// words is the cell's command line.
func (c *cell) words(m *matrix) []string {
	words := []string{"sandbox", "run", m.line.recipe, "--result", outcomeFD}
	if m.line.has("keep") {
		words = append(words, "--keep")
	}
	for _, grant := range m.line.lists[allowFlag.name] {
		words = append(words, "--"+allowFlag.name, grant)
	}
	params := c.arguments(m.line).params
	var names []string
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range params[name] {
			words = append(words, "--"+name+"="+value)
		}
	}
	if m.line.command != nil {
		words = append(append(words, "--"), m.line.command...)
	}
	return words
}

// start starts the cell on the calling thread, and has it sent to ended.
func (c *cell) start(m *matrix, ended chan<- *cell) {
	c.state, c.started = cellRunning, time.Now()
	log, err := c.openLog(m)
	if err == nil {
		c.outcome, err = memoryFile()
	}
	if err == nil {
		// Its stdin is nobody's: cells run at the same time. It dies with this process
		// and then leaves its container to the next command, as any killed runner does.
		c.command = &exec.Cmd{Path: "/proc/self/exe", Args: c.words(m), Stdout: log, Stderr: log, ExtraFiles: []*os.File{c.outcome},
			SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}}
		err = c.command.Start()
		log.Close()
	}
	go func() {
		if err == nil {
			err = c.command.Wait()
		}
		c.result = c.read(m, err)
		ended <- c
	}()
}

// read is the Result that the cell wrote, or one that says why there is none.
func (c *cell) read(m *matrix, ended error) (r definition.Result) {
	err := ended
	var text []byte
	if c.outcome != nil {
		text, err = os.ReadFile("/proc/self/fd/" + strconv.Itoa(int(c.outcome.Fd())))
		c.outcome.Close()
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err == nil {
		return r
	}
	c.lost = true
	r = definition.Result{Verdict: definition.VerdictFailed, ExitCode: exitFailed, Error: "its runner wrote no result"}
	var exit *exec.ExitError
	switch {
	case errors.As(ended, &exit):
		r.Error += ": " + exit.String()
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			r.Verdict, r.ExitCode = definition.VerdictKilled, 128+int(status.Signal())
		}
	case ended != nil:
		r.Error = ended.Error()
	}
	return r
}

// cellsJSON is the list of all cells, as --json and --result have it.
func (m *matrix) cellsJSON(indent string) (string, error) {
	type entry struct {
		Cell   map[string]string  `json:"cell"`
		Result *definition.Result `json:"result"`        // null when it was not run
		Log    string             `json:"log,omitempty"` // when it is kept
	}
	list := make([]entry, len(m.cells))
	for i, c := range m.cells {
		list[i].Cell = map[string]string{}
		for _, v := range c.values {
			list[i].Cell[v.name] = v.value
		}
		if c.state == cellEnded {
			list[i].Result = &c.result
			if c.failed() || m.line.has("logs") {
				list[i].Log = c.log(m)
			}
		}
	}
	if indent == "" {
		text, err := json.Marshal(list)
		return string(text), err
	}
	text, err := json.MarshalIndent(list, "", indent)
	return string(text), err
}

const (
	shownLines = 20
	shownBytes = 16 << 10
)

// lastLines are the last lines of a file.
func (c *cell) lastLines(m *matrix) []string {
	f, err := m.logs.Open(c.logName())
	if err != nil {
		return nil
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(io.NewSectionReader(f, max(0, end-shownBytes), shownBytes))
	if err != nil || len(text) == 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	return lines[max(0, len(lines)-shownLines):]
}

// columnsOf is how wide a terminal is; 0 for what is none.
func columnsOf(f io.Writer) int {
	file, ok := f.(*os.File)
	if !ok {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

func memoryFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("result", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "result"), nil
}
