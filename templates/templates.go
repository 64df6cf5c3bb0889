// Package templates holds what `sandbox new` makes: the files of a small project for
// each of several languages, which runs at once.
package templates

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
)

//go:embed *.txtar
var files embed.FS

// Template is one kind of project.
type Template struct {
	Name string
	// About says in a few words what it is for.
	About string
	// Files are its files, {{name}} standing for the project's name.
	Files []File
}

// File is a file of a template.
type File struct {
	Name, Text string
	// Sample is set for a file of an example program: it is for a folder that has
	// nothing else to build.
	Sample bool
}

// Names lists the templates, sorted.
func Names() []string {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil // the root of an embedded tree is always there
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".txtar"))
	}
	return names
}

// Find returns a template, or an error that is fs.ErrNotExist. The archives are in the
// form of txtar: what it is about, then "-- name --" before each file. Names below
// sample/ are those of the example.
func Find(name string) (*Template, error) {
	text, err := files.ReadFile(name + ".txtar")
	if err != nil {
		return nil, err
	}
	t := &Template{Name: name}
	for line := range strings.Lines(string(text)) {
		head, starts := strings.CutPrefix(line, "-- ")
		head, ends := strings.CutSuffix(head, " --\n")
		last := len(t.Files) - 1
		switch {
		case starts && ends:
			f := File{}
			f.Name, f.Sample = strings.CutPrefix(head, "sample/")
			t.Files = append(t.Files, f)
		case last < 0:
			t.About += strings.TrimSpace(line)
		default:
			t.Files[last].Text += line
		}
	}
	return t, nil
}

// For returns the files for a project of a name; those of the example only when it is
// wanted.
func (t *Template) For(name string, sample bool) []File {
	kept := slices.DeleteFunc(slices.Clone(t.Files), func(f File) bool { return f.Sample && !sample })
	for i := range kept {
		kept[i].Text = strings.ReplaceAll(kept[i].Text, "{{name}}", name)
	}
	return kept
}
