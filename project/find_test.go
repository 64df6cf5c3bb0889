package project

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(deep); got != "" || err != nil {
		t.Errorf("without %s: %q, %v", FileName, got, err)
	}
	file := filepath.Join(dir, FileName)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(deep); got != dir || err != nil {
		t.Errorf("with %s: %q, %v", FileName, got, err)
	}
	if os.Geteuid() != 0 {
		t.Skip("missing: root, to give a file to somebody else")
	}
	if err := os.Chown(file, 4711, 4711); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(deep); err == nil || !strings.Contains(err.Error(), "belongs to uid 4711") {
		t.Errorf("somebody else's: %v", err)
	}
	if err := os.Chown(deep, 4711, 4711); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(deep); got != dir || err != nil {
		t.Errorf("that of the owner of the folder: %q, %v", got, err)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	fifo, long, link := filepath.Join(dir, "fifo"), filepath.Join(dir, "long"), filepath.Join(dir, "link")
	for _, err := range []error{syscall.Mkfifo(fifo, 0o600), os.WriteFile(long, nil, 0o600), os.Truncate(long, 1<<40), os.Symlink("/dev/zero", link)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{fifo, link, dir} {
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), "regular") {
			t.Errorf("%s: %v", path, err)
		}
	}
	text, err := Read(long)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseFile("long", text); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Error(err)
	}
}
