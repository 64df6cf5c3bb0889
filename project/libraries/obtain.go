package libraries

import (
	"context"
	"fmt"
	"path/filepath"

	"sandbox/project"
)

// pins returns what is pinned for each library, in the order of sandbox.toml.
func (p *Project) pins() ([]*project.Locked, error) {
	var all []*project.Locked
	for i := range p.File.Libraries {
		s := &p.File.Libraries[i]
		e := p.pinned(s)
		if e == nil {
			return nil, &hinted{fmt.Sprintf("%s:%d names %s, which %s does not pin like that", p.File.Shown, s.Line, s.Name, project.LockName), "run `sandbox lib update " + s.Name + "`"}
		}
		all = append(all, e)
	}
	return all, nil
}

// Fetch gets what is pinned and is not on this machine yet. It returns what it got.
func (p *Project) Fetch(ctx context.Context) ([]*project.Locked, error) {
	pins, err := p.pins()
	if err != nil {
		return nil, err
	}
	var got []*project.Locked
	for _, e := range pins {
		switch state := p.state(e); {
		case state.ok():
			continue
		case state.vendored():
			return got, &hinted{project.VendorDir + "/" + e.Name + " is not what " + project.LockName + " pins", "run `sandbox lib vendor`, which restores it"}
		}
		t, err := p.obtain(ctx, e)
		if err != nil {
			return got, err
		}
		if e.Git == "" {
			continue
		}
		if err := p.keep(t, e); err != nil {
			return got, err
		}
		got = append(got, e)
	}
	return got, nil
}

// Vendor makes the project's own copies of all that is pinned.
func (p *Project) Vendor(ctx context.Context) error {
	pins, err := p.pins()
	if err != nil {
		return err
	}
	trees := map[string]tree{}
	for _, e := range pins {
		if trees[e.Name], err = p.obtain(ctx, e); err != nil {
			return err
		}
	}
	return p.vendor(trees)
}

// obtain returns the files that an entry pins, from wherever they are.
func (p *Project) obtain(ctx context.Context, e *project.Locked) (tree, error) {
	places := []string{p.fetchedTo(e), filepath.Join(p.vendorDir(), e.Name)}
	if e.Git == "" {
		places[0] = p.folder(e.Path)
	}
	for _, dir := range places {
		if t, err := readFolder(dir); err == nil && t.sums().Digest() == e.Digest {
			return t, nil
		}
	}
	if e.Git == "" {
		return nil, &hinted{e.Path + " is not what " + project.LockName + " pins for " + e.Name, "to pin what is there now, run `sandbox lib update " + e.Name + "`"}
	}
	s := project.Source{Name: e.Name, Git: e.Git}
	t, err := p.again(ctx, e)
	if err != nil {
		return nil, about(s, err)
	}
	if digest := t.sums().Digest(); digest != e.Digest {
		return nil, &hinted{fmt.Sprintf("%s: commit %s is not what %s pins for %s: its digest is %s, and not %s", e.Git, e.Commit, project.LockName, e.Name, digest, e.Digest),
			"the lock was changed by hand or by a merge; to pin what is there now, run `sandbox lib update " + e.Name + "`"}
	}
	return t, nil
}

// again fetches the commit that was pinned.
func (p *Project) again(ctx context.Context, e *project.Locked) (tree, error) {
	r, err := openRepository(e.Git, p.Fetched)
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := r.fetch(ctx, e.Commit); err != nil {
		return nil, err
	}
	return r.read(ctx, e.Commit)
}
