package vm

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// TestErrors: every kind of error value and every common mistake has one shape.
func TestErrors(t *testing.T) {
	for source, message := range map[string]string{
		"error('x')":                     "x",
		"error('x', 0)":                  "x",
		"error({1})":                     "a table was raised as an error (raise a string)",
		"error(print)":                   "a function was raised as an error (raise a string)",
		"error()":                        "nil was raised as an error (raise a string)",
		"error(42)":                      "42",
		"error(true)":                    "a boolean was raised as an error (raise a string)",
		"error(coroutine.create(print))": "a thread was raised as an error (raise a string)",
		"error(setmetatable({}, { __tostring = function() return 'obj' end }))":   "obj",
		"error(setmetatable({}, { __tostring = function() error('worse') end }))": "a table was raised as an error (raise a string)",
		"error('a\\27[2Jb\\nc\\200')":                                             `a\x1b[2Jb\nc\xc8`,
		"assert(false)":                                                           "assertion failed!",
		"assert(nil, 'msg')":                                                      "msg",
		"local t t.x = 1":                                                         `attempt to set field "x" of a nil value`,
		"local t t.x, t.y = 1, 2":                                                 `attempt to set field "y" of a nil value`,
		"local t = {} t.a.b = 1":                                                  `attempt to set field "b" of a nil value`,
		"local t = {} t[nil] = 1":                                                 "table index is nil",
		"local t = {} t[0/0] = 1":                                                 "table index is NaN",
		"local t print(t.x)":                                                      `attempt to read "x" of a nil value`,
		"local t = {} t.foo()":                                                    `"foo" is called, and is no function`,
		"local t = {} t:bar()":                                                    `"bar" is called, and is no function`,
		"for k in nil do end":                                                     "a value is called that is no function",
		"local x = 'a' .. nil":                                                    "cannot join by .. a string and nil",
		"local x = 'a' .. {} .. 'b'":                                              "cannot join by .. a table and string",
		"local x = {} + 1":                                                        "cannot perform add operation between table and number",
		"local x = 1 < 'a'":                                                       "attempt to compare number with string",
		"local x = #nil":                                                          "attempt to get the length of a value that has none",
		"string.rep()":                                                            "bad argument #1 to rep (string expected, got nil)",
		"('x'):bad()":                                                             `module string has no "bad"`,
		"string.fromat('x')":                                                      `module string has no "fromat" (did you mean "format"?)`,
		"string.rep = 1":                                                          `module string cannot be changed (setting "rep")`,
		"table.insert(string, 1)":                                                 `module string cannot be changed (setting 1)`,
		"setmetatable(string, {})":                                                "cannot change a protected metatable",
		"setmetatable('', {})":                                                    "bad argument #1 to setmetatable (table expected, got string)",
		"getmetatable('').__index = nil":                                          `attempt to set field "__index" of a string value`,
		"function string.rep() end":                                               `module string cannot be changed (setting "rep")`,
		"local t = {} t.x, string.rep = 1, 2":                                     `module string cannot be changed (setting "rep")`,
		"local t = setmetatable({}, { __newindex = string }) t.rep = 1": `module string cannot be changed (setting "rep")`,
		"table.insert({}, 5, 1)":       "bad argument #2 to insert (position 5 is not between 1 and 1)",
		"table.insert({}, nil)":        "bad argument #2 to insert (the value is nil)",
		"local x = unpack({}, 1, 1e4)": "too many results to unpack (at most 8000)",
		"coroutine.yield(1)":           "attempt to yield outside a coroutine, or across pcall",
		"coroutine.wrap(function() table.sort({ 1, 2 }, coroutine.yield) end)()":            "attempt to yield across a built-in function, a metamethod or an iterator",
		"coroutine.wrap(function() local ok, e = pcall(coroutine.yield) error(e, 0) end)()": "attempt to yield outside a coroutine, or across pcall",
		"local c = coroutine.wrap(function() end) c() c()":                                  "cannot resume a dead coroutine",
		"local c c = coroutine.wrap(function() c() end) c()":                                "cannot resume a coroutine that is running",
	} {
		_, err := run(t, source)
		if err == nil {
			t.Errorf("%s: no error", source)
			continue
		}
		want(t, err, "b.lua:1: "+message)
	}
}

// TestTraceback: Lua frames only, those of coroutines and of calls in return too,
// and where an error began, not where it was raised again.
func TestTraceback(t *testing.T) {
	for _, c := range []struct{ name, source, report string }{
		{"tail calls", "local function a() error('deep') end\nlocal function b() return a() end\nlocal function c()\n  return b()\nend\nreturn c()",
			"b.lua:1: deep\n  b.lua:1: in function 'a'\n  b.lua:2: in function 'b'\n  b.lua:4: in function 'c'\n  b.lua:6: in main chunk"},
		{"wrap", "local function a() error('deep') end\nlocal co = coroutine.wrap(function()\n  a()\nend)\nlocal function c()\n  return co()\nend\nc()",
			"b.lua:1: deep\n  b.lua:1: in function 'a'\n  b.lua:3: in function <b.lua:2>\n  b.lua:6: in function 'c'\n  b.lua:8: in main chunk"},
		{"resume", "local co = coroutine.create(function()\n  error('in')\nend)\nlocal ok, e = coroutine.resume(co)\nerror(e, 0)",
			"b.lua:2: in\n  b.lua:2: in function <b.lua:1>\n  b.lua:4: in main chunk"},
		{"pcall", "local ok, e = pcall(function()\n  error('inner')\nend)\nerror(e, 0)",
			"b.lua:2: inner\n  b.lua:2: in function <b.lua:1>\n  b.lua:1: in main chunk"},
		{"same words", "local function f() error('xyz', 0) end\npcall(f)\nlocal function g()\n  error('xyz', 0)\nend\ng()",
			"b.lua:4: xyz\n  b.lua:4: in function 'g'\n  b.lua:6: in main chunk"},
		{"level 2", "local function check()\n  error('wrong', 2)\nend\nlocal function user()\n  check()\nend\nuser()",
			"b.lua:5: wrong\n  b.lua:2: in function 'check'\n  b.lua:5: in function 'user'\n  b.lua:7: in main chunk"},
		{"recorded set", "local t\nlocal function f()\n  t.x = 1\nend\nf()",
			"b.lua:3: attempt to set field \"x\" of a nil value\n  b.lua:3: in function 'f'\n  b.lua:5: in main chunk"},
		{"sort", "table.sort({ 2, 1 }, function(a, b)\n  error('cmp')\nend)",
			"b.lua:2: cmp\n  b.lua:2: in function <b.lua:1>\n  b.lua:1: in main chunk"},
		{"one frame", "error('x')", "b.lua:1: x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := run(t, c.source)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%v is no *Error", err)
			}
			if e.Report() != c.report {
				t.Errorf("got\n%s\nwant\n%s", e.Report(), c.report)
			}
		})
	}
	_, err := run(t, "local function f(n) if n == 0 then error('end') end return f(n - 1) end f(100)")
	var e *Error
	if !errors.As(err, &e) || len(e.Traceback) != 25 || !strings.Contains(e.Report(), "\n  … in 78 more calls\n") {
		t.Errorf("long traceback: %s", e.Report())
	}
}

// TestPcallKeepsVariables: gopher-lua's own pcall cuts closures off the variables
// of the functions around it when an error passes.
func TestPcallKeepsVariables(t *testing.T) {
	out, err := run(t, `
local x = 0
local function inc() x = x + 1 end
pcall(error, "e") inc()
print(x)
xpcall(function() error("e") end, function(e) return e end) inc()
print(x)
local f
xpcall(function() local z = 41 f = function() z = z + 1 return z end error("q") end, function() end)
local a, b, c, d, e, g = 1, 2, 3, 4, 5, 6
print(f(), f())
pcall(function() local y = 1 f = function() y = y + 1 return y end error("q") end)
print(f(), f())
print(pcall(function(...) return select("#", ...), ... end, 1, nil, 3, nil))
print(xpcall(function(...) return ... end, print, 1, 2))
print(pcall(nil))
print(select("#", pcall(function() end)))
print(xpcall(function() error({ code = 7 }) end, function(e) return e.code end))
`)
	if err != nil {
		t.Fatal(err)
	}
	wanted := "1\n2\n42\t43\n2\t3\ntrue\t4\t1\tnil\t3\tnil\ntrue\t1\t2\nfalse\tb.lua:16: attempt to call a non-function object\n1\nfalse\t7"
	if out != wanted {
		t.Errorf("got\n%s\nwant\n%s", out, wanted)
	}
}

func TestCoroutines(t *testing.T) {
	out, err := run(t, `
local co = coroutine.create(function(a, b)
  print(a, b, coroutine.status(coroutine.running()))
  local c = coroutine.yield(a + b)
  local d, e = coroutine.yield(c * 2)
  return d + e
end)
print(coroutine.status(co), coroutine.resume(co, 1, 2))
print(coroutine.resume(co, 10))
print(coroutine.resume(co, 3, 4))
print(coroutine.status(co), coroutine.resume(co))
local function numbers(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i, i * i) end end) end
for i, square in numbers(3) do print(i, square) end
local outer
outer = coroutine.create(function()
  local inner = coroutine.create(function() return coroutine.status(outer) end)
  return coroutine.resume(inner)
end)
print(coroutine.resume(outer))
print(coroutine.running(), type(co), tostring(co))
for i = 1, 2000 do coroutine.wrap(function() end)() end
print(coroutine.resume(coroutine.create(function() error({ 7 }) end)))
coroutine.wrap(print)(1, 2)
print(coroutine.resume(coroutine.create(function() return nil, nil, 3 end)))
`)
	if err != nil {
		t.Fatal(err)
	}
	wanted := `1	2	running
suspended	true	3
true	20
true	7
dead	false	cannot resume a dead coroutine
1	1
2	4
3	9
true	true	normal
nil	thread	thread
false	table
1	2
true	nil	nil	3`
	if out != wanted {
		t.Errorf("got\n%s\nwant\n%s", out, wanted)
	}
}

// TestPanic: a Go panic below Lua is an error that pcall cannot catch, and the end
// of the VM.
func TestPanic(t *testing.T) {
	for _, source := range []string{
		"bad()", "while true do pcall(bad) end", "coroutine.wrap(bad)()",
		"while true do coroutine.resume(coroutine.create(function() bad() end)) end",
		"table.sort({ 2, 1 }, bad)", "xpcall(bad, print)", "local t = setmetatable({}, { __index = bad }) print(t.x)",
	} {
		v := New(context.Background(), Options{})
		v.Declare("bad", v.State().NewFunction(func(*lua.LState) int {
			var m map[string]int
			m["x"] = 1
			return 0
		}))
		fn, err := v.Load("b.lua", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Call(fn, 0)
		if !errors.Is(err, ErrPoisoned) || !strings.Contains(err.Error(), "internal error: assignment to entry in nil map") {
			t.Errorf("%s: got %v", source, err)
		}
		if _, err := v.Call(fn, 0); !errors.Is(err, ErrPoisoned) {
			t.Errorf("%s: the VM lives on: %v", source, err)
		}
		v.Close()
	}
}

// TestRaise: a Go error passes through Lua and out, and can be asked for.
func TestRaise(t *testing.T) {
	cause := errors.New("no such file")
	v := New(context.Background(), Options{})
	defer v.Close()
	v.Declare("open", v.State().NewFunction(func(L *lua.LState) int { v.Raise(L, cause); return 0 }))
	for _, source := range []string{"\nopen()", "\nlocal ok, e = pcall(open) error(e, 0)", "\ncoroutine.wrap(open)()"} {
		fn, err := v.Load("b.lua", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Call(fn, 0)
		want(t, err, "b.lua:2: no such file")
		if !errors.Is(err, cause) {
			t.Errorf("%v does not wrap its cause", err)
		}
	}
	fn, _ := v.Load("b.lua", []byte("pcall(open) error('another')"))
	if _, err := v.Call(fn, 0); errors.Is(err, cause) {
		t.Errorf("%v wraps the cause of another", err)
	}
}

// TestEnd: each way for a VM to end can be told from the others.
func TestEnd(t *testing.T) {
	because := errors.New("the user said so")
	for _, c := range []struct {
		name string
		kind error
		text string
		end  func(v *VM, cancel context.CancelFunc)
	}{
		{"kill", ErrCancelled, "b.lua:1: cancelled: the user said so", func(v *VM, _ context.CancelFunc) { v.Kill(because) }},
		{"context", ErrCancelled, "b.lua:1: cancelled: context canceled", func(_ *VM, cancel context.CancelFunc) { cancel() }},
		{"within", ErrDeadline, "b.lua:1: loading x took longer than 1ms", func(v *VM, _ context.CancelFunc) { v.Within(time.Millisecond, "loading x") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			v := New(ctx, Options{})
			defer v.Close()
			v.Declare("go", v.State().NewFunction(func(*lua.LState) int { c.end(v, cancel); return 0 }))
			fn, err := v.Load("b.lua", []byte("go() while true do end"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = v.Call(fn, 0)
			want(t, err, c.text)
			if !errors.Is(err, c.kind) {
				t.Errorf("%v is not %v", err, c.kind)
			}
			if c.name == "kill" && !errors.Is(err, because) {
				t.Errorf("%v does not wrap the cause", err)
			}
		})
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	v := New(ctx, Options{})
	defer v.Close()
	fn, _ := v.Load("b.lua", []byte("while true do end"))
	if fn == nil {
		return // the millisecond was over before
	}
	_, err := v.Call(fn, 0)
	want(t, err, "b.lua:1: the time limit has passed")
	if !errors.Is(err, ErrDeadline) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is not ErrDeadline", err)
	}
}

// TestNestedCall: a builtin may call Lua back through Call, and survive its errors.
func TestNestedCall(t *testing.T) {
	var out []string
	v := New(context.Background(), Options{Print: func(s string) { out = append(out, s) }})
	defer v.Close()
	v.Declare("try", v.State().NewFunction(func(L *lua.LState) int {
		results, err := v.Call(L.CheckFunction(1), 1)
		if err != nil {
			L.Push(lua.LString(err.Error()))
			return 1
		}
		L.Push(results[0])
		return 1
	}))
	fn, err := v.Load("b.lua", []byte(`local n = 1
print(try(function() n = n + 1 return n end))
print(try(function() error("x") end))
n = n + 1
print(n, coroutine.wrap(function() return try(function() return n end) end)())`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Call(fn, 0); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(out, "|"); got != "2|b.lua:3: x|3\t3" {
		t.Errorf("got %q", got)
	}
}

// TestWhere: builders show the nearest line outside the library, and the line
// behind it.
func TestWhere(t *testing.T) {
	v := New(context.Background(), Options{})
	defer v.Close()
	var got Place
	library := func(file string) bool { return file == "lib.lua" }
	v.Declare("build", v.State().NewFunction(func(*lua.LState) int { got = v.Where(library); return 0 }))
	lib, err := v.Load("lib.lua", []byte("return { make = function()\n  return build()\nend }"))
	if err != nil {
		t.Fatal(err)
	}
	module, err := v.Call(lib, 1)
	if err != nil {
		t.Fatal(err)
	}
	v.Declare("lib", module[0])
	for source, place := range map[string]Place{
		"\n\nreturn lib.make()":                                  {"build.lua", 3, "lib.lua:2"},
		"local function f() return lib.make() end\n\nreturn f()": {"build.lua", 1, "lib.lua:2"},
		"\nbuild()": {"build.lua", 2, ""},
		"coroutine.wrap(function()\nlib.make() end)()": {"build.lua", 2, "lib.lua:2"},
		"coroutine.wrap(lib.make)()":                   {"build.lua", 1, "lib.lua:2"},
		"pcall(lib.make)":                              {"build.lua", 1, "lib.lua:2"},
	} {
		fn, err := v.Load("build.lua", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Call(fn, 0); err != nil {
			t.Fatal(err)
		}
		if got != place {
			t.Errorf("%q: got %+v, want %+v", source, got, place)
		}
	}
	fn := module[0].(*lua.LTable).RawGetString("make").(*lua.LFunction)
	if _, err := v.Call(fn, 0); err != nil || got != (Place{"lib.lua", 2, ""}) {
		t.Errorf("library alone: got %+v, %v", got, err)
	}
}
