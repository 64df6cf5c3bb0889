package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"sandbox/project"
	"sandbox/sandbox/definition"
	"sandbox/script"
)

// allowFlag grants something for one run, beside the grants of sandbox.toml.
var allowFlag = flag{name: "allow", value: "GRANT", help: "grant what others' code may reach of this machine: read=PATH, write=PATH, host=NAMESPACE", many: true}

// reach is something of the host that a recipe gets at, and by what.
type reach struct {
	definition.Reach
	by string // "" when nothing grants it
}

// reaches lists what a recipe reaches beyond its project. A recipe of the user's own,
// in which no other's code had a word, is trusted as a Makefile is; else all of it has
// to be granted, whoever's line asks for it: a library could have had any line ask.
func reaches(recipe *script.Recipe, line *arguments) ([]reach, error) {
	given, err := parseGrants(line.lists[allowFlag.name])
	if err != nil {
		return nil, err
	}
	found := definitionOf(recipe).Reaches(realPath)
	implied := ""
	if trusted(recipe, line) {
		implied = "the recipe is your own"
	}
	all := make([]reach, len(found))
	for i, r := range found {
		all[i] = reach{r, implied}
		if by := grantedBy(r, recipe, given); by != "" {
			all[i].by = by
		}
	}
	return all, nil
}

func parseGrants(texts []string) ([]project.Grant, error) {
	var all []project.Grant
	for _, text := range texts {
		kind, values, _ := strings.Cut(text, "=")
		for value := range strings.SplitSeq(values, ",") {
			g, err := project.ParseGrant(kind + "=" + value)
			if err != nil {
				return nil, err
			}
			all = append(all, g)
		}
	}
	return all, nil
}

// grantedBy names the grant that covers a reach, or is empty. Paths of sandbox.toml
// are below the project, those of the command line below the current folder.
func grantedBy(r definition.Reach, recipe *script.Recipe, given []project.Grant) string {
	here, err := os.Getwd()
	for _, g := range given {
		if err == nil && covers(g, r, here) {
			return "--allow " + g.String()
		}
	}
	if f := recipe.Project; f != nil {
		for _, g := range f.Grants {
			if covers(g, r, definitionOf(recipe).Project) {
				return "grant " + g.String() + " at " + f.Shown + ":" + strconv.Itoa(g.Line)
			}
		}
	}
	return ""
}

// covers reports whether a grant, whose path is below a folder, allows what is reached,
// by the path that is written and where that leads.
func covers(g project.Grant, r definition.Reach, folder string) bool {
	if !g.Covers(r.Kind, r.Value, folder) {
		return false
	}
	if g.Kind == "read" || g.Kind == "write" {
		if !filepath.IsAbs(g.Value) {
			g.Value = filepath.Join(folder, g.Value)
		}
		g.Value = realPath(g.Value)
		return g.Covers(r.Kind, realPath(r.Value), folder)
	}
	return true
}

// trusted reports whether a recipe needs no grants: it is the user's own, and no other's
// code had a word in it.
func trusted(recipe *script.Recipe, line *arguments) bool {
	return len(recipe.Libraries) == 0 && ownRecipe(line.recipe)
}

// ownRecipe reports whether the recipe is the program's own, or a file of the user's
// or root's.
func ownRecipe(word string) bool {
	if !isPath(word) {
		return true
	}
	info, err := os.Stat(word)
	if err != nil {
		return false
	}
	owner := strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Uid))
	me := strconv.Itoa(os.Geteuid())
	return owner == me || owner == "0" || me == "0" && owner == os.Getenv("SUDO_UID")
}

// realPath is where the links of a path lead; a part that does not exist yet leads
// nowhere else.
func realPath(path string) string {
	rest := ""
	for at := path; ; at = filepath.Dir(at) {
		if found, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(found, rest)
		}
		if at == "/" || at == "." {
			return path
		}
		rest = filepath.Join(filepath.Base(at), rest)
	}
}

// checkGrants refuses a recipe that reaches what nothing grants it.
func checkGrants(recipe *script.Recipe, line *arguments) error {
	if len(line.lists[allowFlag.name]) == 0 && trusted(recipe, line) {
		return nil // without a look at each path, which a start would wait for
	}
	all, err := reaches(recipe, line)
	if err != nil {
		return err
	}
	var problems definition.Problems
	for _, r := range all {
		if r.by == "" {
			problems = append(problems, definition.Problem{Path: r.Field, Message: r.words() + ", which nothing grants" + because(recipe),
				Hint: "if it may: --allow " + r.String() + ", or grants = [" + strconv.Quote(r.String()) + "] in " + project.FileName})
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return problems.At(definitionOf(recipe).Origins)
}

// because says why a recipe's own word is not enough.
func because(recipe *script.Recipe) string {
	if len(recipe.Libraries) == 0 {
		return ": the recipe is another user's"
	}
	names := make([]string, len(recipe.Libraries))
	for i, l := range recipe.Libraries {
		names[i] = l.Name
	}
	return ": it uses " + strings.Join(names, ", ")
}

func (r *reach) words() string {
	switch r.Kind {
	case "write":
		return "writes to " + r.Value + " of this machine"
	case "host":
		return "shares the " + r.Value + " namespace of this machine"
	}
	return "reads " + r.Value + " of this machine"
}

// reachText lists what a recipe reaches, for plan and check.
func reachText(recipe *script.Recipe, all []reach, indent string) string {
	var b strings.Builder
	for _, r := range all {
		by := r.by
		if by == "" {
			by = "NOT GRANTED"
		}
		origin := definitionOf(recipe).Origins.Of(r.Field)
		b.WriteString(indent + "reach " + printable(r.String()) + "  (" + printable(r.Field+" at "+origin.String()) + ")  " + printable(by) + "\n")
	}
	return b.String()
}
