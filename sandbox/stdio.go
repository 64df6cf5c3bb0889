package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"sandbox/sandbox/plan"
)

// stdio is the payload's stdin, stdout and stderr: the runner's own passed
// through untouched, files, or, where a limit counts output or a terminal stands
// between, pumps.
type stdio struct {
	in, out, err *os.File
	opened       []*os.File // to close once init has them
	runner       [3]*os.File
	console      *console

	pumped   bool
	pumps    sync.WaitGroup
	limit    int64
	written  atomic.Int64
	last     atomic.Int64 // time of the last output, Unix nanoseconds
	overflow func()
}

// overflow ends a payload whose output is over its limit. A quick one is before the
// monitor is there, which then asks.
func (c *container) overflow() {
	c.mu.Lock()
	m := c.running
	c.mu.Unlock()
	if m != nil {
		m.ask(stop{limit: "output", value: c.def.Limits.Output.String()})
	}
}

// openStdio opens what the payload's first three descriptors will be.
func (c *container) openStdio() (*stdio, error) {
	p, l := c.def.Process, c.def.Limits
	s := &stdio{limit: int64(l.Output), runner: [3]*os.File{c.Stdin, c.Stdout, c.Stderr}}
	s.overflow = c.overflow
	s.touch()
	in, out, errw := p.Stdin, p.Stdout, p.Stderr
	if c.hasTerminal() {
		in, out, errw = "none", "none", "none"
		s.console = &console{}
	}
	field := "process.stdin"
	var err error
	if s.in, err = s.file(in, c.Stdin, os.O_RDONLY); err == nil {
		field = "process.stdout"
		s.out, err = s.file(out, c.Stdout, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	}
	if err == nil && errw == "stdout" {
		s.err = s.out
	} else if err == nil {
		field = "process.stderr"
		s.err, err = s.file(errw, c.Stderr, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	}
	if err != nil {
		err = &Error{Doing: "open " + field, Field: field, Origin: c.def.Origins.Of(field), Cause: err, Code: 125,
			Hint: "it is a file of the host: make it, or the folder it is to be in, first"}
	}
	if err == nil && s.console == nil && (l.Output > 0 || l.Idle > 0) {
		err = s.count()
	}
	if err != nil {
		s.closeOpened()
		return nil, err
	}
	return s, nil
}

func (c *container) hasTerminal() bool {
	for i := range c.plan.Steps {
		if _, ok := c.plan.Steps[i].Op.(plan.SetTerminal); ok {
			return true
		}
	}
	return false
}

// file opens one of the three: the runner's own for "", the null device for
// "none" and where the runner has none, and else a host path.
func (s *stdio) file(path string, own *os.File, flags int) (*os.File, error) {
	switch {
	case path == "" && own != nil:
		return own, nil
	case path == "" || path == "none":
		path, flags = os.DevNull, os.O_RDWR
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return nil, err
	}
	s.opened = append(s.opened, f)
	return f, nil
}

// count puts pipes between the payload and stdout and stderr.
func (s *stdio) count() error {
	same := s.err == s.out
	out, err := s.pipe(s.out)
	if err != nil {
		return err
	}
	errw := out
	if !same {
		if errw, err = s.pipe(s.err); err != nil {
			return err
		}
	}
	s.out, s.err = out, errw
	return nil
}

func (s *stdio) pipe(to *os.File) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe for the payload's output: %w", err)
	}
	s.opened = append(s.opened, w)
	s.pump(to, r)
	return w, nil
}

// pump copies output until its end, counting it. Beyond the limit it is dropped,
// so that a payload that is being ended does not block.
func (s *stdio) pump(to io.Writer, from *os.File) {
	s.pumped = true
	s.pumps.Add(1)
	go func() {
		defer s.pumps.Done()
		defer from.Close()
		buffer := make([]byte, 32<<10)
		for {
			n, err := from.Read(buffer)
			if n > 0 {
				s.touch()
				to.Write(buffer[:s.admit(n)])
			}
			if err != nil {
				return // end of file, or EIO of a terminal whose other side is closed
			}
		}
	}()
}

// full reports whether more than the limit has been written.
func (s *stdio) full() bool { return s.limit > 0 && s.written.Load() > s.limit }

// admit counts n bytes of output and returns how many of them are within the limit.
func (s *stdio) admit(n int) int {
	total := s.written.Add(int64(n))
	if s.limit == 0 || total <= s.limit {
		return n
	}
	s.overflow()
	return int(max(0, int64(n)-(total-s.limit)))
}

func (s *stdio) touch() { s.last.Store(time.Now().UnixNano()) }

// idleFor is the time since the last output.
func (s *stdio) idleFor() time.Duration {
	return time.Duration(time.Now().UnixNano() - s.last.Load())
}

// closeOpened closes the supervisor's copies of what init has now.
func (s *stdio) closeOpened() {
	for _, f := range s.opened {
		f.Close()
	}
	s.opened = nil
}

// attach takes the master of the container's terminal.
func (s *stdio) attach(files []*os.File) error {
	if len(files) != 1 {
		return errors.New("init sent no terminal")
	}
	return s.console.start(files[0], s)
}

// resize passes the runner's window size on.
func (s *stdio) resize() {
	if s != nil && s.console != nil {
		s.console.resize()
	}
}

// drain waits for the rest of the output, once every process that could write it
// is gone, and gives the terminal back.
func (s *stdio) drain(limit time.Duration) {
	if !s.pumped {
		return
	}
	done := make(chan struct{})
	go func() { s.pumps.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(limit):
	}
	if s.console != nil {
		s.console.stop()
	}
}
