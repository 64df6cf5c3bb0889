package script

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"sandbox/project"
)

// floor is where a file of Lua comes from. A bare name means a file of the same floor
// or of one below it: what a library requires does not depend on how those who use it
// call their own files.
type floor uint8

const (
	inProject floor = iota
	inLibrary       // a library of sandbox.toml
	embedded        // in the runner
)

// libraryPrefix starts the names of embedded files, in messages and inputs.
const libraryPrefix = "embedded/"

// file is a source file of Lua.
type file struct {
	floor floor
	// library is the one it belongs to, on that floor.
	library *project.Locked
	// rel is its path below the folder of the recipe, or in the library; it may
	// start with "..".
	rel string
	// shown is its name in messages.
	shown string
}

// key names a file among the inputs.
func (f *file) key() string {
	switch f.floor {
	case embedded:
		return libraryPrefix + f.rel
	case inLibrary:
		return f.library.ID() + "/" + f.rel
	}
	if first, _, _ := strings.Cut(f.rel, "/"); first+"/" == libraryPrefix || strings.Contains(first, "@") {
		return "./" + f.rel // a folder that is called as one of the others
	}
	return f.rel
}

// mainFile is the recipe itself.
func (l *loader) mainFile() *file {
	f := &file{rel: filepath.Base(l.source.Path), shown: l.main}
	if l.source.Embedded {
		f.floor = embedded
	}
	l.files = append(l.files, f)
	return f
}

// projectFile is the file of a bare name, at the top of the project.
func (l *loader) projectFile(name string) *file {
	rel := l.top(name + ".lua")
	return &file{rel: rel, shown: l.show(rel)}
}

// top is the path of a file at the top of the project, from the recipe's folder.
func (l *loader) top(name string) string {
	rel, err := filepath.Rel(l.base(), l.source.Project)
	if err != nil {
		rel = "."
	}
	return path.Join(filepath.ToSlash(rel), name)
}

func embeddedFile(rel string) *file {
	return &file{floor: embedded, rel: rel, shown: libraryPrefix + rel}
}

// beside is the file that another one of the same floor means by a relative path.
func (l *loader) beside(from *file, name string) *file {
	f := &file{floor: from.floor, library: from.library, rel: path.Join(path.Dir(from.rel), name) + ".lua"}
	switch f.floor {
	case embedded:
		f.shown = libraryPrefix + f.rel
	case inLibrary:
		f.shown = f.key()
	default:
		f.shown = l.show(f.rel)
	}
	return f
}

// show is the name of a file in messages: beside the recipe's as the user wrote it.
func (l *loader) show(rel string) string {
	if l.source.Embedded {
		return rel
	}
	return filepath.Join(filepath.Dir(l.source.Path), rel)
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

// read returns a file's text, from the inputs.
func (l *loader) read(f *file) Input {
	return l.inputs.look(InputRequire, f.key(), func() Input {
		switch f.floor {
		case embedded:
			return l.readEmbedded(f.rel)
		case inLibrary:
			return l.readLocked(f)
		}
		return l.inputs.source(l.base(), f.rel)
	})
}

func (l *loader) readEmbedded(rel string) Input {
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
