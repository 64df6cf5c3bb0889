package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sandbox/internal/leakcheck"
)

// On a terminal the cells that run are drawn over one another, and an interruption
// goes to them through the runner.
func TestEachOnTerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("makes containers, which the short tests leave out")
	}
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	leakcheck.Check(t, state)
	const recipe = `local sandbox = require "sandbox"
		local p = sandbox.params { n = 0 }
		return sandbox.container { process = { args = "echo up; exec sleep 4949" } }`
	if err := os.WriteFile(filepath.Join(dir, "slow.lua"), []byte(recipe), 0o600); err != nil {
		t.Fatal(err)
	}
	term := openTerminal(t)
	term.resize(24, 40)
	long := strings.Repeat("1", 60)
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{"sandbox", "run", "slow.lua", "--each", "n=1,2," + long, "--jobs", "2"}, Dir: dir,
		Env:   append(os.Environ(), "SANDBOX_STATE_DIR="+state, "NO_COLOR=1", "TERM=xterm", "TMPDIR="+dir),
		Stdin: term.slave, Stdout: term.slave, Stderr: term.slave,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Setctty: true}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	term.wait("  n=1  running ")
	term.wait("  n=2  running ")
	term.wait("  1 waiting\r\n\x1b[3A\x1b[J  n=1  running ")
	for both := "both payloads have started"; started(dir) < 2; {
		term.read(both)
	}
	term.master.WriteString("\x03")
	term.wait("\x1b[3A\x1b[Jsandbox: n=")
	term.wait("0 of 3 cells went well\r\n")
	err := cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("the runner ended with %v\n%s", err, term.said.String())
	}
	term.wait("skipped")
	if said := term.said.String(); !strings.Contains(said, "sandbox: n=1: killed by SIGINT after ") || strings.Contains(said, long[:50]+"  running") {
		t.Error(said)
	}
}

// started counts the cells whose payload has written to its log.
func started(dir string) (n int) {
	logs, _ := filepath.Glob(filepath.Join(dir, "sandbox-each-*", "*.log"))
	for _, log := range logs {
		if text, _ := os.ReadFile(log); strings.Contains("\n"+string(text), "\nup\n") {
			n++
		}
	}
	return n
}

func TestProduct(t *testing.T) {
	var names []string
	for _, c := range product([]axis{{"a", []string{"1", "2"}}, {"b", []string{"x", "\x1b"}}}) {
		names = append(names, c.String())
	}
	if got := strings.Join(names, "; "); got != `a=1 b=x; a=1 b=\x1b; a=2 b=x; a=2 b=\x1b` {
		t.Error(got)
	}
}
