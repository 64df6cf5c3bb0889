package stdlib_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"sandbox/script"
)

// TestNoInit starts this binary, which links all of script, and looks for packages
// of the project that have something to do before main.
func TestNoInit(t *testing.T) {
	if _, err := script.LoadParams(context.Background(), script.Options{Path: "x", Source: []byte("return 1"), Project: "/"}); err == nil {
		t.Error("a recipe that returns a number has parameters")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "init runtime @") {
		t.Fatalf("no trace: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "init sandbox/") {
			t.Errorf("a package is initialised at the start of every command: %s", line)
		}
	}
}
