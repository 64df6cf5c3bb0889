package stdlib

import (
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
	"sandbox/script/vm"
)

// stringsModule has what Lua's own string library has not, without patterns.
var stringsModule = Module{Name: "strings", Functions: []Function{
	{registry.Function{Name: "trim", Args: trimArgs, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "A text without white space at both ends, or without other characters there.", Example: `strings.trim("  a b\n")`, Gives: `"a b"`, Aka: []string{"strip", "chomp"}}, trim},
	{registry.Function{Name: "trim_prefix", Args: prefixArgs, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "A text without a beginning, which it need not have.", Example: `strings.trim_prefix("v1.2.3", "v")`, Gives: `"1.2.3"`, Aka: []string{"removeprefix", "remove_prefix", "trim_start"}}, trimPrefix},
	{registry.Function{Name: "trim_suffix", Args: suffixArgs, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "A text without an end, which it need not have.", Example: `strings.trim_suffix("build.lua", ".lua")`, Gives: `"build"`, Aka: []string{"removesuffix", "remove_suffix", "trim_end"}}, trimSuffix},
	{registry.Function{Name: "split", Args: splitArgs, Returns: registry.Field{Kind: registry.Texts}, Phase: registry.Always,
		Doc: "The parts of a text between separators, empty ones too.", Example: `strings.split("a,b,,c", ",")`, Gives: `{ "a", "b", "", "c" }`, Aka: []string{"explode", "tokenize"}}, split},
	{registry.Function{Name: "fields", Args: textArg, Returns: registry.Field{Kind: registry.Texts}, Phase: registry.Always,
		Doc: "The words of a text: what stands between white space.", Example: `strings.fields("  go  build ./...\n")`, Gives: `{ "go", "build", "./..." }`, Aka: []string{"words"}}, fields},
	{registry.Function{Name: "lines", Args: textArg, Returns: registry.Field{Kind: registry.Texts}, Phase: registry.Always,
		Doc: "The lines of a text, without their ends; a line end at the end begins no line.", Example: `strings.lines("a\r\nb\n")`, Gives: `{ "a", "b" }`, Aka: []string{"splitlines", "split_lines"}}, lines},
	{registry.Function{Name: "join", Args: joinArgs, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "The strings and numbers of a list, with a separator between them.", Example: `strings.join({ "a", "b", 3 }, ", ")`, Gives: `"a, b, 3"`, Aka: []string{"concat", "implode"}}, join},
	{registry.Function{Name: "starts_with", Args: prefixArgs, Returns: registry.Field{Kind: registry.Bool}, Phase: registry.Always,
		Doc: "Whether a text begins with another.", Example: `strings.starts_with("build.lua", "build")`, Gives: `true`, Aka: []string{"startswith", "has_prefix", "hasprefix", "begins_with"}}, startsWith},
	{registry.Function{Name: "ends_with", Args: suffixArgs, Returns: registry.Field{Kind: registry.Bool}, Phase: registry.Always,
		Doc: "Whether a text ends with another.", Example: `strings.ends_with("build.lua", ".lua")`, Gives: `true`, Aka: []string{"endswith", "has_suffix", "hassuffix"}}, endsWith},
	{registry.Function{Name: "contains", Args: containsArgs, Returns: registry.Field{Kind: registry.Bool}, Phase: registry.Always,
		Doc: "Whether a text has another somewhere in it.", Example: `strings.contains("a.b", ".")`, Gives: `true`, Aka: []string{"includes", "has", "find", "index"}}, contains},
	{registry.Function{Name: "replace", Args: replaceArgs, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "A text with another in place of each part that is old; no character is special.", Example: `strings.replace("a.b.c", ".", "/")`, Gives: `"a/b/c"`, Aka: []string{"gsub", "sub", "replace_all"}}, replace},
	{registry.Function{Name: "pad_left", Args: padArgs, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "A text with spaces before it, so that it has so many characters at least.", Example: `strings.pad_left("7", 3)`, Gives: `"  7"`, Aka: []string{"padstart", "rjust", "lpad"}}, padLeft},
	{registry.Function{Name: "pad_right", Args: padArgs, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "A text with spaces after it, so that it has so many characters at least.", Example: `strings.pad_right("ab", 4, ".")`, Gives: `"ab.."`, Aka: []string{"padend", "ljust", "rpad", "pad"}}, padRight},
	{registry.Function{Name: "shell_quote", Args: textArg, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "A text as one word for a shell, whatever is in it.", Example: `strings.shell_quote("it's")`, Gives: `"'it'\\''s'"`, Aka: []string{"quote", "shellescape", "escape", "shlex"}}, shellQuote},
}}

var text = registry.Field{Name: "text", Kind: registry.Text, Doc: "The text."}

var textArg = []registry.Field{text}

var trimArgs = []registry.Field{
	text,
	{Name: "characters", Kind: registry.Text, Optional: true, Doc: "Those to take away.", Default: "white space"},
}

var prefixArgs = []registry.Field{
	text,
	{Name: "prefix", Kind: registry.Text, Doc: "The beginning."},
}

var suffixArgs = []registry.Field{
	text,
	{Name: "suffix", Kind: registry.Text, Doc: "The end."},
}

var splitArgs = []registry.Field{
	text,
	{Name: "separator", Kind: registry.Text, Doc: "What stands between the parts; not a pattern."},
	{Name: "limit", Kind: registry.Count, Optional: true, Doc: "Most parts; the last one is all that is left.", Default: "no limit"},
}

var joinArgs = []registry.Field{
	{Name: "list", Kind: registry.List, Lua: "(string|number)[]", Doc: "Strings and numbers."},
	{Name: "separator", Kind: registry.Text, Optional: true, Doc: "What comes between two of them.", Default: `""`},
}

var containsArgs = []registry.Field{
	text,
	{Name: "part", Kind: registry.Text, Doc: "What to look for; not a pattern."},
}

var replaceArgs = []registry.Field{
	text,
	{Name: "old", Kind: registry.Text, Doc: "What to replace; not a pattern."},
	{Name: "new", Kind: registry.Text, Doc: "What to put there."},
	{Name: "limit", Kind: registry.Count, Optional: true, Doc: "Most replacements.", Default: "no limit"},
}

var padArgs = []registry.Field{
	text,
	{Name: "width", Kind: registry.Count, Doc: "Characters."},
	{Name: "fill", Kind: registry.Text, Optional: true, Doc: "One character.", Default: "a space"},
}

const space = " \t\n\v\f\r"

func trim(c *Call) int {
	set := space
	if c.given(2) {
		set = c.text(2)
	}
	return c.push(lua.LString(strings.Trim(c.text(1), set)))
}

func trimPrefix(c *Call) int { return c.push(lua.LString(strings.TrimPrefix(c.text(1), c.text(2)))) }

func trimSuffix(c *Call) int { return c.push(lua.LString(strings.TrimSuffix(c.text(1), c.text(2)))) }

func startsWith(c *Call) int { return c.pushBool(strings.HasPrefix(c.text(1), c.text(2))) }

func endsWith(c *Call) int { return c.pushBool(strings.HasSuffix(c.text(1), c.text(2))) }

func contains(c *Call) int { return c.pushBool(strings.Contains(c.text(1), c.text(2))) }

func split(c *Call) int {
	separator, limit := c.text(2), c.whole(3, vm.MaxArrayIndex)
	switch {
	case separator == "":
		c.fail("the separator is empty; text:gmatch(\".\") gives one character after another")
	case limit < 1:
		c.fail("the limit %d is below 1", limit)
	}
	all := strings.SplitN(c.text(1), separator, min(limit, vm.MaxArrayIndex+1))
	if !c.given(3) && len(all) == vm.MaxArrayIndex && strings.Contains(all[len(all)-1], separator) {
		c.tooMany()
	}
	return c.push(c.texts(all))
}

// tooMany ends a call whose list would be longer than a list can be.
func (c *Call) tooMany() { c.fail("more than %d items in a list", vm.MaxArrayIndex) }

func fields(c *Call) int {
	var all []string
	for word := range strings.FieldsFuncSeq(c.text(1), func(r rune) bool { return r < 0x80 && strings.ContainsRune(space, r) }) {
		if len(all) == vm.MaxArrayIndex {
			c.tooMany()
		}
		all = append(all, word)
	}
	return c.push(c.texts(all))
}

func lines(c *Call) int {
	var all []string
	for line := range strings.Lines(c.text(1)) {
		if len(all) == vm.MaxArrayIndex {
			c.tooMany()
		}
		line = strings.TrimSuffix(line, "\n")
		all = append(all, strings.TrimSuffix(line, "\r"))
	}
	return c.push(c.texts(all))
}

func join(c *Call) int {
	list, separator := c.table(1), c.text(2)
	var b strings.Builder
	for i := 1; i <= list.Len(); i++ {
		c.step()
		item := list.RawGetInt(i)
		if item.Type() != lua.LTString && item.Type() != lua.LTNumber {
			c.fail("item %d of the list is %s, not a string or a number", i, Describe(item))
		}
		s := vm.Text(item)
		if i > 1 {
			c.VM.Fits(c.L, b.Len()+len(separator))
			b.WriteString(separator)
		}
		c.VM.Fits(c.L, b.Len()+len(s))
		b.WriteString(s)
	}
	return c.push(lua.LString(b.String()))
}

func replace(c *Call) int {
	s, old, with, limit := c.text(1), c.text(2), c.text(3), c.whole(4, -1)
	if old == "" {
		c.fail("the text to replace is empty")
	}
	if c.given(4) && limit < 0 {
		c.fail("the limit %d is below 0", limit)
	}
	n := strings.Count(s, old)
	if limit >= 0 {
		n = min(n, limit)
	}
	c.VM.Fits(c.L, len(s)+n*(len(with)-len(old)))
	return c.push(lua.LString(strings.Replace(s, old, with, limit)))
}

func padLeft(c *Call) int { return c.pushText(c.padding() + c.text(1)) }

func padRight(c *Call) int { return c.pushText(c.text(1) + c.padding()) }

// padding is what a text lacks to its width.
func (c *Call) padding() string {
	fill := " "
	if c.given(3) {
		fill = c.text(3)
	}
	if utf8.RuneCountInString(fill) != 1 {
		c.fail("the fill is one character, not %s", Describe(c.L.Get(3)))
	}
	missing := c.whole(2, 0) - utf8.RuneCountInString(c.text(1))
	if missing <= 0 {
		return ""
	}
	c.VM.Fits(c.L, min(missing, vm.MaxString+1)*len(fill))
	return strings.Repeat(fill, missing)
}

// shellQuote is for sh(1): within single quotes nothing is special but their end.
func shellQuote(c *Call) int {
	s := c.text(1)
	if strings.IndexByte(s, 0) >= 0 {
		c.fail("no word of a shell has a NUL byte")
	}
	c.VM.Fits(c.L, len(s)+3*strings.Count(s, "'")+2)
	return c.push(lua.LString("'" + strings.ReplaceAll(s, "'", `'\''`) + "'"))
}
