package libraries

import (
	"os"
	"path/filepath"
	"strings"

	"sandbox/project"
)

// State is where a library is, and whether a recipe can require it.
type State struct {
	*project.Source
	// Locked is what is pinned; nil when that is not what sandbox.toml wants.
	Locked *project.Locked
	// Dir is the folder that a load reads it from.
	Dir string
	// Text says how it is: "in place", "fetched", "vendored", or what is wrong.
	Text string
	// Repair is the command that makes it right; empty when it is.
	Repair string
}

// States are those of all libraries, in the order of sandbox.toml.
func (p *Project) States() []State {
	var all []State
	for i := range p.File.Libraries {
		s := &p.File.Libraries[i]
		state := State{Text: "not pinned", Repair: "sandbox lib update " + s.Name}
		if e := p.pinned(s); e != nil {
			state = p.state(e)
		}
		state.Source = s
		all = append(all, state)
	}
	return all
}

func (s *State) ok() bool { return s.Repair == "" }

func (s *State) vendored() bool { return strings.HasPrefix(s.Text, "vendored") }

// state looks where a load would look, and at all files.
func (p *Project) state(e *project.Locked) State {
	s := State{Locked: e, Dir: filepath.Join(p.vendorDir(), e.Name), Text: "vendored", Repair: "sandbox lib vendor"}
	if _, err := os.Lstat(s.Dir); err != nil {
		s.Dir, s.Text, s.Repair = p.fetchedTo(e), "fetched", "sandbox lib fetch"
		if e.Git == "" {
			s.Dir, s.Text, s.Repair = p.folder(e.Path), "in place", "sandbox lib update "+e.Name
		}
	}
	if has(s.Dir, e) {
		s.Repair = ""
		return s
	}
	if _, err := os.Lstat(s.Dir); err != nil {
		s.Text = map[bool]string{true: "missing", false: "not fetched"}[e.Git == ""]
	} else {
		s.Text += ", but changed"
	}
	return s
}

// Manifest reads the manifest of a library where it is; nil when it is not well.
func (s *State) Manifest() *project.Manifest {
	if s.Locked == nil || !s.ok() {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(s.Dir, project.ManifestName))
	if err != nil {
		return nil
	}
	m, err := project.ParseManifest(project.ManifestName, text)
	if err != nil {
		return nil
	}
	return m
}

func trimmed(tag string) string { return strings.TrimPrefix(tag, "v") }
