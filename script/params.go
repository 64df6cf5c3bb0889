package script

import (
	"slices"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/registry"
	"sandbox/script/stdlib"
	"sandbox/script/vm"
)

// ParamType is what a parameter holds.
type ParamType string

// The types of parameters.
const (
	ParamString  ParamType = "string"
	ParamNumber  ParamType = "number"
	ParamBoolean ParamType = "boolean"
	ParamList    ParamType = "list" // of strings; its flag may be given several times
)

// Param is a parameter that a recipe declares.
type Param struct {
	Name string
	Type ParamType
	// Default is as on the command line; of a list one element each.
	Default  []string
	Help     string
	Choices  []string
	Required bool
	Origin   definition.Origin
}

// declareParams is sandbox.params{…}. It returns the values.
func (l *loader) declareParams(L *lua.LState) int {
	switch {
	case l.vm.Where(nil).File != l.main || l.isPart:
		L.RaiseError("sandbox.params is for the main recipe; give a library's functions arguments")
	case l.declared:
		L.RaiseError("sandbox.params is called twice; declare all parameters in one table")
	case len(l.containers) > 0:
		L.RaiseError("sandbox.params comes before sandbox.container")
	}
	l.declared = true
	before := len(l.found)
	reader := luaval.Reader{VM: l.vm, At: l.Load.Place, Problems: &l.found, KeepFalse: true, Mixed: func(at string) bool { return strings.Count(at, ".") == 0 }}
	v := reader.Read(L.Get(1), "", l.Load.Origin())
	d := paramDecoder{decoder: decoder{problems: &l.found, origins: definition.Origins{}}}
	if v.Kind != luaval.Map {
		d.wanted("sandbox.params", &v, "a table of parameters", "sandbox.params { name = default }")
	}
	l.params = []Param{}
	values := l.vm.State().NewTable()
	for i := range v.Fields {
		l.params = append(l.params, d.param(v.Fields[i].Name, &v.Fields[i].Value))
	}
	if len(l.found) == before && !l.paramsOnly {
		for i := range l.params {
			p := &l.params[i]
			values.RawSetString(p.Name, d.value(l.vm.State(), p, l.source.Params[p.Name]))
		}
	}
	d.undeclared(l.params, l.source.Params)
	if l.paramsOnly {
		l.vm.Kill(errParams)
		l.vm.Raise(L, errParams)
	}
	if len(l.found) > before {
		l.vm.Raise(L, &Error{Problems: slices.Clone(l.found[before:])})
	}
	L.Push(l.vm.Lock("params", values))
	return 1
}

type paramDecoder struct{ decoder }

func (d *paramDecoder) param(name string, v *luaval.Value) Param {
	p := Param{Name: name, Origin: v.Origin}
	d.checkName(name, v)
	def := v
	if v.Kind == luaval.List || v.Kind == luaval.Map {
		def = d.options(&p, v)
	}
	if def == nil {
		d.withoutDefault(&p, v)
		return p
	}
	is := paramType(def)
	switch {
	case is == "":
		d.wanted(name, def, "a string, a number, true, false, or a list of strings, as the default", "")
	case p.Type == "":
		p.Type = is
	case p.Type != is:
		d.wanted(name, def, "a default that is a "+string(p.Type), "")
	}
	p.Default = d.defaults(name, def)
	for _, value := range p.Default {
		if p.Choices != nil && !slices.Contains(p.Choices, value) {
			d.problem(name, def, "the default "+strconv.Quote(value)+" is none of the choices", "")
		}
	}
	return p
}

// withoutDefault is a parameter whose default is nothing.
func (d *paramDecoder) withoutDefault(p *Param, v *luaval.Value) {
	switch {
	case p.Type == "" && p.Choices == nil && !p.Required:
		d.problem(p.Name, v, "a parameter has a default, a type, or is required", "write "+p.Name+" = { \"default\", help = \"…\" }")
	case p.Type == "":
		p.Type = ParamString
	}
	if p.Type == ParamNumber && !p.Required {
		d.problem(p.Name, v, "a number has a default or is required", "")
	}
}

func paramType(v *luaval.Value) ParamType {
	switch v.Kind {
	case luaval.String:
		return ParamString
	case luaval.Number:
		return ParamNumber
	case luaval.Bool:
		return ParamBoolean
	case luaval.List:
		return ParamList
	case luaval.Map:
		if v.IsEmpty() {
			return ParamList
		}
	}
	return ""
}

func (d *paramDecoder) defaults(name string, v *luaval.Value) []string {
	switch v.Kind {
	case luaval.Bool:
		return []string{strconv.FormatBool(v.Bool)}
	case luaval.Number:
		return []string{luaval.NumberText(v.Number)}
	case luaval.String:
		return []string{v.Text}
	case luaval.List:
		return d.texts(name, v)
	}
	return nil
}

// checkName keeps parameters apart from the runner's flags.
func (d *paramDecoder) checkName(name string, v *luaval.Value) {
	at := definition.Join("", name)
	switch {
	case at != name || len(name) > 40 || name[0] >= 'A' && name[0] <= 'Z' || name[0] == '_':
		d.problem("sandbox.params", v, strconv.Quote(name)+" cannot be a flag", "use small letters, digits and _")
	case slices.Contains(registry.Runner, name):
		d.problem("sandbox.params", v, strconv.Quote(name)+" is a flag of the runner", "choose another name")
	}
}

// options reads { default, help = … }.
func (d *paramDecoder) options(p *Param, v *luaval.Value) *luaval.Value {
	var def *luaval.Value
	switch len(v.Items) {
	case 0:
	case 1:
		def = &v.Items[0]
	default:
		d.problem(p.Name, v, "the table has "+strconv.Itoa(len(v.Items))+" values", "a list as the default is { { \"a\", \"b\" } }")
	}
	for i := range v.Fields {
		name, f := v.Fields[i].Name, &v.Fields[i].Value
		at := definition.Join(p.Name, name)
		switch name {
		case "help":
			p.Help = vm.Printable(d.text(at, f))
		case "choices":
			p.Choices = d.texts(at, f)
		case "type":
			p.Type = ParamType(d.choice(at, f, "string", "number", "boolean", "list"))
		case "required":
			p.Required = d.flag(at, f, false)
		case "default":
			def = f
		default:
			*d.problems = append(*d.problems, stdlib.Unknown(p.Name, stdlib.ParamFields, name, f.Origin))
		}
	}
	return def
}

// value is what the program sees of a parameter.
func (d *paramDecoder) value(L *lua.LState, p *Param, given []string) lua.LValue {
	at := luaval.Value{Origin: p.Origin, Kind: luaval.String}
	flag := "--" + p.Name
	values := given
	if len(given) == 0 {
		values = p.Default
		if p.Required {
			d.problem(flag, &at, "a value is needed", p.Help)
			return lua.LNil
		}
	}
	if p.Type == ParamList {
		t := L.NewTable()
		for _, value := range values {
			d.checkChoice(p, &at, value)
			t.Append(lua.LString(value))
		}
		return t
	}
	value := ""
	if len(values) > 0 {
		value = values[len(values)-1]
		d.checkChoice(p, &at, value)
	}
	switch p.Type {
	case ParamBoolean:
		b, err := strconv.ParseBool(value)
		if err != nil && value != "" {
			d.problem(flag, &at, strconv.Quote(value)+" is neither true nor false", "")
		}
		return lua.LBool(b)
	case ParamNumber:
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || strings.Trim(value, "0123456789.-") != "" {
			d.problem(flag, &at, strconv.Quote(value)+" is no number", "")
		}
		return lua.LNumber(n)
	}
	return lua.LString(value)
}

func (d *paramDecoder) checkChoice(p *Param, at *luaval.Value, value string) {
	if p.Choices == nil || slices.Contains(p.Choices, value) {
		return
	}
	hint := ""
	if near := vm.Suggest(value, p.Choices); near != "" {
		hint = "did you mean " + strconv.Quote(near) + "?"
	}
	d.problem("--"+p.Name, at, strconv.Quote(value)+" is none of "+strings.Join(p.Choices, ", "), hint)
}

// undeclared notes flags that the recipe does not know.
func (d *paramDecoder) undeclared(params []Param, given map[string][]string) {
	names := make([]string, len(params))
	for i := range params {
		names[i] = params[i].Name
	}
	var unknown []string
	for name := range given {
		if !slices.Contains(names, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		hint := ""
		if near := vm.Suggest(name, names); near != "" {
			hint = "did you mean --" + near + "?"
		}
		d.problem("", &luaval.Value{}, "the recipe has no parameter --"+vm.Printable(name), hint)
	}
}
