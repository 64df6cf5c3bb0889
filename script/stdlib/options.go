package stdlib

import (
	lua "github.com/yuin/gopher-lua"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/registry"
	"sandbox/script/vm"
)

// collect reads the options of a function that notes what is wrong with its
// arguments and goes on, and notes arguments beyond.
func (c *Call) collect() {
	before := len(*c.Problems)
	last := len(c.Args)
	if last == 0 || !c.Args[last-1].Many {
		if c.L.GetTop() > last {
			c.Problem(c.Called, "too many arguments", "")
		}
	}
	if last > 0 && c.Args[last-1].Kind == registry.Options {
		c.readOptions(last, c.Args[last-1].Sub)
	}
	c.bad = len(*c.Problems) > before
}

// readOptions reads the argument with a number, and notes keys that it cannot have.
func (c *Call) readOptions(n int, fields []registry.Field) {
	c.options = c.Read(c.L.Get(n), c.Called)
	switch c.options.Kind {
	case luaval.Map:
	case luaval.Nothing:
		return
	default:
		c.wanted(c.Called, "a table of options", &c.options)
		return
	}
	for _, f := range c.options.Fields {
		if registry.Find(fields, f.Name) == nil {
			*c.Problems = append(*c.Problems, Unknown(c.Called, fields, f.Name, f.Value.Origin))
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

// zero is no origin: that of an error which is raised gets its line from the VM.
var zero definition.Origin

// word reads an argument that is a string, and notes one that is none.
func (c *Call) word(n int) (text string, ok bool) {
	a := &c.Args[n-1]
	value := c.L.Get(n)
	if s, ok := value.(lua.LString); ok {
		return string(s), true
	}
	c.bad = true
	if value == lua.LNil && a.Optional {
		return "", false
	}
	v := c.Read(value, c.Called)
	if v.Kind != luaval.Nothing || value == lua.LNil {
		*c.Problems = append(*c.Problems, definition.Problem{Path: c.Called, Origin: v.Origin, Hint: "as in " + c.Example,
			Message: "wanted " + Noun(a) + ", found " + v.Describe()})
	}
	return "", false
}

// host reads a host path.
func (c *Call) host(name string, origin definition.Origin) string {
	path, problem, hint := HostPath(c.Project, name)
	if problem != "" {
		*c.Problems = append(*c.Problems, definition.Problem{Path: c.Called, Message: quote(name) + ": " + problem, Hint: hint, Origin: origin})
		c.bad = true
	}
	return path
}

// flag reads an option that is true or false.
func (c *Call) flag(name string, def bool) bool {
	v := c.options.Field(name)
	if v == nil {
		return def
	}
	if v.Kind != luaval.Bool {
		c.reject(name, registry.Bool.String(), v)
	}
	return v.Bool
}

func (c *Call) reject(name, what string, v *luaval.Value) {
	c.bad = true
	if v.Kind != luaval.Nothing {
		c.wanted(definition.Join(c.Called, name), what, v)
	}
}

// textOption reads an option that is a string.
func (c *Call) textOption(name string) (text string, found bool) {
	v := c.options.Field(name)
	if v == nil {
		return "", false
	}
	if v.Kind != luaval.String {
		c.reject(name, registry.Text.String(), v)
	}
	return v.Text, true
}

func (c *Call) mode() *uint32 {
	v := c.options.Field("mode")
	if v == nil {
		return nil
	}
	mode, err := luaval.Mode(v)
	c.note("mode", v, err)
	return &mode
}

func (c *Call) size() definition.Bytes {
	v := c.options.Field("size")
	if v == nil {
		return 0
	}
	size, err := luaval.Size(v)
	c.note("size", v, err)
	return size
}

// note notes what is wrong with an option.
func (c *Call) note(name string, v *luaval.Value, err error) {
	if err != nil {
		c.bad = true
		*c.Problems = append(*c.Problems, definition.Problem{Path: c.Called + "." + name, Message: err.Error(), Origin: v.Origin})
	}
}
