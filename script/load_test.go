package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sandbox/script/vm"
)

// loadText loads a recipe with what every one needs.
func loadText(source string) (*Recipe, error) {
	return Load(context.Background(), Options{Path: "b.lua", Source: []byte(source), Project: "/nonexistent"})
}

// TestBombs loads recipes that would never end, or fill the machine.
func TestBombs(t *testing.T) {
	for name, tc := range map[string]struct{ source, want string }{
		"loop":       {`while true do end`, "loading embedded/b.lua took longer than 2s"},
		"caught":     {`while true do pcall(function() while true do end end) end`, "took longer than 2s"},
		"recursion":  {`local function f() return 1 + f() end f()`, "stack overflow"},
		"strings":    {`local s = "x" while true do s = s .. s end`, "16 MiB"},
		"index":      {`local t = {} t[2^26 - 1] = 1`, "above 1048576"},
		"source":     {"--" + strings.Repeat("x", 256<<10), "at most 262144 are read"},
		"nesting":    {"local x = " + strings.Repeat("{", 1000), "b.lua:1"},
		"wide":       {`local s = require "sandbox" local t = {} for i = 1, 20 do t = { t, t } end return s.container { process = { args = t } }`, "values"},
		"glob":       {`require("fs").glob("**/**/**/x")`, "open the project"},
		"pattern":    {`("a"):rep(30):find(("a?"):rep(30) .. ("a"):rep(30))`, "took longer than 2s"},
		"coroutines": {`local t = {} for i = 1, 2000 do t[i] = coroutine.create(function() end) end`, "coroutines"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadText(tc.source)
			var failed *Error
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, wanted %s", err, tc.want)
			}
		})
	}
}

func TestCallersContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("the user had enough"))
	_, err := Load(ctx, Options{Path: "b.lua", Source: []byte("while true do end"), Project: "/nonexistent"})
	if !errors.Is(err, vm.ErrCancelled) || !strings.Contains(err.Error(), "the user had enough") {
		t.Error(err)
	}
}

func TestLoadParams(t *testing.T) {
	o := Options{Path: "b.lua", Project: "/nonexistent", Source: []byte(`local sandbox = require "sandbox"
pcall(function() sandbox.params { target = { "./...", help = "packages" }, n = 5, list = { {} }, must = { required = true, choices = { "a", "b" } } } end)
error("not reached")`)}
	params, err := LoadParams(context.Background(), o)
	if err != nil || len(params) != 4 {
		t.Fatalf("%v, %v", params, err)
	}
	for i, want := range []string{"target string [./...] packages [] false", "n number [5]  [] false", "list list []  [] false", "must string []  [a b] true"} {
		p := params[i]
		if got := fmt.Sprint(p.Name, " ", p.Type, " ", p.Default, " ", p.Help, " ", p.Choices, " ", p.Required); got != want {
			t.Errorf("got %s, wanted %s", got, want)
		}
	}
	o.Source = []byte("return require('sandbox').container { process = { args = { 'a' } } }")
	if params, err := LoadParams(context.Background(), o); err != nil || len(params) != 0 {
		t.Errorf("a recipe without parameters: %v, %v", params, err)
	}
}

// TestFiles looks at what is no ordinary file below the project.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, err := range []error{
		syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600),
		os.Symlink("/etc/passwd", filepath.Join(dir, "out")),
		os.Symlink("b.lua", filepath.Join(dir, "in")),
		os.Symlink("loop", filepath.Join(dir, "loop")),
		os.WriteFile(filepath.Join(dir, "b.lua"), []byte("x"), 0o600),
		os.Truncate(filepath.Join(dir, "b.lua"), 0),
		os.WriteFile(filepath.Join(dir, "large"), nil, 0o600),
		os.Truncate(filepath.Join(dir, "large"), maxFile+1),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	in := &inputs{project: dir}
	defer in.close()
	for name, want := range map[string]string{"fifo": "no regular file", "out": "leads out of the project", "in": "", "loop": "too many levels",
		"large": "more than 16 MiB", ".": "folder", "": "empty", "a\x00": "NUL", dir + "/in": "", "/etc/passwd": "not below", "none/none": "no such file", "b.lua/x": "no such file"} {
		_, err := in.Read(name)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, wanted %q", name, err, want)
		}
	}
	if found, err := in.Exists("out"); found || err == nil {
		t.Errorf("a link out of the project: %v, %v", found, err)
	}
}

// TestInputs loads a recipe again from what it saw, when all of that is gone.
func TestInputs(t *testing.T) {
	dir := t.TempDir()
	recipe := filepath.Join(dir, "build.lua")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("lib.lua", "return 'lib'")
	write("a.txt", "text")
	write("build.lua", `local sandbox, fs = require "sandbox", require "fs"
local p = sandbox.params { x = "d" }
local args = { require "./lib", fs.read("a.txt"), sandbox.env("V", "unset"), sandbox.fact("os.id"), p.x, tostring(fs.exists("none")), #fs.glob("*.txt") }
local c = sandbox.container { process = { args = args } }
c:poststop("h", function(ctx) ctx:log("%s", table.concat(args, " ")) end)
return c`)
	r, err := Load(context.Background(), Options{Path: recipe, Params: map[string][]string{"x": {"given"}},
		Env: func(string) (string, bool) { return "v", true }, Fact: testFact})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	want := "lib text v debian given false 1"
	if got := strings.Join(r.Definitions[0].Process.Args, " "); got != want || r.Definitions[0].Project != dir {
		t.Errorf("args are %s in %s", got, r.Definitions[0].Project)
	}
	recorded, err := r.Record()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lib.lua", "a.txt", "build.lua"} {
		os.Remove(filepath.Join(dir, name))
	}
	write("none", "")
	again, err := Revive(context.Background(), recorded, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	h := &host{}
	if out := call(again, h, 1); out.Err != nil || len(h.logs) != 1 || h.logs[0] != want {
		t.Errorf("%v, logged %q", out.Err, h.logs)
	}
	for _, i := range r.Inputs {
		if i.Found != (i.Digest() != "") {
			t.Errorf("%+v has the digest %q", i, i.Digest())
		}
	}
}

func TestFindProject(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := FindProject(filepath.Join(deep, "x.lua")); err != nil || got != deep {
		t.Errorf("without sandbox.toml: %s, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sandbox.toml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := FindProject(filepath.Join(deep, "x.lua")); err != nil || got != dir {
		t.Errorf("with sandbox.toml: %s, %v", got, err)
	}
}

func TestNoRecipe(t *testing.T) {
	for path, want := range map[string]string{t.TempDir(): "this is a folder", "/nonexistent/x.lua": "no such recipe", "/dev/zero": "at most 262144"} {
		if _, err := Load(context.Background(), Options{Path: path}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, wanted %s", path, err, want)
		}
	}
}

// FuzzLoad loads arbitrary text: it ends in time, with a valid definition or with
// problems that can be shown on a terminal.
func FuzzLoad(f *testing.F) {
	f.Add(design)
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, source string) {
		_, rest, _ := strings.Cut(source, "-- build.lua --\n")
		if text, _, ok := strings.Cut(rest, "\n-- want --"); ok {
			source = text
		}
		begin := time.Now()
		r, err := Load(context.Background(), Options{Path: "b.lua", Source: []byte(source), Project: dir, Library: designLibrary})
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("the load took %s", took)
		}
		if err == nil {
			if err := r.Definitions[0].Validate().Err(); err != nil {
				t.Errorf("a loaded definition is not valid: %v", err)
			}
			r.Close()
			return
		}
		for _, c := range err.Error() {
			if c < 0x20 && c != '\n' || c == 0x7f {
				t.Errorf("a control character in %q", err)
			}
		}
	})
}
