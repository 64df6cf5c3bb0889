// Package stdlib is what a recipe can say while it is loaded: the modules that
// require gives for reserved names. Each module is a literal that names its
// functions, documents them and points to their code.
package stdlib

import (
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/registry"
	"sandbox/script/vm"
)

// Inputs is the world as a load may see it; each look is recorded.
type Inputs interface {
	Env(name string) (value string, found bool)
	Fact(name string) (value string, err error)
	// Read returns the content of a regular file below the project.
	Read(name string) ([]byte, error)
	// Exists tells whether there is anything by a name below the project.
	Exists(name string) (bool, error)
	// Glob returns the sorted names below the project that match a pattern.
	Glob(pattern string) ([]string, error)
}

// Load is one load of a recipe, as the functions of the modules see it.
type Load struct {
	VM       *vm.VM
	Inputs   Inputs
	Problems *definition.Problems
	// Project is the absolute folder that relative host paths are below.
	Project string
	// Library tells whether a file belongs to the embedded library.
	Library func(file string) bool
	// Debug has log.debug heard.
	Debug bool
	// Ended is set when the load has ended: functions of modules then refuse.
	Ended bool
	// Container and Params are the functions that the loader itself provides.
	Container, Params func(L *lua.LState) int

	lists map[*lua.LTable]struct{} // tables that are lists also when they are empty
	null  *lua.LUserData           // see nullValue
}

// Function is a function of a module, and its code.
type Function struct {
	registry.Function
	run func(c *Call) int
}

// Value is a value in a module that is no function.
type Value struct {
	registry.Field
	get func(l *Load) lua.LValue
}

// Module is what require gives for a reserved name.
type Module struct {
	Name      string
	Functions []Function
	Values    []Value
}

// Modules are all modules there are.
var Modules = []*Module{&sandboxModule, &fsModule, &pathModule, &stringsModule, &tablesModule, &timeModule, &hashModule, &base64Module, &logModule,
	&jsonModule, &yamlModule, &tomlModule, &templateModule, &semverModule, &urlModule}

// Open returns the module with a name as a table that cannot be changed, or nil.
func Open(l *Load, name string) lua.LValue {
	for _, m := range Modules {
		if m.Name == name {
			return m.open(l)
		}
	}
	return nil
}

func (m *Module) open(l *Load) lua.LValue {
	state := l.VM.State()
	t := state.CreateTable(0, len(m.Functions)+len(m.Values))
	for i := range m.Functions {
		f := &m.Functions[i]
		t.RawSetString(f.Name, state.NewFunction(func(L *lua.LState) int { return l.call(L, m.Name, f) }))
	}
	for i := range m.Values {
		t.RawSetString(m.Values[i].Name, m.Values[i].get(l))
	}
	return l.VM.LockMeaning("module "+m.Name, t, m.Meant)
}

// Meant returns the function of the module that people mean by a word, or "".
func (m *Module) Meant(word string) string {
	for i := range m.Functions {
		if slices.Contains(m.Functions[i].Aka, word) {
			return m.Functions[i].Name
		}
	}
	return ""
}

// Origin is the recipe's line that is running, with the library's behind it.
func (l *Load) Origin() definition.Origin { return Origin(l.VM.Where(l.Library)) }

// Origin makes an origin of a place; its texts can be shown on a terminal.
func Origin(p vm.Place) definition.Origin {
	return definition.Origin{File: vm.Printable(p.File), Line: p.Line, Via: vm.Printable(p.Via)}
}

// Problem notes what is wrong with the call that is running.
func (l *Load) Problem(path, message, hint string) {
	*l.Problems = append(*l.Problems, definition.Problem{Path: path, Message: message, Hint: hint, Origin: l.Origin()})
}

// wanted is the problem of a value of the wrong kind.
func (l *Load) wanted(path, what string, v *luaval.Value) {
	*l.Problems = append(*l.Problems, definition.Problem{Path: path, Message: "wanted " + what + ", found " + v.Describe(), Origin: v.Origin})
}

// Read reads an argument, or nothing when it was not given.
func (l *Load) Read(value lua.LValue, path string) luaval.Value {
	if value == lua.LNil {
		return luaval.Value{Origin: l.Origin()}
	}
	reader := luaval.Reader{VM: l.VM, Problems: l.Problems, At: l.Place}
	return reader.Read(value, path, l.Origin())
}

// Place is where a table was written; for a table of the embedded library, the
// recipe's line that is running and the library's behind it.
func (l *Load) Place(p vm.Place) definition.Origin {
	if p.File == "" || !l.Library(p.File) {
		return Origin(p)
	}
	at := l.VM.Where(l.Library)
	at.Via = Origin(p).String()
	if l.Library(at.File) {
		at = p
	}
	return Origin(at)
}

// HostPath makes a host path absolute: relative ones are below the project. The
// problem is "" when there is none.
func HostPath(project, name string) (path, problem, hint string) {
	switch {
	case name == "":
		return "", "the path is empty", ""
	case name == "~" || strings.HasPrefix(name, "~/"):
		return "", "\"~\" is not known here", "write the path in full, or sandbox.env(\"HOME\") .. \"/…\""
	case strings.HasPrefix(name, "/"):
		return clean(name), "", ""
	}
	path = clean(project + "/" + name)
	if path != project && !strings.HasPrefix(path, strings.TrimSuffix(project, "/")+"/") {
		return "", "the path climbs out of the project " + project, "relative paths are below the project; write it in full"
	}
	return path, "", ""
}

// Inside tidies a path in the container: repeated and final slashes and "." go. A
// path with ".." stays as it is, for Validate to refuse.
func Inside(name string) string {
	if !strings.HasPrefix(name, "/") || strings.Contains(name+"/", "/../") {
		return name
	}
	return clean(name)
}

// clean removes "." and "..", repeated and final slashes, without following links.
func clean(name string) string {
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "", ".":
		case "..":
			if len(parts) > 0 {
				parts = parts[:len(parts)-1]
			}
		default:
			parts = append(parts, part)
		}
	}
	return "/" + strings.Join(parts, "/")
}
