package stdlib

import (
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
	"sandbox/script/vm"
)

// templateModule fills texts in. There is no code in a template, and what is filled
// in is not looked into again.
var templateModule = Module{Name: "template", Functions: []Function{
	{registry.Function{Name: "render", Args: templateArgs, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc:     "A text with values in place of {{ name }}; {{ a.b }} is b in the table a, and {{ \"{{\" }} is {{ itself. A name that is not there is an error.",
		Example: `template.render("listen {{ port }};", { port = 8080 })`, Gives: `"listen 8080;"`, Aka: []string{"format", "fill", "mustache", "execute"}}, render},
	{registry.Function{Name: "expand", Args: templateArgs, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc:     "The same for ${name}; $$ is $ itself, and a $ before anything else stays.",
		Example: `template.expand("${dir}/bin:$PATH", { dir = "/opt" })`, Gives: `"/opt/bin:$PATH"`, Aka: []string{"interpolate", "substitute", "subst"}}, expand},
}}

var templateArgs = []registry.Field{
	{Name: "text", Kind: registry.Text, Doc: "The template."},
	{Name: "values", Kind: registry.Map, Doc: "Strings, numbers and booleans by name, and tables of them."},
}

// filling is a template under way.
type filling struct {
	*Call
	text string
	at   int // what has been read
	out  strings.Builder
}

func render(c *Call) int {
	f := &filling{Call: c, text: c.text(1)}
	for f.upTo("{{") {
		name := strings.Trim(f.inside("{{", "}}"), space)
		if name == `"{{"` {
			f.write("{{")
			continue
		}
		f.write(f.lookUp(name))
	}
	return c.push(lua.LString(f.out.String()))
}

func expand(c *Call) int {
	f := &filling{Call: c, text: c.text(1)}
	for f.upTo("$") {
		switch rest := f.text[f.at:]; {
		case strings.HasPrefix(rest, "$"):
			f.at++
			f.write("$")
		case strings.HasPrefix(rest, "{"):
			f.at++
			f.write(f.lookUp(f.inside("${", "}")))
		default:
			f.write("$")
		}
	}
	return c.push(lua.LString(f.out.String()))
}

// upTo copies up to a mark, and passes it; false at the end of the text.
func (f *filling) upTo(mark string) bool {
	f.step()
	before, _, found := strings.Cut(f.text[f.at:], mark)
	f.write(before)
	f.at += len(before) + len(mark)
	return found
}

// inside reads up to the mark that closes another.
func (f *filling) inside(open, closing string) string {
	name, _, found := strings.Cut(f.text[f.at:], closing)
	if !found || strings.Contains(name, "\n") {
		f.wrong(quote(open) + " is not closed by " + quote(closing))
	}
	f.at += len(name) + len(closing)
	return name
}

func (f *filling) write(s string) {
	f.VM.Fits(f.L, f.out.Len()+len(s))
	f.out.WriteString(s)
}

func (f *filling) wrong(what string) {
	read := f.text[:min(f.at, len(f.text))]
	f.fail("line %d: %s", strings.Count(read, "\n")+1, what)
}

// lookUp is the value of a name: "port", "server.port", "list.1".
func (f *filling) lookUp(name string) string {
	if len(name) > 256 || strings.Trim(name, ".") != name || name == "" || strings.ContainsAny(name, space+`"'(){}|$`) {
		f.wrong(quote(clip(name)) + " is no name like port or server.port")
	}
	var value lua.LValue = f.table(2)
	known := ""
	for part := range strings.SplitSeq(name, ".") {
		t, ok := value.(*lua.LTable)
		if !ok {
			f.wrong(quote(known) + " is " + Describe(value) + ", which has no " + quote(part))
		}
		value = t.RawGetString(part)
		if n, err := strconv.Atoi(part); err == nil && value == lua.LNil {
			value = t.RawGetInt(n)
		}
		if value == lua.LNil {
			f.missing(t, part, name)
		}
		known = strings.TrimPrefix(known+"."+part, ".")
	}
	switch value.(type) {
	case lua.LString, lua.LNumber, lua.LBool:
		return vm.Text(value)
	}
	f.wrong(quote(name) + " is " + Describe(value) + ", not a string, a number or a boolean")
	return ""
}

func (f *filling) missing(t *lua.LTable, part, name string) {
	var there []string
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		if s, ok := k.(lua.LString); ok {
			there = append(there, string(s))
		}
	}
	hint := ""
	if near := vm.Suggest(part, there); near != "" {
		hint = " (did you mean " + quote(near) + "?)"
	}
	f.wrong("there is no value " + quote(name) + hint)
}
