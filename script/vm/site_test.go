package vm

import (
	"context"
	"fmt"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// load runs source in a fresh VM and returns its first result.
func load(t testing.TB, source string) (*VM, lua.LValue) {
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
	return v, results[0]
}

func field(t *lua.LTable, path ...string) *lua.LTable {
	for _, p := range path {
		t = t.RawGetString(p).(*lua.LTable)
	}
	return t
}

func TestOrigins(t *testing.T) {
	v, value := load(t, `local p = "x"
local c = {
  name = "go",
  process = {
    args = { "go",
      "build", "-o",
      p },
    env = { HOME = "/",

      ["GO" .. "FLAGS"] = "-mod=vendor",
      [3] = "three" },
  },
  limits = { memory = "1G", memory = "2G" },
  nested = { {}, {
    a = 1 } },
}
c.process.env.HOME = "/root"
c.limits.pids, c.limits.cpus = 5,
  6
c.limits.pids = 7
function c.hook() end
function c.limits:method() end
c.process.args[#c.process.args + 1] = "./..."
c.made = {}
for i = 1, 2 do c.made[i] = i end
table.insert(c.made, 3)
return c`)
	c := value.(*lua.LTable)
	process, limits := field(c, "process"), field(c, "limits")
	env, args, made := field(process, "env"), field(process, "args"), field(c, "made")
	for what, got := range map[string]Place{
		"2 table":     v.Site(c).Place(),
		"3 name":      v.Site(c).Key("name"),
		"4 process":   v.Site(c).Key("process"),
		"5 args":      v.Site(process).Key("args"),
		"5 args[1]":   v.Site(args).Item(1),
		"6 args[3]":   v.Site(args).Item(3),
		"7 args[4]":   v.Site(args).Item(4),
		"23 args[5]":  v.Site(args).Item(5),
		"17 HOME":     v.Site(env).Key("HOME"),
		"8 GOFLAGS":   v.Site(env).Key("GOFLAGS"), // a computed key: the table's line
		"11 env[3]":   v.Site(env).Item(3),
		"8 unknown":   v.Site(env).Key("NOPE"),
		"13 memory":   v.Site(limits).Key("memory"),
		"20 pids":     v.Site(limits).Key("pids"),
		"18 cpus":     v.Site(limits).Key("cpus"),
		"21 hook":     v.Site(c).Key("hook"),
		"22 method":   v.Site(limits).Key("method"),
		"24 made":     v.Site(c).Key("made"),
		"25 made[2]":  v.Site(made).Item(2),
		"26 made[3]":  v.Site(made).Item(3),
		"14 nested":   v.Site(field(c, "nested")).Item(2),
		"15 nested.a": v.Site(field(c, "nested").RawGetInt(2).(*lua.LTable)).Key("a"),
	} {
		if wanted := strings.Fields(what)[0]; fmt.Sprint(got.Line) != wanted || got.File != "b.lua" {
			t.Errorf("%s: got %+v", what, got)
		}
	}
	problems := v.Site(limits).Problems()
	if len(problems) != 1 || problems[0].Error() != `b.lua:13: "memory" is set twice in this table (first at line 13)` {
		t.Errorf("problems of limits: %v", problems)
	}
}

func TestNilItems(t *testing.T) {
	v, value := load(t, `local t = {}
return {
  holes = { "a", nil, t.x,
    t.y },
  call = { "a", (print()) , print() },
  fine = { "a", select(3, 1, 2) },
  nils = { memory = t.memroy, pids = 1, cpus = nil, [t] = nil },
  later = { memory = nil },
  twice = { [1] = "x", "y", a = 1,
    b = 2, a = 3 },
}`)
	c := value.(*lua.LTable)
	for name, wanted := range map[string]string{
		"holes": `b.lua:3: item 2 of this list is nil (leave it out, or write false)
b.lua:3: item 3 of this list is nil (leave it out, or write false)
b.lua:4: item 4 of this list is nil (leave it out, or write false)`,
		"call":  `b.lua:5: item 2 of this list is nil (leave it out, or write false)`,
		"fine":  "",
		"nils":  "",
		"twice": `b.lua:10: "a" is set twice in this table (first at line 9)`,
	} {
		if got := Errors(v.Site(field(c, name)).Problems()).Error(); got != wanted {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, wanted)
		}
	}
	if got := v.Site(field(c, "nils")).NilKeys(); fmt.Sprint(got) != "[memory cpus]" {
		t.Errorf("nil keys: %v", got)
	}
	if got := v.Site(field(c, "nils")).Key("memory").Line; got != 7 {
		t.Errorf("line of a nil key: %d", got)
	}
}

// TestSiteOfOthers: tables not written in Lua, and no table at all.
func TestSiteOfOthers(t *testing.T) {
	v := New(context.Background(), Options{})
	defer v.Close()
	made := v.State().NewTable()
	if s := v.Site(made); s != nil || s.Key("x") != (Place{}) || s.Item(1) != (Place{}) || s.Problems() != nil || s.NilKeys() != nil {
		t.Errorf("a table of Go has a site: %+v", s)
	}
	v.Declare("made", made)
	fn, err := v.Load("b.lua", []byte("\nmade.x = 1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Call(fn, 0); err != nil {
		t.Fatal(err)
	}
	if got := v.Site(made).Key("x"); got.Line != 2 {
		t.Errorf("a field set by Lua: %+v", got)
	}
	if got := v.Site(made).Key("y"); got.Line != 2 {
		t.Errorf("another field: %+v", got)
	}
}

// TestUserDataIsClosed: a program never holds the metatable of a Go value.
func TestUserDataIsClosed(t *testing.T) {
	v := New(context.Background(), Options{})
	defer v.Close()
	value := v.State().NewUserData()
	value.Metatable = v.State().NewTable()
	v.Declare("value", value)
	fn, err := v.Load("b.lua", []byte("return getmetatable(value)"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Call(fn, 1); err != nil || got[0] != lua.LString("locked") {
		t.Errorf("got %v, %v", got, err)
	}
	fn, err = v.Load("b.lua", []byte("value.x = 1"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Call(fn, 1)
	want(t, err, `b.lua:1: attempt to set field "x" of a userdata value`)
}

// TestSitesAreBounded: a program that makes tables for ever does not fill memory
// with their places.
func TestSitesAreBounded(t *testing.T) {
	v, value := load(t, "local n, last = 0 while n < 70000 do n = n + 1 last = { n } end for i = 1, 1000 do last['k' .. i] = i end return last")
	if len(v.sites) > maxSites || v.Site(value.(*lua.LTable)) != nil {
		t.Errorf("%d sites", len(v.sites))
	}
	v, value = load(t, "local t = {} for i = 1, 1000 do t['k' .. i] = i end return t")
	if n := len(v.Site(value.(*lua.LTable)).sets); n != maxSets {
		t.Errorf("%d sets of one table", n)
	}
}

// TestOrder: pairs gives the array part, then keys as first set, each time the same.
func TestOrder(t *testing.T) {
	for range 20 {
		out, err := run(t, `local t = { z = 1, 10, y = 2, 20, x = 3, [1.5] = 4, [true] = 5 }
t.y = nil t.w = 6 t.y = 7 t[#t+1] = 30
local s = "" for k, v in pairs(t) do s = s .. tostring(k) .. "=" .. v .. " " end print(s)`)
		if err != nil || out != "1=10 2=20 3=30 z=1 y=7 x=3 1.5=4 true=5 w=6 " {
			t.Fatalf("got %q, %v", out, err)
		}
	}
}

func TestLock(t *testing.T) {
	v := New(context.Background(), Options{})
	defer v.Close()
	fs := v.State().NewTable()
	fs.RawSetString("read", lua.LString("r"))
	fs.RawSetString("exists", lua.LString("e"))
	v.Declare("fs", v.Lock("module fs", fs))
	if !v.Locked(fs) || v.Locked(v.State().NewTable()) {
		t.Error("Locked is wrong")
	}
	for source, message := range map[string]string{
		"return fs.raed":                              `module fs has no "raed" (did you mean "read"?)`,
		"return fs[1]":                                `module fs has no 1`,
		"fs.read = 1":                                 `module fs cannot be changed (setting "read")`,
		"fs.other = 1":                                `module fs cannot be changed (setting "other")`,
		"fs.a, fs.b = 1, 2":                           `module fs cannot be changed (setting "b")`,
		"function fs.read() end":                      `module fs cannot be changed (setting "read")`,
		"function fs:read() end":                      `module fs cannot be changed (setting "read")`,
		"table.insert(fs, 1)":                         `module fs cannot be changed (setting 1)`,
		"table.sort(fs)":                              `module fs cannot be changed (setting 1)`,
		"setmetatable(fs, nil)":                       `cannot change a protected metatable`,
		"getmetatable(fs).__index = print":            `attempt to set field "__index" of a string value`,
		"setmetatable({}, { __newindex = fs }).x = 1": `module fs cannot be changed (setting "x")`,
	} {
		fn, err := v.Load("b.lua", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Call(fn, 0)
		if err == nil {
			t.Errorf("%s: no error", source)
			continue
		}
		want(t, err, "b.lua:1: "+message)
	}
	fn, err := v.Load("b.lua", []byte("local s = '' for k, v in pairs(fs) do s = s .. k .. v end return s .. fs.read"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Call(fn, 1); err != nil || got[0].String() != "readrexistser" {
		t.Errorf("got %v, %v", got, err)
	}
}
