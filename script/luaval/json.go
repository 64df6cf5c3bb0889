package luaval

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"sandbox/sandbox/definition"
)

// EncodeJSON writes a Lua value as JSON, keys in the table's order. Functions,
// userdata, mixed tables, gaps, metatables, cycles, NaN, strings that are no UTF-8
// and more than limit bytes are errors that name the path, which starts with root.
func EncodeJSON(value lua.LValue, root string, limit int) ([]byte, error) {
	e := encoder{limit: limit}
	if err := e.value(value, root); err != nil {
		return nil, err
	}
	return e.out, nil
}

type encoder struct {
	out   []byte
	open  []*lua.LTable
	limit int
}

func (e *encoder) value(value lua.LValue, path string) error {
	if len(e.out) > e.limit {
		return fmt.Errorf("%s is larger than %d bytes of JSON", path, e.limit)
	}
	switch x := value.(type) {
	case *lua.LNilType:
		e.out = append(e.out, "null"...)
	case lua.LBool:
		e.out = strconv.AppendBool(e.out, bool(x))
	case lua.LNumber:
		return e.number(float64(x), path)
	case lua.LString:
		return e.text(string(x), path)
	case *lua.LTable:
		return e.table(x, path)
	default:
		return fmt.Errorf("%s is a %s; only strings, numbers, booleans and tables of them can be kept", path, value.Type())
	}
	return nil
}

func (e *encoder) number(f float64, path string) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("%s is %s, which JSON does not have", path, NumberText(f))
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		e.out = strconv.AppendInt(e.out, int64(f), 10)
	} else {
		e.out = strconv.AppendFloat(e.out, f, 'g', -1, 64)
	}
	return nil
}

func (e *encoder) text(s, path string) error {
	if len(e.out)+len(s) > e.limit {
		return fmt.Errorf("%s is larger than %d bytes of JSON", path, e.limit)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s is a string that is no UTF-8", path)
	}
	text, err := json.Marshal(s)
	e.out = append(e.out, text...)
	return err
}

func (e *encoder) table(t *lua.LTable, path string) error {
	for _, outer := range e.open {
		if outer == t {
			return fmt.Errorf("%s contains itself", path)
		}
	}
	if len(e.open) >= MaxDepth {
		return fmt.Errorf("%s: more than %d tables inside one another", path, MaxDepth)
	}
	if t.Metatable != lua.LNil && t.Metatable != nil {
		return fmt.Errorf("%s is a table with a metatable", path)
	}
	e.open = append(e.open, t)
	defer func() { e.open = e.open[:len(e.open)-1] }()
	items, names := count(t)
	switch {
	case items < 0 || items > 0 && names > 0:
		return fmt.Errorf("%s is neither a list nor a table of string keys", path)
	case items > 0:
		return e.list(t, path, items)
	}
	return e.object(t, path)
}

func (e *encoder) list(t *lua.LTable, path string, n int) error {
	e.out = append(e.out, '[')
	for i := 1; i <= n; i++ {
		item := t.RawGetInt(i)
		at := definition.Item(path, i)
		if item == lua.LNil {
			return fmt.Errorf("%s is nil; a list has no gaps", at)
		}
		if i > 1 {
			e.out = append(e.out, ',')
		}
		if err := e.value(item, at); err != nil {
			return err
		}
	}
	e.out = append(e.out, ']')
	return nil
}

func (e *encoder) object(t *lua.LTable, path string) error {
	e.out = append(e.out, '{')
	first := true
	for k, item := t.Next(lua.LNil); k != lua.LNil; k, item = t.Next(k) {
		name := string(k.(lua.LString))
		if !first {
			e.out = append(e.out, ',')
		}
		first = false
		if err := e.text(name, path); err != nil {
			return err
		}
		e.out = append(e.out, ':')
		if err := e.value(item, definition.Join(path, name)); err != nil {
			return err
		}
	}
	e.out = append(e.out, '}')
	return nil
}

// DecodeJSON makes a Lua value of a JSON text, keys in its order; null is nil, so a
// key with null is left out.
func DecodeJSON(L *lua.LState, text []byte) (lua.LValue, error) {
	d := decoder{L: L, json: json.NewDecoder(bytes.NewReader(text))}
	value, err := d.value(0)
	if err != nil {
		return lua.LNil, err
	}
	if _, err := d.json.Token(); err != io.EOF {
		return lua.LNil, errors.New("text after the JSON value")
	}
	return value, nil
}

type decoder struct {
	L    *lua.LState
	json *json.Decoder
}

func (d *decoder) value(depth int) (lua.LValue, error) {
	if depth > MaxDepth {
		return lua.LNil, fmt.Errorf("more than %d levels of JSON", MaxDepth)
	}
	token, err := d.json.Token()
	if err != nil {
		return lua.LNil, err
	}
	switch x := token.(type) {
	case bool:
		return lua.LBool(x), nil
	case float64:
		return lua.LNumber(x), nil
	case string:
		return lua.LString(x), nil
	case json.Delim:
		return d.table(x, depth+1)
	}
	return lua.LNil, nil
}

func (d *decoder) table(open json.Delim, depth int) (lua.LValue, error) {
	t := d.L.NewTable()
	for d.json.More() {
		var key lua.LValue
		if open == '{' {
			token, err := d.json.Token()
			if err != nil {
				return lua.LNil, err
			}
			key = lua.LString(token.(string))
		}
		item, err := d.value(depth)
		if err != nil {
			return lua.LNil, err
		}
		if key == nil {
			t.Append(item)
		} else {
			t.RawSet(key, item)
		}
	}
	_, err := d.json.Token()
	return t, err
}
