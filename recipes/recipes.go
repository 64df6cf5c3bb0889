// Package recipes is the recipe library, embedded in the runner: recipes that
// `sandbox run NAME` finds by name, and below lib the libraries that any recipe
// can require by a bare name.
package recipes

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.lua lib/*.lua
var files embed.FS

// Read returns the source of the recipe with a name ("go", without ".lua"), or an
// error that is fs.ErrNotExist.
func Read(name string) ([]byte, error) { return files.ReadFile(name + ".lua") }

// Library holds the libraries: require "go" finds go.lua.
func Library() fs.FS { return library{} }

// library is the folder lib of files, without what fs.Sub would cost.
type library struct{}

// Open implements fs.FS.
func (library) Open(name string) (fs.File, error) { return files.Open("lib/" + name) }

// ReadFile implements fs.ReadFileFS.
func (library) ReadFile(name string) ([]byte, error) { return files.ReadFile("lib/" + name) }

// Names lists the recipes, sorted.
func Names() []string {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil // the root of an embedded tree is always there
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".lua"); ok {
			names = append(names, name)
		}
	}
	return names
}
