package script

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sandbox/project"
)

// putLibrary writes a library that is a folder of the project, and pins it.
func putLibrary(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	var sums project.Sums
	files["library.toml"] = "name = \"greet\"\nversion = \"1.0.0\"\nneeds = [\"exec=git\"]\n"
	for _, name := range []string{"init.lua", "library.toml", "words.lua"} {
		write(t, filepath.Join(dir, "lib", name), files[name])
		sums = append(sums, project.SumOf(name, []byte(files[name])))
	}
	lock := project.Lock{Libraries: []project.Locked{{Name: "greet", Version: "1.0.0", Path: "lib", Files: sums, Digest: sums.Digest(),
		Needs: []project.Grant{{Kind: "exec", Value: "git"}}}}}
	write(t, filepath.Join(dir, project.LockName), string(lock.Format()))
	write(t, filepath.Join(dir, project.FileName), "grants = [\"read=/srv\"]\nlibraries.greet = \"lib\"\n")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestLibraryInputs: all that a library was read from is among the inputs, and a later
// load needs nothing else.
func TestLibraryInputs(t *testing.T) {
	dir := t.TempDir()
	putLibrary(t, dir, map[string]string{"init.lua": `return require "./words"`, "words.lua": `return "hello"`})
	recipe := filepath.Join(dir, "sub", "build.lua")
	write(t, recipe, `local sandbox = require "sandbox"
local word = require "greet"
local c = sandbox.container { process = { args = { word } } }
c:poststop("h", function(ctx) ctx:log("%s", word) end)
return c`)
	r, err := Load(context.Background(), Options{Path: recipe})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var names []string
	for _, i := range r.Inputs {
		names = append(names, fmt.Sprintf("%s %s %v", i.Kind, i.Name, i.Found))
	}
	want := "require recipe true, project sandbox.toml true, require ../greet.lua false, project sandbox.lock true, " +
		"require greet@1.0.0/library.toml true, require greet@1.0.0/init.lua true, require embedded/greet.lua false, require greet@1.0.0/words.lua true"
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("the inputs are\n%s, wanted\n%s", got, want)
	}
	if len(r.Project.Grants) != 1 || len(r.Libraries) != 1 || r.Libraries[0].Needs[0].String() != "exec=git" {
		t.Errorf("%+v, %+v", r.Project, r.Libraries)
	}
	recorded, err := r.Record()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	again, err := Revive(context.Background(), recorded, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	h := &host{}
	if out := call(again, h, 1); out.Err != nil || len(h.logs) != 1 || h.logs[0] != "hello" {
		t.Errorf("%v, logged %q", out.Err, h.logs)
	}
}

// TestNoLibraries: without a sandbox.toml nothing is looked for, and with one the lock
// is left alone until a bare name is required.
func TestNoLibraries(t *testing.T) {
	dir := t.TempDir()
	recipe := filepath.Join(dir, "build.lua")
	write(t, recipe, `return require("sandbox").container { process = { args = { "a" } } }`)
	write(t, filepath.Join(dir, project.LockName), "no lock at all")
	for _, text := range []string{"", "libraries.greet = \"lib\"\n"} {
		if text != "" {
			write(t, filepath.Join(dir, project.FileName), text)
		}
		r, err := Load(context.Background(), Options{Path: recipe})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range r.Inputs {
			if i.Name == project.LockName || text == "" && i.Kind == InputProject {
				t.Errorf("with %q it reads %s", text, i.Name)
			}
		}
		r.Close()
	}
}

// TestHostileLibraries looks at what stands in the place of a library's file.
func TestHostileLibraries(t *testing.T) {
	dir := t.TempDir()
	putLibrary(t, dir, map[string]string{"init.lua": `return "a"`})
	recipe := filepath.Join(dir, "build.lua")
	write(t, recipe, `return require("sandbox").container { process = { args = { (require "greet") } } }`)
	entry := filepath.Join(dir, "lib", "init.lua")
	for name, put := range map[string]func() error{
		"is a directory":                func() error { return os.Mkdir(entry, 0o700) },
		"not what":                      func() error { return os.Symlink("/etc/passwd", entry) },
		"is not what sandbox.lock pins": func() error { return os.Symlink("/dev/zero", entry) },
		"there is no lib/init.lua":      func() error { return os.Symlink("nowhere", entry) },
	} {
		if err := os.RemoveAll(entry); err != nil {
			t.Fatal(err)
		}
		if err := put(); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(context.Background(), Options{Path: recipe}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, wanted %s", err, name)
		}
	}
}
