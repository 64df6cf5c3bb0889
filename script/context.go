package script

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	lua "github.com/yuin/gopher-lua"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/registry"
	"sandbox/script/stdlib"
	"sandbox/script/vm"
)

// hookContext makes the ctx of a recipe's hooks, in one VM.
type hookContext struct {
	recipe *Recipe
	vm     *vm.VM
	call   *hookCall // the call under way, nil between
	self   *lua.LUserData
	// methods are in the order of registry.Context; nil for fields.
	methods []*lua.LFunction
}

// hookCall is one call of a hook; its effects end with revoke.
type hookCall struct {
	definition.HookCall
	ctx     context.Context
	mu      sync.Mutex
	revoked bool
}

// revoke refuses everything from now on.
func (c *hookCall) revoke() {
	c.mu.Lock()
	c.revoked = true
	c.mu.Unlock()
}

var errRevoked = errors.New("this hook has been given up; its ctx does nothing any more")

// check fails when the hook has been given up.
func (c *hookCall) check() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.revoked {
		return errRevoked
	}
	return context.Cause(c.ctx)
}

func newHookContext(r *Recipe) *hookContext {
	hc := &hookContext{recipe: r, vm: r.vm, methods: make([]*lua.LFunction, len(registry.Context))}
	state := r.vm.State()
	for i := range registry.Context {
		if m := &registry.Context[i]; m.Method {
			hc.methods[i] = state.NewFunction(func(L *lua.LState) int { return hc.invoke(L, m) })
		}
	}
	return hc
}

// table makes the ctx of one call: what its stage has, and a data table of its own.
// It is userdata, so that no key of it can be assigned to.
func (hc *hookContext) table(c *hookCall, data []byte) (fields *lua.LTable, err error) {
	state := hc.vm.State()
	stage := registry.ParseStage(string(c.Hook.Stage))
	t := state.CreateTable(0, len(registry.Context))
	for i := range registry.Context {
		m := &registry.Context[i]
		switch {
		case m.Method:
			t.RawSetString(m.Name, hc.methods[i])
		case m.Stages&stage != 0:
			value, err := hc.field(c, m.Name, data)
			if err != nil {
				return nil, err
			}
			t.RawSetString(m.Name, value)
		}
	}
	mt := state.NewTable()
	mt.RawSetString("__metatable", lua.LString("locked"))
	mt.RawSetString("__index", state.NewFunction(func(L *lua.LState) int {
		if value := t.RawGet(L.Get(2)); value != lua.LNil {
			L.Push(value)
			return 1
		}
		return hc.missing(L, stage)
	}))
	mt.RawSetString("__newindex", state.NewFunction(func(L *lua.LState) int { return hc.assigned(L) }))
	hc.self = state.NewUserData()
	hc.self.Metatable = mt
	return t, nil
}

func (hc *hookContext) field(c *hookCall, name string, data []byte) (lua.LValue, error) {
	state := hc.vm.State()
	switch name {
	case "id":
		return lua.LString(c.Host.ID()), nil
	case "name":
		return lua.LString(hc.recipe.Definitions[0].Name), nil
	case "stage":
		return lua.LString(c.Hook.Stage), nil
	case "pid":
		return lua.LNumber(c.Host.PID()), nil
	case "cgroup":
		return lua.LString(c.Host.Cgroup()), nil
	case "netns":
		return lua.LString(c.Host.NetNS()), nil
	case "result":
		return hc.result(c.Result), nil
	case "data":
		if data == nil {
			return state.NewTable(), nil
		}
		return luaval.DecodeJSON(state, data)
	}
	return lua.LNil, errors.New("ctx has no field " + name)
}

// missing answers for a key that ctx has not, or not at this stage.
func (hc *hookContext) missing(L *lua.LState, stage registry.Stage) int {
	name := vm.Text(L.Get(2))
	if m := registry.FindMember(name); m != nil {
		L.RaiseError("ctx.%s is not there in %s; it is in %s", name, stage, m.Stages)
	}
	near := registry.MemberAka(name)
	if near == "" {
		var names []string
		for i := range registry.Context {
			names = append(names, registry.Context[i].Name)
		}
		near = vm.Suggest(name, names)
	}
	if near != "" {
		L.RaiseError("ctx has no %s (did you mean %s?)", strconv.Quote(name), strconv.Quote(near))
	}
	L.RaiseError("ctx has no %s", strconv.Quote(name))
	return 0
}

func (hc *hookContext) assigned(L *lua.LState) int {
	name := vm.Text(L.Get(2))
	L.RaiseError("ctx is not assigned to; write ctx.data.%s = …", vm.Printable(name))
	return 0
}

// invoke is any method of ctx: called with a colon, at a stage that has it, by a
// hook that has not been given up.
func (hc *hookContext) invoke(L *lua.LState, m *registry.Member) int {
	c := hc.call
	if c == nil {
		L.RaiseError("ctx:%s is called after its hook has returned", m.Name)
	}
	if L.Get(1) != lua.LValue(hc.self) {
		L.RaiseError("%s is called with a dot; write ctx:%s(…), with a colon", m.Name, m.Name)
	}
	if stage := registry.ParseStage(string(c.Hook.Stage)); m.Stages&stage == 0 {
		L.RaiseError("ctx:%s cannot be used in %s; it can in %s", m.Name, stage, m.Stages)
	}
	if err := c.check(); err != nil {
		hc.vm.Raise(L, err)
	}
	if err := (stdlib.Signature{Function: &m.Function, Called: "ctx:" + m.Name, First: 2}).Check(L); err != nil {
		hc.vm.Raise(L, err)
	}
	n, err := hc.perform(L, c, m.Name)
	if err != nil {
		hc.vm.Raise(L, &hostError{method: m.Name, err: err})
	}
	return n
}

// hostError is an error of the container, with what the hook asked for.
type hostError struct {
	method string
	err    error
}

func (e *hostError) Error() string { return "ctx:" + e.method + ": " + e.err.Error() }
func (e *hostError) Unwrap() error { return e.err }

// perform does what a method says.
func (hc *hookContext) perform(L *lua.LState, c *hookCall, method string) (int, error) {
	switch method {
	case "time":
		L.Push(lua.LNumber(time.Since(hc.recipe.began).Seconds()))
		return 1, nil
	case "log":
		line, err := hc.format(L, method)
		if err == nil {
			c.Host.Log(vm.Printable(line))
		}
		return 0, err
	case "fail":
		reason, err := hc.format(L, method)
		if err != nil {
			return 0, err
		}
		at := stdlib.Origin(hc.vm.Where(nil))
		hc.vm.Raise(L, &declared{definition.Failure{Reason: vm.Printable(reason), Hook: c.Hook.Label, Origin: at}})
	case "stats":
		stats, err := c.Host.Stats(c.ctx)
		L.Push(hc.stats(stats))
		return 1, err
	case "exec":
		return hc.exec(L, c)
	case "pause":
		return 0, c.Host.Pause(c.ctx)
	case "resume":
		return 0, c.Host.Resume(c.ctx)
	case "update":
		return 0, hc.update(L, c)
	}
	return hc.files(L, c, method)
}

// files are the methods whose arguments are strings.
func (hc *hookContext) files(L *lua.LState, c *hookCall, method string) (int, error) {
	first, second := vm.Text(L.Get(2)), vm.Text(L.Get(3))
	switch method {
	case "read":
		content, err := c.Host.Read(c.ctx, first)
		if err == nil && len(content) > vm.MaxString {
			err = errors.New("the file " + strconv.Quote(first) + " has more than 16 MiB")
		}
		if err != nil {
			return 0, err
		}
		L.Push(lua.LString(content))
		return 1, nil
	case "signal":
		return 0, c.Host.Signal(c.ctx, first)
	}
	switch method {
	case "write":
		mode, err := modeArg(L, 4)
		if err != nil {
			return 0, err
		}
		return 0, c.Host.Write(c.ctx, first, []byte(second), mode)
	case "copy_in":
		return 0, c.Host.CopyIn(c.ctx, first, second)
	}
	return 0, c.Host.CopyOut(c.ctx, first, second)
}

// modeArg reads permissions, 0644 when not given.
func modeArg(L *lua.LState, n int) (uint32, error) {
	v := luaval.Value{}
	switch x := L.Get(n).(type) {
	case *lua.LNilType:
		return 0o644, nil
	case lua.LNumber:
		v.Kind, v.Number = luaval.Number, float64(x)
	case lua.LString:
		v.Kind, v.Text = luaval.String, string(x)
	}
	mode, err := luaval.Mode(&v)
	if err != nil {
		return 0, err
	}
	return mode, nil
}

// format reads a format and its arguments.
func (hc *hookContext) format(L *lua.LState, method string) (string, error) {
	format := vm.Text(L.Get(2))
	if L.GetTop() == 2 && method == "fail" {
		return format, nil // a reason is often text of the payload, with % in it
	}
	var args []lua.LValue
	for i := 3; i <= L.GetTop(); i++ {
		args = append(args, L.Get(i))
	}
	return vm.Format(format, args, nil)
}
