package main

import (
	"strings"

	"github.com/spf13/cobra"

	"sandbox/script/docs"
)

func (a *app) docsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "docs [NAME]",
		Short: "Describe what a recipe can say",
		Long: "Without NAME, list the fields of a container, the stages of hooks, what ctx has, and the\n" +
			"modules. With NAME, describe one: limits.memory, fs, fs.read, ctx:exec, c:extend, collect;\n" +
			"a word that another tool has for it will do.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.docs(args) },
		ValidArgsFunction: func(_ *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return completeTopics(args, word), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func (a *app) docs(args []string) error {
	if len(args) == 0 {
		return write(a.out, docs.List()+"`sandbox docs NAME` describes one.\n")
	}
	found, tried, near := docs.Find(args[0])
	if later := docs.Later(args[0]); found == nil && later != "" {
		return write(a.out, args[0]+" is reserved ("+later+") and not available yet.\n")
	}
	if found == nil {
		e := &usageError{message: "nothing is called " + quote(args[0]), hint: "sandbox docs lists all there is"}
		if near != "" {
			e.hint = "did you mean " + near + "?"
		}
		return e
	}
	var texts []string
	for i := range found {
		texts = append(texts, found[i].Text())
	}
	text := strings.Join(texts, "\n")
	if tried {
		text = args[0] + " is " + topicNames(found) + " here.\n\n" + text
	} else if others := docs.Others(args[0], found); len(others) > 0 {
		text += "\n  see also: " + strings.Join(others, ", ") + "\n"
	}
	return write(a.out, text)
}

func topicNames(topics []docs.Topic) string {
	var all []string
	for i := range topics {
		all = append(all, topics[i].Name)
	}
	return strings.Join(all, " or ")
}

func completeTopics(args []string, word string) []cobra.Completion {
	if len(args) > 0 {
		return nil
	}
	var found []cobra.Completion
	for _, name := range docs.Names() {
		if strings.HasPrefix(name, word) {
			found = append(found, name)
		}
	}
	return found
}
