package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"sandbox/project"
	"sandbox/sandbox/probe"
	"sandbox/script"
)

// fetched is the folder with the libraries that were fetched.
func fetched() string { return probe.CacheDir() + "/libraries" }

// orDefault makes a line without RECIPE one about the project's.
func (a *arguments) orDefault(command string) error {
	if a.recipe != "" {
		return nil
	}
	none := &usageError{message: "no recipe to " + command, hint: "sandbox " + command + " RECIPE; sandbox " + command + " --help lists the rest"}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	f, dir, err := readProject(".")
	switch {
	case err != nil:
		return err
	case f == nil && a.early != "":
		return a.tooEarly()
	case f == nil:
		return none
	case f.Recipe == "":
		none.hint = "name the project's in " + f.Shown + ": recipe = \"build.lua\"; or sandbox " + command + " RECIPE"
		return none
	case !isPath(f.Recipe):
		a.recipe = f.Recipe
		return nil
	}
	a.recipe = relative(here, filepath.Join(dir, f.Recipe))
	return nil
}

// readProject reads the sandbox.toml in a folder or above it; nil when there is none.
func readProject(from string) (f *project.File, dir string, err error) {
	from, err = filepath.Abs(from)
	if err == nil {
		dir, err = project.Find(from)
	}
	if err != nil || dir == "" {
		return nil, "", err
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, "", err
	}
	path := filepath.Join(dir, project.FileName)
	text, err := project.Read(path)
	if err != nil {
		return nil, "", err
	}
	f, err = project.ParseFile(relative(here, path), text)
	if err != nil {
		return nil, "", err
	}
	return f, dir, nil
}

// relative is a path as seen from a folder.
func relative(from, path string) string {
	if rel, err := filepath.Rel(from, path); err == nil {
		return rel
	}
	return path
}

// projectText says what a recipe may reach beyond its project, and which libraries it
// uses and what they need.
func projectText(recipe *script.Recipe, indent string) string {
	var b strings.Builder
	if f := recipe.Project; f != nil {
		for _, g := range f.Grants {
			b.WriteString(indent + "grant " + g.String() + "  (" + printable(f.Shown) + ":" + strconv.Itoa(g.Line) + ")\n")
		}
	}
	for _, l := range recipe.Libraries {
		b.WriteString(indent + "library " + l.ID() + "  sha256:" + l.Folder()[:16] + needsText(l.Needs) + "\n")
	}
	return b.String()
}

func needsText(needs []project.Grant) string {
	if len(needs) == 0 {
		return ""
	}
	return "  needs " + strings.Join(grantTexts(needs), ", ")
}

func grantTexts(grants []project.Grant) []string {
	texts := make([]string, len(grants))
	for i, g := range grants {
		texts[i] = g.String()
	}
	return texts
}

// planGrants are the grants in --json.
func planGrants(recipe *script.Recipe) []string {
	if recipe.Project == nil {
		return []string{}
	}
	return grantTexts(recipe.Project.Grants)
}

// planLibrary is a library in --json.
type planLibrary struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Digest  string   `json:"digest"`
	Needs   []string `json:"needs"`
}

func planLibraries(recipe *script.Recipe) []planLibrary {
	all := make([]planLibrary, len(recipe.Libraries))
	for i, l := range recipe.Libraries {
		all[i] = planLibrary{Name: l.Name, Version: l.Version, Digest: l.Digest, Needs: grantTexts(l.Needs)}
	}
	return all
}
