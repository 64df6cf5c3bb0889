package sandbox_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	maxFunctionLines = 60
	maxTestLines     = 100 // a table of cases and the loop that walks it
	maxFileLines     = 500
	maxParameters    = 4
)

// forbidden are selectors that no file may use, and why. A path prefix limits the
// rule, "_test.go" means tests only.
var forbidden = []struct{ where, use, why string }{
	{"", "LTable.ForEach", "walks Go maps in another order each time; use Next"},
	{"_test.go", "time.Sleep", "wait for the event, not for a while"},
	{"sandbox/mount/", "filepath.EvalSymlinks", "a resolved string can change before it is used; resolve by fd"},
	{"script/", "os.Getenv", "the environment is an input that a recipe declares"},
	{"script/", "os.Exit", "only main ends the process"},
	{"sandbox/", "os.Exit", "only main ends the process"},
	{"", "ioutil.ReadFile", "deprecated"},
	{"", "log.Printf", "there is one printing file"},
	{"", "log.Fatal", "there is one printing file"},
}

func TestLint(t *testing.T) {
	files := token.NewFileSet()
	for _, s := range sources(t) {
		text, err := os.ReadFile(s.path)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(text, []byte("\n")); n > maxFileLines {
			t.Errorf("%s: %d lines, at most %d", s.path, n, maxFileLines)
		}
		parsed, err := parser.ParseFile(files, s.path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		l := linter{t: t, files: files, source: s}
		ast.Inspect(parsed, l.visit)
		l.comments(parsed)
		if name := parsed.Name.Name; slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "manager", "types", "config", "configs"}, name) {
			t.Errorf("%s: a package called %s says nothing", s.path, name)
		}
	}
}

type linter struct {
	t      *testing.T
	files  *token.FileSet
	source source
}

func (l linter) errorf(at token.Pos, format string, args ...any) {
	l.t.Helper()
	l.t.Errorf("%s: "+format, append([]any{l.files.Position(at)}, args...)...)
}

func (l linter) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		l.function(n)
	case *ast.SelectorExpr:
		l.selector(n)
	case *ast.FuncLit:
		l.parameters(n.Pos(), n.Type)
	}
	return true
}

func (l linter) function(f *ast.FuncDecl) {
	lines := l.files.Position(f.End()).Line - l.files.Position(f.Pos()).Line + 1
	limit := maxFunctionLines
	if l.source.test {
		limit = maxTestLines
	}
	if lines > limit {
		l.errorf(f.Pos(), "%s has %d lines, at most %d", f.Name.Name, lines, limit)
	}
	l.parameters(f.Pos(), f.Type)
	if f.Name.Name == "init" && f.Recv == nil && !l.source.test {
		l.errorf(f.Pos(), "init runs at every start; lay it out as data, or do it when it is needed")
	}
}

func (l linter) parameters(at token.Pos, f *ast.FuncType) {
	if n := f.Params.NumFields(); n > maxParameters && !l.source.test {
		l.errorf(at, "%d parameters, at most %d", n, maxParameters)
	}
}

func (l linter) selector(s *ast.SelectorExpr) {
	pkg := ""
	if x, ok := s.X.(*ast.Ident); ok {
		pkg = x.Name
	}
	for _, f := range forbidden {
		on, name, _ := strings.Cut(f.use, ".")
		if s.Sel.Name != name || on != pkg && on != "LTable" {
			continue
		}
		inScope := f.where == "" || strings.HasPrefix(l.source.path, f.where) || f.where == "_test.go" && l.source.test
		if inScope && (f.where == "_test.go" || !l.source.test) {
			l.errorf(s.Pos(), "%s: %s", f.use, f.why)
		}
	}
}

// comments refuses marks of unfinished work.
func (l linter) comments(file *ast.File) {
	for _, group := range file.Comments {
		for _, mark := range []string{"TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK"} {
			if strings.Contains(group.Text(), mark) {
				l.errorf(group.Pos(), "a comment says %s", mark)
			}
		}
	}
}

// TestDocumented: every package has a package comment, every exported name of the
// packages others build on has one.
func TestDocumented(t *testing.T) {
	documented := map[string]bool{}
	files := token.NewFileSet()
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		parsed, err := parser.ParseFile(files, s.path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		documented[s.pkg] = documented[s.pkg] || parsed.Doc != nil
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.IsExported() && f.Recv == nil && f.Doc == nil && parsed.Name.Name != "main" {
				t.Errorf("%s: %s has no comment", files.Position(f.Pos()), f.Name.Name)
			}
		}
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment", pkg)
		}
	}
}

// TestRecipesAreEmbedded: a recipe that is not embedded cannot be run by its name.
func TestRecipesAreEmbedded(t *testing.T) {
	found, err := filepath.Glob("recipes/*.lua")
	if err != nil || len(found) == 0 {
		t.Fatalf("no recipes: %v", err)
	}
	text, err := os.ReadFile("recipes/recipes.go")
	if err != nil || !bytes.Contains(text, []byte("//go:embed *.lua")) {
		t.Errorf("recipes/recipes.go does not embed *.lua: %v", err)
	}
}
