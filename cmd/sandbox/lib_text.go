package main

import (
	"encoding/json"
	"slices"
	"strings"

	"sandbox/project"
	"sandbox/project/libraries"
)

// describeLibrary words a library and where it comes from.
func describeLibrary(e *project.Locked) string {
	text := e.Name + " " + e.Version + " from " + printable(libraries.From(e))
	if e.Commit != "" && e.Commit != e.Ref {
		text += " (commit " + e.Commit[:12] + ")"
	}
	return text
}

// manifestText is what a manifest says, a line each. Needs that the project does not
// grant are marked.
func manifestText(m *project.Manifest, grants []project.Grant) string {
	var b strings.Builder
	line := func(text string) { b.WriteString("  " + text + "\n") }
	if m.Description != "" {
		line(m.Description)
	}
	if m.License != "" {
		line("license " + m.License)
	}
	for _, p := range m.Params {
		text := strings.TrimSpace("param " + p.Name + "  " + p.Help)
		if p.Default != "" {
			text += " (default " + p.Default + ")"
		}
		line(text)
	}
	b.WriteString(needsLines(m.Needs, grants))
	return b.String()
}

func needsLines(needs, grants []project.Grant) string {
	granted := grantTexts(grants)
	var b strings.Builder
	for _, need := range grantTexts(needs) {
		b.WriteString("  needs " + need)
		if !slices.Contains(granted, need) {
			b.WriteString("  (not among the grants of " + project.FileName + ")")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func notesText(notes []string) string {
	var b strings.Builder
	for _, n := range notes {
		b.WriteString("  note: " + printable(n) + "\n")
	}
	return b.String()
}

// luaName makes a variable's name of a library's.
func luaName(name string) string { return strings.ReplaceAll(name, "-", "_") }

// changeText says what an update changed.
func changeText(c libraries.Change, grants []project.Grant) string {
	now := &c.New.Locked
	switch {
	case c.Old == nil:
		return "pinned " + describeLibrary(now) + "\n" + needsLines(now.Needs, grants) + notesText(c.New.Notes)
	case c.Old.Digest == now.Digest:
		return "unchanged " + describeLibrary(now) + "\n" + notesText(c.New.Notes)
	}
	var b strings.Builder
	b.WriteString("updated " + describeLibrary(now) + ", was " + c.Old.Version + "\n")
	for _, name := range changedFiles(c.Old.Files, now.Files) {
		b.WriteString("  " + name + "\n")
	}
	old := grantTexts(c.Old.Needs)
	more := slices.DeleteFunc(slices.Clone(now.Needs), func(g project.Grant) bool { return slices.Contains(old, g.String()) })
	return b.String() + needsLines(more, grants) + notesText(c.New.Notes)
}

// changedFiles lists what differs, as "changed init.lua".
func changedFiles(old, now project.Sums) []string {
	var all []string
	for _, f := range now {
		switch sum := old.Find(f.Name); {
		case sum == "":
			all = append(all, "new "+f.Name)
		case sum != f.SHA256:
			all = append(all, "changed "+f.Name)
		}
	}
	for _, f := range old {
		if now.Find(f.Name) == "" {
			all = append(all, "removed "+f.Name)
		}
	}
	return all
}

func (a *app) libList(names []string, asJSON bool) error {
	p, err := openLibraries()
	if err != nil {
		return err
	}
	states := p.States()
	for _, name := range names {
		if p.File.Library(name) == nil {
			return unknown("library", name, libraryNames(states))
		}
	}
	if len(names) > 0 {
		states = slices.DeleteFunc(states, func(s libraries.State) bool { return !slices.Contains(names, s.Name) })
	}
	switch {
	case asJSON:
		return a.libListJSON(states)
	case len(names) > 0:
		return write(a.out, libDetails(states, p.File.Grants))
	case len(states) == 0:
		return write(a.out, "the project has no libraries\n")
	}
	return write(a.out, libTable(states))
}

func libraryNames(states []libraries.State) []string {
	var all []string
	for _, s := range states {
		all = append(all, s.Name)
	}
	return all
}

// libTable is a line a library.
func libTable(states []libraries.State) string {
	rows := make([][2]string, len(states))
	for i, s := range states {
		rows[i][0] = s.Name
		if s.Locked == nil {
			rows[i][1] = strings.TrimSpace(s.Path+s.Git+" "+s.Source.Version) + "  " + s.Text + ": run `" + s.Repair + "`"
			continue
		}
		rows[i][0] += " " + s.Locked.Version
		rows[i][1] = libraries.From(s.Locked) + "  " + s.Text
		if s.Repair != "" {
			rows[i][1] += ": run `" + s.Repair + "`"
		}
		rows[i][1] = printable(rows[i][1] + needsText(s.Locked.Needs))
	}
	var b strings.Builder
	for line := range strings.Lines(columns(rows)) {
		b.WriteString(strings.TrimPrefix(line, "  "))
	}
	return b.String()
}

// libDetails is all that there is to say of libraries.
func libDetails(states []libraries.State, grants []project.Grant) string {
	var b strings.Builder
	for _, s := range states {
		b.WriteString(libTable([]libraries.State{s}))
		if m := s.Manifest(); m != nil {
			b.WriteString(manifestText(m, grants))
			b.WriteString("  folder " + printable(s.Dir) + "\n  digest " + s.Locked.Digest + "\n")
		}
	}
	return b.String()
}

// libraryJSON is a library in --json.
type libraryJSON struct {
	Name    string   `json:"name"`
	Version string   `json:"version,omitempty"`
	Path    string   `json:"path,omitempty"`
	Git     string   `json:"git,omitempty"`
	Ref     string   `json:"ref,omitempty"`
	Commit  string   `json:"commit,omitempty"`
	Digest  string   `json:"digest,omitempty"`
	Needs   []string `json:"needs"`
	State   string   `json:"state"`
	Repair  string   `json:"repair,omitempty"`
	Folder  string   `json:"folder,omitempty"`
}

func (a *app) libListJSON(states []libraries.State) error {
	all := make([]libraryJSON, len(states))
	for i, s := range states {
		l := libraryJSON{Name: s.Name, Path: s.Path, Git: s.Git, Needs: []string{}, State: s.Text, Repair: s.Repair, Folder: s.Dir}
		if e := s.Locked; e != nil {
			l.Version, l.Ref, l.Commit, l.Digest, l.Needs = e.Version, e.Ref, e.Commit, e.Digest, grantTexts(e.Needs)
		}
		all[i] = l
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return write(a.out, string(text)+"\n")
}
