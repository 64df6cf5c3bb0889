package libraries

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"sandbox/project"
)

// has tells whether a folder holds just the files that an entry pins. What cannot be
// read there counts as something else.
func has(dir string, e *project.Locked) bool {
	sums, err := sumFolder(dir)
	return err == nil && slices.Equal(sums, e.Files)
}

// fetchedTo is the folder of a library in the cache.
func (p *Project) fetchedTo(e *project.Locked) string { return filepath.Join(p.Fetched, e.Folder()) }

// keep puts the files of a library into the cache. The folder appears there complete,
// or not at all.
func (p *Project) keep(t tree, e *project.Locked) error {
	target := p.fetchedTo(e)
	if has(target, e) {
		return nil
	}
	if err := os.MkdirAll(p.Fetched, 0o755); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(p.Fetched, ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	if err := t.write(fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, target); err == nil || has(target, e) {
		return nil // or somebody else has fetched the same meanwhile
	}
	if err := os.RemoveAll(target); err != nil { // it has been damaged
		return err
	}
	return os.Rename(fresh, target)
}

// write writes the files into an empty folder of ours. Their names have been checked.
func (t tree) write(dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	for _, f := range t {
		path := filepath.Join(dir, filepath.FromSlash(f.name))
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, f.text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// vendorDir is the folder with the project's own copies.
func (p *Project) vendorDir() string { return filepath.Join(p.Dir, project.VendorDir) }

// vendor makes the project's own copies, and leaves nothing else in their folder.
func (p *Project) vendor(trees map[string]tree) error {
	if err := p.checkVendor(); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(p.Dir, ".sandbox_modules-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	if err := os.Chmod(fresh, 0o755); err != nil {
		return err
	}
	for name, t := range trees {
		dir := filepath.Join(fresh, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		if err := t.write(dir); err != nil {
			return err
		}
	}
	old := fresh + ".old"
	defer os.RemoveAll(old)
	if err := os.Rename(p.vendorDir(), old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(trees) == 0 {
		return nil
	}
	return os.Rename(fresh, p.vendorDir())
}

// checkVendor refuses to replace what is not ours.
func (p *Project) checkVendor() error {
	entries, err := os.ReadDir(p.vendorDir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, err := os.Lstat(filepath.Join(p.vendorDir(), e.Name(), project.ManifestName)); !e.IsDir() || err != nil {
			return &hinted{project.VendorDir + "/" + e.Name() + " is no library, and would be removed", "move it away: the folder is written anew each time"}
		}
	}
	return nil
}

// vendored tells whether the project has copies of its own.
func (p *Project) vendored() bool {
	_, err := os.Lstat(p.vendorDir())
	return err == nil
}
