package main

import (
	"errors"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/project"
)

// app is one invocation of the program.
type app struct {
	out *os.File // what a command was asked for; run leaves it to the payload
	ui  *ui
}

// command is one subcommand. Building it costs time and memory, and only the one
// that was asked for is built.
type command struct {
	name  string
	build func(*app) *cobra.Command
}

// commands is a function, not a variable: a table of functions that reach the table
// again would be an initialisation cycle, and this one costs nothing until called.
func commands() []command {
	return []command{
		{"run", (*app).runCommand}, {"plan", (*app).planCommand}, {"check", (*app).checkCommand},
		{"lib", (*app).libCommand}, {"new", (*app).newCommand}, {"docs", (*app).docsCommand}, {"types", (*app).typesCommand},
		{"doctor", (*app).doctorCommand}, {"version", (*app).versionCommand},
	}
}

// Exit codes of the program itself, beside those of a run (see definition.Result).
const (
	exitProblem = 1   // check found a problem, doctor an error
	exitUsage   = 2   // the command line is wrong
	exitFailed  = 125 // a run failed before its payload ran
)

// execute runs one command and returns the program's exit code.
func (a *app) execute(args []string) int {
	// The hot path: run parses its own line, because its flags are the recipe's, so
	// building the command would be for nothing.
	if len(args) > 0 && args[0] == "run" {
		return a.exit(a.run(args[1:]))
	}
	root := a.root(args)
	root.SetArgs(args)
	return a.exit(root.Execute())
}

// root builds the command tree: of one command when it is named, else of all, for
// help and completion.
func (a *app) root(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:           "sandbox",
		Short:         "Run containers whose definitions are Lua programs",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknown("command", args[0], names(commands()))
		},
	}
	root.SetOut(a.out)
	root.SetErr(a.ui.w)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{message: err.Error()} })
	for _, c := range commands() {
		if len(args) > 0 && c.name == args[0] {
			root.CompletionOptions.DisableDefaultCmd = true
			root.AddCommand(c.build(a))
			return root
		}
	}
	for _, c := range commands() {
		root.AddCommand(c.build(a))
	}
	return root
}

func names(commands []command) []string {
	var all []string
	for _, c := range commands {
		all = append(all, c.name)
	}
	return append(all, "help", "completion")
}

// codeError ends the program with a code after everything has been said.
type codeError int

func (codeError) Error() string { return "" }

// usageError is a command line that is wrong.
type usageError struct {
	message string
	hint    string
}

func (e *usageError) Error() string { return e.message }

// Hint says what to do; may be empty.
func (e *usageError) Hint() string { return e.hint }

// exit prints an error, unless it has been said, and returns the exit code.
func (a *app) exit(err error) int {
	if err == nil {
		return 0
	}
	var code codeError
	if errors.As(err, &code) {
		return int(code)
	}
	a.ui.failure(err)
	var usage *usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitProblem
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.WriteString("sandbox " + project.Release + " " + version() + "\n")
			return err
		},
	}
}

// version is the module's version, or the revision it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (text == "" || text == "(devel)") {
			text = "(devel) " + s.Value
		}
	}
	return strings.TrimSpace(text + " " + info.GoVersion)
}
