package main

import (
	"slices"
	"strings"

	"sandbox/script"
)

// flag is a flag of our own, beside those of a recipe's params.
type flag struct {
	name  string
	value string // the placeholder of its value, or "" for none
	help  string
}

// arguments is a command line of the form: flags RECIPE flags-and-params -- command.
type arguments struct {
	recipe string
	// own are the values of our flags; "" for those without a value.
	own map[string]string
	// params are the flags that are not ours, untyped: their types are known when
	// the recipe calls sandbox.params. One without a value is "true", and bare.
	params map[string][]string
	bare   []string
	// each are the values of --each, which may be given several times.
	each []string
	// command is what follows "--", nil when there is none.
	command []string
}

func (a *arguments) has(name string) bool { _, ok := a.own[name]; return ok }

// parseArguments reads a command line. A recipe's params need no declaration to be
// read: after RECIPE there are no positional arguments, so that a word without
// dashes can only be the value of the flag before it.
func parseArguments(args []string, flags []flag) (*arguments, error) {
	a := &arguments{own: map[string]string{}, params: map[string][]string{}}
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		switch {
		case word == "--":
			a.command = args
			return a, a.commandError()
		case word == "-h":
			a.own["help"] = ""
		case word == "-q":
			a.own["quiet"] = ""
		case strings.HasPrefix(word, "--"):
			rest, err := a.flag(word[2:], args, flags)
			if err != nil {
				return nil, err
			}
			args = rest
		case strings.HasPrefix(word, "-") && word != "-":
			return nil, &usageError{message: "unknown flag " + word, hint: "flags start with two dashes"}
		case a.recipe == "":
			a.recipe = word
		default:
			return nil, &usageError{message: "unexpected argument " + quote(word),
				hint: "params are written as --name value; a command for the container follows --"}
		}
	}
	return a, nil
}

func (a *arguments) commandError() error {
	if len(a.command) == 0 {
		return &usageError{message: "no command follows --"}
	}
	return nil
}

// flag reads one flag, given without its dashes, and returns what is left of args.
func (a *arguments) flag(word string, args []string, flags []flag) ([]string, error) {
	name, value, given := strings.Cut(word, "=")
	own := findFlag(flags, name)
	if own == nil && a.recipe == "" {
		return nil, &usageError{message: "unknown flag --" + name + " before the recipe", hint: "a recipe's params follow its name"}
	}
	if own != nil && own.value == "" {
		if given {
			return nil, &usageError{message: "--" + name + " takes no value"}
		}
		a.own[name] = ""
		return args, nil
	}
	if !given && len(args) > 0 && !strings.HasPrefix(args[0], "--") {
		value, given, args = args[0], true, args[1:]
	}
	if own != nil {
		if !given || value == "" {
			return nil, &usageError{message: "--" + name + " needs a value: --" + name + " " + own.value}
		}
		a.own[name] = value
		if name == "each" {
			a.each = append(a.each, value)
		}
		return args, nil
	}
	if !given {
		value = "true"
		a.bare = append(a.bare, name)
	}
	a.params[name] = append(a.params[name], value)
	return args, nil
}

// checkBare refuses a param without a value that is not a boolean.
func (a *arguments) checkBare(params []script.Param) error {
	for _, p := range params {
		if p.Type != script.ParamBoolean && slices.Contains(a.bare, p.Name) {
			return &usageError{message: "--" + p.Name + " needs a value: --" + p.Name + " " + placeholder(p)}
		}
	}
	return nil
}

func findFlag(flags []flag, name string) *flag {
	for i := range flags {
		if flags[i].name == name {
			return &flags[i]
		}
	}
	if name == "help" {
		return &flag{name: "help"}
	}
	return nil
}
