// Package script loads a recipe, a program in Lua, and calls the hooks it
// registered. One recipe has one VM.
//
// Load is a function of the recipe's sources, its parameters, the environment
// variables and facts it declares, and the files below the project that it reads.
// All of them are remembered as inputs; a fresh VM, after one was given up or in a
// later command, is loaded from them and never from the disk.
package script

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"sandbox/project"
	"sandbox/sandbox/definition"
	"sandbox/script/stdlib"
	"sandbox/script/vm"
)

// loadTime bounds a load, parsing and compiling included.
const loadTime = 2 * time.Second

// Options say what to load, and what of the world it may see.
type Options struct {
	// Path is the recipe's file; it is shown in messages as it stands. With Source
	// it is a name only.
	Path string
	// Source is the text of an embedded recipe; nil means that Path is read.
	Source []byte
	// Project is the folder that relative paths are below; empty means
	// FindProject(Path), or the current folder for an embedded recipe.
	Project string
	// Fetched is the folder with the libraries that were fetched from elsewhere, each
	// in one called by its digest.
	Fetched string
	// Params are the values of flags.
	Params map[string][]string
	// Env looks up environment variables; nil means os.LookupEnv.
	Env func(name string) (string, bool)
	// Fact looks up facts; nil means stdlib.Fact.
	Fact func(name string) (string, error)
	// Library holds the embedded recipes: require "go" finds go.lua.
	Library fs.FS
	// Log receives what print and the module log write, a line at a time; nil drops it.
	Log func(line string)
	// Debug has log.debug heard.
	Debug bool
}

// Recipe is a loaded recipe. It implements definition.Hooks; its methods are for
// one goroutine at a time.
type Recipe struct {
	// Definitions has one element.
	Definitions []definition.Definition
	// Params are the parameters it declares.
	Params []Param
	// Inputs are what the load depended on, in the order they were asked for.
	Inputs []Input
	// Project is what sandbox.toml says; nil without one.
	Project *project.File
	// Libraries are those of sandbox.toml that it requires.
	Libraries []*project.Locked

	source source
	vm     *vm.VM // nil when the last one was given up
	hooks  []*hook
	ctx    *hookContext
	data   []byte
	began  time.Time
	log    func(string)
}

// source is what a recipe is loaded from, without the world.
type source struct {
	Path     string              `json:"path"`
	Embedded bool                `json:"embedded,omitempty"`
	Project  string              `json:"project"`
	Params   map[string][]string `json:"params,omitempty"`
	Debug    bool                `json:"debug,omitempty"`
}

// FindProject returns the absolute folder a recipe's relative paths are below: the
// nearest one at or above the recipe's that holds sandbox.toml, else the recipe's.
func FindProject(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	own := filepath.Dir(path)
	dir, err := project.Find(own)
	if dir == "" {
		dir = own
	}
	return dir, err
}

// Load runs a recipe up to its end. The error, when it is about the recipe, is a
// *Error with all problems.
func Load(ctx context.Context, o Options) (*Recipe, error) {
	l, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	defer l.inputs.close()
	r := &Recipe{source: l.source, began: time.Now(), log: o.Log}
	if err := l.run(); err != nil {
		l.vm.Close()
		return nil, err
	}
	r.adopt(l)
	return r, nil
}

// LoadParams runs a recipe up to its sandbox.params, for help and completion.
func LoadParams(ctx context.Context, o Options) ([]Param, error) {
	l, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	defer l.inputs.close()
	defer l.vm.Close()
	l.paramsOnly = true
	err = l.run()
	if l.params != nil && len(l.Load.problems()) == 0 {
		return l.params, nil
	}
	return nil, err
}

// prepare finds the project and makes the VM.
func prepare(ctx context.Context, o Options) (*loader, error) {
	in := &inputs{project: o.Project, env: o.Env, fact: o.Fact, library: o.Library, fetched: o.Fetched}
	if in.env == nil {
		in.env = os.LookupEnv
	}
	if in.fact == nil {
		in.fact = stdlib.Fact
	}
	s := source{Path: o.Path, Embedded: o.Source != nil, Project: o.Project, Params: o.Params, Debug: o.Debug}
	var err error
	switch {
	case s.Project != "":
		s.Project, err = filepath.Abs(s.Project)
	case s.Embedded:
		s.Project, err = os.Getwd()
	default:
		s.Project, err = FindProject(o.Path)
	}
	if err != nil {
		return nil, err
	}
	in.project = s.Project
	text := o.Source
	if text == nil {
		if text, err = readRecipe(o.Path); err != nil {
			return nil, err
		}
	}
	in.seen = append(in.seen, Input{Kind: InputRequire, Name: mainName, Found: true, Value: string(text)})
	return newLoader(ctx, s, in, o.Log), nil
}

// readRecipe reads the recipe's own file, which may be anywhere and a link.
func readRecipe(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Error{Lua: []*vm.Error{{File: path, Message: "there is no such recipe"}}}
	case err != nil:
		return nil, &Error{Lua: []*vm.Error{{File: path, Message: "the recipe cannot be read: " + reason(err)}}}
	case info.IsDir():
		return nil, &Error{Lua: []*vm.Error{{File: path, Message: "a recipe is a file, and this is a folder"}}}
	}
	text, err := readSmall(path, vm.MaxSource+1) // vm refuses what is longer
	if err != nil {
		return nil, &Error{Lua: []*vm.Error{{File: path, Message: "the recipe cannot be read: " + reason(err)}}}
	}
	return text, nil
}

// readSmall reads a file, or the first limit bytes of one that is longer.
func readSmall(path string, limit int) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() {
		limit = int(min(info.Size()+1, int64(limit)))
	}
	return readLimited(path, limit)
}

// readLimited reads at most n bytes of a file. It does without os.File, which would
// set up the runtime's poller, 0.1 ms of every start.
func readLimited(path string, n int) ([]byte, error) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	text := make([]byte, n)
	for have := 0; ; {
		n, err := syscall.Read(fd, text[have:])
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return nil, err
		case n == 0 || have+n == len(text):
			return text[:have+n], nil
		default:
			have += n
		}
	}
}

func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// Error is why a recipe could not be loaded: all problems at once.
type Error struct {
	// Problems are those of the definition, and those that builders found.
	Problems definition.Problems
	// Lua are those of the program; one at most has run.
	Lua []*vm.Error
}

// Error returns one problem a line.
func (e *Error) Error() string {
	var lines []string
	for _, p := range e.Lua {
		lines = append(lines, p.Error())
	}
	for _, p := range e.Problems {
		lines = append(lines, vm.Printable(p.Error()))
	}
	return strings.Join(lines, "\n")
}

// Report returns Error with the traceback of Lua functions where there is one.
func (e *Error) Report() string {
	var lines []string
	for _, p := range e.Lua {
		lines = append(lines, p.Report())
	}
	for _, p := range e.Problems {
		lines = append(lines, vm.Printable(p.Error()))
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems of the program.
func (e *Error) Unwrap() []error {
	var all []error
	for _, p := range e.Lua {
		all = append(all, p)
	}
	return all
}
