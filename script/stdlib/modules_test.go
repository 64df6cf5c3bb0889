package stdlib_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"sandbox/script"
	"sandbox/script/registry"
	"sandbox/script/stdlib"
)

// recipe is what the text of a test becomes.
const recipe = "\nreturn require(\"sandbox\").container { process = { args = { \"true\" } } }"

// load loads a text as a recipe of the project in testdata, and returns what it said.
func load(t testing.TB, name, text string) (*script.Recipe, []string, error) {
	t.Helper()
	check, err := os.ReadFile("testdata/check.lua")
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	r, err := script.Load(context.Background(), script.Options{
		Path: name, Source: []byte(text + recipe), Project: filepath.Join("testdata", "project"),
		Library: fstest.MapFS{"check.lua": {Data: check}},
		Env:     func(string) (string, bool) { return "", false },
		Fact:    func(string) (string, error) { return "debian", nil },
		Log:     func(line string) { said = append(said, line) },
	})
	if err == nil {
		t.Cleanup(r.Close)
	}
	return r, said, err
}

// TestModules runs the tests of the modules, which are Lua.
func TestModules(t *testing.T) {
	for _, m := range stdlib.Modules {
		if m.Name == "sandbox" {
			continue // the golden cases of script are about nothing else
		}
		t.Run(m.Name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", m.Name+".lua"))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range m.Functions {
				if !strings.Contains(string(text), m.Name+"."+f.Name) && f.Phase != registry.InHooks {
					t.Errorf("the test does not use %s.%s", m.Name, f.Name)
				}
			}
			if _, _, err := load(t, m.Name+".lua", string(text)); err != nil {
				t.Error(err)
			}
		})
	}
}
