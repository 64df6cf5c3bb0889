package main

import (
	"github.com/spf13/cobra"
)

func (a *app) checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [RECIPE…]",
		Short: "Check that recipes load and are valid",
		Long: "Load recipes with their params' defaults and print all that is wrong with them. Nothing\n" +
			"of this machine is looked at but the files that a recipe reads, and no root is needed.\n" +
			"What a recipe may reach beyond its project, and what its libraries need, is listed.\n" +
			"Without RECIPE the project's is checked, which sandbox.toml names.",
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
	recipe, err := a.load(&arguments{recipe: word})
	if err != nil {
		return "", err
	}
	defer recipe.Close()
	return projectText(recipe, "  "), nil
}
