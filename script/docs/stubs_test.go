package docs

import (
	gocontext "context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sandbox/script/registry"
	"sandbox/script/stdlib"
	"sandbox/script/vm"
)

// TestStubsAreLua loads each stub, which finds errors of syntax and undeclared
// globals, and compares annotations with what they stand before.
func TestStubsAreLua(t *testing.T) {
	signature := regexp.MustCompile(`(?m)^function ([\w.:]+)\((.*)\) end$`)
	for name, text := range Stubs() {
		v := vm.New(gocontext.Background(), vm.Options{})
		if _, err := v.Load(name, []byte(text)); err != nil {
			t.Errorf("%v", err)
		}
		v.Close()
		if !strings.HasPrefix(text, "---@meta") {
			t.Errorf("%s does not begin with ---@meta", name)
		}
		for _, m := range signature.FindAllStringSubmatchIndex(text, -1) {
			function, args := text[m[2]:m[3]], text[m[4]:m[5]]
			above := text[:m[0]]
			above = above[strings.LastIndex(above, "\n\n")+2:]
			var params []string
			for _, p := range regexp.MustCompile(`(?m)^---@param (\S+?)\?? `).FindAllStringSubmatch(above, -1) {
				params = append(params, p[1])
			}
			if got := strings.Join(params, ", "); got != args {
				t.Errorf("%s: %s has the arguments (%s) and annotations for (%s)", name, function, args, got)
			}
		}
	}
}

// TestStubTypes: each type that is named is built in, or a class of the stubs.
func TestStubTypes(t *testing.T) {
	all := ""
	for _, text := range Stubs() {
		all += text
	}
	var classes []string
	for _, m := range regexp.MustCompile(`(?m)^---@class ([\w.]+)`).FindAllStringSubmatch(all, -1) {
		if slices.Contains(classes, m[1]) {
			t.Errorf("two classes are called %s", m[1])
		}
		classes = append(classes, m[1])
	}
	builtin := []string{"string", "number", "integer", "boolean", "table", "any", "nil", "userdata", "function", "fun", "false", "true", "self", "ctx", "value", "key", "target", "size", "label", "hook"}
	line := regexp.MustCompile(`(?m)^---@(?:field|param|return|overload) (.*)$`)
	named := regexp.MustCompile(`sandbox\.[\w.]+`)
	for _, m := range line.FindAllStringSubmatch(all, -1) {
		for _, name := range named.FindAllString(m[1], -1) {
			name = strings.TrimRight(name, ".")
			if !slices.Contains(classes, name) && !mentioned(name) {
				t.Errorf("there is no class %s: %s", name, m[1])
			}
		}
	}
	for i := range registry.Definition {
		if f := &registry.Definition[i]; f.Later == "" && f.Sub == nil {
			for word := range strings.FieldsFuncSeq(f.LuaType(), func(r rune) bool { return strings.ContainsRune(`|[]<>(), :"`, r) }) {
				if !slices.Contains(builtin, word) && !strings.HasPrefix(word, "sandbox.") && !slices.Contains(f.Choices, word) && !strings.Contains(f.LuaType(), `"`+word+`"`) {
					t.Errorf("%s has a type with %s in it", f.Name, word)
				}
			}
		}
	}
}

// mentioned tells whether a text may name something: a function, in a description.
func mentioned(name string) bool {
	return slices.ContainsFunc(stdlib.Modules[0].Functions, func(f stdlib.Function) bool { return "sandbox."+f.Name == name })
}

// TestStubsHaveAll: each registered name is in the stubs.
func TestStubsHaveAll(t *testing.T) {
	stubs := Stubs()
	for _, m := range stdlib.Modules {
		for i := range m.Functions {
			if !strings.Contains(stubs[m.Name+".lua"], "\nfunction "+m.Name+"."+m.Functions[i].Name+"(") {
				t.Errorf("%s.%s has no stub", m.Name, m.Functions[i].Name)
			}
		}
		for i := range m.Values {
			if !strings.Contains(stubs[m.Name+".lua"], "---@field "+m.Values[i].Name+" ") {
				t.Errorf("%s.%s has no stub", m.Name, m.Values[i].Name)
			}
		}
	}
	recipe := stubs["recipe.lua"]
	for _, name := range registered() {
		want := "---@field " + last(name)
		switch {
		case strings.HasPrefix(name, "ctx:") || strings.HasPrefix(name, "c:"):
			want = "\nfunction " + name + "("
		case registry.ParseStage(name) != 0 || isModule(name):
			continue
		}
		if !strings.Contains(recipe, want) {
			t.Errorf("%s has no stub", name)
		}
	}
}

func isModule(name string) bool {
	head, _, _ := strings.Cut(name, ".")
	return registry.FindModule(head) != nil
}
