// Package docs makes documentation of the registry: for the terminal, as Markdown,
// and as stubs that tell an editor the types of what a recipe can say.
package docs

import (
	"strings"

	"sandbox/script/registry"
	"sandbox/script/stdlib"
)

// Topic is something that can be looked up.
type Topic struct {
	// Name is what it is looked up by: "limits.memory", "fs.read", "ctx:log".
	Name string
	// Title is how it is written: "fs.read(path) → a string".
	Title string
	Doc   string
	// Facts are what else there is to know, in pairs: "default", "10s".
	Facts [][2]string
	// Rows are its arguments or its fields.
	Rows []Row
	// List names what the rows are: "arguments", "fields".
	List string
	// Results are the fields of what a function returns.
	Results []Row
	Example string
	// Gives is what the example evaluates to.
	Gives string
	// Aka are other words for it.
	Aka []string
	// Group is the heading that it stands below.
	Group string
	// Inner topics are left out of the list of all.
	Inner bool
}

// Row is an argument or a field of a topic.
type Row struct{ Name, Kind, Doc string }

// The groups, in order.
const (
	Fields     = "Fields of a container"
	Containers = "Containers"
	Hooks      = "Stages of hooks"
	Context    = "ctx, what a hook has"
	Modules    = "Modules"
)

// Groups lists the groups in their order.
func Groups() []string { return []string{Fields, Containers, Hooks, Context, Modules} }

// Topics lists all there is to look up.
func Topics() []Topic {
	all := fields(nil, registry.Definition, "", "")
	all = append(all, containers()...)
	all = append(all, stages()...)
	all = append(all, context()...)
	for _, m := range stdlib.Modules {
		all = append(all, module(m)...)
	}
	return all
}

// fields adds the topics of fields, those of each before the next. before is what
// stands before an example, like "limits = { ".
func fields(all []Topic, of []registry.Field, path, before string) []Topic {
	for i := range of {
		f := &of[i]
		if f.Later != "" {
			continue
		}
		t := Topic{Name: path + f.Name, Title: path + f.Name, Doc: f.Doc, Group: Fields, Aka: f.Aka, Inner: path != "", List: "fields"}
		t.Facts = append(fieldFacts(f, path), [2]string{"merged", merged(f, path)})
		if f.Example != "" {
			t.Example = before + f.Name + " = " + f.Example + strings.Repeat(" }", strings.Count(before, "{"))
		}
		t.Rows = rows(append(f.Sub[:len(f.Sub):len(f.Sub)], f.Of...))
		all = append(all, t)
		all = fields(all, f.Sub, path+f.Name+".", before+f.Name+" = { ")
		if f.Of != nil {
			all = parts(all, f.Of, t.Name+".")
		}
	}
	return all
}

// parts adds the topics of what stands within a value.
func parts(all []Topic, of []registry.Field, path string) []Topic {
	for i := range of {
		f := &of[i]
		t := Topic{Name: path + f.Name, Title: path + f.Name, Doc: f.Doc, Group: Fields, Inner: true, Facts: fieldFacts(f, path), List: "fields", Rows: rows(f.Of)}
		if f.Example != "" {
			t.Example = f.Name + " = " + f.Example
		}
		all = parts(append(all, t), f.Of, path+f.Name+".")
	}
	return all
}

func fieldFacts(f *registry.Field, path string) [][2]string {
	facts := [][2]string{{"takes", words(f)}}
	if f.Default != "" {
		facts = append(facts, [2]string{"default", f.Default})
	}
	if f.Strict {
		facts = append(facts, [2]string{"nil", "is an error: it would lift what is restricted"})
	}
	if f.JSON != "" {
		facts = append(facts, [2]string{"in JSON", path + f.JSON + ", with the opposite meaning"})
	}
	return facts
}

// merged words how a field of a later fragment meets an earlier one.
func merged(f *registry.Field, path string) string {
	text := [...]string{registry.Replace: "a later fragment's takes the place of an earlier one's", registry.ByKey: "key by key",
		registry.ByTarget: "by target: a later item takes the place of an earlier one's with the same target"}[f.Merge]
	if f.Kind == registry.Bool || strings.Contains(f.Lua, "boolean") {
		return text
	}
	return text + "; false removes"
}

// words says what a field takes.
func words(f *registry.Field) string {
	switch {
	case f.Kind == registry.Size:
		return f.Kind.String() + ", or bytes as a whole number"
	case f.Kind == registry.Rootfs && f.Lua == "sandbox.Rootfs":
		return "a root filesystem"
	case f.Kind == registry.Other || f.Kind == registry.Choice || f.Lua == "string|integer":
		return inWords(f.LuaType())
	}
	return f.Kind.String()
}

// inWords says a type of an editor's in words: "a string or a whole number".
func inWords(lua string) string {
	var all []string
	for one := range strings.SplitSeq(lua, "|") {
		switch {
		case one == "string":
			one = "a string"
		case one == "integer":
			one = "a whole number"
		case one == "number":
			one = "a number"
		case one == "boolean":
			one = "true, false"
		case one == "string[]":
			one = "a list of strings"
		case one == "userdata":
			one = "null"
		case strings.HasPrefix(one, "sandbox.") && strings.HasSuffix(one, "[]"):
			one = "a list of tables"
		case strings.HasPrefix(one, "sandbox."):
			one = "a table"
		}
		all = append(all, one)
	}
	if n := len(all); n > 1 {
		return strings.Join(all[:n-1], ", ") + " or " + all[n-1]
	}
	return all[0]
}

func rows(of []registry.Field) []Row {
	var all []Row
	for i := range of {
		if f := &of[i]; f.Later == "" {
			all = append(all, Row{f.Name, words(f), f.Doc})
		}
	}
	return all
}

// containers are the methods of a container.
func containers() []Topic {
	all := []Topic{{Name: "container", Title: "c, what sandbox.container returns", Group: Containers, Aka: []string{"c", "containers"}, List: "methods",
		Doc: "A container is never changed: extend makes another. Its fields can be read, c.limits.memory; those that are not set are nil. A recipe returns one."}}
	for i := range registry.Methods {
		f := &registry.Methods[i]
		t := function("c:"+f.Name, f)
		t.Group = Containers
		all[0].Rows = append(all[0].Rows, Row{t.Title, "", f.Doc})
		all = append(all, t)
	}
	return all
}

// stages are the stages, and what ctx has there.
func stages() []Topic {
	var all []Topic
	for i := range registry.Stages {
		s := &registry.Stages[i]
		t := Topic{Name: s.Name, Title: "hooks of the stage " + s.Name, Doc: s.When, Group: Hooks, Aka: s.Aka, List: "ctx has",
			Facts: [][2]string{{"an error", lowerFirst(s.Failure)}, {"hooks after it", "are " + s.Rest}, {"deadline", s.Deadline + ", unless { deadline = … } says otherwise"}}}
		for j := range registry.Context {
			if m := &registry.Context[j]; m.Stages&s.Stage != 0 {
				t.Rows = append(t.Rows, Row{memberTitle(m), "", m.Doc})
			}
		}
		for j := range registry.Methods {
			if m := &registry.Methods[j]; m.Name == s.Name {
				t.Example = m.Example
			}
		}
		all = append(all, t)
	}
	return all
}

// context is ctx and its members.
func context() []Topic {
	all := []Topic{{Name: "ctx", Title: "ctx, the argument of a hook", Group: Context, Aka: []string{"context"}, List: "members",
		Doc: "What a hook may see and do. A method is called with a colon; no field is assigned to, but those of ctx.data."}}
	for i := range registry.Context {
		m := &registry.Context[i]
		t := function("ctx:"+m.Name, &m.Function)
		if !m.Method {
			t.Name, t.Title = "ctx."+m.Name, "ctx."+m.Name
			t.Facts = [][2]string{{"is", words(&m.Returns)}}
			t.List, t.Rows, t.Results = "fields", t.Results, nil
		}
		t.Facts = append(t.Facts, [2]string{"stages", m.Stages.String()})
		t.Group = Context
		all[0].Rows = append(all[0].Rows, Row{memberTitle(m), "", m.Doc})
		all = append(all, t)
	}
	return all
}

func memberTitle(m *registry.Member) string {
	if m.Method {
		return call("ctx:"+m.Name, m.Args)
	}
	return "ctx." + m.Name
}

// module is a module, its functions and its values.
func module(m *stdlib.Module) []Topic {
	known := registry.FindModule(m.Name)
	all := []Topic{{Name: m.Name, Title: "local " + m.Name + " = require \"" + m.Name + "\"", Doc: known.Doc, Aka: known.Aka, Group: Modules, List: "functions"}}
	for i := range m.Functions {
		f := &m.Functions[i].Function
		t := function(m.Name+"."+f.Name, f)
		t.Group, t.Inner = Modules, true
		t.Facts = append(t.Facts, [2]string{"can be called", f.Phase.String()})
		all[0].Rows = append(all[0].Rows, Row{call(m.Name+"."+f.Name, f.Args), "", f.Doc})
		all = append(all, t)
	}
	for i := range m.Values {
		f := &m.Values[i].Field
		all[0].Rows = append(all[0].Rows, Row{m.Name + "." + f.Name, "", f.Doc})
		all = append(all, Topic{Name: m.Name + "." + f.Name, Title: m.Name + "." + f.Name, Doc: f.Doc, Aka: f.Aka, Group: Modules, Inner: true, Example: f.Example})
	}
	return all
}

// function is the topic of a function or a method.
func function(name string, f *registry.Function) Topic {
	t := Topic{Name: name, Title: call(name, f.Args), Doc: f.Doc, Aka: f.Aka, Example: f.Example, Gives: f.Gives, List: "arguments"}
	if f.Returns.Kind != registry.Nothing {
		t.Title += " → " + words(&f.Returns)
		if f.Returns.Doc != "" {
			t.Facts = append(t.Facts, [2]string{"returns", lowerFirst(f.Returns.Doc)})
		}
	}
	if f.Otherwise.Kind != registry.Nothing {
		t.Facts = append(t.Facts, [2]string{"or", call(name, f.Other) + " → " + words(&f.Otherwise)})
	}
	for i := range f.Args {
		a := &f.Args[i]
		t.Rows = append(t.Rows, Row{argument(a), words(a), withDefault(a)})
		t.Rows = append(t.Rows, optionRows(a.Sub)...)
		t.Rows = append(t.Rows, optionRows(a.Of)...)
	}
	t.Results = resultRows(f.Returns.Sub, "")
	return t
}

func optionRows(of []registry.Field) []Row {
	var all []Row
	for i := range of {
		all = append(all, Row{"  " + of[i].Name + " =", words(&of[i]), withDefault(&of[i])})
	}
	return all
}

func resultRows(of []registry.Field, before string) []Row {
	var all []Row
	for i := range of {
		all = append(all, Row{before + of[i].Name, words(&of[i]), of[i].Doc})
		all = append(all, resultRows(of[i].Sub, before+of[i].Name+".")...)
	}
	return all
}

func withDefault(f *registry.Field) string {
	if f.Default == "" {
		return f.Doc
	}
	return strings.TrimSpace(f.Doc + " Default: " + f.Default + ".")
}

// call writes a call: fs.read(path), sandbox.bind(source, target, [options]).
func call(name string, args []registry.Field) string {
	var all []string
	for i := range args {
		all = append(all, argument(&args[i]))
	}
	return name + "(" + strings.Join(all, ", ") + ")"
}

func argument(a *registry.Field) string {
	switch {
	case a.Many && a.Optional:
		return "…"
	case a.Many:
		return a.Name + ", …"
	case a.Optional:
		return "[" + a.Name + "]"
	}
	return a.Name
}

func lowerFirst(s string) string {
	s = strings.TrimSuffix(s, ".")
	if len(s) > 1 && s[1] >= 'A' && s[1] <= 'Z' || strings.HasPrefix(s, "SHA") {
		return s
	}
	return strings.ToLower(s[:min(1, len(s))]) + s[min(1, len(s)):]
}
