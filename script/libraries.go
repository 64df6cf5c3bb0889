package script

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"sandbox/project"
	"sandbox/sandbox/definition"
	"sandbox/script/registry"
	"sandbox/script/stdlib"
)

// Reserved tells whether a bare name belongs to the standard library, so that no
// library can be required by it.
func Reserved(name string) bool {
	return registry.FindModule(name) != nil || slices.ContainsFunc(stdlib.Modules, func(m *stdlib.Module) bool { return m.Name == name })
}

// openProject reads sandbox.toml, where there is one. The error is a *Error.
func (l *loader) openProject() error {
	in, there := l.inputs.own(project.FileName)
	if !there {
		return nil
	}
	shown := l.show(l.top(project.FileName))
	if in.Error != "" {
		return &Error{Problems: definition.Problems{{Message: in.Error, Origin: definition.Origin{File: shown}}}}
	}
	f, err := project.ParseFile(shown, []byte(in.Value))
	var found definition.Problems
	errors.As(err, &found)
	for i := range f.Libraries {
		if s := &f.Libraries[i]; Reserved(s.Name) {
			found = append(found, definition.Problem{Path: "libraries", Message: strconv.Quote(s.Name) + " is a module of the standard library",
				Hint: "call the library by another name", Origin: definition.Origin{File: shown, Line: s.Line}})
		}
	}
	if len(found) > 0 {
		return &Error{Problems: found}
	}
	l.project = f
	return nil
}

// library finds the first file of a library of sandbox.toml; nil when there is none of
// that name.
func (l *loader) library(name string) (*file, error) {
	if l.project == nil {
		return nil, nil
	}
	source := l.project.Library(name)
	if source == nil {
		return nil, nil
	}
	entry, err := l.pinned(source)
	if err != nil {
		return nil, err
	}
	if err := l.compare(entry); err != nil {
		return nil, err
	}
	f := libraryFile(entry, project.EntryName)
	if in := l.read(f); in.Error != "" {
		return nil, errors.New(in.Error)
	}
	return f, nil
}

func libraryFile(entry *project.Locked, rel string) *file {
	f := &file{floor: inLibrary, library: entry, rel: rel}
	f.shown = f.key()
	return f
}

// compare reads a library's manifest: what it needs is in the lock for those who review
// it, and must not say less there.
func (l *loader) compare(entry *project.Locked) error {
	manifest := libraryFile(entry, project.ManifestName)
	in := l.read(manifest)
	if in.Error != "" {
		return errors.New(in.Error)
	}
	m, err := project.ParseManifest(manifest.shown, []byte(in.Value))
	if err != nil {
		return err
	}
	if !entry.Agrees(m) {
		return errors.New(project.LockName + ":" + strconv.Itoa(entry.Line) + " says another version or other needs of " + entry.Name + " than its " +
			project.ManifestName + "; run `sandbox lib update " + entry.Name + "`")
	}
	return nil
}

// pinned is what sandbox.lock says of a library. Nothing is fetched while a recipe
// runs: what is not pinned as sandbox.toml wants it is an error.
func (l *loader) pinned(source *project.Source) (*project.Locked, error) {
	if err := l.openLock(); err != nil {
		return nil, err
	}
	at := l.project.Shown + ":" + strconv.Itoa(source.Line)
	repair := "; run `sandbox lib update " + source.Name + "`"
	switch entry := l.lock.Find(source.Name); {
	case entry == nil:
		return nil, errors.New(at + " names " + source.Name + ", which " + project.LockName + " does not pin" + repair)
	case !entry.Pins(source):
		return nil, errors.New(at + " wants another " + source.Name + " than " + project.LockName + ":" + strconv.Itoa(entry.Line) + " pins" + repair)
	case !entry.Runs():
		return nil, errors.New(entry.ID() + " needs sandbox " + entry.Sandbox + " or newer, and this is " + project.Release +
			"; choose an older version of it, or a newer sandbox")
	default:
		return entry, nil
	}
}

// openLock reads sandbox.lock, once; without one, nothing is pinned.
func (l *loader) openLock() error {
	if l.lock != nil {
		return nil
	}
	in, there := l.inputs.own(project.LockName)
	switch {
	case in.Error != "":
		return errors.New(project.LockName + ": " + in.Error)
	case !there:
		l.lock = &project.Lock{}
		return nil
	}
	lock, err := project.ParseLock(l.show(l.top(project.LockName)), []byte(in.Value))
	if err != nil {
		return err
	}
	l.lock = lock
	return nil
}

// readLocked reads a file of a library and compares it with what is pinned. Only what
// is required is read: a run does not pay for the rest of the library.
func (l *loader) readLocked(f *file) Input {
	sum := f.library.Files.Find(f.rel)
	if sum == "" {
		return Input{}
	}
	shelf := l.shelf(f.library)
	name := path.Join(shelf.shown, f.rel)
	text, err := readSmall(path.Join(shelf.dir, f.rel), project.MaxContent+1)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		if shelf.fetched {
			return Input{Error: f.library.ID() + " is not on this machine; " + shelf.repair}
		}
		return Input{Error: f.shown + ": there is no " + name + "; " + shelf.repair}
	case err != nil:
		return Input{Error: "read " + name + ": " + reason(err)}
	}
	if got := project.SumOf(f.rel, text).SHA256; got != sum {
		return Input{Error: name + " is not what " + project.LockName + " pins: its SHA-256 is " + got[:16] + "…, and not " + sum[:16] + "…; " + shelf.repair}
	}
	return Input{Found: true, Value: string(text)}
}

// shelf is a folder that holds a library.
type shelf struct {
	dir, shown string
	repair     string // the command that makes it right
	fetched    bool
}

// shelf finds the folder of a library: the project's own copy wins, then its place on
// this machine, or where it was fetched to.
func (l *loader) shelf(e *project.Locked) shelf {
	own := path.Join(project.VendorDir, e.Name)
	if _, err := os.Lstat(path.Join(l.source.Project, own)); err == nil {
		return shelf{dir: path.Join(l.source.Project, own), shown: own, repair: "run `sandbox lib vendor`, which restores it"}
	}
	if e.Path != "" {
		dir := e.Path
		if !filepath.IsAbs(dir) {
			dir = path.Join(l.source.Project, dir)
		}
		return shelf{dir: dir, shown: e.Path, repair: "to pin what is there now, run `sandbox lib update " + e.Name + "`"}
	}
	dir := path.Join(l.inputs.fetched, e.Folder())
	return shelf{dir: dir, shown: dir, repair: "run `sandbox lib fetch`", fetched: true}
}

// own looks at one of the project's own files. That there is none is not among the
// inputs: the project's folder says so.
func (in *inputs) own(name string) (Input, bool) {
	for _, i := range in.seen {
		if i.Kind == InputProject && i.Name == name {
			return i, true
		}
	}
	if in.replay {
		return Input{}, false
	}
	text, err := readSmall(path.Join(in.project, name), project.MaxFile+1)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return Input{}, false
	}
	return in.look(InputProject, name, func() Input {
		if err != nil {
			return Input{Error: "it cannot be read: " + reason(err)}
		}
		return Input{Found: true, Value: string(text)}
	}), true
}
