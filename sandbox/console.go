package sandbox

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
)

// console joins the runner's terminal to the container's: raw mode, window size,
// and job control of the runner itself.
type console struct {
	mu     sync.Mutex
	master *os.File
	stdin  *os.File
	saved  *unix.Termios // the mode to restore, nil while restored
	jobs   chan os.Signal
}

// start puts the runner's terminal in raw mode and begins to copy.
func (t *console) start(master *os.File, s *stdio) error {
	t.mu.Lock()
	t.master, t.stdin = master, s.runner[0]
	t.mu.Unlock()
	t.resize()
	if err := t.raw(); err != nil {
		return err
	}
	t.followJobs()
	s.pump(s.runner[1], master)
	go io.Copy(master, t.stdin) // ends with the process: a read of a terminal cannot be given up
	return nil
}

// raw makes the runner's terminal pass every key on. A stdin that is no terminal
// ("terminal = true" in a pipe) is left alone.
func (t *console) raw() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stdin == nil || t.saved != nil {
		return nil
	}
	fd := int(t.stdin.Fd())
	mode, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil
	}
	raw := *mode
	// cfmakeraw, termios(3)
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Oflag &^= unix.OPOST
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cflag = raw.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETSW, &raw); err != nil {
		return fmt.Errorf("put the terminal in raw mode: %w", err)
	}
	t.saved = mode
	return nil
}

// restore gives the terminal back as it was.
func (t *console) restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.saved != nil {
		unix.IoctlSetTermios(int(t.stdin.Fd()), unix.TCSETSW, t.saved)
		t.saved = nil
	}
}

// resize copies the window size of the runner's terminal to the container's.
func (t *console) resize() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.master == nil || t.stdin == nil {
		return
	}
	if size, err := unix.IoctlGetWinsize(int(t.stdin.Fd()), unix.TIOCGWINSZ); err == nil {
		unix.IoctlSetWinsize(int(t.master.Fd()), unix.TIOCSWINSZ, size)
	}
}

// followJobs lets the runner be stopped by its shell: the terminal is given back
// before it stops, and taken again when it goes on.
func (t *console) followJobs() {
	t.jobs = make(chan os.Signal, 1)
	signal.Notify(t.jobs, unix.SIGTSTP, unix.SIGCONT)
	go func() {
		for sig := range t.jobs {
			if sig == unix.SIGTSTP {
				t.restore()
				unix.Kill(unix.Getpid(), unix.SIGSTOP)
				continue
			}
			t.raw()
			t.resize()
		}
	}()
}

// stop gives the terminal back for good.
func (t *console) stop() {
	t.restore()
	if t.jobs != nil {
		signal.Stop(t.jobs)
		close(t.jobs)
		t.jobs = nil
	}
	t.mu.Lock()
	if t.master != nil {
		t.master.Close()
	}
	t.mu.Unlock()
}
