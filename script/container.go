package script

import (
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/registry"
	"sandbox/script/stdlib"
	"sandbox/script/vm"
)

// container is what sandbox.container and extend return.
type container struct {
	tree       luaval.Value
	hooks      []*hook
	origin     definition.Origin
	definition definition.Definition // of the one returned
}

// Describe words it for messages.
func (c *container) Describe() string { return "a container" }

// hook is a function registered on a container.
type hook struct {
	ref definition.HookRef
	fn  *lua.LFunction
}

// inContainer ends the name of a container's table in messages about writing to it.
const inContainer = " of a container cannot be changed"

func asContainer(value lua.LValue) *container {
	if u, ok := value.(*lua.LUserData); ok {
		c, _ := u.Value.(*container)
		return c
	}
	return nil
}

// newContainer is sandbox.container(fragment, …).
func (l *loader) newContainer(L *lua.LState) int {
	c := &container{origin: l.Load.Origin(), tree: luaval.Value{Kind: luaval.Map}}
	if L.GetTop() == 0 {
		l.Load.Problem("", "sandbox.container wants a table of fields", "sandbox.container { process = { args = { \"true\" } } }")
	}
	l.lay(L, c, 1)
	return l.push(L, c)
}

// lay merges the arguments from first on over a container's tree.
func (l *loader) lay(L *lua.LState, c *container, first int) {
	m := merger{problems: &l.found}
	reader := luaval.Reader{VM: l.vm, At: l.Load.Place, Strict: strictPath, Mixed: mixedPath, Problems: &l.found}
	for i := first; i <= L.GetTop(); i++ {
		fragment := L.Get(i)
		switch {
		case fragment == lua.LFalse:
		case asContainer(fragment) != nil:
			l.Load.Problem("", "fragment "+strconv.Itoa(i-first+1)+" is a container", "write base:extend { … }")
		case fragment.Type() != lua.LTTable:
			l.Load.Problem("", "fragment "+strconv.Itoa(i-first+1)+" is a "+fragment.Type().String()+"; wanted a table of fields", "false is left out")
		default:
			v := reader.Read(fragment, "", l.Load.Origin())
			if v.Kind == luaval.List {
				l.Load.Problem("", "fragment "+strconv.Itoa(i-first+1)+" is a list; wanted a table of fields", "")
				continue
			}
			c.tree = m.fields(&c.tree, &v, registry.Definition, "")
		}
	}
}

// strictPath tells where a value of nil would lift a restriction.
func strictPath(at string) bool {
	for _, field := range [...]string{"limits", "caps", "seccomp", "network"} {
		if rest, ok := strings.CutPrefix(at, field); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

// mixedPath allows { "read", "write", action = "allow" }.
func mixedPath(at string) bool {
	return strings.HasPrefix(at, "seccomp.rules[") && strings.Count(at, "[") == 1 && strings.HasSuffix(at, "]")
}

func (l *loader) push(L *lua.LState, c *container) int {
	if l.metatable == nil {
		l.metatable = l.containerMeta()
	}
	l.containers = append(l.containers, c)
	value := l.vm.State().NewUserData()
	value.Value, value.Metatable = c, l.metatable
	L.Push(value)
	return 1
}

// containerMeta is the metatable of containers: methods, fields to read, nothing to
// write.
func (l *loader) containerMeta() *lua.LTable {
	state := l.vm.State()
	methods := state.NewTable()
	methods.RawSetString("extend", state.NewFunction(l.extend))
	for _, stage := range [...]definition.Stage{definition.StagePrestart, definition.StagePoststart, definition.StageCollect, definition.StagePoststop} {
		methods.RawSetString(string(stage), state.NewFunction(func(L *lua.LState) int { return l.register(L, stage) }))
	}
	mt := state.NewTable()
	mt.RawSetString("__metatable", lua.LString("locked"))
	mt.RawSetString("__tostring", state.NewFunction(func(L *lua.LState) int {
		L.Push(lua.LString("container"))
		return 1
	}))
	mt.RawSetString("__index", state.NewFunction(func(L *lua.LState) int { return l.member(L, methods) }))
	mt.RawSetString("__newindex", state.NewFunction(func(L *lua.LState) int {
		L.RaiseError("a container is not assigned to; make another: c:extend { %s = … }", vm.Printable(vm.Text(L.Get(2))))
		return 0
	}))
	return mt
}

// member is c.name: a method, or a copy of a field, nil when it is not set.
func (l *loader) member(L *lua.LState, methods *lua.LTable) int {
	name := vm.Text(L.Get(2))
	if method := methods.RawGetString(name); method != lua.LNil {
		L.Push(method)
		return 1
	}
	if registry.Find(registry.Definition, name) == nil {
		hint := ""
		if near := vm.Suggest(name, append(registry.Names(registry.Definition), "extend", "prestart", "poststart", "collect", "poststop")); near != "" {
			hint = " (did you mean " + strconv.Quote(near) + "?)"
		}
		L.RaiseError("a container has no %s%s", strconv.Quote(name), hint)
	}
	c := asContainer(L.Get(1))
	if c == nil {
		L.RaiseError("this is no container")
	}
	field := c.tree.Field(name)
	if field == nil {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(l.copyOut(field, name))
	return 1
}

// copyOut makes a Lua value of a tree, that cannot be changed.
func (l *loader) copyOut(v *luaval.Value, name string) lua.LValue {
	switch v.Kind {
	case luaval.Bool:
		return lua.LBool(v.Bool)
	case luaval.Number:
		return lua.LNumber(v.Number)
	case luaval.String:
		return lua.LString(v.Text)
	case luaval.Opaque:
		u := l.vm.State().NewUserData()
		u.Value = v.Go
		return u
	case luaval.List, luaval.Map:
		t := l.vm.State().NewTable()
		for i := range v.Items {
			t.Append(l.copyOut(&v.Items[i], name))
		}
		for i := range v.Fields {
			t.RawSetString(v.Fields[i].Name, l.copyOut(&v.Fields[i].Value, v.Fields[i].Name))
		}
		return l.vm.Lock("the table "+strconv.Quote(name)+" of a container", t)
	}
	return lua.LNil
}

// self is the container of a method call.
func (l *loader) self(L *lua.LState, method string) *container {
	c := asContainer(L.Get(1))
	if c == nil {
		L.RaiseError("%s is called with a dot; write c:%s(…), with a colon", method, method)
	}
	if l.Load.Ended {
		L.RaiseError("c:%s belongs to the load phase; a hook acts through ctx", method)
	}
	return c
}

// extend is c:extend{…}: a new container; c is unchanged.
func (l *loader) extend(L *lua.LState) int {
	base := l.self(L, "extend")
	c := &container{origin: l.Load.Origin(), tree: base.tree, hooks: base.hooks[:len(base.hooks):len(base.hooks)]}
	l.lay(L, c, 2)
	return l.push(L, c)
}

// register is c:prestart(label, [options,] function) and its like. It returns the
// container.
func (l *loader) register(L *lua.LState, stage definition.Stage) int {
	c := l.self(L, string(stage))
	usage := "write c:" + string(stage) + "(\"label\", function(ctx) … end)"
	h := &hook{ref: definition.HookRef{Stage: stage, Origin: l.Load.Origin()}}
	label, ok := L.Get(2).(lua.LString)
	if !ok || label == "" {
		l.Load.Problem("", "a hook has a label, which is not empty", usage)
	}
	h.ref.Label = vm.Printable(string(label))
	last := L.GetTop()
	if last > 4 {
		last = 4
	}
	fn, ok := L.Get(last).(*lua.LFunction)
	if !ok || last < 3 || L.GetTop() > 4 {
		l.Load.Problem("", "a hook is a function", usage)
	}
	h.fn = fn
	if last == 4 {
		h.ref.Deadline = l.deadline(L.Get(3), string(stage))
	}
	c.hooks = append(c.hooks, h)
	L.Push(L.Get(1))
	return 1
}

// deadline reads the options of a hook.
func (l *loader) deadline(options lua.LValue, stage string) definition.Duration {
	v := l.Load.Read(options, stage)
	if v.Kind != luaval.Map {
		l.Load.Problem(stage, "wanted a table of options, found "+v.Describe(), "{ deadline = \"20s\" }")
		return 0
	}
	d := decoder{problems: &l.found, origins: definition.Origins{}}
	for i := range v.Fields {
		f := &v.Fields[i]
		if f.Name != "deadline" {
			l.found = append(l.found, stdlib.Unknown(stage, registry.HookOptions, f.Name, f.Value.Origin))
			continue
		}
		return d.time(stage+".deadline", &f.Value)
	}
	return 0
}
