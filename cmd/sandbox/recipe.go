package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sandbox/recipes"
	"sandbox/sandbox/definition"
	"sandbox/script"
)

// options finds the recipe that a word of the command line names: a path, which
// contains a "/" or ends in .lua, or the name of an embedded recipe, whose project
// is the current folder.
func (a *app) options(line *arguments) (script.Options, error) {
	o := script.Options{Path: line.recipe, Params: line.params, Library: recipes.Library(), Fetched: fetched(), Log: a.ui.log,
		Debug: os.Getenv("SANDBOX_DEBUG") != ""}
	if isPath(line.recipe) {
		return o, lookAt(line.recipe)
	}
	source, err := recipes.Read(line.recipe)
	if err != nil {
		return o, noRecipe(line.recipe)
	}
	// Without ".lua" in its name: with it stands the library of the same name.
	o.Source = source
	here, err := os.Getwd()
	if err != nil {
		return o, err
	}
	o.Project, err = script.FindProject(filepath.Join(here, o.Path))
	return o, err
}

func isPath(word string) bool {
	return strings.ContainsRune(word, '/') || strings.HasSuffix(word, ".lua")
}

// load loads the recipe, and puts the command line's command in the place of the
// recipe's.
func (a *app) load(line *arguments) (*script.Recipe, error) {
	o, err := a.options(line)
	if err != nil {
		return nil, err
	}
	recipe, err := script.Load(context.Background(), o)
	if err != nil {
		return nil, err
	}
	if err := line.checkBare(recipe.Params); err != nil {
		recipe.Close()
		return nil, err
	}
	if line.command == nil {
		return recipe, nil
	}
	return recipe, replaceCommand(recipe, line.command)
}

// replaceCommand puts a command in the place of the recipe's process.args.
func replaceCommand(recipe *script.Recipe, command []string) error {
	def := definitionOf(recipe)
	def.Process.Args = command
	for path := range def.Origins {
		if strings.HasPrefix(path, "process.args") {
			delete(def.Origins, path)
		}
	}
	def.Origins["process.args"] = definition.Origin{File: "command line"}
	return def.Validate().At(def.Origins).Err()
}

// definitionOf is the one definition that a recipe returns today.
func definitionOf(recipe *script.Recipe) *definition.Definition { return &recipe.Definitions[0] }

// lookAt refuses what is not a file: reading a FIFO would hang.
func lookAt(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing(path)
	case err != nil:
		return err
	case info.IsDir():
		return &usageError{message: printable(path) + " is a folder, not a recipe", hint: "name the Lua file in it"}
	case !info.Mode().IsRegular():
		return &usageError{message: printable(path) + " is not a regular file"}
	}
	return nil
}

func missing(path string) error {
	e := &usageError{message: "no recipe " + quote(path)}
	if others, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.lua")); err == nil {
		e.hint = didYouMean(path, others)
	}
	return e
}

func noRecipe(word string) error {
	e := &usageError{message: "no embedded recipe is called " + quote(word), hint: didYouMean(word, recipes.Names())}
	if e.hint != "" {
		return e
	}
	e.hint = "there are " + strings.Join(recipes.Names(), ", ") + "; a recipe of your own is named by its path, like ./" + word
	if _, err := os.Stat(word + ".lua"); err == nil {
		e.hint = "did you mean " + word + ".lua?"
	}
	return e
}
