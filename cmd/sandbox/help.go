package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/recipes"
	"sandbox/script"
)

// help prints the help of a command that takes a recipe: without one, the
// command's; with one, the recipe's description and params.
func (a *app) help(line *arguments, name string) error {
	if line.recipe == "" {
		root := a.root([]string{name})
		for _, c := range root.Commands() {
			if c.Name() == name {
				return c.Help()
			}
		}
	}
	o, err := a.options(line)
	if err != nil {
		return err
	}
	o.Params = nil
	params, err := script.LoadParams(context.Background(), o)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("Usage: sandbox " + name + " " + line.recipe + " [flags]\n")
	// The description is a field of the container, which a recipe with required
	// params does not reach without them.
	if recipe, err := script.Load(context.Background(), o); err == nil {
		if text := definitionOf(recipe).Description; text != "" {
			b.WriteString("\n" + printable(text) + "\n")
		}
		recipe.Close()
	}
	if len(params) > 0 {
		b.WriteString("\nParams:\n" + paramHelp(params))
	}
	flags := runFlags()
	if name == "plan" {
		flags = planFlags()
	}
	b.WriteString("\n" + flagHelp(flags))
	return write(a.out, b.String())
}

func paramHelp(params []script.Param) string {
	rows := make([][2]string, len(params))
	for i, p := range params {
		rows[i] = [2]string{strings.TrimSpace("--" + p.Name + " " + placeholder(p)), paramText(p)}
	}
	return columns(rows)
}

func placeholder(p script.Param) string {
	switch {
	case p.Type == script.ParamBoolean:
		return ""
	case p.Type == script.ParamNumber:
		return "N"
	case len(p.Choices) > 0:
		return strings.Join(p.Choices, "|")
	}
	return strings.ToUpper(p.Name)
}

// paramText is a param's help, and what it is without the flag.
func paramText(p script.Param) string {
	var about []string
	switch {
	case p.Required:
		about = append(about, "required")
	case len(p.Default) > 0 && p.Default[0] != "" && p.Type != script.ParamBoolean:
		about = append(about, "default "+strings.Join(p.Default, ", "))
	case p.Type == script.ParamBoolean && len(p.Default) > 0 && p.Default[0] == "true":
		about = append(about, "default true")
	}
	if p.Type == script.ParamList {
		about = append(about, "may be given several times")
	}
	text := p.Help
	if len(about) > 0 {
		text = strings.TrimSpace(text + " (" + strings.Join(about, "; ") + ")")
	}
	return printable(text)
}

func flagHelp(flags []flag) string {
	rows := make([][2]string, len(flags))
	for i, f := range flags {
		rows[i] = [2]string{strings.TrimSpace("--" + f.name + " " + f.value), f.help}
	}
	return "Flags:\n" + columns(rows)
}

// columns aligns pairs of texts.
func columns(rows [][2]string) string {
	width := 0
	for _, r := range rows {
		width = max(width, len(r[0]))
	}
	var b strings.Builder
	for _, r := range rows {
		b.WriteString("  " + r[0] + strings.Repeat(" ", width-len(r[0])+2) + r[1] + "\n")
	}
	return b.String()
}

// completeRecipe completes a command line of the form RECIPE flags: names of
// embedded recipes and Lua files first, then our flags and the recipe's params.
func completeRecipe(flags []flag) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		line, err := parseArguments(args, flags)
		if err != nil || line.command != nil {
			return nil, cobra.ShellCompDirectiveDefault
		}
		if line.recipe == "" && !strings.HasPrefix(word, "-") {
			return completeNames(word)
		}
		return completeFlags(line, flags, word)
	}
}

func completeNames(word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var found []cobra.Completion
	for _, name := range recipes.Names() {
		if strings.HasPrefix(name, word) {
			found = append(found, name)
		}
	}
	if found == nil {
		return []cobra.Completion{"lua"}, cobra.ShellCompDirectiveFilterFileExt
	}
	return found, cobra.ShellCompDirectiveDefault
}

func completeFlags(line *arguments, flags []flag, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var found []cobra.Completion
	offer := func(name, help string) {
		if strings.HasPrefix("--"+name, word) {
			found = append(found, cobra.CompletionWithDesc("--"+name, printable(help)))
		}
	}
	for _, f := range flags {
		offer(f.name, f.help)
	}
	for _, p := range line.declared() {
		if value, ok := strings.CutPrefix(word, "--"+p.Name+"="); ok {
			return completeChoices(p, value), cobra.ShellCompDirectiveNoFileComp
		}
		offer(p.Name, p.Help)
	}
	if !strings.HasPrefix(word, "-") {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// declared are the params of the line's recipe; none when it cannot be loaded.
func (a *arguments) declared() []script.Param {
	if a.orDefault("") != nil {
		return nil
	}
	reader := &app{ui: &ui{w: nowhere{}, quiet: true}}
	o, err := reader.options(a)
	if err != nil {
		return nil
	}
	o.Params = nil
	params, err := script.LoadParams(context.Background(), o)
	if err != nil {
		return nil
	}
	return params
}

type nowhere struct{}

func (nowhere) Write(b []byte) (int, error) { return len(b), nil }

func completeChoices(p script.Param, value string) []cobra.Completion {
	var found []cobra.Completion
	for _, c := range p.Choices {
		if strings.HasPrefix(c, value) {
			found = append(found, "--"+p.Name+"="+c)
		}
	}
	return found
}
