package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"sandbox/internal/floor"
	"sandbox/internal/leakcheck"
)

// TestMain lets the scripts run the real main: the test binary is put into their
// PATH as sandbox.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sandbox": main})
}

// TestScripts runs the command line tests of testdata/scripts, each in a folder and
// with a state folder of its own. UPDATE_SCRIPTS=1 rewrites what cmp compares.
func TestScripts(t *testing.T) {
	// They run at the same time: what each has open is looked at when all have ended.
	leakcheck.Check(t)
	testscript.Run(t, testscript.Params{
		Dir:             filepath.Join("..", "..", "testdata", "scripts"),
		UpdateScripts:   os.Getenv("UPDATE_SCRIPTS") != "",
		ContinueOnError: true,
		Setup:           surround,
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				return os.Geteuid() == 0, nil
			case "ids": // more than one, to be other users
				return os.Geteuid() == 0 || floor.SubordinateIDs(), nil
			case "limits": // of memory and processes
				return mayLimit(), nil
			}
			return false, fmt.Errorf("no condition is called %q", name)
		},
	})
}

func surround(env *testscript.Env) error {
	state := filepath.Join(env.WorkDir, ".state")
	env.Setenv("SANDBOX_STATE_DIR", state)
	env.Setenv("SANDBOX_CACHE_DIR", filepath.Join(env.WorkDir, ".cache"))
	env.Setenv("NO_COLOR", "1")
	env.Defer(func() {
		if entries, _ := os.ReadDir(state); len(entries) > 0 {
			env.T().Fatal("left in the state folder:", entries)
		}
	})
	return nil
}
