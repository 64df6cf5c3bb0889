package stdlib

import (
	"slices"
	"strings"
	"testing"

	"sandbox/script/registry"
)

// described looks for what a field or an argument must say.
func described(t *testing.T, path string, fields []registry.Field, example bool) {
	t.Helper()
	for i := range fields {
		f := &fields[i]
		at := path + "." + f.Name
		switch {
		case f.Later != "":
			continue
		case f.Name == "" || f.Kind == registry.Nothing:
			t.Errorf("%s has no name or no kind", at)
		case f.Doc == "" && f.Kind != registry.Options || f.Doc != "" && !strings.HasSuffix(f.Doc, "."):
			t.Errorf("%s: the description is %q, not a sentence", at, f.Doc)
		case f.Kind == registry.Choice && len(f.Choices) == 0:
			t.Errorf("%s is a choice of nothing", at)
		case f.Kind == registry.Other && f.Lua == "":
			t.Errorf("%s has no type for editors", at)
		case f.Many && i != len(fields)-1:
			t.Errorf("%s is not the last argument", at)
		case example && f.Example == "":
			t.Errorf("%s has no example", at)
		}
		described(t, at, f.Sub, f.Kind == registry.Options || example && f.Kind == registry.Table)
		described(t, at, f.Of, !strings.Contains(path, " returns"))
	}
}

// TestRegistry: whatever a recipe can call is described in full.
func TestRegistry(t *testing.T) {
	check := func(name string, f *registry.Function) {
		if !strings.HasSuffix(f.Doc, ".") || f.Example == "" || f.Phase == 0 {
			t.Errorf("%s has no description, no example or no phase", name)
		}
		described(t, name, f.Args, false)
		described(t, name, f.Other, false)
		described(t, name+" returns", f.Returns.Sub, false)
	}
	for _, m := range Modules {
		known := registry.FindModule(m.Name)
		if known == nil || known.Later != "" || !strings.HasSuffix(known.Doc, ".") {
			t.Fatalf("the module %s is not among those that exist, or not described", m.Name)
		}
		var words []string
		for i := range m.Functions {
			f := &m.Functions[i].Function
			check(m.Name+"."+f.Name, f)
			words = append(append(words, f.Name), f.Aka...)
		}
		described(t, m.Name, fieldsOf(m.Values), false)
		slices.Sort(words)
		for i := 1; i < len(words); i++ {
			if words[i] == words[i-1] {
				t.Errorf("%s: %q stands for two functions", m.Name, words[i])
			}
		}
	}
	for i := range registry.Methods {
		check("c:"+registry.Methods[i].Name, &registry.Methods[i])
	}
	for i := range registry.Context {
		m := &registry.Context[i]
		if !strings.HasSuffix(m.Doc, ".") || m.Example == "" || m.Stages == 0 || !m.Method && m.Returns.Kind == registry.Nothing {
			t.Errorf("ctx.%s has no description, no example, no stage or no type", m.Name)
		}
		described(t, "ctx."+m.Name, m.Args, false)
		described(t, "ctx."+m.Name+" returns", m.Returns.Sub, false)
	}
	described(t, "container", registry.Definition, false)
}

func fieldsOf(values []Value) []registry.Field {
	var fields []registry.Field
	for _, v := range values {
		fields = append(fields, v.Field)
	}
	return fields
}

// TestReserved: a name that require refuses as "not available yet" says what it is for.
func TestReserved(t *testing.T) {
	for _, m := range registry.Reserved {
		there := slices.ContainsFunc(Modules, func(have *Module) bool { return have.Name == m.Name })
		if there == (m.Later != "") {
			t.Errorf("the module %s is there: %v, and comes later: %q", m.Name, there, m.Later)
		}
	}
}
