package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"sandbox/project"
	"sandbox/project/libraries"
	"sandbox/recipes"
	"sandbox/script"
)

func (a *app) checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [RECIPE | FOLDER…]",
		Short: "Check that recipes load and are valid",
		Long: "Load recipes with their params' defaults and print all that is wrong with them. Nothing\n" +
			"of this machine is looked at but the files that a recipe reads, and no root is needed.\n" +
			"What a recipe may reach beyond its project, and what its libraries need, is listed.\n" +
			"Without RECIPE the project's is checked, which sandbox.toml names. A FOLDER is a project\n" +
			"or a library.",
		RunE: func(_ *cobra.Command, args []string) error { return a.check(args) },
	}
	cmd.ValidArgsFunction = completeRecipe(nil)
	return cmd
}

func (a *app) check(words []string) error {
	if err := confine(); err != nil {
		return err
	}
	if len(words) == 0 {
		var line arguments
		if err := line.orDefault("check"); err != nil {
			return err
		}
		words = []string{line.recipe}
	}
	bad := false
	for _, word := range words {
		found, err := a.checkOne(word)
		if err != nil {
			a.ui.failure(err)
			bad = true
			continue
		}
		if err := write(a.out, printable(word)+": ok\n"+found); err != nil {
			return err
		}
	}
	if bad {
		return codeError(exitProblem)
	}
	return nil
}

// checkOne returns what is worth knowing of a recipe that is well.
func (a *app) checkOne(word string) (string, error) {
	if info, err := os.Stat(word); err == nil && info.IsDir() {
		return a.checkFolder(word)
	}
	recipe, err := a.load(&arguments{recipe: word})
	if err != nil {
		return "", err
	}
	defer recipe.Close()
	return projectText(recipe, "  "), nil
}

// checkFolder checks the recipe of a project, or a library that is being written.
func (a *app) checkFolder(dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, project.ManifestName)); err == nil {
		return a.checkLibrary(dir)
	}
	if _, err := os.Stat(filepath.Join(dir, project.FileName)); err != nil {
		return "", &usageError{message: printable(dir) + " is a folder, not a recipe",
			hint: "name the Lua file in it; a project has a " + project.FileName + ", a library a " + project.ManifestName}
	}
	f, _, err := readProject(dir)
	switch {
	case err != nil:
		return "", err
	case f.Recipe == "":
		return "", &usageError{message: printable(f.Shown) + " names no recipe", hint: "name one: recipe = \"build.lua\""}
	case isPath(f.Recipe):
		return a.checkOne(filepath.Join(dir, f.Recipe))
	}
	return a.checkOne(f.Recipe)
}

func (a *app) checkLibrary(dir string) (string, error) {
	found, err := libraries.Look(dir)
	if err != nil {
		return "", err
	}
	err = script.CheckLibrary(context.Background(), script.Options{Path: filepath.Join(dir, project.EntryName),
		Library: recipes.Library(), Fetched: fetched(), Log: a.ui.log}, found.Files.Names())
	if err != nil {
		return "", err
	}
	return "  library " + found.ID() + "  sha256:" + found.Folder()[:16] + needsText(found.Needs) + "\n", nil
}
