package script

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
	"sandbox/script/stdlib"
	"sandbox/script/vm"
)

// libraryPrefix starts the names of embedded files, in messages and inputs.
const libraryPrefix = "embedded/"

// file is a source file of Lua.
type file struct {
	library bool
	// rel is its path below the folder of the recipe, or in the library; it may
	// start with "..".
	rel string
	// shown is its name in messages.
	shown string
}

// key names a file among the inputs.
func (f *file) key() string {
	if f.library {
		return libraryPrefix + f.rel
	}
	return f.rel
}

// mainFile is the recipe itself.
func (l *loader) mainFile() *file {
	f := &file{library: l.source.Embedded, rel: filepath.Base(l.source.Path), shown: l.main}
	l.files = append(l.files, f)
	return f
}

// require(name) returns what a module or a file returned.
func (l *loader) require(L *lua.LState) int {
	name, ok := L.Get(1).(lua.LString)
	if !ok {
		L.RaiseError("require wants a name, as in require \"sandbox\"")
	}
	if l.Load.Ended {
		L.RaiseError("require belongs to the load phase; require %s outside the hook", strconv.Quote(string(name)))
	}
	if value := l.modules[string(name)]; value != nil {
		L.Push(value)
		return 1
	}
	if value := stdlib.Open(&l.Load.Load, string(name)); value != nil {
		l.modules[string(name)] = value
		L.Push(value)
		return 1
	}
	f, err := l.resolve(string(name))
	if err != nil {
		l.vm.Raise(L, err)
	}
	return l.requireFile(L, f)
}

// requireFile runs a file, once.
func (l *loader) requireFile(L *lua.LState, f *file) int {
	if value := l.modules[f.key()+".file"]; value != nil {
		L.Push(value)
		return 1
	}
	for i, outer := range l.loading {
		if outer.key() == f.key() {
			names := make([]string, 0, len(l.loading)-i+1)
			for _, g := range append(l.loading[i:len(l.loading):len(l.loading)], f) {
				names = append(names, vm.Printable(g.shown))
			}
			L.RaiseError("files require one another in a circle: %s", strings.Join(names, " → "))
		}
	}
	input := l.read(f)
	fn, err := l.vm.Load(f.shown, []byte(input.Value))
	if err != nil {
		l.vm.Raise(L, err)
	}
	l.files = append(l.files, f)
	l.loading = append(l.loading, f)
	L.Push(fn)
	L.Call(0, 1)
	l.loading = l.loading[:len(l.loading)-1]
	if L.Get(-1) == lua.LNil {
		L.RaiseError("%s returned nothing; end it with \"return\" and what it has to offer", vm.Printable(f.shown))
	}
	l.modules[f.key()+".file"] = L.Get(-1)
	return 1
}

// read returns a file's text, from the inputs.
func (l *loader) read(f *file) Input {
	return l.inputs.look(InputRequire, f.key(), func() Input {
		if f.library {
			return l.readLibrary(f.rel)
		}
		return l.inputs.source(l.base(), f.rel)
	})
}

// base is the absolute folder of the recipe.
func (l *loader) base() string {
	if l.source.Embedded {
		return l.source.Project
	}
	abs, err := filepath.Abs(l.source.Path)
	if err != nil {
		return l.source.Project
	}
	return filepath.Dir(abs)
}

func (l *loader) readLibrary(rel string) Input {
	if l.inputs.library == nil {
		return Input{}
	}
	text, err := fs.ReadFile(l.inputs.library, rel)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid):
		return Input{}
	case err != nil:
		return failed("read", rel, err)
	}
	return Input{Found: true, Value: string(text)}
}

// resolve finds the file that a name means.
func (l *loader) resolve(name string) (*file, error) {
	if strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") {
		return l.relative(name)
	}
	shown := strconv.Quote(name)
	if m := registry.FindModule(name); m != nil {
		return nil, errors.New("the module " + shown + " is reserved and not available yet")
	}
	switch {
	case name == "" || strings.ContainsAny(name, "/\\\x00") || strings.HasPrefix(name, "."):
		return nil, errors.New("require " + shown + ": a file is required by \"./name\", relative to this one; a module by its bare name")
	case strings.HasSuffix(name, ".lua"):
		return nil, errors.New("require " + shown + ": leave out \".lua\"")
	}
	project := l.projectFile(name)
	library := &file{library: true, rel: name + ".lua", shown: libraryPrefix + name + ".lua"}
	inProject, inLibrary := l.read(project), l.read(library)
	for _, i := range [...]Input{inProject, inLibrary} {
		if i.Error != "" {
			return nil, errors.New(i.Error)
		}
	}
	switch {
	case inProject.Found && inLibrary.Found:
		return nil, errors.New("require " + shown + " may mean " + project.shown + " or " + library.shown + "; rename the first, or require \"./" + name + "\"")
	case inProject.Found:
		return project, nil
	case inLibrary.Found:
		return library, nil
	}
	return nil, errors.New("require " + shown + ": there is no module of this name, no " + project.shown + ", and no such recipe in the library" + l.nearest(name))
}

func (l *loader) nearest(name string) string {
	names := []string{}
	for _, m := range stdlib.Modules {
		names = append(names, m.Name)
	}
	if l.inputs.library != nil {
		if entries, err := fs.Glob(l.inputs.library, "*.lua"); err == nil {
			for _, e := range entries {
				names = append(names, strings.TrimSuffix(e, ".lua"))
			}
		}
	}
	if near := vm.Suggest(name, names); near != "" {
		return " (did you mean " + strconv.Quote(near) + "?)"
	}
	return ""
}

// projectFile is the file of a bare name, at the top of the project.
func (l *loader) projectFile(name string) *file {
	rel, err := filepath.Rel(l.base(), l.source.Project)
	if err != nil {
		rel = "."
	}
	rel = path.Join(filepath.ToSlash(rel), name+".lua")
	return &file{rel: rel, shown: l.show(rel)}
}

// show is the name of a file in messages: beside the recipe's as the user wrote it.
func (l *loader) show(rel string) string {
	if l.source.Embedded {
		return rel
	}
	return filepath.Join(filepath.Dir(l.source.Path), rel)
}

// relative finds "./name", beside the file that asks.
func (l *loader) relative(name string) (*file, error) {
	at := l.vm.Where(nil).File
	var from *file
	for _, f := range l.files {
		if f.shown == at {
			from = f
		}
	}
	if from == nil {
		return nil, errors.New("require " + strconv.Quote(name) + ": the file that asks is not known")
	}
	if strings.HasSuffix(name, ".lua") {
		return nil, errors.New("require " + strconv.Quote(name) + ": leave out \".lua\"")
	}
	f := &file{library: from.library, rel: path.Join(path.Dir(from.rel), name) + ".lua"}
	f.shown = l.show(f.rel)
	if f.library {
		f.shown = libraryPrefix + f.rel
	}
	switch i := l.read(f); {
	case i.Error != "":
		return nil, errors.New("require " + strconv.Quote(name) + ": " + i.Error)
	case !i.Found:
		return nil, errors.New("require " + strconv.Quote(name) + ": there is no file " + f.shown)
	}
	return f, nil
}
