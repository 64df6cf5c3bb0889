package libraries

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"sandbox/project"
)

// Project is a project whose libraries are looked after.
type Project struct {
	// Dir is its folder, absolute.
	Dir string
	// Fetched is the folder of the cache with the libraries that were fetched.
	Fetched string
	// Taken tells what has a bare name already, such as "a module of the standard
	// library"; "" when nothing has.
	Taken func(name string) string
	// File and Lock are what its files say.
	File *project.File
	Lock *project.Lock

	text, newText []byte // of sandbox.toml, on the disk and as it is to be
	lockText      []byte // of sandbox.lock
}

// Open reads the files of the project in a folder, whose sandbox.toml messages call
// shown.
func Open(dir, fetched, shown string) (*Project, error) {
	p := &Project{Dir: dir, Fetched: fetched, Lock: &project.Lock{}, Taken: func(string) string { return "" }}
	text, err := project.Read(filepath.Join(dir, project.FileName))
	if err != nil {
		return nil, err
	}
	if p.File, err = project.ParseFile(shown, text); err != nil {
		return nil, err
	}
	p.text, p.newText = text, text
	p.lockText, err = project.Read(p.lockPath())
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	lock, err := project.ParseLock(filepath.Join(filepath.Dir(shown), project.LockName), p.lockText)
	if err != nil {
		return nil, err
	}
	p.Lock = lock
	return p, nil
}

func (p *Project) lockPath() string { return filepath.Join(p.Dir, project.LockName) }

// folder is where a library lies that is a folder.
func (p *Project) folder(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.Dir, path)
}

// pinned is what the lock says of a library of sandbox.toml; nil when it says nothing,
// or something that sandbox.toml no longer wants.
func (p *Project) pinned(s *project.Source) *project.Locked {
	if e := p.Lock.Find(s.Name); e != nil && e.Pins(s) {
		return e
	}
	return nil
}

// find returns the library of sandbox.toml with a name.
func (p *Project) find(name string) (*project.Source, error) {
	if s := p.File.Library(name); s != nil {
		return s, nil
	}
	e := &hinted{message: fmt.Sprintf("%s has no library %q", p.File.Shown, name), hint: "it has none"}
	for i, s := range p.File.Libraries {
		if i == 0 {
			e.hint = "it has " + s.Name
		} else {
			e.hint += ", " + s.Name
		}
	}
	return nil, e
}

// save writes what has changed, sandbox.toml last: a lock that pins too much is no
// error, a library that is not pinned is one.
func (p *Project) save() error {
	for _, e := range slices.Clone(p.Lock.Libraries) {
		if p.File.Library(e.Name) == nil {
			p.Lock.Remove(e.Name)
		}
	}
	lock := p.Lock.Format()
	switch {
	case len(p.Lock.Libraries) == 0:
		if err := os.Remove(p.lockPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	case !bytes.Equal(lock, p.lockText):
		if err := replace(p.lockPath(), lock); err != nil {
			return err
		}
	}
	if bytes.Equal(p.newText, p.text) {
		return nil
	}
	return replace(filepath.Join(p.Dir, project.FileName), p.newText)
}

// replace writes a file anew, all of it or nothing, with the mode it had. A link is
// replaced, not followed: it may lead anywhere.
func replace(path string, text []byte) error {
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // nothing is there after the rename
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
