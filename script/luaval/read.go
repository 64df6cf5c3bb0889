package luaval

import (
	"fmt"
	"math"
	"strconv"

	lua "github.com/yuin/gopher-lua"

	"sandbox/sandbox/definition"
	"sandbox/script/vm"
)

// MaxDepth is how deep tables may be inside one another.
const MaxDepth = 20

// maxValues bounds one reading: tables that share parts multiply.
const maxValues = 1 << 18

// Reader reads values of one VM.
type Reader struct {
	VM *vm.VM
	// At turns a place in a file into an origin.
	At func(vm.Place) definition.Origin
	// Strict tells whether nil for a path is a problem rather than nothing.
	Strict func(path string) bool
	// Mixed tells whether a path may have list items and keys in one table; nil means never.
	Mixed func(path string) bool
	// KeepFalse keeps items of lists that are false, which are left out otherwise.
	KeepFalse bool
	// Problems collects what is wrong.
	Problems *definition.Problems

	open  []*lua.LTable // the tables around the one being read
	count int
}

// Read returns a value as a tree. path names it in problems; origin is where it was
// written, unless its table knows better.
func (r *Reader) Read(value lua.LValue, path string, origin definition.Origin) Value {
	v := Value{Origin: origin}
	if r.count++; r.count > maxValues {
		if r.count == maxValues+1 {
			r.problem(path, origin, "more than "+strconv.Itoa(maxValues)+" values", "")
		}
		return v
	}
	switch x := value.(type) {
	case lua.LBool:
		v.Kind, v.Bool = Bool, bool(x)
	case lua.LNumber:
		v.Kind, v.Number = Number, float64(x)
		if math.IsNaN(v.Number) || math.IsInf(v.Number, 0) {
			r.problem(path, origin, "the number is "+NumberText(v.Number), "a division by zero?")
			v.Kind = Nothing
		}
	case lua.LString:
		v.Kind, v.Text = String, string(x)
	case *lua.LTable:
		return r.table(x, path, origin)
	case *lua.LUserData:
		v.Kind, v.Go = Opaque, x.Value
	case *lua.LNilType:
		r.problem(path, origin, "the value is nil", "")
	default:
		r.problem(path, origin, "a "+value.Type().String()+" cannot be part of a definition", hintOf(value))
	}
	return v
}

func hintOf(value lua.LValue) string {
	if value.Type() == lua.LTFunction {
		return "call it, or give it to a hook"
	}
	return ""
}

func (r *Reader) problem(path string, origin definition.Origin, message, hint string) {
	*r.Problems = append(*r.Problems, definition.Problem{Path: path, Message: message, Hint: hint, Origin: origin})
}

// table reads a list or a map.
func (r *Reader) table(t *lua.LTable, path string, origin definition.Origin) Value {
	v := Value{Origin: origin}
	if !r.enter(t, path, origin) {
		return v
	}
	defer func() { r.open = r.open[:len(r.open)-1] }()
	site := r.VM.Site(t)
	for _, p := range site.Problems() {
		r.problem(path, r.At(vm.Place{File: p.File, Line: p.Line}), p.Message, p.Hint)
	}
	r.nils(site, path)
	items, names := count(t)
	switch {
	case items < 0:
		r.problem(path, origin, "a key of the table is neither a string nor a list index", "")
	case items > 0 && names > 0 && r.Mixed != nil && r.Mixed(path):
		v.Kind = Map
		r.list(t, &v, path, items)
		r.fields(t, &v, path)
	case items > 0 && names > 0:
		r.problem(path, origin, "the table is both a list and a table with keys", "write either { \"a\", \"b\" } or { key = \"a\" }")
	case items > 0:
		v.Kind = List
		r.list(t, &v, path, items)
	default:
		v.Kind = Map
		r.fields(t, &v, path)
	}
	return v
}

// enter refuses tables that a tree cannot be made of.
func (r *Reader) enter(t *lua.LTable, path string, origin definition.Origin) bool {
	for _, outer := range r.open {
		if outer == t {
			r.problem(path, origin, "the table contains itself", "")
			return false
		}
	}
	if len(r.open) >= MaxDepth {
		r.problem(path, origin, "more than "+strconv.Itoa(MaxDepth)+" tables inside one another", "")
		return false
	}
	if t.Metatable != lua.LNil && t.Metatable != nil && !r.VM.Locked(t) {
		r.problem(path, origin, "the table has a metatable", "a definition is plain data")
		return false
	}
	r.open = append(r.open, t)
	return true
}

// nils reports keys that were given nil where that would lift a limit.
func (r *Reader) nils(site *vm.Site, path string) {
	if r.Strict == nil {
		return
	}
	for _, name := range site.NilKeys() {
		if at := definition.Join(path, name); r.Strict(at) {
			r.problem(at, r.At(site.Key(name)), "the value is nil", "a misspelt variable? write false to leave it out")
		}
	}
}

// count counts a table's list items and string keys; -1 items for other keys.
func count(t *lua.LTable) (items, names int) {
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		switch x := k.(type) {
		case lua.LString:
			names++
		case lua.LNumber:
			if f := float64(x); f != math.Trunc(f) || f < 1 {
				return -1, 0
			}
			items++
		default:
			return -1, 0
		}
	}
	return items, names
}

// list reads items 1 to n; false items are left out.
func (r *Reader) list(t *lua.LTable, v *Value, path string, n int) {
	site := r.VM.Site(t)
	for i := 1; i <= n; i++ {
		at := definition.Item(path, i)
		item := t.RawGetInt(i)
		if item == lua.LNil {
			if len(site.Problems()) == 0 {
				r.problem(at, v.Origin, fmt.Sprintf("item %d of this list is nil", i), "a list has no gaps; false is left out")
			}
			return
		}
		if item == lua.LFalse && !r.KeepFalse {
			continue
		}
		origin := v.Origin
		if place := site.Item(i); place.File != "" {
			origin = r.At(place)
		}
		v.Items = append(v.Items, r.Read(item, at, origin))
	}
}

func (r *Reader) fields(t *lua.LTable, v *Value, path string) {
	site := r.VM.Site(t)
	for k, item := t.Next(lua.LNil); k != lua.LNil; k, item = t.Next(k) {
		name, ok := k.(lua.LString)
		if !ok {
			continue
		}
		origin := v.Origin
		if place := site.Key(string(name)); place.File != "" {
			origin = r.At(place)
		}
		v.Fields = append(v.Fields, Field{string(name), r.Read(item, definition.Join(path, string(name)), origin)})
	}
}
