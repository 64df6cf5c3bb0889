package script

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/project"
	"sandbox/sandbox/definition"
	"sandbox/script/stdlib"
	"sandbox/script/vm"
)

// mainName is the recipe itself among the inputs.
const mainName = "recipe"

// loader runs one recipe up to its end.
type loader struct {
	vm     *vm.VM
	source source
	inputs *inputs
	found  definition.Problems
	Load   module

	main       string // as messages show it
	files      []*file
	loading    []*file       // innermost last
	project    *project.File // nil without sandbox.toml
	lock       *project.Lock // nil until it is needed
	modules    map[string]lua.LValue
	containers []*container
	metatable  *lua.LTable // of containers
	params     []Param
	declared   bool // sandbox.params was called
	paramsOnly bool
	isPart     bool        // a library is loaded by itself: it returns anything
	release    func() bool // of the caller's context
}

// module is the load as the standard library sees it.
type module struct{ stdlib.Load }

func (m *module) problems() definition.Problems { return *m.Load.Problems }

// errParams stops a load that is for its parameters only.
var errParams = errors.New("the parameters are known")

func newLoader(ctx context.Context, s source, in *inputs, log func(string)) *loader {
	l := &loader{source: s, inputs: in, modules: map[string]lua.LValue{}}
	l.vm = vm.New(context.Background(), vm.Options{Print: func(line string) {
		if log != nil {
			log(vm.Printable(line))
		}
	}})
	l.release = context.AfterFunc(ctx, func() { l.vm.Kill(context.Cause(ctx)) })
	l.main = s.Path
	if s.Embedded {
		l.main = libraryPrefix + filepath.Base(s.Path)
	}
	l.Load = module{stdlib.Load{VM: l.vm, Inputs: in, Problems: &l.found, Project: s.Project, Debug: s.Debug,
		Library: l.isLibrary, Container: l.newContainer, Params: l.declareParams}}
	return l
}

// isLibrary tells whether lines of a file are to be skipped when looking for the
// recipe's: those of libraries that the recipe requires.
func (l *loader) isLibrary(name string) bool {
	for i, f := range l.files {
		if f.shown == name {
			return i > 0 && f.floor != inProject
		}
	}
	return false
}

// run loads and runs the main file, and checks what it returned. The error is a
// *Error.
func (l *loader) run() error {
	defer l.release()
	stop := l.vm.Within(loadTime, "loading "+l.main)
	defer stop()
	if err := l.openProject(); err != nil {
		return err
	}
	l.vm.Declare("require", l.vm.State().NewFunction(l.require))
	main := l.mainFile()
	text := l.inputs.seen[slices.IndexFunc(l.inputs.seen, func(i Input) bool { return i.Kind == InputRequire && i.Name == mainName })]
	fn, err := l.vm.Load(l.main, []byte(text.Value))
	if err != nil {
		return l.failure(err)
	}
	l.loading = append(l.loading, main)
	results, err := l.vm.Call(fn, lua.MultRet)
	if err != nil {
		return l.failure(err)
	}
	return l.returned(results)
}

// failure is the error of a load: what the program raised, and the problems that
// builders found before.
func (l *loader) failure(err error) error {
	failed := &Error{Problems: l.found}
	var many vm.Errors
	var one *vm.Error
	var noted *Error
	switch {
	case errors.As(err, &noted): // raised by a builtin, and noted among the problems
	case errors.As(err, &many):
		failed.Lua = many
	case errors.As(err, &one):
		if strings.Contains(one.Message, inContainer) {
			one.Hint = "make another: c:extend { … }"
		}
		failed.Lua = []*vm.Error{one}
	default:
		failed.Lua = []*vm.Error{{File: l.main, Message: err.Error(), Cause: err}}
	}
	return failed
}

// returned checks that the recipe returned exactly one container.
func (l *loader) returned(results []lua.LValue) error {
	if l.isPart && len(results) == 1 && results[0] != lua.LNil {
		return nil
	}
	if l.isPart {
		return &Error{Problems: l.found, Lua: []*vm.Error{{File: l.main, Message: "it returned " + l.describe(results), Hint: "end it with \"return\" and what it has to offer"}}}
	}
	if len(results) == 1 {
		if c := asContainer(results[0]); c != nil {
			return l.finish(c)
		}
	}
	e := &vm.Error{Message: vm.Printable(l.main) + " returned " + l.describe(results)}
	if n := len(l.containers); n > 0 {
		e.Message += "; add \"return c\""
		e.Hint = fmt.Sprintf("container made at line %d", l.containers[n-1].origin.Line)
		if len(results) > 0 {
			e.Message = strings.Replace(e.Message, "add", "end it with", 1)
		}
	} else {
		e.Message += "; end it with \"return sandbox.container { … }\""
	}
	if len(results) > 1 && asContainer(results[0]) != nil {
		e.Message = vm.Printable(l.main) + " returned " + l.describe(results) + "; a recipe makes exactly one container"
	}
	return &Error{Problems: l.found, Lua: []*vm.Error{e}}
}

func (l *loader) describe(results []lua.LValue) string {
	switch {
	case len(results) == 0 || len(results) == 1 && results[0] == lua.LNil:
		return "nothing"
	case len(results) > 1:
		return fmt.Sprintf("%d values", len(results))
	}
	if u, ok := results[0].(*lua.LUserData); ok {
		if d, ok := u.Value.(interface{ Describe() string }); ok {
			return d.Describe()
		}
	}
	return "a " + results[0].Type().String()
}

// finish decodes and validates the container that the recipe returned.
func (l *loader) finish(c *container) error {
	d := decoder{problems: &l.found, origins: definition.Origins{"": c.origin}, project: l.source.Project}
	def := d.definition(&c.tree)
	def.Origins = d.origins
	for i, h := range c.hooks {
		h.ref.ID = i + 1
		def.Hooks = append(def.Hooks, h.ref)
	}
	if def.Name == "" {
		def.Name = defaultName(l.source.Path)
	}
	if !l.declared {
		(&paramDecoder{d}).undeclared(nil, l.source.Params)
	}
	if len(l.found) == 0 {
		l.found = def.Validate().At(def.Origins)
	} else {
		l.found = append(l.found, l.fresh(def.Validate().At(def.Origins))...)
	}
	if len(l.found) > 0 {
		slices.SortStableFunc(l.found, func(a, b definition.Problem) int {
			return cmp.Or(cmp.Compare(a.Origin.File, b.Origin.File), cmp.Compare(a.Origin.Line, b.Origin.Line))
		})
		return &Error{Problems: l.found}
	}
	c.definition = def
	l.containers = []*container{c}
	return nil
}

// fresh leaves out what Validate says of a field that could not be read.
func (l *loader) fresh(more definition.Problems) definition.Problems {
	return slices.DeleteFunc(more, func(p definition.Problem) bool {
		return slices.ContainsFunc(l.found, func(old definition.Problem) bool {
			return old.Path != "" && (below(old.Path, p.Path) || strings.HasPrefix(old.Message, "wanted") && below(p.Path, old.Path))
		})
	})
}

// below tells whether a path is that of a field or of a part of it.
func below(path, field string) bool {
	rest, ok := strings.CutPrefix(path, field)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// defaultName makes a container's name of the recipe's file name.
func defaultName(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), ".lua")
	clean := strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, name)
	clean = strings.TrimLeft(clean, "-.")
	if len(clean) > 64 {
		clean = clean[:64]
	}
	if clean == "" {
		return "recipe"
	}
	return clean
}

// used are the libraries of sandbox.toml that the recipe required.
func (l *loader) used() []*project.Locked {
	var all []*project.Locked
	for _, f := range l.files {
		if f.library != nil && !slices.Contains(all, f.library) {
			all = append(all, f.library)
		}
	}
	return all
}

// adopt makes a loaded recipe ready for its hooks: everything is frozen.
func (r *Recipe) adopt(l *loader) {
	c := l.containers[0]
	r.Definitions = []definition.Definition{c.definition}
	r.Params = l.params
	r.Inputs = l.inputs.seen
	r.Project = l.project
	r.Libraries = l.used()
	r.vm, r.hooks = l.vm, c.hooks
	l.Load.Ended = true
	if len(c.hooks) == 0 {
		r.vm.Close()
		r.vm = nil
		return
	}
	roots := []lua.LValue{l.metatable}
	for _, m := range l.modules {
		roots = append(roots, m)
	}
	for _, h := range c.hooks {
		roots = append(roots, h.fn)
	}
	r.vm.Freeze(roots...)
	r.ctx = newHookContext(r)
}
