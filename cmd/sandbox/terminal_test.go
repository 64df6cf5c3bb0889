package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/internal/leakcheck"
)

const interactive = `
local sandbox = require "sandbox"
local p = sandbox.params { mounts = "new" }
return sandbox.container { namespaces = { mount = p.mounts }, process = { args = [[
  trap 'echo size $(stty size)' WINCH
  trap 'echo interrupted; exit 3' INT
  if [ -t 0 ] && [ -t 1 ] && [ -t 2 ]; then echo terminal $(tty) $(stty size); fi
  while :; do read line && echo "read $line"; done
]] } }`

// terminal is a terminal with a runner on it, as a user has it.
type terminal struct {
	t      *testing.T
	master *os.File
	fd     int // master's
	slave  *os.File
	said   strings.Builder
}

func openTerminal(t *testing.T) *terminal {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err := errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, master: os.NewFile(uintptr(fd), "ptmx"), fd: fd, slave: slave}
	t.Cleanup(func() { term.master.Close(); slave.Close() })
	return term
}

// wait reads until the runner or the payload has said something.
func (term *terminal) wait(text string) {
	term.t.Helper()
	for !strings.Contains(term.said.String(), text) {
		term.read(text)
	}
}

// read waits for something more to be said, as what is wanted has not come.
func (term *terminal) read(wanted string) {
	term.t.Helper()
	buffer := make([]byte, 4096)
	term.master.SetReadDeadline(time.Now().Add(20 * time.Second))
	n, err := term.master.Read(buffer)
	term.said.Write(buffer[:n])
	if err != nil {
		term.t.Fatalf("waiting for %q: %v; the terminal has\n%s", wanted, err, term.said.String())
	}
}

func (term *terminal) resize(rows, columns uint16) {
	term.t.Helper()
	if err := unix.IoctlSetWinsize(term.fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
		term.t.Fatal(err)
	}
}

// isRaw reports whether keys are passed on one by one, without signals.
func (term *terminal) isRaw() bool {
	term.t.Helper()
	mode, err := unix.IoctlGetTermios(int(term.slave.Fd()), unix.TCGETS)
	if err != nil {
		term.t.Fatal(err)
	}
	return mode.Lflag&(unix.ICANON|unix.ISIG|unix.ECHO) == 0
}

// The payload has a terminal of the container's own, or of the host's devpts where it
// shares the host's mounts; never the runner's.
func TestTerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("makes containers, which the short tests leave out")
	}
	t.Run("own", func(t *testing.T) { testTerminal(t, "new", "/dev/pts/0") })
	t.Run("host's", func(t *testing.T) { testTerminal(t, "host", "/dev/pts/") })
}

func testTerminal(t *testing.T, mounts, name string) {
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	leakcheck.Check(t, state)
	if err := os.WriteFile(filepath.Join(dir, "shell.lua"), []byte(interactive), 0o600); err != nil {
		t.Fatal(err)
	}
	term := openTerminal(t)
	term.resize(33, 77)
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{"sandbox", "run", "shell.lua", "--mounts", mounts}, Dir: dir,
		Env:   append(os.Environ(), "SANDBOX_STATE_DIR="+state, "SANDBOX_CACHE_DIR="+filepath.Join(dir, "cache"), "NO_COLOR=1"),
		Stdin: term.slave, Stdout: term.slave, Stderr: term.slave,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Setctty: true}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()

	term.wait("terminal " + name)
	term.wait(" 33 77\r\n")
	if strings.Contains(term.said.String(), "terminal "+term.slave.Name()+" ") && mounts == "host" {
		t.Error("the payload is on the runner's terminal")
	}
	if !term.isRaw() {
		t.Error("the runner's terminal is not in raw mode")
	}
	term.master.WriteString("words\r")
	term.wait("read words\r\n")
	term.resize(40, 100)
	term.wait("size 40 100\r\n")
	term.master.WriteString("\x03")
	term.wait("interrupted\r\n")
	err := cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("the runner ended with %v\n%s", err, term.said.String())
	}
	term.wait("exited 3 after ")
	if term.isRaw() {
		t.Error("the terminal is left in raw mode")
	}
}
