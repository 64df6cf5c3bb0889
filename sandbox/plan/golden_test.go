package plan_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"sandbox/recipes"
	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
	"sandbox/script"
)

var update = flag.Bool("update", false, "write the golden files anew (or SANDBOX_GOLDEN=write)")

const (
	plans = "../../testdata/plans"
	facts = "../../testdata/facts"
)

// TestGolden compiles each definition of testdata/plans for the hosts that have a
// section in its file, and compares the plan's text or the problems. A file holds
// one of
//
//	definition.json   a definition
//	recipe.lua        a recipe, with files of its project below project/
//	recipe            the name of an embedded recipe
func TestGolden(t *testing.T) {
	write := *update || os.Getenv("SANDBOX_GOLDEN") == "write"
	for _, path := range corpus(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c := load(t, archive)
			hosts := 0
			for i := range archive.Files {
				f := &archive.Files[i]
				host, ok := readFacts(t, f.Name)
				if !ok {
					continue
				}
				hosts++
				got := c.compile(t, host)
				if write {
					f.Data = []byte(got)
				} else if got != string(f.Data) {
					t.Errorf("%s on %s:\n%s\nwant:\n%s", path, f.Name, got, f.Data)
				}
			}
			if hosts == 0 {
				t.Error("no host")
			}
			if text := txtar.Format(archive); write {
				if err := os.WriteFile(path, text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func corpus(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(plans + "/*.txtar")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d golden plans: %v", len(files), err)
	}
	return files
}

// goldenCase is a definition, or the error of the recipe's load.
type goldenCase struct {
	def     *definition.Definition
	project string
	err     error
}

// compile returns the plan's text, or the problems, with the project as "/project".
func (c goldenCase) compile(t testing.TB, host plan.Facts) string {
	t.Helper()
	text := ""
	if c.err != nil {
		text = "error: " + c.err.Error() + "\n"
	} else if p, err := plan.Compile(c.def, host); err != nil {
		for _, problem := range err.(definition.Problems) {
			text += "error: " + problem.Error() + "\n"
		}
	} else {
		checkPlan(t, c.def, p)
		text = p.String()
	}
	if c.project != "" {
		text = strings.ReplaceAll(text, c.project, "/project")
	}
	return text
}

func load(t testing.TB, archive *txtar.Archive) goldenCase {
	t.Helper()
	for _, f := range archive.Files {
		switch f.Name {
		case "definition.json":
			return goldenCase{def: decode(t, f.Data)}
		case "recipe.lua":
			return loadRecipe(t, archive, script.Options{Path: "recipe", Source: f.Data})
		case "recipe":
			name := strings.TrimSpace(string(f.Data))
			source, err := recipes.Read(name)
			if err != nil {
				t.Fatal(err)
			}
			return loadRecipe(t, archive, script.Options{Path: name, Source: source})
		}
	}
	t.Fatal("neither a definition nor a recipe")
	return goldenCase{}
}

// decode reads a valid definition.
func decode(t testing.TB, text []byte) *definition.Definition {
	t.Helper()
	var def definition.Definition
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&def); err != nil {
		t.Fatal(err)
	}
	if err := def.Validate().Err(); err != nil {
		t.Fatal(err)
	}
	return &def
}

func loadRecipe(t testing.TB, archive *txtar.Archive, o script.Options) goldenCase {
	t.Helper()
	project := t.TempDir()
	for _, f := range archive.Files {
		if name, ok := strings.CutPrefix(f.Name, "project/"); ok {
			name = filepath.Join(project, name)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	o.Project, o.Library = project, recipes.Library()
	o.Env = func(name string) (string, bool) { return "/home/ann", name == "HOME" }
	o.Fact = func(name string) (string, error) { return "", errors.New("no fact here is called " + name) }
	r, err := script.Load(context.Background(), o)
	if err != nil {
		return goldenCase{project: project, err: err}
	}
	defer r.Close()
	return goldenCase{project: project, def: &r.Definitions[0]}
}

// readFacts reads testdata/facts/NAME.json.
func readFacts(t testing.TB, name string) (plan.Facts, bool) {
	t.Helper()
	var f plan.Facts
	text, err := os.ReadFile(facts + "/" + name + ".json")
	if err != nil {
		return f, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f, true
}

// hosts are all the facts files.
func hosts(t testing.TB) []plan.Facts {
	t.Helper()
	files, err := filepath.Glob(facts + "/*.json")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d facts files: %v", len(files), err)
	}
	var all []plan.Facts
	for _, f := range files {
		host, _ := readFacts(t, strings.TrimSuffix(filepath.Base(f), ".json"))
		all = append(all, host)
	}
	return all
}
