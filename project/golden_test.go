package project

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what the cases give as what they want")

// TestGolden reads the files of testdata. A case is a txtar with one sandbox.toml,
// sandbox.lock or library.toml, and want: what it says as JSON, or all that is wrong.
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil || len(archive.Files) != 2 || archive.Files[1].Name != "want" {
				t.Fatalf("wanted one file, then want: %v", err)
			}
			got, want := readCase(t, archive.Files[0]), &archive.Files[1].Data
			if *update {
				*want = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if string(*want) != got {
				t.Errorf("got\n%swant\n%s", got, *want)
			}
		})
	}
}

func readCase(t *testing.T, f txtar.File) string {
	t.Helper()
	var said any
	var err error
	switch f.Name {
	case FileName:
		said, err = ParseFile(f.Name, f.Data)
	case ManifestName:
		said, err = ParseManifest(f.Name, f.Data)
	case LockName:
		var lock *Lock
		if lock, err = ParseLock(f.Name, f.Data); err == nil && string(lock.Format()) != string(f.Data) {
			t.Errorf("it is written again as\n%s", lock.Format())
		}
		said = lock
	default:
		t.Fatalf("no file is called %s", f.Name)
	}
	if err != nil {
		return err.Error() + "\n"
	}
	text, err := json.MarshalIndent(said, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}
