package libraries

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"sandbox/project"
)

func locked(t tree) *project.Locked {
	e := &project.Locked{Name: "a", Files: t.sums()}
	e.Digest = e.Files.Digest()
	return e
}

// TestKeep: what is in the cache is complete, whoever else puts the same there, and what
// was damaged is replaced.
func TestKeep(t *testing.T) {
	p := &Project{Fetched: filepath.Join(t.TempDir(), "deep", "libraries")}
	files := tree{{"init.lua", []byte("return 1\n")}, {"sub/a.lua", []byte("return 2\n")}}
	e := locked(files)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := p.keep(files, e); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	dir := p.fetchedTo(e)
	if !has(dir, e) {
		t.Error("it is not there")
	}
	for name, damage := range map[string]func() error{
		"changed": func() error { return os.WriteFile(filepath.Join(dir, "init.lua"), []byte("x"), 0o600) },
		"more":    func() error { return os.WriteFile(filepath.Join(dir, "more.lua"), nil, 0o600) },
		"less":    func() error { return os.Remove(filepath.Join(dir, "sub", "a.lua")) },
		"a link":  func() error { return os.Symlink("init.lua", filepath.Join(dir, "link.lua")) },
		"a file":  func() error { os.RemoveAll(dir); return os.WriteFile(dir, nil, 0o600) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if has(dir, e) {
			t.Errorf("%s: it counts as whole", name)
		}
		if err := p.keep(files, e); err != nil || !has(dir, e) {
			t.Errorf("%s: it is not replaced: %v", name, err)
		}
	}
	if left, err := os.ReadDir(p.Fetched); err != nil || len(left) != 1 {
		t.Errorf("in the cache are %v, %v", left, err)
	}
}

// TestReplace keeps the mode of a file, and leaves nothing beside it.
func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.toml")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replace(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	info, statErr := os.Stat(path)
	if err != nil || statErr != nil || string(text) != "new" || info.Mode().Perm() != 0o600 {
		t.Errorf("%q, %v, %v, %v", text, info.Mode(), err, statErr)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left are %v, %v", left, err)
	}
}
