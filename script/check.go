package script

import (
	"context"
	"path/filepath"
	"strings"

	"sandbox/script/vm"
)

// CheckLibrary loads the first file of a library as a recipe that requires it would,
// and looks at its other files for what can be seen without running them. Path is the
// first file; the others are named relative to its folder.
func CheckLibrary(ctx context.Context, o Options, others []string) error {
	l, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer l.inputs.close()
	defer l.vm.Close()
	l.isPart = true
	failed, _ := l.run().(*Error)
	if failed == nil {
		failed = &Error{Problems: l.found}
	}
	for _, name := range others {
		if strings.HasSuffix(name, ".lua") && !l.has(name) {
			failed.Lua = append(failed.Lua, l.compile(name)...)
		}
	}
	if len(failed.Lua)+len(failed.Problems) > 0 {
		return failed
	}
	return nil
}

// has tells whether a file beside the main one was required.
func (l *loader) has(rel string) bool {
	for _, f := range l.files {
		if f.floor == inProject && f.rel == filepath.ToSlash(rel) {
			return true
		}
	}
	return false
}

// compile returns what is wrong with a file that was not run.
func (l *loader) compile(rel string) []*vm.Error {
	f := &file{rel: rel, shown: l.show(rel)}
	in := l.read(f)
	if in.Error != "" {
		return []*vm.Error{{File: f.shown, Message: in.Error}}
	}
	machine := vm.New(context.Background(), vm.Options{})
	defer machine.Close()
	machine.Declare("require", machine.State().NewFunction(l.require))
	if _, err := machine.Load(f.shown, []byte(in.Value)); err != nil {
		failed, _ := l.failure(err).(*Error)
		return failed.Lua
	}
	return nil
}
