package stdlib

import (
	lua "github.com/yuin/gopher-lua"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/registry"
	"sandbox/script/vm"
)

// call is one call of a builder: what it read, and whether that is any good.
type call struct {
	*Load
	name    string // "sandbox.bind"
	options luaval.Value
	bad     bool
}

// begin reads the options of a builder, the argument with number last, and notes
// arguments beyond.
func (l *Load) begin(L *lua.LState, name string, last int, fields []registry.Field) *call {
	c := &call{Load: l, name: "sandbox." + name}
	before := len(*l.Problems)
	if L.GetTop() > last {
		l.Problem(c.name, "too many arguments", "")
	}
	if last > 0 && fields != nil {
		c.options = l.Read(L.Get(last), c.name)
		c.check(fields)
	}
	c.bad = len(*l.Problems) > before
	return c
}

// check notes options that do not exist.
func (c *call) check(fields []registry.Field) {
	switch c.options.Kind {
	case luaval.Map:
	case luaval.Nothing:
		return
	default:
		c.wanted(c.name, "a table of options", &c.options)
		return
	}
	for _, f := range c.options.Fields {
		if registry.Find(fields, f.Name) == nil {
			*c.Problems = append(*c.Problems, Unknown(c.name, fields, f.Name, f.Value.Origin))
		}
	}
}

// Unknown is the problem of a key that does not exist, with what is meant by it.
func Unknown(path string, fields []registry.Field, key string, origin definition.Origin) definition.Problem {
	p := definition.Problem{Path: path, Message: "unknown key " + quote(key), Origin: origin}
	if near := registry.Aka(fields, "", key); near != "" {
		p.Hint = "use " + near
	} else if near := vm.Suggest(key, registry.Names(fields)); near != "" {
		p.Hint = "did you mean " + quote(near) + "?"
	}
	return p
}

// text reads an argument that is a string; false when it is none.
func (c *call) text(L *lua.LState, n int, what string) (string, bool) {
	if s, ok := L.Get(n).(lua.LString); ok {
		return string(s), true
	}
	v := c.Read(L.Get(n), c.name)
	if v.Kind != luaval.Nothing || L.Get(n) == lua.LNil {
		c.wanted(c.name, what, &v)
	}
	c.bad = true
	return "", false
}

// host reads a host path.
func (c *call) host(name string, origin definition.Origin) string {
	path, problem, hint := HostPath(c.Project, name)
	if problem != "" {
		*c.Problems = append(*c.Problems, definition.Problem{Path: c.name, Message: quote(name) + ": " + problem, Hint: hint, Origin: origin})
		c.bad = true
	}
	return path
}

// flag reads an option that is true or false.
func (c *call) flag(name string, def bool) bool {
	v := c.options.Field(name)
	if v == nil {
		return def
	}
	if v.Kind != luaval.Bool {
		c.reject(name, registry.Bool.String(), v)
	}
	return v.Bool
}

func (c *call) reject(name, what string, v *luaval.Value) {
	c.bad = true
	if v.Kind != luaval.Nothing {
		c.wanted(definition.Join(c.name, name), what, v)
	}
}

// word reads an option that is a string.
func (c *call) word(name string) (text string, found bool) {
	v := c.options.Field(name)
	if v == nil {
		return "", false
	}
	if v.Kind != luaval.String {
		c.reject(name, registry.Text.String(), v)
	}
	return v.Text, true
}

func (c *call) mode() *uint32 {
	v := c.options.Field("mode")
	if v == nil {
		return nil
	}
	mode, err := luaval.Mode(v)
	if err != nil {
		c.bad = true
		*c.Problems = append(*c.Problems, definition.Problem{Path: c.name + ".mode", Message: err.Error(), Origin: v.Origin})
	}
	return &mode
}

func (c *call) size() definition.Bytes {
	v := c.options.Field("size")
	if v == nil {
		return 0
	}
	size, err := luaval.Size(v)
	if err != nil {
		c.bad = true
		*c.Problems = append(*c.Problems, definition.Problem{Path: c.name + ".size", Message: err.Error(), Origin: v.Origin})
	}
	return size
}
