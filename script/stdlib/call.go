package stdlib

import (
	lua "github.com/yuin/gopher-lua"

	"sandbox/script/luaval"
	"sandbox/script/registry"
	"sandbox/script/vm"
)

// Call is one call of a function of a module. Its arguments have been checked
// against the registry.
type Call struct {
	*Load
	L *lua.LState
	Signature
	options luaval.Value // of a function that collects
	bad     bool         // something about the call has been noted
	steps   int
}

// call is any call of a function of a module.
func (l *Load) call(L *lua.LState, module string, f *Function) int {
	c := &Call{Load: l, L: L, Signature: Signature{&f.Function, module + "." + f.Name, 1}}
	switch {
	case l.Ended && f.Phase&registry.InHooks == 0:
		L.RaiseError("%s belongs to the load phase; a hook acts through ctx", c.Called)
	case !l.Ended && f.Phase&registry.Loading == 0:
		L.RaiseError("%s belongs to hooks: a recipe's load depends on nothing but its inputs", c.Called)
	}
	if f.Collects {
		c.collect()
	} else if err := c.Check(L); err != nil {
		c.raise(err)
	}
	return f.run(c)
}

// raise ends the call with an error of Go's.
func (c *Call) raise(err error) { c.VM.Raise(c.L, err) }

// fail ends the call with an error that names the function.
func (c *Call) fail(format string, args ...any) {
	c.L.RaiseError("%s: "+format, append([]any{c.Called}, args...)...)
}

// step counts work, and ends the call when the VM has ended.
func (c *Call) step() { c.VM.Step(c.L, &c.steps) }

// given tells whether there is an argument with a number.
func (c *Call) given(n int) bool { return c.L.Get(n) != lua.LNil }

// text is an argument that is a string, or "".
func (c *Call) text(n int) string { return lua.LVAsString(c.L.Get(n)) }

// printed is an argument that is a string or a number, as tostring shows it.
func (c *Call) printed(n int) string { return vm.Text(c.L.Get(n)) }

// number is an argument that is a number, or 0.
func (c *Call) number(n int) float64 { return float64(lua.LVAsNumber(c.L.Get(n))) }

// whole is an argument that is a whole number, or otherwise when not given.
func (c *Call) whole(n, otherwise int) int {
	if !c.given(n) {
		return otherwise
	}
	return int(c.number(n))
}

// table is an argument that is a table.
func (c *Call) table(n int) *lua.LTable { return c.L.Get(n).(*lua.LTable) }

// option is a key of the options, which are the argument with a number; nil when it
// was not given.
func (c *Call) option(n int, name string) lua.LValue {
	if !c.given(n) {
		return lua.LNil
	}
	return c.table(n).RawGetString(name)
}

// push returns a value from the call.
func (c *Call) push(value lua.LValue) int {
	c.L.Push(value)
	return 1
}

// pushText returns a string, if it is not too long.
func (c *Call) pushText(s string) int {
	c.VM.Fits(c.L, len(s))
	return c.push(lua.LString(s))
}

func (c *Call) pushBool(b bool) int { return c.push(lua.LBool(b)) }

// newTable makes a table that takes no memory ahead: gopher-lua's own has room for 32
// of each, 2 KB.
func (c *Call) newTable() *lua.LTable { return c.L.CreateTable(0, 0) }

// texts makes a list of strings.
func (c *Call) texts(all []string) *lua.LTable {
	t := c.L.CreateTable(len(all), 0)
	for _, s := range all {
		t.Append(lua.LString(s))
	}
	return t
}
