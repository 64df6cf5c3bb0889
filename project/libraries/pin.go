package libraries

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sandbox/project"
	"sandbox/sandbox/definition"
)

// Pinned is a library as it was found.
type Pinned struct {
	project.Locked
	Manifest *project.Manifest
	// Notes are what its user may want to know of how it was found.
	Notes []string

	tree tree
}

// From words where a library comes from.
func From(e *project.Locked) string {
	if e.Git == "" {
		return e.Path
	}
	return e.Git + " " + e.Ref
}

// pin reads a library where sandbox.toml says that it is, and makes the lock's entry of
// it. Nothing is written but temporary files and the cache.
func (p *Project) pin(ctx context.Context, s project.Source) (*Pinned, error) {
	found := &Pinned{Locked: project.Locked{Name: s.Name, Path: s.Path, Git: s.Git}}
	var err error
	if s.Git == "" {
		found.tree, err = p.fromFolder(s.Path)
	} else {
		err = p.fromRepository(ctx, s, found)
	}
	if err == nil {
		err = found.describe()
	}
	if err != nil {
		return nil, about(s, err)
	}
	if s.Git == "" {
		return found, nil
	}
	return found, p.keep(found.tree, &found.Locked)
}

// where words a source.
func where(s project.Source) string {
	if s.Git != "" {
		return s.Git
	}
	return s.Path
}

// about says which library an error is about, and keeps its hint. Problems of a
// manifest say it themselves.
func about(s project.Source, err error) error {
	var h *hinted
	var problems definition.Problems
	switch {
	case errors.As(err, &problems):
		return err
	case errors.As(err, &h):
		return &hinted{where(s) + ": " + err.Error(), h.hint}
	}
	return fmt.Errorf("%s: %w", where(s), err)
}

func (p *Project) fromFolder(path string) (tree, error) {
	dir := p.folder(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &hinted{"there is no such folder", "a repository is named by its address, like https://example.org/library.git"}
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, &hinted{"it is a file", "a library is a folder with a " + project.ManifestName + " and an " + project.EntryName}
	}
	if rel, err := filepath.Rel(dir, p.Dir); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
		return nil, &hinted{"the project is in this folder itself", "a library has a folder of its own, below the project or beside it"}
	}
	if _, err := os.Stat(filepath.Join(dir, project.ManifestName)); err != nil {
		if _, bare := os.Stat(filepath.Join(dir, "objects")); bare == nil {
			return nil, &hinted{"it is a git repository, not a library", "write file://" + dir}
		}
	}
	return readFolder(dir)
}

func (p *Project) fromRepository(ctx context.Context, s project.Source, found *Pinned) error {
	r, err := openRepository(s.Git, p.Fetched)
	if err != nil {
		return err
	}
	defer r.close()
	var known *refs
	if project.IsCommit(s.Version) {
		found.Ref, found.Commit = s.Version, s.Version
	} else if known, err = r.refs(ctx); err == nil {
		found.Ref, found.Commit, err = known.choose(s.Version)
	}
	if err != nil {
		return err
	}
	if err := r.fetch(ctx, found.Commit); err != nil {
		return err
	}
	found.tree, err = r.read(ctx, found.Commit)
	if err == nil && known != nil {
		found.Notes = known.notes(found)
	}
	return err
}

// notes tell of a newer release than the one that is wanted.
func (f *refs) notes(found *Pinned) []string {
	var tags []string
	for tag := range f.tags {
		tags = append(tags, tag)
	}
	if newest := project.NewestTag(append(tags, found.Ref), ""); newest != "" && newest != found.Ref {
		return []string{"the newest release is " + newest}
	}
	return nil
}

// Look reads the library in a folder, wherever it is, without pinning it: for those who
// write one.
func Look(dir string) (*Pinned, error) {
	t, err := readFolder(dir)
	found := &Pinned{Locked: project.Locked{Path: dir}, tree: t}
	if err == nil {
		err = found.describe()
	}
	if err != nil {
		return nil, about(project.Source{Path: dir}, err)
	}
	return found, nil
}

// describe reads the manifest, and completes the entry.
func (found *Pinned) describe() error {
	manifest := found.tree.find(project.ManifestName)
	switch {
	case manifest == nil:
		return &hinted{"it has no " + project.ManifestName, "a library is a folder with a " + project.ManifestName + " and an " + project.EntryName}
	case found.tree.find(project.EntryName) == nil:
		return &hinted{"it has no " + project.EntryName, "that is the file that requiring the library runs"}
	}
	shown := found.Git + "@" + found.Ref + "/" + project.ManifestName
	if found.Git == "" {
		shown = filepath.Join(found.Path, project.ManifestName)
	}
	m, err := project.ParseManifest(shown, manifest.text)
	if err != nil {
		return err
	}
	if !m.Runs() {
		return &hinted{m.Name + " " + m.Version + " needs sandbox " + m.Sandbox + " or newer, and this is " + project.Release, "choose an older version of it, or a newer sandbox"}
	}
	if tag := strings.TrimPrefix(found.Ref, "v"); project.IsSemver(tag) && tag != m.Version {
		found.Notes = append(found.Notes, project.ManifestName+" says version "+m.Version+", and the tag is "+found.Ref)
	}
	if found.Name == "" {
		found.Name = m.Name
	}
	found.Manifest, found.Version, found.Sandbox, found.Needs = m, m.Version, m.Sandbox, m.Needs
	found.Files = found.tree.sums()
	found.Digest = found.Files.Digest()
	return nil
}
