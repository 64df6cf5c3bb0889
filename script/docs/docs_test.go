package docs

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sandbox/script/registry"
	"sandbox/script/stdlib"
)

var update = flag.Bool("update", false, "write the reference anew")

// folder is where the reference is.
var folder = filepath.Join("..", "..", "docs", "reference")

// TestGolden compares the reference in docs/ with what the registry says now.
func TestGolden(t *testing.T) {
	files := Reference()
	there, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		for _, path := range there {
			os.Remove(path)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	for _, path := range there {
		if files[filepath.Base(path)] == "" {
			t.Errorf("%s is no page of the reference; run make golden", path)
		}
	}
	for name, want := range files {
		if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(got) != want {
			t.Errorf("docs/reference/%s is not what the registry says; run make golden (%v)", name, err)
		}
	}
}

// registered are the names of all that the registry has.
func registered() []string {
	var names []string
	var walk func(fields []registry.Field, path string)
	walk = func(fields []registry.Field, path string) {
		for i := range fields {
			if fields[i].Later == "" {
				names = append(names, path+fields[i].Name)
				walk(fields[i].Sub, path+fields[i].Name+".")
				walk(fields[i].Of, path+fields[i].Name+".")
			}
		}
	}
	walk(registry.Definition, "")
	for _, m := range stdlib.Modules {
		names = append(names, m.Name)
		for i := range m.Functions {
			names = append(names, m.Name+"."+m.Functions[i].Name)
		}
		for i := range m.Values {
			names = append(names, m.Name+"."+m.Values[i].Name)
		}
	}
	for i := range registry.Context {
		if m := &registry.Context[i]; m.Method {
			names = append(names, "ctx:"+m.Name)
		} else {
			names = append(names, "ctx."+m.Name)
		}
	}
	for i := range registry.Methods {
		names = append(names, "c:"+registry.Methods[i].Name)
	}
	for i := range registry.Stages {
		names = append(names, registry.Stages[i].Name)
	}
	return names
}

// TestAllIsThere: whatever is registered can be looked up, has a description, and an
// example unless it is a table that shows those of its fields.
func TestAllIsThere(t *testing.T) {
	reference := strings.Join(slices.Collect(maps.Values(Reference())), "\n")
	for _, name := range registered() {
		found, tried, _ := Find(name)
		if len(found) != 1 || tried || found[0].Name != name {
			t.Errorf("%s is looked up as %v", name, found)
			continue
		}
		topic := found[0]
		if topic.Doc == "" || topic.Example == "" && len(topic.Rows) == 0 {
			t.Errorf("%s has no description or no example", name)
		}
		if text := topic.Text(); !strings.Contains(text, topic.Title) || strings.Contains(text, "sandbox.Definition") {
			t.Errorf("the text of %s:\n%s", name, text)
		}
		if !strings.Contains(reference, "# "+topic.heading()+"\n") {
			t.Errorf("%s is not in the reference", name)
		}
	}
	names := Names()
	slices.Sort(names)
	if double := slices.CompactFunc(slices.Clone(names), func(a, b string) bool { return a == b }); len(double) != len(names) {
		t.Error("a name stands for two topics")
	}
}

func TestFind(t *testing.T) {
	for word, want := range map[string]string{
		"limits.memory": "limits.memory", "memory": "limits.memory", "volumes": "?mounts", "ctx.log": "ctx:log", "ctx:read": "ctx:read", "container.extend": "c:extend", "c.collect": "c:collect",
		"fs.read()": "fs.read", "bind": "sandbox.bind", "collect": "collect", "startswith": "?strings.starts_with", "json.parse": "?json.decode", "timeout": "?limits.wall c:prestart?", "cap_add": "?caps", "freeze": "?ctx:pause",
		"limits.memry": "!limits.memory", "fs.raed": "!fs.read", "nonsense": "!", "": "!",
	} {
		found, tried, near := Find(word)
		got := ""
		for i := range found {
			got += " " + found[i].Name
		}
		switch got = strings.TrimSpace(got); {
		case tried:
			got = "?" + got
		case found == nil:
			got = "!" + near
		}
		if got != want && !strings.HasPrefix(want, got+" ") {
			t.Errorf("%q is %s, wanted %s", word, got, want)
		}
	}
}

func TestLater(t *testing.T) {
	for name, want := range map[string]string{"steps": "", "test": "tests of recipes", "limits": "", "fs": "", "x": ""} {
		if got := Later(name); got != want {
			t.Errorf("%s is reserved for %q", name, got)
		}
	}
}

func TestWrap(t *testing.T) {
	if got := wrap("aa bb  cc dd", " ", 7); got != " aa bb\n cc dd\n" {
		t.Errorf("%q", got)
	}
	for _, line := range strings.Split(List(), "\n") {
		if len([]rune(line)) > width {
			t.Errorf("a line is too long: %s", line)
		}
	}
}
