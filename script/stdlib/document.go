package stdlib

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/vm"
)

// null is the value of JSON and YAML that Lua has not: nil cannot be in a table.
type null struct{}

// Describe words it for messages.
func (null) Describe() string { return "null" }

// nullValue is the one null of a VM, so that it can be compared with ==.
func (l *Load) nullValue() lua.LValue {
	if l.null == nil {
		state := l.VM.State()
		mt := state.NewTable()
		mt.RawSetString("__metatable", lua.LString("locked"))
		mt.RawSetString("__tostring", state.NewFunction(func(L *lua.LState) int {
			L.Push(lua.LString("null"))
			return 1
		}))
		l.null = state.NewUserData()
		l.null.Value, l.null.Metatable = null{}, mt
	}
	return l.null
}

// exporter makes a document of a Lua value: nil, bool, int64, float64, string, []any
// and map[string]any.
type exporter struct {
	copier
	at     []string // the keys that led here, "[1]" for an item
	indent int      // spaces for each level
	bytes  int      // that the text will have, at least
}

// export reads the argument with a number as a document, if its text is not too long.
func (c *Call) export(n, indent int) any {
	e := &exporter{copier: copier{Call: c}, indent: indent}
	return e.value(c.L.Get(n))
}

// wrong ends the call with what is wrong at the place that has been reached.
func (e *exporter) wrong(what string) {
	path := ""
	for _, part := range e.at {
		if strings.HasPrefix(part, "[") {
			path += part
		} else {
			path = definition.Join(path, part)
		}
	}
	if path == "" {
		path = "the value"
	}
	e.fail("%s %s", vm.Printable(clip(path)), what)
}

// spend counts bytes of the text: what is too long is not made.
func (e *exporter) spend(n int) {
	if e.bytes += n; e.bytes > vm.MaxString {
		e.VM.Fits(e.L, e.bytes)
	}
}

func (e *exporter) value(value lua.LValue) any {
	e.one()
	e.spend(1 + e.indent*len(e.at))
	switch x := value.(type) {
	case *lua.LNilType:
		return nil
	case lua.LBool:
		return bool(x)
	case lua.LNumber:
		return e.number(float64(x))
	case lua.LString:
		return e.text(string(x))
	case *lua.LTable:
		return e.table(x)
	case *lua.LUserData:
		if _, ok := x.Value.(null); ok {
			return nil
		}
	}
	e.wrong("is " + Describe(value) + ", which no document can hold")
	return nil
}

// number is an int64 when it is whole, as far as that goes.
func (e *exporter) number(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < 1<<63 {
		return int64(f)
	}
	return f
}

func (e *exporter) text(s string) string {
	e.spend(len(s))
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\n' && s[i] != '\t' && s[i] != '\r' {
			e.spend(5) // \u0000
		}
	}
	if !utf8.ValidString(s) {
		e.wrong("is a string that is no UTF-8; base64.encode makes text of any bytes")
	}
	return s
}

func (e *exporter) table(t *lua.LTable) any {
	if t.Metatable != lua.LNil && t.Metatable != nil && !e.VM.Locked(t) {
		e.wrong("is a table with a metatable")
	}
	e.enter(t)
	defer e.leave()
	n, isList := listLength(t)
	if isList && (n > 0 || e.isList(t)) {
		list := make([]any, n)
		for i := range list {
			e.at = append(e.at, "["+strconv.Itoa(i+1)+"]")
			list[i] = e.value(t.RawGetInt(i + 1))
			e.at = e.at[:len(e.at)-1]
		}
		return list
	}
	return e.object(t)
}

func (e *exporter) object(t *lua.LTable) map[string]any {
	out := map[string]any{}
	for k, value := t.Next(lua.LNil); k != lua.LNil; k, value = t.Next(k) {
		name, ok := k.(lua.LString)
		if !ok {
			e.wrong("is neither a list without gaps nor a table whose keys are strings")
		}
		e.at = append(e.at, string(name))
		out[e.text(string(name))] = e.value(value)
		e.at = e.at[:len(e.at)-1]
	}
	return out
}

// importer makes Lua values of a document that is read.
type importer struct {
	copier
	inexact bool // whole numbers may be rounded
}

func (c *Call) importer(options int) *importer {
	return &importer{copier: copier{Call: c}, inexact: c.option(options, "exact") == lua.LFalse}
}

// list makes an empty list.
func (m *importer) list() *lua.LTable {
	t := m.newTable()
	m.markList(t)
	return t
}

// integer makes a number of a whole one that is written in decimal. From 2^53 on
// Lua's numbers hold only some; the others would silently become a neighbour.
func (m *importer) integer(digits string) (lua.LValue, string) {
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return lua.LNil, "the number " + clip(digits) + " is too large"
	}
	if math.Abs(f) >= 1<<53 && !m.inexact && strconv.FormatFloat(f, 'f', 0, 64) != digits {
		return lua.LNil, "Lua cannot hold the number " + clip(digits) + " exactly (it would be " + luaval.NumberText(f) + "); { exact = false } takes that"
	}
	return lua.LNumber(f), ""
}
