// Package sandbox_test holds the rules of the house: which package may import
// which, what the runner may link, and what every file must keep to.
package sandbox_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// arrows are the allowed imports inside the module, package by package, without
// the module's name in front. They are policy, not a picture of the code: when the
// test fails, change the code, and change a line here only together with
// ARCHITECTURE.md. "..." at the end stands for a package and all below it.
//
// script and sandbox never import each other: they meet in sandbox/definition.
var arrows = map[string][]string{
	"recipes":   {},
	"templates": {},

	"project":           {"script/vm", "sandbox/definition"},
	"project/libraries": {"project", "sandbox/definition"},

	"script/vm":       {},
	"script/yaml":     {},
	"script/registry": {"script/vm", "sandbox/definition"},
	"script/luaval":   {"script/vm", "script/registry", "sandbox/definition"},
	"script/stdlib":   {"script/vm", "script/registry", "script/luaval", "script/yaml", "sandbox/definition"},
	"script/docs":     {"script/vm", "script/registry", "script/stdlib"},
	"script":          {"script/...", "project", "sandbox/definition"},

	"sandbox/definition":      {},
	"sandbox/cgroups":         {"sandbox/definition"},
	"sandbox/plan":            {"sandbox/definition", "sandbox/cgroups"},
	"sandbox/nsinit":          {"sandbox/definition", "sandbox/plan"},
	"sandbox/mount":           {"sandbox/definition", "sandbox/plan", "sandbox/nsinit"},
	"sandbox/network":         {"sandbox/definition", "sandbox/plan", "sandbox/nsinit"},
	"sandbox/probe":           {"sandbox/definition", "sandbox/plan", "sandbox/cgroups", "sandbox/mount", "sandbox/seccomp"},
	"sandbox/seccomp":         {"sandbox/definition"},
	"sandbox/seccomp/compile": {"sandbox/definition"},
	"sandbox": {"sandbox/definition", "sandbox/plan", "sandbox/nsinit", "sandbox/mount",
		"sandbox/cgroups", "sandbox/network"},

	"cmd/sandbox":     {"recipes", "templates", "project", "project/libraries", "script", "script/vm", "script/docs", "sandbox", "sandbox/definition", "sandbox/plan", "sandbox/probe", "sandbox/nsinit", "sandbox/seccomp"},
	"cmd/sandbox-kit": {"sandbox/definition", "sandbox/seccomp/..."},

	"internal/bench":     {},
	"internal/floor":     {},
	"internal/leakcheck": {},
}

// anyOS are the packages that build on every operating system.
var anyOS = []string{"sandbox/definition", "sandbox/plan", "script", "script/vm", "script/registry", "script/luaval", "script/stdlib", "script/yaml", "script/docs", "project", "recipes", "templates"}

// outside are the modules that a package may import, and why it needs them.
var outside = map[string]string{
	"golang.org/x/sys/unix":                "sandbox cmd internal project/libraries", // system calls
	"github.com/yuin/gopher-lua":           "script",                                 // the VM, wrapped by script/vm
	"github.com/spf13/cobra":               "cmd",                                    // commands and flags
	"github.com/spf13/pflag":               "cmd",                                    // with cobra
	"github.com/pelletier/go-toml/v2":      "project script/stdlib",                  // strict, with lines; 9 µs of initialisation, nothing allocated
	"golang.org/x/mod/semver":              "project",                                // versions of libraries
	"github.com/seccomp/libseccomp-golang": "sandbox/seccomp/compile",
	"github.com/vishvananda/netlink":       "internal/leakcheck", // what links there are, in tests
	"github.com/rogpeppe/go-internal":      "",                   // tests only
	"go.yaml.in/yaml":                      "",                   // tests only: what another reader makes of a text
}

const module = "sandbox/"

// source is one Go file of the module, with its imports.
type source struct {
	path    string // from the module's folder
	pkg     string // its folder
	test    bool
	imports []string
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	files := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || entry.Name() == "bin" || entry.Name() == "dist"):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		parsed, err := parser.ParseFile(files, path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		s := source{path: path, pkg: filepath.ToSlash(filepath.Dir(path)), test: strings.HasSuffix(path, "_test.go")}
		for _, spec := range parsed.Imports {
			s.imports = append(s.imports, strings.Trim(spec.Path.Value, `"`))
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d Go files found", len(all))
	}
	return all
}

func TestArrows(t *testing.T) {
	for _, s := range sources(t) {
		allowed, known := arrows[s.pkg]
		if !known && !s.test {
			t.Errorf("%s: package %s is not in the table of allowed imports", s.path, s.pkg)
			continue
		}
		if s.test {
			continue // a test may look at its surroundings
		}
		for _, path := range s.imports {
			if within, ours := strings.CutPrefix(path, module); ours && !matches(within, allowed) {
				t.Errorf("%s: %s may not import %s", s.path, s.pkg, within)
			}
		}
	}
}

func matches(pkg string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if below, tree := strings.CutSuffix(p, "/..."); tree {
			return pkg == below || strings.HasPrefix(pkg, below+"/")
		}
		return pkg == p
	})
}

// TestTablesAreTrue: a package that is gone must leave the table.
func TestTablesAreTrue(t *testing.T) {
	for pkg, allowed := range arrows {
		for _, name := range append([]string{pkg}, allowed...) {
			if _, err := os.Stat(strings.TrimSuffix(name, "/...")); err != nil {
				t.Errorf("the table of allowed imports names %s: %v", name, err)
			}
		}
	}
}

func TestOutside(t *testing.T) {
	for _, s := range sources(t) {
		for _, path := range s.imports {
			first, _, _ := strings.Cut(path, "/")
			if s.test || !strings.Contains(first, ".") {
				continue
			}
			if !mayUse(s.pkg, path) {
				t.Errorf("%s: %s may not import %s", s.path, s.pkg, path)
			}
		}
	}
}

func mayUse(pkg, path string) bool {
	for prefix, users := range outside {
		if path != prefix && !strings.HasPrefix(path, prefix+"/") {
			continue
		}
		return slices.ContainsFunc(strings.Fields(users), func(user string) bool {
			return pkg == user || strings.HasPrefix(pkg, user+"/")
		})
	}
	return false
}

// TestAnyOS: the pure packages import no system call package, in files that are
// built everywhere.
func TestAnyOS(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || !slices.Contains(anyOS, s.pkg) || strings.HasSuffix(s.path, "_linux.go") {
			continue
		}
		for _, path := range s.imports {
			if path == "golang.org/x/sys/unix" {
				t.Errorf("%s: %s builds on every system and may not import %s", s.path, s.pkg, path)
			}
		}
	}
}

// TestPlanIsPure: what Compile returns depends on its arguments alone.
func TestPlanIsPure(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.pkg != "sandbox/plan" && s.pkg != "sandbox/definition" {
			continue
		}
		for _, path := range s.imports {
			if slices.Contains([]string{"os", "syscall", "net", "os/exec", "os/user", "math/rand", "math/rand/v2", "crypto/rand"}, path) {
				t.Errorf("%s: %s is pure and may not import %s", s.path, s.pkg, path)
			}
		}
	}
}
