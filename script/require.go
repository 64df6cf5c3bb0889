package script

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
	"sandbox/script/stdlib"
	"sandbox/script/vm"
)

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

// resolve finds the file that a name means.
func (l *loader) resolve(name string) (*file, error) {
	from := l.asking()
	shown := strconv.Quote(name)
	switch {
	case strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../"):
		return l.relative(from, name)
	case registry.FindModule(name) != nil:
		return nil, errors.New("the module " + shown + " is reserved and not available yet")
	case name == "" || strings.ContainsAny(name, "/\\\x00") || strings.HasPrefix(name, "."):
		return nil, errors.New("require " + shown + ": a file is required by \"./name\", relative to this one; a module by its bare name")
	case strings.HasSuffix(name, ".lua"):
		return nil, errors.New("require " + shown + ": leave out \".lua\"")
	}
	found, err := l.candidates(from, name)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, l.clash(name, found)
	}
	missing := "no module of this name, "
	if from.floor == inProject {
		missing += "no " + l.projectFile(name).shown + ", "
	}
	if from.floor <= inLibrary && l.project != nil {
		missing += "none in " + l.project.Shown + ", "
	}
	return nil, errors.New("require " + shown + ": there is " + missing + "and no such recipe in the library" + l.nearest(name))
}

// candidates are the files that a bare name may mean, from a file's floor down.
func (l *loader) candidates(from *file, name string) ([]*file, error) {
	var found []*file
	if own := l.projectFile(name); from.floor == inProject {
		switch in := l.read(own); {
		case in.Error != "":
			return nil, errors.New(in.Error)
		case in.Found:
			found = append(found, own)
		}
	}
	if from.floor <= inLibrary {
		library, err := l.library(name)
		if err != nil {
			return nil, fmt.Errorf("require %s: %w", strconv.Quote(name), err)
		}
		if library != nil {
			found = append(found, library)
		}
	}
	ours := embeddedFile(name + ".lua")
	in := l.read(ours)
	if in.Error != "" {
		return nil, errors.New(in.Error)
	}
	if in.Found {
		found = append(found, ours)
	}
	return found, nil
}

// clash is the error of a name that means several files.
func (l *loader) clash(name string, found []*file) error {
	var places []string
	for _, f := range found {
		place := vm.Printable(f.shown)
		if f.floor == inLibrary {
			place += " (" + l.project.Shown + ":" + strconv.Itoa(l.project.Library(name).Line) + ")"
		}
		places = append(places, place)
	}
	last := len(places) - 1
	hint := "rename the first, or require \"./" + name + "\""
	if found[0].floor == inLibrary {
		hint = "call the first by another name: sandbox lib add --as NAME"
	}
	return errors.New("require " + strconv.Quote(name) + " may mean " + strings.Join(places[:last], ", ") + " or " + places[last] + "; " + hint)
}

func (l *loader) nearest(name string) string {
	names := []string{}
	for _, m := range stdlib.Modules {
		names = append(names, m.Name)
	}
	if l.project != nil {
		for i := range l.project.Libraries {
			names = append(names, l.project.Libraries[i].Name)
		}
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

// asking is the file whose line is running.
func (l *loader) asking() *file {
	at := l.vm.Where(nil).File
	for _, f := range l.files {
		if f.shown == at {
			return f
		}
	}
	return l.files[0]
}

// relative finds "./name", beside the file that asks.
func (l *loader) relative(from *file, name string) (*file, error) {
	if strings.HasSuffix(name, ".lua") {
		return nil, errors.New("require " + strconv.Quote(name) + ": leave out \".lua\"")
	}
	f := l.beside(from, name)
	if f.floor == inLibrary && strings.HasPrefix(f.rel, "../") {
		return nil, errors.New("require " + strconv.Quote(name) + ": the path leads out of the library " + f.library.ID())
	}
	switch i := l.read(f); {
	case i.Error != "":
		return nil, errors.New("require " + strconv.Quote(name) + ": " + i.Error)
	case !i.Found:
		return nil, errors.New("require " + strconv.Quote(name) + ": there is no file " + f.shown)
	}
	return f, nil
}
