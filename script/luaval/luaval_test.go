package luaval

import (
	"context"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"sandbox/sandbox/definition"
	"sandbox/script/vm"
)

// run returns what a Lua chunk returns.
func run(t *testing.T, source string) (*vm.VM, lua.LValue) {
	t.Helper()
	v := vm.New(context.Background(), vm.Options{})
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

func TestRead(t *testing.T) {
	v, value := run(t, "return {\n  b = { 1, \"x\",\n    false, true },\n  a = {},\n}")
	var problems definition.Problems
	r := Reader{VM: v, Problems: &problems, At: func(p vm.Place) definition.Origin { return definition.Origin{File: p.File, Line: p.Line} }}
	got := r.Read(value, "", definition.Origin{File: "b.lua", Line: 1})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if len(got.Fields) != 2 || got.Fields[0].Name != "b" || got.Fields[0].Value.Origin.Line != 2 || !got.Field("a").IsEmpty() || got.Field("c") != nil {
		t.Errorf("read %+v", got)
	}
	items := got.Fields[0].Value.Items
	if len(items) != 3 || items[0].Number != 1 || items[1].Text != "x" || !items[2].Bool || items[2].Origin.Line != 3 {
		t.Errorf("items are %+v", items)
	}
}

func TestReadProblems(t *testing.T) {
	for source, want := range map[string]string{
		"return { [1.5] = 1 }":                               "a key of the table is neither a string nor a list index",
		"return { [{}] = 1 }":                                "a key of the table is neither a string nor a list index",
		"return { 1, a = 2 }":                                "the table is both a list and a table with keys",
		"return { [3] = 1 }":                                 "[1]: item 1 of this list is nil",
		"local t = {} t.t = t return t":                      "t: the table contains itself",
		"return setmetatable({}, {})":                        "the table has a metatable",
		"return { a = print }":                               "a: a function cannot be part of a definition",
		"return { 0/0 }":                                     "[1]: the number is NaN",
		"return { a = coroutine.create(print) }":             "a: a thread cannot be part",
		"return { a = 1, a = 2 }":                            `"a" is set twice`,
		"local t = {} for i = 1, 25 do t = {t} end return t": "more than 20 tables inside one another",
	} {
		v, value := run(t, source)
		var problems definition.Problems
		r := Reader{VM: v, Problems: &problems, At: func(vm.Place) definition.Origin { return definition.Origin{} }}
		r.Read(value, "", definition.Origin{})
		if len(problems) != 1 || !strings.Contains(problems[0].Error(), want) {
			t.Errorf("%s: %v, wanted %s", source, problems, want)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, text := range []string{`{"z":1,"a":[true,false,"é\n"],"m":{"x":-1.5}}`, `[1,[2,[3]]]`, `"x"`, `1e+300`, `9007199254740991`} {
		v, _ := run(t, "return nil")
		value, err := DecodeJSON(v.State(), []byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := EncodeJSON(value, "x", 1000)
		if err != nil || string(again) != text {
			t.Errorf("%s became %s, %v", text, again, err)
		}
	}
	for _, text := range []string{``, `{`, `[1,]`, `1 2`, strings.Repeat("[", 50) + strings.Repeat("]", 50)} {
		v, _ := run(t, "return nil")
		if value, err := DecodeJSON(v.State(), []byte(text)); err == nil {
			t.Errorf("%s was read as %v", text, value)
		}
	}
	for source, want := range map[string]string{
		"return { a = { print } }": "x.a[1] is a function", "return { 1, a = 2 }": "x is neither a list nor",
		"return { 1/0 }": "x[1] is infinity", "local t = {} t.a = t return t": "x.a contains itself",
		`return "\255"`: "x is a string that is no UTF-8", `return ("x"):rep(2000)`: "x is larger than 1000 bytes",
		"return setmetatable({}, {})": "x is a table with a metatable", `return { [2] = 1 }`: "x[1] is nil",
	} {
		_, value := run(t, source)
		if text, err := EncodeJSON(value, "x", 1000); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %s, %v, wanted %s", source, text, err, want)
		}
	}
}

func TestScalars(t *testing.T) {
	text := func(s string) *Value { return &Value{Kind: String, Text: s} }
	number := func(f float64) *Value { return &Value{Kind: Number, Number: f} }
	for _, tc := range []struct {
		v    *Value
		want uint32
		ok   bool
	}{{text("022"), 0o22, true}, {text("7777"), 0o7777, true}, {text("8"), 0, false}, {text("10000"), 0, false}, {text(""), 0, false}, {text("-1"), 0, false}, {number(22), 0, false}, {number(-1), 0, false}} {
		if got, err := Mode(tc.v); (err == nil) != tc.ok || err == nil && got != tc.want {
			t.Errorf("the mode %s is %o, %v", tc.v.Describe(), got, err)
		}
	}
	for _, tc := range []struct {
		v    *Value
		want definition.Bytes
		ok   bool
	}{{text("1K"), 1024, true}, {number(5), 5, true}, {text("5"), 0, false}, {number(1.5), 0, false}, {number(-1), 0, false}, {number(1 << 53), 0, false}, {text("x"), 0, false}} {
		if got, err := Size(tc.v); (err == nil) != tc.ok || err == nil && got != tc.want {
			t.Errorf("the size %s is %d, %v", tc.v.Describe(), got, err)
		}
	}
	for v, ok := range map[*Value]bool{text("5s"): true, text("5"): false, number(5): false, text("-5s"): false, text("2000000h"): false} {
		if got, err := Time(v); (err == nil) != ok {
			t.Errorf("the time %s is %s, %v", v.Describe(), got, err)
		}
	}
}
