package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sandbox/internal/floor"
	"sandbox/internal/leakcheck"
)

// between returns what stands in text between two marks.
func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, from)
	block, _, ended := strings.Cut(rest, to)
	if !found || !ended {
		t.Fatalf("README.md has nothing between %q and %q", from, to)
	}
	return block
}

// The first example of the README is real: its recipe says what is printed there, but
// for how long it took and how much it used.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("makes containers, which the short tests leave out")
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	leakcheck.Check(t, state)
	project := filepath.Join(dir, "project")
	if err := os.Mkdir(project, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(project, "count.lua"), []byte(between(t, string(text), "```lua\n", "```")), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{"sandbox", "run", "count.lua"}, Dir: project,
		Env: append(os.Environ(), "SANDBOX_STATE_DIR="+state, "NO_COLOR=1")}
	said, err := cmd.CombinedOutput()
	if err != nil && !mayLimit() && strings.Contains(string(said), "controller: ") {
		t.Skipf("missing: cgroups that this user may limit: %s", said)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	printed := between(t, string(text), "$ sandbox run count.lua\n", "```")
	used := regexp.MustCompile(`after .*`)
	want := sortedLines(used.ReplaceAllString(printed, "after"))
	got := make([]string, 0, len(want))
	for _, line := range sortedLines(used.ReplaceAllString(string(said), "after")) {
		if !strings.HasPrefix(line, "sandbox: note: ") {
			got = append(got, line)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("it prints\n%s\nand the README says\n%s", said, printed)
	}
}

// mayLimit reports whether a runner started here can limit memory and processes.
func mayLimit() bool {
	handed := floor.Cgroups{Any: floor.TryCgroups().Any} // the runner is not alone
	return os.Geteuid() == 0 || handed.Limits("memory", "pids")
}

// sortedLines are the lines in an order that does not depend on which stream is faster.
func sortedLines(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return lines
}
