// Package project reads and writes what makes a folder a project: sandbox.toml,
// which its author writes; sandbox.lock, which pins the libraries it uses; and
// library.toml, which describes a library. Reading is strict: a key that is not
// known is an error at its line. All problems of a file are returned at once, as
// definition.Problems.
//
// A run reads these files only in a folder that has a sandbox.toml, and the lock only
// when a recipe requires one of its libraries.
package project

import (
	"slices"
	"strconv"
	"strings"
)

// The names that the parts of a project have on the disk.
const (
	FileName     = "sandbox.toml"
	LockName     = "sandbox.lock"
	ManifestName = "library.toml"
	// EntryName is the file of a library that require "its-name" runs.
	EntryName = "init.lua"
	// VendorDir is the folder with the project's own copies of its libraries.
	VendorDir = "sandbox_modules"
)

// MaxFile bounds each of these files, in bytes.
const MaxFile = 1 << 20

// File is a sandbox.toml.
type File struct {
	// Shown is the name of the file in messages.
	Shown string
	// Name is what the project is called; may be empty.
	Name string
	// Recipe is what a command runs when it is given none: a path below the project,
	// or the name of an embedded recipe; may be empty.
	Recipe string
	// Grants are what the recipes may reach beyond the project.
	Grants []Grant
	// Libraries are those that recipes may require, in the order of the file.
	Libraries []Source
}

// Source is where a library of sandbox.toml comes from: a folder or a git repository.
type Source struct {
	Name string
	Path string // relative ones are below the project's folder, or beside it
	Git  string
	// Version is a tag, the beginning of one ("v1" is the newest v1.x.y), a branch or
	// a commit of the repository; empty means the newest release.
	Version string
	Line    int
}

// Library returns the library with a name, or nil.
func (f *File) Library(name string) *Source {
	for i := range f.Libraries {
		if f.Libraries[i].Name == name {
			return &f.Libraries[i]
		}
	}
	return nil
}

var (
	fileKeys   = []string{"name", "recipe", "grants", "libraries"}
	sourceKeys = []string{"path", "git", "version"}
)

// ParseFile reads a sandbox.toml; shown is its name in messages.
func ParseFile(shown string, text []byte) (*File, error) {
	r := reader{file: shown}
	f := &File{Shown: shown}
	for _, key := range r.parse(text, "").fields {
		switch at, v := key.name, &key.value; at {
		case "name":
			f.Name = r.name(at, v)
		case "recipe":
			f.Recipe = r.recipe(at, v)
		case "grants":
			f.Grants = r.grants(at, v)
		case "libraries":
			f.Libraries = r.libraries(at, v)
		default:
			r.unknown(&key, "", fileKeys)
		}
	}
	return f, r.err()
}

func (r *reader) name(at string, v *value) string {
	text := r.text(at, v)
	if text != "" && !IsName(strings.ToLower(text)) {
		r.problem(v.line, at, strconv.Quote(text)+" is no name", "use letters, digits, - and _, beginning with a letter")
	}
	return text
}

// IsName tells whether a library can be called so: a name is required without quotes
// on any file system, and is no option of a command.
func IsName(s string) bool {
	if s == "" || len(s) > 40 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func (r *reader) recipe(at string, v *value) string {
	text := r.text(at, v)
	switch {
	case text == "" || IsName(text):
	case strings.HasPrefix(text, "/") || slices.Contains(strings.Split(text, "/"), ".."):
		r.problem(v.line, at, strconv.Quote(text)+" is not below the project", "write the path from the folder of "+FileName+", like \"build.lua\"")
	case strings.HasPrefix(text, "-") || !isText(text):
		r.problem(v.line, at, strconv.Quote(text)+" is no path of a recipe", "")
	case !strings.HasSuffix(text, ".lua"):
		r.problem(v.line, at, strconv.Quote(text)+" is no recipe", "a recipe is a Lua file, like \"build.lua\", or the name of an embedded one")
	}
	return text
}

func (r *reader) libraries(at string, v *value) []Source {
	var all []Source
	for _, f := range r.table(at, v, at+".name = \"path/of/its/folder\"").fields {
		s := r.source(at+"."+f.name, &f.value)
		s.Name, s.Line = f.name, f.line
		if !IsName(s.Name) {
			r.problem(f.line, at, strconv.Quote(f.name)+" is no name of a library", "use small letters, digits, - and _, beginning with a letter")
		}
		all = append(all, s)
	}
	return all
}

// source is a path, or a table.
func (r *reader) source(at string, v *value) Source {
	var s Source
	if v.kind == kindText {
		s.Path = r.folder(at, v)
		return s
	}
	for _, f := range r.table(at, v, "\"path/of/its/folder\", or { git = \"https://…\", version = \"v1.0.0\" }").fields {
		switch within := at + "." + f.name; f.name {
		case "path":
			s.Path = r.folder(within, &f.value)
		case "git":
			s.Git = r.url(within, &f.value)
		case "version":
			s.Version = r.version(within, &f.value)
		default:
			r.unknown(&f, at, sourceKeys)
		}
	}
	switch {
	case v.kind != kindTable:
	case s.Path == "" && s.Git == "":
		r.problem(v.line, at, "it has neither path nor git", "")
	case s.Path != "" && s.Git != "":
		r.problem(v.line, at, "it has both path and git", "leave one out")
	case s.Path != "" && s.Version != "":
		r.problem(v.line, at, "a folder has no version to choose", "leave version out")
	}
	return s
}

func (r *reader) folder(at string, v *value) string {
	text := r.text(at, v)
	switch remote, _, _ := ParseURL(text); {
	case text == "":
	case remote:
		r.problem(v.line, at, strconv.Quote(text)+" is no path", "write { git = "+strconv.Quote(text)+" }")
	case strings.HasPrefix(text, "~"):
		r.problem(v.line, at, "\"~\" is not known here", "write the path in full, or from the folder of "+FileName)
	case !isText(text) || strings.HasPrefix(text, "-"):
		r.problem(v.line, at, strconv.Quote(text)+" is no path of a folder", "")
	}
	return text
}

func (r *reader) url(at string, v *value) string {
	text := r.text(at, v)
	if _, problem, hint := ParseURL(text); text != "" && problem != "" {
		r.problem(v.line, at, problem, hint)
	}
	return text
}

func (r *reader) version(at string, v *value) string {
	text := r.text(at, v)
	if text != "" && !IsVersion(text) {
		r.problem(v.line, at, strconv.Quote(text)+" is no version", "write a tag like \"v1.2.0\", the beginning of one like \"v1\", a branch, or a commit in full")
	}
	return text
}
