package docs

import (
	"strings"
	"unicode"
)

// generated stands at the top of each file.
const generated = "<!-- Made of script/registry and script/stdlib by `make golden`. -->\n\n"

// Reference returns the reference as Markdown, by file name.
func Reference() map[string]string {
	files := map[string]string{"README.md": index()}
	for _, group := range Groups() {
		files[fileOf(group)] += section(group)
	}
	for name := range files {
		files[name] = generated + files[name]
	}
	return files
}

// fileOf is the file of a group.
func fileOf(group string) string {
	switch group {
	case Fields:
		return "fields.md"
	case Modules:
		return "modules.md"
	}
	return "hooks.md" // containers, stages and ctx belong together
}

// index is the page that leads to the others.
func index() string {
	var b strings.Builder
	b.WriteString("# Reference\n\nWhat a recipe can say. `sandbox docs NAME` shows the same in a terminal, and `sandbox types` tells an editor.\n\n" +
		"Recipes are Lua 5.1 with `goto`: `assert error getmetatable ipairs next pairs pcall print rawequal require select setmetatable tonumber tostring type unpack xpcall` and the libraries " +
		"`string`, `table`, `math` and `coroutine`. What reaches the machine, the clock or code that is made of text is not there: `io`, `os`, `debug`, `load`.\n")
	topics := Topics()
	for _, group := range Groups() {
		b.WriteString("\n## [" + group + "](" + fileOf(group) + "#" + anchor(group) + ")\n\n")
		for _, t := range topics {
			if t.Group == group && !t.Inner {
				b.WriteString("- [`" + t.Name + "`](" + fileOf(group) + "#" + anchor(t.heading()) + "): " + plain(first(t.Doc)) + "\n")
			}
		}
	}
	return b.String()
}

// heading is the text of a topic's heading.
func (t *Topic) heading() string {
	if t.Group == Modules && !t.Inner {
		return "module " + t.Name
	}
	return t.Name
}

func section(group string) string {
	var b strings.Builder
	b.WriteString("# " + group + "\n\n")
	for _, t := range Topics() {
		if t.Group == group {
			b.WriteString(t.markdown())
		}
	}
	return b.String()
}

func (t *Topic) markdown() string {
	var b strings.Builder
	level := "## "
	if t.Inner {
		level = "### "
	}
	b.WriteString(level + t.heading() + "\n\n")
	if t.Title != t.Name {
		b.WriteString("`" + t.Title + "`\n\n")
	}
	b.WriteString(plain(t.Doc) + "\n\n")
	for _, f := range t.Facts {
		b.WriteString("- " + f[0] + ": " + code(f[1]) + "\n")
	}
	if len(t.Facts) > 0 {
		b.WriteString("\n")
	}
	b.WriteString(tableOf(t.List, t.Rows) + tableOf("what it returns", t.Results))
	if t.Example != "" {
		b.WriteString("```lua\n" + t.Example + "\n")
		if t.Gives != "" {
			b.WriteString("--> " + t.Gives + "\n")
		}
		b.WriteString("```\n\n")
	}
	return b.String()
}

// code marks a text that is Lua.
func code(s string) string {
	if strings.HasPrefix(s, "\"") || strings.ContainsAny(s, "={|") || strings.Contains(s, "→") {
		return "`" + s + "`"
	}
	return plain(s)
}

func tableOf(what string, rows []Row) string {
	if len(rows) == 0 {
		return ""
	}
	kinds := false
	for _, r := range rows {
		kinds = kinds || r.Kind != ""
	}
	var b strings.Builder
	b.WriteString("| " + what + " | |\n|---|---|\n")
	for _, r := range rows {
		text := cell(r.Doc)
		if kinds && r.Kind != "" {
			text = strings.TrimSpace("*" + cell(r.Kind) + "*. " + text)
		}
		name := strings.TrimLeft(r.Name, " ")
		b.WriteString("| " + strings.Repeat("&emsp;", (len(r.Name)-len(name))/2) + "`" + strings.ReplaceAll(name, "|", `\|`) + "` | " + text + " |\n")
	}
	return b.String() + "\n"
}

func cell(s string) string { return strings.ReplaceAll(plain(s), "|", `\|`) }

// plain escapes what Markdown would take for its own.
func plain(s string) string {
	return strings.NewReplacer("*", `\*`, "<", "&lt;", "_", `\_`).Replace(s)
}

// anchor is what Markdown makes of a heading, to be linked to.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}
