package main

import (
	"github.com/spf13/cobra"
)

func (a *app) libCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lib",
		Short: "Add, pin and fetch the libraries of a project",
		Long: "Look after the libraries of the project, which its recipes require by name. sandbox.toml\n" +
			"says which there are; sandbox.lock pins the version and the content of each. A recipe\n" +
			"never fetches: it runs what is pinned, or says which of these commands is missing.",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			var all []string
			for _, c := range cmd.Commands() {
				all = append(all, c.Name())
			}
			return unknown("command lib", args[0], all)
		},
	}
	cmd.AddCommand(a.libAddCommand(), a.libListCommand(), a.libUpdateCommand(), a.libFetchCommand(), a.libVendorCommand(), a.libRemoveCommand())
	return cmd
}

func (a *app) libAddCommand() *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:   "add FOLDER | ADDRESS[@VERSION]",
		Short: "Add a library to the project, and pin it",
		Long: "Add the library in a folder, or in the git repository at an address, to sandbox.toml, and\n" +
			"pin what is in it in sandbox.lock. Its needs are listed before a recipe can use it.\n\n" +
			"An address begins with https://, ssh:// or file://, or is git@host:path. VERSION is a tag\n" +
			"(v1.2.0), the beginning of one (v1 is the newest v1.x.y), a branch, or a commit in full;\n" +
			"without it the newest release is taken. git runs without asking for passwords.",
		Example: "  sandbox lib add libs/greet\n  sandbox lib add https://example.org/pg.git@v1",
		Args:    exactly(1, "what to add: a folder, or the address of a git repository"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.libAdd(args[0], as) },
	}
	cmd.Flags().StringVar(&as, "as", "", "require it as `NAME`, and not as its manifest says")
	return cmd
}

func (a *app) libListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [NAME…]",
		Short: "Say which libraries the project has, and how they are",
		Long: "List the libraries of the project: their versions, where they come from, whether they are\n" +
			"here as they were pinned, and what they need. With names, all that their manifests say.",
		RunE:              func(_ *cobra.Command, args []string) error { return a.libList(args, asJSON) },
		ValidArgsFunction: completeLibraries,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON")
	return cmd
}

func (a *app) libUpdateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "update [NAME[@VERSION]…]",
		Short: "Pin libraries as they are now",
		Long: "Look again at where libraries come from, all of them when none is named, and pin what is\n" +
			"there: for a folder its content, for a repository the newest version that sandbox.toml\n" +
			"takes. NAME@VERSION changes what it takes. What has changed is listed.",
		RunE:              func(_ *cobra.Command, args []string) error { return a.libUpdate(args) },
		ValidArgsFunction: completeLibraries,
	}
}

func (a *app) libFetchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "fetch",
		Short: "Get what is pinned, and is not on this machine",
		Long: "Get the libraries that sandbox.lock pins and that are not on this machine, just as they\n" +
			"were pinned. This is what a fresh clone of a project needs.",
		Args: exactly(0, ""),
		RunE: func(*cobra.Command, []string) error { return a.libFetch() },
	}
}

func (a *app) libVendorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "vendor",
		Short: "Copy the libraries into the project",
		Long: "Copy all libraries, as they are pinned, into sandbox_modules in the project. Recipes use\n" +
			"these copies from then on, and need neither the network nor the cache. The folder is\n" +
			"written anew each time; remove it to do without.",
		Args: exactly(0, ""),
		RunE: func(*cobra.Command, []string) error { return a.libVendor() },
	}
}

func (a *app) libRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "remove NAME",
		Short:             "Take a library out of the project",
		Args:              exactly(1, "which library to remove"),
		RunE:              func(_ *cobra.Command, args []string) error { return a.libRemove(args[0]) },
		ValidArgsFunction: completeLibraries,
	}
}

// exactly wants n arguments; missing says what the first is.
func exactly(n int, missing string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < n:
			return &usageError{message: "say " + missing, hint: cmd.UseLine()}
		case len(args) > n:
			return &usageError{message: "unexpected argument " + quote(args[n]), hint: cmd.UseLine()}
		}
		return nil
	}
}

// completeLibraries completes the names of the project's libraries.
func completeLibraries(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var found []cobra.Completion
	if f, _, err := readProject("."); err == nil && f != nil {
		for i := range f.Libraries {
			found = append(found, f.Libraries[i].Name)
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}
