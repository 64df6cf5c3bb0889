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

// Library returns the source of the library with a name, or an error that is
// fs.ErrNotExist.
func Library(name string) ([]byte, error) { return files.ReadFile("lib/" + name + ".lua") }

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
