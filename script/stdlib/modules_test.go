package stdlib_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

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

// TestLog: a line has its level and the recipe's line; debug is heard when asked for.
func TestLog(t *testing.T) {
	text := "local log = require 'log'\nlog.info('%s', 'a')\nlog.warn('b')\nlog.debug('c')\nlog.info('\\27[31m')"
	_, said, err := load(t, "b.lua", text)
	want := `embedded/b.lua:2: a|embedded/b.lua:3: warning: b|embedded/b.lua:5: \x1b[31m`
	if got := strings.Join(said, "|"); err != nil || got != want {
		t.Errorf("said %s, %v, wanted %s", got, err, want)
	}
	said = nil
	r, err := script.Load(context.Background(), script.Options{Path: "b.lua", Source: []byte(text + recipe), Project: "/", Debug: true,
		Log: func(line string) { said = append(said, line) }})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if len(said) != 4 || said[2] != "embedded/b.lua:4: debug: c" {
		t.Errorf("said %q", said)
	}
}

// TestGrowth: documents that are many small tables, and work without an end, are ended
// by the watchdog or the deadline of the load, whichever is first.
func TestGrowth(t *testing.T) {
	for name, text := range map[string]string{
		"coroutines": `local t, s = require "tables", ("- a\n"):rep(50000) while true do coroutine.wrap(function() pcall(require("yaml").decode, s) pcall(t.merge, { s }, { s }) end)() end`,
		"yaml":       `local d, s = require("yaml").decode, "[" .. ("{a: 1},"):rep(2 ^ 15) .. "1]" local t = {} while true do t[#t + 1] = d(s) end`,
		"json":       `local d, s = require("json").decode, "[" .. ('{"a":1},'):rep(2 ^ 17 - 8) .. "1]" local t = {} while true do t[#t + 1] = d(s) end`,
	} {
		_, _, err := load(t, "b.lua", text)
		if err == nil || !strings.Contains(err.Error(), "used more than 256 MiB") && !strings.Contains(err.Error(), "took longer than 2s") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSlow: what a library reads in the square of its size ends all the same.
func TestSlow(t *testing.T) {
	start := time.Now()
	_, _, err := load(t, "b.lua", `local t = {} for i = 1, 22000 do t[i] = "k" .. i .. " = 1\n" end
require("toml").decode(table.concat(t):sub(1, 256 * 1024 - 20):gsub("[^\n]*$", ""), nil)`)
	if spent := time.Since(start); spent > 20*time.Second {
		t.Errorf("it took %v, %v", spent, err)
	}
}
