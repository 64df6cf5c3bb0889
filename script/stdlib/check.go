package stdlib

import (
	"errors"
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/luaval"
	"sandbox/script/registry"
	"sandbox/script/vm"
)

// Signature is a function as its callers know it.
type Signature struct {
	*registry.Function
	Called string // "fs.read", "ctx:read"
	First  int    // the stack index of its first argument
}

// Check tells what is wrong with the arguments of a call, in one shape:
//
//	fs.read wants a path, not the number 5, as in fs.read("go.mod")
func (s Signature) Check(L *lua.LState) error {
	for i := range s.Args {
		a, n := &s.Args[i], s.First+i
		if a.Many {
			return s.many(L, a, n)
		}
		if err := s.argument(L, a, n); err != nil {
			return err
		}
	}
	if most := len(s.Args); L.GetTop() >= s.First+most {
		return s.wants("no more than " + plural(most, "argument"))
	}
	return nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func (s Signature) many(L *lua.LState, a *registry.Field, n int) error {
	if L.GetTop() < n && !a.Optional {
		return s.wrong(a, lua.LNil)
	}
	for ; n <= L.GetTop(); n++ {
		if value := L.Get(n); !Accepts(a, value) {
			return s.wrong(a, value)
		}
	}
	return nil
}

func (s Signature) argument(L *lua.LState, a *registry.Field, n int) error {
	value := L.Get(n)
	if value == lua.LNil && a.Optional {
		return nil
	}
	if L.GetTop() < n || !Accepts(a, value) {
		return s.wrong(a, value)
	}
	if a.Kind == registry.Options {
		return s.keys(a, value.(*lua.LTable))
	}
	return nil
}

// keys checks the keys of a table of options, and their values.
func (s Signature) keys(a *registry.Field, t *lua.LTable) error {
	for k, value := t.Next(lua.LNil); k != lua.LNil; k, value = t.Next(k) {
		name, ok := k.(lua.LString)
		if !ok {
			return s.wants("a table with keys as " + a.Name)
		}
		f := registry.Find(a.Sub, string(name))
		if f == nil {
			p := Unknown(s.Called, a.Sub, string(name), zero)
			return errors.New(p.Error())
		}
		if !Accepts(f, value) {
			return s.wrong(f, value)
		}
	}
	return nil
}

func (s Signature) wrong(a *registry.Field, value lua.LValue) error {
	what := Noun(a)
	if value != lua.LNil {
		what += ", not " + Describe(value)
	}
	return s.wants(what)
}

func (s Signature) wants(what string) error {
	text := s.Called + " wants " + what
	if s.Example != "" {
		text += ", as in " + s.Example
	}
	return errors.New(text)
}

// Noun words what an argument is: "a path", "a string as separator".
func Noun(a *registry.Field) string {
	what := a.Kind.String()
	if a.Kind == registry.Choice {
		what = alternatives(a.Choices)
	}
	if strings.HasSuffix(what, " "+a.Name) {
		return what
	}
	return what + " as " + a.Name
}

// alternatives words a choice: "a", "b" or "c".
func alternatives(words []string) string {
	text := ""
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			text += " or "
		default:
			text += ", "
		}
		text += quote(w)
	}
	return text
}

// Accepts tells whether a value is of a field's kind, as far as its type goes: that
// a string is a size or a time is for whoever reads it.
func Accepts(f *registry.Field, value lua.LValue) bool {
	switch f.Kind {
	case registry.Text, registry.Path, registry.HostPath, registry.Name:
		return value.Type() == lua.LTString
	case registry.Printable, registry.Size, registry.Time, registry.Mode:
		return value.Type() == lua.LTString || finite(value)
	case registry.Choice:
		word, ok := value.(lua.LString)
		return ok && registry.Chosen(f, string(word))
	case registry.Bool:
		return value.Type() == lua.LTBool
	case registry.Number:
		return finite(value)
	case registry.Count:
		n, ok := value.(lua.LNumber)
		return ok && float64(n) == math.Trunc(float64(n)) && math.Abs(float64(n)) < 1<<53
	case registry.Texts, registry.Words, registry.Table, registry.Options, registry.Mounts, registry.List, registry.Map:
		return value.Type() == lua.LTTable
	case registry.Command:
		return value.Type() == lua.LTTable || value.Type() == lua.LTString
	case registry.Func:
		return value.Type() == lua.LTFunction
	}
	return true
}

func finite(value lua.LValue) bool {
	n, ok := value.(lua.LNumber)
	return ok && !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0)
}

// Describe words a value for "not …".
func Describe(value lua.LValue) string {
	v := luaval.Value{}
	switch x := value.(type) {
	case lua.LString:
		v.Kind, v.Text = luaval.String, string(x)
	case lua.LNumber:
		v.Kind, v.Number = luaval.Number, float64(x)
	case lua.LBool:
		v.Kind, v.Bool = luaval.Bool, bool(x)
	case *lua.LUserData:
		v.Kind, v.Go = luaval.Opaque, x.Value
	case *lua.LNilType:
	default:
		return "a " + value.Type().String()
	}
	return vm.Printable(v.Describe())
}
