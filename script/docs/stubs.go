package docs

import (
	"strings"

	"sandbox/script/registry"
	"sandbox/script/stdlib"
)

// Stubs returns what tells a language server (LuaLS) the types of what a recipe can
// say: files of annotated Lua, by name. They are never run.
func Stubs() map[string]string {
	files := map[string]string{"recipe.lua": recipeStub()}
	for _, m := range stdlib.Modules {
		files[m.Name+".lua"] = moduleStub(m)
	}
	return files
}

// stub is a file of annotations.
type stub struct{ strings.Builder }

func (s *stub) line(parts ...string) {
	for _, p := range parts {
		s.WriteString(p)
	}
	s.WriteByte('\n')
}

// about writes a text as a comment that is shown with what follows.
func (s *stub) about(text string) {
	for line := range strings.Lines(wrap(text, "--- ", width)) {
		s.WriteString(line)
	}
}

func moduleStub(m *stdlib.Module) string {
	s := &stub{}
	s.line("---@meta ", m.Name)
	for i := range m.Functions {
		s.argumentClasses(functionClass(m.Name, m.Functions[i].Name), &m.Functions[i].Function)
	}
	s.line()
	s.about(registry.FindModule(m.Name).Doc)
	s.line("---@class sandbox.module.", m.Name)
	for i := range m.Values {
		f := &m.Values[i].Field
		s.line("---@field ", f.Name, " ", f.LuaType(), " ", f.Doc)
	}
	s.line("local ", m.Name, " = {}")
	for i := range m.Functions {
		f := &m.Functions[i].Function
		s.function(m.Name+".", functionClass(m.Name, f.Name), f)
	}
	s.line("\nreturn ", m.Name)
	return s.String()
}

// functionClass begins the names of the classes of a function.
func functionClass(module, name string) string {
	if module == "sandbox" {
		return "sandbox." + name
	}
	return "sandbox." + module + "." + name
}

// recipeStub has what is in no module: definitions, containers and ctx.
func recipeStub() string {
	s := &stub{}
	s.line("---@meta")
	s.class("sandbox.Definition", registry.Definition, true)
	s.line("\n--- What a builder of a mount returns.\n---@class sandbox.Mount")
	s.line("\n--- What a builder of a root filesystem returns.\n---@class sandbox.Rootfs")
	for i := range registry.Methods {
		s.argumentClasses("sandbox.Container."+registry.Methods[i].Name, &registry.Methods[i])
	}
	s.line("\n--- What sandbox.container returns; its fields can be read.\n---@class sandbox.Container: sandbox.Definition\nlocal c = {}")
	for i := range registry.Methods {
		s.function("c:", "sandbox.Container."+registry.Methods[i].Name, &registry.Methods[i])
	}
	for i := range registry.Context {
		s.argumentClasses("sandbox.Context."+registry.Context[i].Name, &registry.Context[i].Function)
	}
	s.line("\n--- What a hook is given.\n---@class sandbox.Context")
	for i := range registry.Context {
		if m := &registry.Context[i]; !m.Method {
			s.line("---@field ", m.Name, " ", typeOf(&m.Returns, "sandbox.Context."+m.Name), " ", m.Doc, only(m.Stages))
		}
	}
	s.line("local ctx = {}")
	for i := range registry.Context {
		if m := &registry.Context[i]; m.Method {
			f := m.Function
			f.Doc += only(m.Stages)
			s.function("ctx:", "sandbox.Context."+m.Name, &f)
		}
	}
	return s.String()
}

// only says at which stages there is something, unless at all.
func only(stages registry.Stage) string {
	if stages == registry.AnyStage {
		return ""
	}
	return " In " + stages.String() + "."
}

// argumentClasses writes the classes of tables that a function takes and returns.
func (s *stub) argumentClasses(class string, f *registry.Function) {
	for i := range f.Args {
		if a := &f.Args[i]; a.Sub != nil {
			s.class(class+"."+a.Name, a.Sub, false)
		} else if a.Of != nil {
			s.class(class+"."+a.Name, a.Of, false)
		}
	}
	if f.Returns.Sub != nil {
		s.class(class, f.Returns.Sub, false)
	}
}

// class writes a table with fields, and those within. With removable, false is a
// value of every field.
func (s *stub) class(name string, fields []registry.Field, removable bool) {
	for i := range fields {
		if f := &fields[i]; f.Sub != nil {
			s.class(name+"."+f.Name, f.Sub, removable)
		} else if f.Of != nil {
			s.class(name+"."+f.Name, f.Of, false)
		}
	}
	s.line("\n---@class ", name)
	for i := range fields {
		f := &fields[i]
		if f.Later != "" {
			continue
		}
		mark := "?"
		if !removable && !f.Optional && f.Example == "" {
			mark = "" // what is returned is there
		}
		kind := typeOf(f, name+"."+f.Name)
		if removable && !strings.Contains(kind, "boolean") {
			kind = union(kind) + "|false"
		}
		s.line("---@field ", f.Name, mark, " ", kind, " ", withDefault(f))
		if f.Item {
			s.line("---@field [integer] ", strings.TrimSuffix(kind, "[]"), " ", f.Doc)
		}
	}
}

// union puts a type in brackets where another is joined to it.
func union(kind string) string {
	if strings.HasPrefix(kind, "fun(") {
		return "(" + kind + ")"
	}
	return kind
}

// typeOf is the type of a field; class is its own, if it has fields.
func typeOf(f *registry.Field, class string) string {
	if f.Lua == "" && f.Sub != nil {
		return class
	}
	return f.LuaType()
}

// function writes a function without a body.
func (s *stub) function(before, class string, f *registry.Function) {
	s.line()
	s.about(f.Doc)
	if f.Phase == registry.Loading || f.Phase == registry.InHooks {
		s.line("---\n--- Can be called ", f.Phase.String(), " only.")
	}
	s.line("---\n--- ```lua")
	for line := range strings.SplitSeq(f.Example, "\n") {
		s.line("--- ", line)
	}
	s.line("--- ```")
	var names []string
	for i := range f.Args {
		a := &f.Args[i]
		name := a.Name
		if a.Many {
			name = "..."
		}
		mark := ""
		if a.Optional && !a.Many && lastNeeded(f.Args) < i {
			mark = "?"
		}
		s.line("---@param ", name, mark, " ", typeOf(a, class+"."+a.Name), " ", withDefault(a))
		names = append(names, name)
	}
	if f.Returns.Kind != registry.Nothing {
		about := ""
		if f.Returns.Doc != "" {
			about = " # " + f.Returns.Doc
		}
		s.line("---@return ", typeOf(&f.Returns, class), about)
	}
	if f.Otherwise.Kind != registry.Nothing {
		s.line("---@overload ", overload(before, f))
	}
	s.line("function ", before, f.Name, "(", strings.Join(names, ", "), ") end")
}

// lastNeeded is the number of the last argument that cannot be left out.
func lastNeeded(args []registry.Field) int {
	last := -1
	for i := range args {
		if !args[i].Optional {
			last = i
		}
	}
	return last
}

// overload is another way to call a function.
func overload(before string, f *registry.Function) string {
	var args []string
	if strings.HasSuffix(before, ":") {
		args = append(args, "self: sandbox.Container")
	}
	for i := range f.Other {
		mark := ""
		if f.Other[i].Optional {
			mark = "?"
		}
		args = append(args, f.Other[i].Name+mark+": "+f.Other[i].LuaType())
	}
	return "fun(" + strings.Join(args, ", ") + "): " + f.Otherwise.LuaType()
}
