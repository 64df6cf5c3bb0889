package vm

import (
	"context"
	"errors"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

func TestSyntaxErrors(t *testing.T) {
	for source, message := range map[string]string{
		"local x = ":                      `1: syntax error at the end of the file (a value or a word is missing)`,
		"local x\nif x then\n\n\n":        `2: syntax error at the end of the file (the if of line 2 has no end)`,
		"local function f() return 1\n":   `1: syntax error at the end of the file (the function of line 1 has no end)`,
		"\n-- (\nprint('(',\n\n":          `3: syntax error at the end of the file ("(" of line 3 is not closed)`,
		"local s = 'a\nlocal y = 'a'":     `1: unterminated string`,
		"local s = 'abc\n\n\nlocal y":     `1: unterminated string`,
		"local t = [[abc\n\n":             `1: unterminated long string at the end of the file`,
		"--[[ never":                      `1: unterminated long comment at the end of the file`,
		"x = 1 // 2":                      `1: syntax error near "/" (recipes are Lua 5.1: write math.floor(a / b) for a // b, and -- for a comment)`,
		"local a <const> = 1":             `1: syntax error near "<" (recipes are Lua 5.1: there is no <const> and no <close>)`,
		"local a = 1 & 2":                 `1: invalid token near "&" (recipes are Lua 5.1: there are no bit operators)`,
		"local a = 1 ~ 2":                 `1: invalid token near "~" (recipes are Lua 5.1: there are no bit operators)`,
		"local a = 1; local b = a >> 1":   `1: syntax error near ">" (recipes are Lua 5.1: there are no bit operators)`,
		"local a = !true":                 `1: invalid token near "!" (write "not" for !)`,
		"if 1 != 2 then end":              `1: invalid token near "!" (write ~= for "not equal")`,
		"local x = 1\nx += 1":             `2: syntax error near "+" (write x = x + 1 for x += 1)`,
		"local x = {\n a = 1\n b = 2\n}":  `3: syntax error near "b" (a comma may be missing before it, in the "{" of line 1)`,
		"local x = { 1 2 }":               `1: syntax error near "2" (a comma may be missing before it, in the "{" of line 1)`,
		"x = = 1":                         `1: syntax error near "="`,
		"return\nlocal x = 1":             `2: syntax error near "local"`,
		"\nbreak":                         `2: break outside a loop`,
		"\n\ngoto x":                      `3: no visible label 'x' for <goto>`,
		"::a::\n::a::":                    `2: label 'a' already defined on line 1`,
		"local x = 0x":                    `1: illegal hexadecimal number near "0x"`,
		"function f() return ... end":     `1: cannot use '...' outside a vararg function`,
		"\x00":                            `1: invalid token near "\x00"`,
		"#!/usr/bin/env sandbox\nx = = 1": `2: syntax error near "="`,
		"\xef\xbb\xbf#!x\r\n\r\nx = = 1":  `3: syntax error near "="`,
	} {
		_, err := run(t, source)
		if err == nil {
			t.Errorf("%q: no error", source)
			continue
		}
		want(t, err, "b.lua:"+message)
		var all Errors
		if !errors.As(err, &all) || len(all) != 1 || all[0].File != "b.lua" || all[0].Line == 0 {
			t.Errorf("%q: %#v is no Errors of one with file and line", source, err)
		}
	}
}

func TestStart(t *testing.T) {
	for _, source := range []string{"", "# a comment without end", "#!/x", "\xef\xbb\xbf", "\xef\xbb\xbfprint(1)", "-- nothing"} {
		if _, err := run(t, source); err != nil {
			t.Errorf("%q: %v", source, err)
		}
	}
	_, err := run(t, "#!/x\nerror('here')")
	want(t, err, "b.lua:2: here")
}

// TestNumbers: those that gopher-lua reads as something else.
func TestNumbers(t *testing.T) {
	out, err := run(t, "print(0644, 00644, 0x10, 0xffffffffffffffff, 1e2, .5, 3., 1e999, 08)")
	if err != nil || out != "644\t644\t16\t1.844674407371e+19\t100\t0.5\t3\tinf\t8" {
		t.Errorf("got %q, %v", out, err)
	}
	_, err = run(t, "local x = 1e\nlocal y = 1e+\nlocal z = x + y")
	if err == nil || !strings.Contains(err.Error(), `malformed number "1e"`) || !strings.Contains(err.Error(), `malformed number "1e+"`) {
		t.Errorf("got %v", err)
	}
}

// TestEscapes: what Lua 5.1 would read as the bare letter, all of it at once.
func TestEscapes(t *testing.T) {
	_, err := run(t, `local a = "\a\n\\ \" \' \065\0" -- "\d"
local b, c = "\x41", '\d' local d = [[\d]]
local e = "\300\
\w" print(nope)`)
	wantLines(t, err, `b.lua:2: unknown escape \x in a string (recipes are Lua 5.1: write \ddd, in decimal, for a byte)
b.lua:2: unknown escape \d in a string (write \\ for a backslash; patterns have %d)
b.lua:3: unknown escape \300 in a string (at most \255)
b.lua:4: unknown escape \w in a string (write \\ for a backslash; patterns have %w)
b.lua:4: undeclared variable "nope"`)
}

// TestUndeclared: all at once, in code that never runs too, with a hint for each.
func TestUndeclared(t *testing.T) {
	_, err := run(t, `local count = 0
helper()
local function helper() end
if false then pirnt("x") end
local function hook() coutn = 1 return naem end
do local q = 1 end
print(q, os.time())
function oops() end
oops()
name = "x"
string = nil
local t = { _G, continue, this }
for k, v in paris(t) do print(k, v) end
`)
	wantLines(t, err, `b.lua:2: undeclared variable "helper" ("helper" is declared at line 3, after its use)
b.lua:4: undeclared variable "pirnt" (did you mean "print"?)
b.lua:5: undeclared variable "coutn" (did you mean "count"? A new variable is declared by "local coutn = …")
b.lua:5: undeclared variable "naem"
b.lua:7: undeclared variable "q" ("q" is declared at line 6, in a block that has ended)
b.lua:7: undeclared variable "os" (programs reach files, time and environment only through modules made for it)
b.lua:8: undeclared variable "oops" (write "local function oops")
b.lua:9: undeclared variable "oops" (write "local function oops" at line 8)
b.lua:10: undeclared variable "name" (write "local name = …")
b.lua:11: "string" is built in and cannot be changed (write "local string" for a variable of your own)
b.lua:12: undeclared variable "_G" (this part of Lua is left out)
b.lua:12: undeclared variable "continue" (Lua 5.1 has no continue; use goto, or turn the condition round)
b.lua:12: undeclared variable "this" (write self, in a function defined with a colon)
b.lua:13: undeclared variable "paris" (did you mean "pairs"?)`)
}

func wantLines(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	got, wanted := strings.Split(err.Error(), "\n"), strings.Split(text, "\n")
	for i := range max(len(got), len(wanted)) {
		a, b := "", ""
		if i < len(got) {
			a = got[i]
		}
		if i < len(wanted) {
			b = wanted[i]
		}
		if a != b {
			t.Errorf("got  %q\nwant %q", a, b)
		}
	}
}

// TestLeftOut: nothing of stock Lua that reaches out of the VM, or into it, is there.
func TestLeftOut(t *testing.T) {
	for _, name := range []string{"_G", "getfenv", "setfenv", "rawset", "rawget", "newproxy", "module", "require",
		"loadstring", "load", "dofile", "loadfile", "collectgarbage", "_printregs", "io", "os", "debug", "package",
		"channel", "_GOPHER_LUA_VERSION", "arg"} {
		if _, err := run(t, "local x = "+name); err == nil {
			t.Errorf("%s is there", name)
		}
	}
	for _, path := range []string{"math.random", "math.randomseed", "string.dump", "string.gfind", "table.getn"} {
		if _, err := run(t, "local x = "+path); err == nil {
			t.Errorf("%s is there", path)
		}
	}
}

func TestDeclare(t *testing.T) {
	v := New(context.Background(), Options{})
	defer v.Close()
	v.Declare("answer", lua.LNumber(42))
	fn, err := v.Load("b.lua", []byte("return answer"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Call(fn, 1); err != nil || got[0] != lua.LNumber(42) {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = v.Load("b.lua", []byte("answer = 1"))
	want(t, err, `b.lua:1: "answer" is built in and cannot be changed (write "local answer" for a variable of your own)`)
	_, err = v.Load("b.lua", []byte("return anwser"))
	want(t, err, `b.lua:1: undeclared variable "anwser" (did you mean "answer"?)`)
}

// TestManyClosures: the scan steps over the instructions behind a closure, which
// name captured variables and could look like something else.
func TestManyClosures(t *testing.T) {
	var b strings.Builder
	b.WriteString("local a = {}\n")
	for i := range 60 {
		name := "v" + Text(lua.LNumber(i))
		b.WriteString("local " + name + " = " + Text(lua.LNumber(i)) + "\na[#a+1] = function() " + name + " = " + name + " + 1 return " + name + " end\n")
	}
	b.WriteString("local sum = 0 for _, f in ipairs(a) do sum = sum + f() + f() end print(sum)")
	out, err := run(t, b.String())
	if err != nil || out != "3720" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestSuggest(t *testing.T) {
	words := []string{"memory", "mounts", "name", "pids", "env", "args"}
	for word, nearest := range map[string]string{
		"memry": "memory", "mmeory": "memory", "Memory": "memory", "mount": "mounts", "nmae": "name", "pid": "pids",
		"evn": "env", "arg": "args", "volumes": "", "x": "", "memory": "", "": "", strings.Repeat("m", 200): "",
	} {
		if got := Suggest(word, words); got != nearest {
			t.Errorf("%q: got %q, want %q", word, got, nearest)
		}
	}
}
