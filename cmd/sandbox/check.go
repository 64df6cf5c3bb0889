package main

import (
	"github.com/spf13/cobra"
)

func (a *app) checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check RECIPE…",
		Short: "Check that recipes load and are valid",
		Long: "Load recipes with their params' defaults and print all that is wrong with them. Nothing\n" +
			"of this machine is looked at but the files that a recipe reads, and no root is needed.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.check(args) },
	}
	cmd.ValidArgsFunction = completeRecipe(nil)
	return cmd
}

func (a *app) check(words []string) error {
	if err := confine(); err != nil {
		return err
	}
	bad := false
	for _, word := range words {
		if err := a.checkOne(word); err != nil {
			a.ui.failure(err)
			bad = true
			continue
		}
		if err := write(a.out, printable(word)+": ok\n"); err != nil {
			return err
		}
	}
	if bad {
		return codeError(exitProblem)
	}
	return nil
}

func (a *app) checkOne(word string) error {
	recipe, err := a.load(&arguments{recipe: word})
	if err != nil {
		return err
	}
	recipe.Close()
	return nil
}
