package script

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sort"
	"strings"
	"syscall"

	"sandbox/script/vm"
)

// maxFile bounds one file that a recipe reads, in bytes.
const maxFile = 16 << 20

// maxGlob bounds the names a pattern may match, and the folders it may visit.
const maxGlob = 10000

// Kinds of inputs.
const (
	InputEnv     = "env"     // an environment variable
	InputFact    = "fact"    // something about this machine
	InputFile    = "file"    // a file below the project
	InputExists  = "exists"  // whether there is such a file
	InputGlob    = "glob"    // the names that match a pattern
	InputProject = "project" // sandbox.toml or sandbox.lock
	InputRequire = "require" // a file of Lua: the recipe itself, and what it requires
)

// Input is one thing a load depended on.
type Input struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Found is false for an unset variable and an absent file.
	Found bool `json:"found"`
	// Value is the variable, the fact, the content, or the names, one a line.
	Value string `json:"value,omitempty"`
	// Error is why it could not be looked at.
	Error string `json:"error,omitempty"`
}

// Digest is the SHA-256 of the value in hexadecimal; "" when not found.
func (i Input) Digest() string {
	if !i.Found {
		return ""
	}
	sum := sha256.Sum256([]byte(i.Value))
	return hex.EncodeToString(sum[:])
}

// inputs looks at the world for a load and remembers what it saw. A second load
// from the same inputs sees the same, and nothing else.
type inputs struct {
	project string
	env     func(string) (string, bool)
	fact    func(string) (string, error)
	library fs.FS
	fetched string // the folder of fetched libraries
	seen    []Input
	replay  bool
	root    *os.Root
}

// look returns what was seen before, or looks now.
func (in *inputs) look(kind, name string, now func() Input) Input {
	for _, i := range in.seen {
		if i.Kind == kind && i.Name == name {
			return i
		}
	}
	i := Input{Error: "the recipe asks for the " + kind + " " + name + ", which it did not when the container was made"}
	if !in.replay {
		i = now()
	}
	i.Kind, i.Name = kind, name
	in.seen = append(in.seen, i)
	return i
}

func (i Input) err() error {
	if i.Error == "" {
		return nil
	}
	return errors.New(i.Error)
}

// Env implements stdlib.Inputs.
func (in *inputs) Env(name string) (string, bool) {
	i := in.look(InputEnv, name, func() Input {
		value, found := in.env(name)
		return Input{Value: value, Found: found}
	})
	return i.Value, i.Found
}

// Fact implements stdlib.Inputs.
func (in *inputs) Fact(name string) (string, error) {
	i := in.look(InputFact, name, func() Input {
		value, err := in.fact(name)
		if err != nil {
			return Input{Error: "sandbox.fact: " + err.Error()}
		}
		return Input{Value: value, Found: true}
	})
	return i.Value, i.err()
}

// Exists implements stdlib.Inputs.
func (in *inputs) Exists(name string) (bool, error) {
	i := in.look(InputExists, name, func() Input {
		rel, err := in.below(name)
		if err != nil {
			return failed("look for", name, err)
		}
		_, err = in.root.Stat(rel)
		switch {
		case err == nil:
			return Input{Found: true}
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
			return Input{}
		}
		return failed("look for", name, err)
	})
	return i.Found, i.err()
}

// Read implements stdlib.Inputs.
func (in *inputs) Read(name string) ([]byte, error) {
	i := in.look(InputFile, name, func() Input { return in.file(name) })
	if i.Error == "" && !i.Found {
		return nil, fmt.Errorf("read %s: there is no such file below the project %s", name, vm.Printable(in.project))
	}
	return []byte(i.Value), i.err()
}

// file reads a regular file below the project. O_NONBLOCK keeps open from waiting
// for the other end of a FIFO.
func (in *inputs) file(name string) Input {
	rel, err := in.below(name)
	if err != nil {
		return failed("read", name, err)
	}
	f, err := in.root.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		return Input{}
	case err != nil:
		return failed("read", name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return failed("read", name, err)
	case info.IsDir():
		return failed("read", name, errors.New("it is a folder"))
	case !info.Mode().IsRegular():
		return failed("read", name, errors.New("it is no regular file"))
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return failed("read", name, err)
	case len(content) > maxFile:
		return failed("read", name, errors.New("it has more than 16 MiB"))
	}
	return Input{Value: string(content), Found: true}
}

func failed(verb, name string, err error) Input {
	if pe, ok := err.(*fs.PathError); ok { // its path is the one named already
		err = pe.Err
	}
	if err.Error() == "path escapes from parent" {
		err = errors.New("a link leads out of the project")
	}
	return Input{Error: verb + " " + name + ": " + err.Error()}
}

// below returns a path relative to the project, and opens the project.
func (in *inputs) below(name string) (string, error) {
	rel := path.Clean(name)
	switch {
	case name == "":
		return "", errors.New("the path is empty")
	case strings.IndexByte(name, 0) >= 0:
		return "", errors.New("the path has a NUL byte")
	case path.IsAbs(name):
		below, ok := strings.CutPrefix(rel, strings.TrimSuffix(in.project, "/")+"/")
		if !ok {
			return "", fmt.Errorf("it is not below the project %s", in.project)
		}
		rel = below
	case rel == ".." || strings.HasPrefix(rel, "../"):
		return "", fmt.Errorf("it is not below the project %s", in.project)
	}
	if in.root == nil {
		root, err := os.OpenRoot(in.project)
		if err != nil {
			return "", fmt.Errorf("open the project: %w", err)
		}
		in.root = root
	}
	return rel, nil
}

func (in *inputs) close() {
	if in.root != nil {
		in.root.Close()
		in.root = nil
	}
}

// Glob implements stdlib.Inputs. Links to folders are matched, not followed.
func (in *inputs) Glob(pattern string) ([]string, error) {
	i := in.look(InputGlob, pattern, func() Input {
		rel, err := in.below(pattern)
		if err != nil {
			return failed("glob", pattern, err)
		}
		g := globber{root: in.root}
		if err := g.match(".", strings.Split(rel, "/")); err != nil {
			return failed("glob", pattern, err)
		}
		sort.Strings(g.found)
		names := g.found[:0]
		for _, name := range g.found {
			if len(names) == 0 || names[len(names)-1] != name {
				names = append(names, name)
			}
		}
		return Input{Value: strings.Join(names, "\n"), Found: len(names) > 0}
	})
	if i.Value == "" {
		return nil, i.err()
	}
	return strings.Split(i.Value, "\n"), i.err()
}

type globber struct {
	root    *os.Root
	found   []string
	visited int
}

// match adds what the parts of a pattern match below dir.
func (g *globber) match(dir string, parts []string) error {
	if g.visited++; g.visited > maxGlob || len(g.found) > maxGlob {
		return fmt.Errorf("more than %d names", maxGlob)
	}
	entries, err := g.list(dir)
	if err != nil {
		return nil // not a folder, or none that can be read: nothing matches
	}
	part, rest := parts[0], parts[1:]
	if part == "**" && len(rest) > 0 {
		if err := g.match(dir, rest); err != nil {
			return err
		}
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if strings.Contains(e.Name(), "\n") {
			continue
		}
		ok, err := path.Match(part, e.Name())
		if err != nil {
			return errors.New("the pattern is malformed")
		}
		if part == "**" {
			ok = !strings.HasPrefix(e.Name(), ".")
		} else if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(part, ".") {
			ok = false // as in a shell
		}
		if err := g.take(name, e.IsDir(), ok, parts); err != nil {
			return err
		}
	}
	return nil
}

// take adds a name that matches the first part, or goes on below it.
func (g *globber) take(name string, folder, ok bool, parts []string) error {
	switch {
	case !ok:
		return nil
	case len(parts) == 1:
		g.found = append(g.found, name)
		if parts[0] != "**" || !folder {
			return nil
		}
		return g.match(name, parts)
	case !folder:
		return nil
	case parts[0] == "**":
		return g.match(name, parts)
	}
	return g.match(name, parts[1:])
}

func (g *globber) list(dir string) ([]fs.DirEntry, error) {
	f, err := g.root.OpenFile(dir, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadDir(-1)
}

// source reads a file of Lua by its path from the recipe's folder. It must be below
// the project, or, for a recipe outside it, below that folder.
func (in *inputs) source(base, rel string) Input {
	full := path.Join(base, rel)
	inside := in.project
	if base != inside && !strings.HasPrefix(base, strings.TrimSuffix(inside, "/")+"/") {
		inside = base
	}
	if strings.TrimSuffix(inside, "/") == strings.TrimSuffix(in.project, "/") {
		return in.file(full)
	}
	beside := inputs{project: inside}
	defer beside.close()
	return beside.file(full)
}
