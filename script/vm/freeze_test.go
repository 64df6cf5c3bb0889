package vm

import (
	"context"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// hooks loads a file that returns a table of functions, and freezes.
func hooks(t *testing.T, source string) (*VM, func(name string, args ...lua.LValue) error) {
	t.Helper()
	v := New(context.Background(), Options{})
	t.Cleanup(v.Close)
	fn, err := v.Load("b.lua", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	results, err := v.Call(fn, 1)
	if err != nil {
		t.Fatal(err)
	}
	table := results[0].(*lua.LTable)
	v.Freeze(table)
	return v, func(name string, args ...lua.LValue) error {
		t.Helper()
		hook, ok := table.RawGetString(name).(*lua.LFunction)
		if !ok {
			t.Fatalf("no hook %s", name)
		}
		_, err := v.CallHook(name, hook, args...)
		return err
	}
}

const changed = `changed the recipe's table (key `
const elsewhere = `); a hook may run in another process: keep it in ctx.data`

const hooksThatChange = `local n, seen, list, deep = 0, {}, { 3, 2, 1 }, { a = { b = {} } }
local co = coroutine.wrap(function() while true do coroutine.yield(1) end end)
local mt = setmetatable({}, { __index = { inner = {} } })
local function bump() n = n + 1 end
return {
  variable = function()
    n = n + 1
  end,
  through = function() bump() end,
  inner = function()
    local function f() n = 5 end
    f()
  end,
  failing = function() n = 9 error("oops") end,
  field = function() seen.x = 1 end,
  remove = function() seen.x = nil end,
  several = function() local a a, deep.a.b.c = 1, 2 end,
  def = function() function deep.f() end end,
  method = function() function deep.a:f() end end,
  insert = function() table.insert(list, 4) end,
  take = function() table.remove(list) end,
  sort = function() table.sort(list) end,
  meta = function() setmetatable(seen, {}) end,
  ofmeta = function() mt.inner.x = 1 end,
  chain = function() setmetatable({}, { __newindex = seen }).x = 1 end,
  coroutine = function() co() end,
  own = function(ctx)
    local t = { 3, 1, 2 }
    t.x, t.y = 1, 2
    function t.f() t.x = t.x + 1 end
    t.f()
    table.sort(t) table.insert(t, 4) table.remove(t, 1)
    local m = 0
    local function up() m = m + 1 end
    up()
    local c = coroutine.wrap(function() t.z = 1 end) c()
    setmetatable(t, { __index = deep })
    assert(t.a == deep.a and m == 1 and t.x == 2)
  end,
  nothing = function() n = n end,
  value = function() assert(n == 0, n) end,
}`

func TestFreeze(t *testing.T) {
	_, call := hooks(t, hooksThatChange)
	for name, message := range map[string]string{
		"variable":  `b.lua:7: hook "variable" changed the recipe's variable "n"; a hook may run in another process: keep it in ctx.data`,
		"through":   `b.lua:4: hook "through" changed the recipe's variable "n"; a hook may run in another process: keep it in ctx.data`,
		"inner":     `b.lua:11: hook "inner" changed the recipe's variable "n"; a hook may run in another process: keep it in ctx.data`,
		"failing":   `b.lua:14: oops`,
		"field":     `b.lua:15: hook "field" ` + changed + `"x"` + elsewhere,
		"remove":    `b.lua:16: hook "remove" ` + changed + `"x"` + elsewhere,
		"several":   `b.lua:17: hook "several" ` + changed + `"c"` + elsewhere,
		"def":       `b.lua:18: hook "def" ` + changed + `"f"` + elsewhere,
		"method":    `b.lua:19: hook "method" ` + changed + `"f"` + elsewhere,
		"insert":    `b.lua:20: hook "insert" ` + changed + `4` + elsewhere,
		"take":      `b.lua:21: hook "take" ` + changed + `3` + elsewhere,
		"sort":      `b.lua:22: hook "sort" ` + changed + `1` + elsewhere,
		"meta":      `b.lua:23: hook "meta" ` + changed + `"metatable"` + elsewhere,
		"ofmeta":    `b.lua:24: hook "ofmeta" ` + changed + `"x"` + elsewhere,
		"chain":     `b.lua:25: hook "chain" ` + changed + `"x"` + elsewhere,
		"coroutine": `b.lua:26: hook "coroutine" resumed a coroutine made while loading; make it in the hook`,
	} {
		err := call(name)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		want(t, err, message)
		// What a hook changed is put back, for the next one.
		if err := call("value"); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
	for _, name := range []string{"own", "nothing"} {
		if err := call(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFreezeArguments: what Go hands to a hook is not frozen, unless it was there.
func TestFreezeArguments(t *testing.T) {
	v, call := hooks(t, `return { set = function(t) t.x = 1 end }`)
	fresh := v.State().NewTable()
	if err := call("set", fresh); err != nil || fresh.RawGetString("x") != lua.LNumber(1) {
		t.Errorf("a fresh table: %v", err)
	}
	if v.Frozen(fresh) {
		t.Error("it is frozen")
	}
	if v.Site(fresh) != nil {
		t.Error("places are still recorded")
	}
}

// TestFreezeNaN: a variable that is not a number has not changed.
func TestFreezeNaN(t *testing.T) {
	_, call := hooks(t, `local nan = 0/0 return { f = function() return nan end }`)
	if err := call("f"); err != nil {
		t.Error(err)
	}
}

// TestLoadAfterFreeze: a file loaded by a hook makes tables that are the hook's.
func TestLoadAfterFreeze(t *testing.T) {
	v, _ := hooks(t, `return { }`)
	fn, err := v.Load("c.lua", []byte("local t = { 1, { 2 } } t.x = 3 return t"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.CallHook("late", fn); err != nil {
		t.Error(err)
	}
	if _, err := v.Load("d.lua", []byte("x = 1")); err == nil || !strings.Contains(err.Error(), "undeclared") {
		t.Errorf("got %v", err)
	}
}
