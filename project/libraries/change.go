package libraries

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"sandbox/project"
)

// Add adds a library to sandbox.toml and pins it. Without a name it is called as its
// manifest says; without a version the newest release is taken, and stays.
func (p *Project) Add(ctx context.Context, s project.Source) (*Pinned, error) {
	if err := p.free(s.Name); err != nil {
		return nil, err
	}
	found, err := p.pin(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := p.free(found.Name); err != nil {
		return nil, err
	}
	s.Name = found.Name
	if s.Version == "" && found.Ref != "HEAD" {
		s.Version = found.Ref
	}
	if err := p.put(s, found); err != nil {
		return nil, err
	}
	return found, p.settle(ctx)
}

// free tells that nothing else is required by a name; no name is free.
func (p *Project) free(name string) error {
	const another = "give it another name with --as NAME"
	if old := p.File.Library(name); old != nil {
		return &hinted{fmt.Sprintf("%s:%d has a library %s already", p.File.Shown, old.Line, name), "run `sandbox lib update " + name + "`, or " + another}
	}
	if taken := p.Taken(name); name != "" && taken != "" {
		return &hinted{name + " is " + taken + " already", another}
	}
	return nil
}

// put notes a library, and writes nothing yet.
func (p *Project) put(s project.Source, found *Pinned) error {
	text, ok := project.WithLibrary(p.newText, s)
	if !ok {
		return &hinted{p.File.Shown + " is written in a way that this command cannot edit", "write it yourself, below [libraries]: " + s.Name + " = " + s.String() + ", and run `sandbox lib update " + s.Name + "`"}
	}
	return p.edited(text, func() { p.Lock.Put(found.Locked) })
}

// edited takes a new text of sandbox.toml, and changes the lock with it.
func (p *Project) edited(text []byte, change func()) error {
	f, err := project.ParseFile(p.File.Shown, text)
	if err != nil {
		return err
	}
	p.File, p.newText = f, text
	change()
	return nil
}

// settle writes what has changed, and brings the project's own copies along.
func (p *Project) settle(ctx context.Context) error {
	if err := p.save(); err != nil || !p.vendored() {
		return err
	}
	return p.Vendor(ctx)
}

// Want is a library to update; an empty version is the one of sandbox.toml.
type Want struct{ Name, Version string }

// Change is what an update changed: Old is nil when the library was not pinned.
type Change struct {
	Old *project.Locked
	New *Pinned
}

// Update pins libraries as they are now: all of them when none is named. When one
// cannot be had, nothing is changed.
func (p *Project) Update(ctx context.Context, wants []Want) ([]Change, error) {
	if len(wants) == 0 {
		for i := range p.File.Libraries {
			wants = append(wants, Want{Name: p.File.Libraries[i].Name})
		}
	}
	var changes []Change
	for _, w := range wants {
		old, err := p.find(w.Name)
		if err != nil {
			return nil, err
		}
		s := *old
		if w.Version != "" {
			if s.Git == "" {
				return nil, &hinted{s.Name + " is a folder, and has no versions", "run `sandbox lib update " + s.Name + "`, which pins what is in it"}
			}
			s.Version = w.Version
		}
		found, err := p.pin(ctx, s)
		if err != nil {
			return nil, err
		}
		change := Change{New: found}
		if before := p.Lock.Find(s.Name); before != nil {
			copied := *before
			change.Old = &copied
			found.moved(before)
		}
		changes = append(changes, change)
		if err := p.put(s, found); err != nil {
			return nil, err
		}
	}
	return changes, p.settle(ctx)
}

// moved notes that a tag names another commit than before, which a release does not.
func (found *Pinned) moved(before *project.Locked) {
	if found.Git == before.Git && found.Ref == before.Ref && found.Commit != before.Commit && project.IsSemver(trimmed(found.Ref)) {
		found.Notes = append(found.Notes, "the tag "+found.Ref+" was commit "+before.Commit[:12]+", and is "+found.Commit[:12]+" now")
	}
}

// Remove takes a library out of the project. What was fetched stays in the cache.
func (p *Project) Remove(name string) error {
	s, err := p.find(name)
	if err != nil {
		return err
	}
	text, ok := project.WithoutLibrary(p.newText, name)
	if !ok {
		return &hinted{p.File.Shown + " is written in a way that this command cannot edit", fmt.Sprintf("remove %s at line %d yourself", name, s.Line)}
	}
	if err := p.edited(text, func() { p.Lock.Remove(name) }); err != nil {
		return err
	}
	if err := p.save(); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(p.vendorDir(), name))
}
