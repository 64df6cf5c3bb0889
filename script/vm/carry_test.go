package vm

import (
	"context"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// TestCarry: a table that Go copies keeps the lines of what was written.
func TestCarry(t *testing.T) {
	v := New(context.Background(), Options{})
	defer v.Close()
	fn, err := v.Load("b.lua", []byte("local t = {\n a = 1,\n \"x\",\n n = nil,\n d = 1,\n d = 2,\n}\nt.b = 2\nreturn t"))
	if err != nil {
		t.Fatal(err)
	}
	results, err := v.Call(fn, 1)
	if err != nil {
		t.Fatal(err)
	}
	from, to := results[0].(*lua.LTable), v.State().NewTable()
	for k, value := from.Next(lua.LNil); k != lua.LNil; k, value = from.Next(k) {
		to.RawSet(k, value)
	}
	v.Carry(to, from)
	v.Carry(to, v.State().NewTable()) // of which nothing is known
	site := v.Site(to)
	for name, want := range map[string]int{"a": 2, "b": 8, "n": 4, "other": 1} {
		if at := site.Key(name); at.File != "b.lua" || at.Line != want {
			t.Errorf("%s is at %+v, wanted line %d", name, at, want)
		}
	}
	if at := site.Item(1); at.Line != 3 {
		t.Errorf("the item is at %+v", at)
	}
	if names := site.NilKeys(); len(names) != 1 || names[0] != "n" {
		t.Errorf("the keys that were nil are %q", names)
	}
	if problems := site.Problems(); len(problems) != 1 || problems[0].Line != 6 {
		t.Errorf("the problems are %v", problems)
	}
	v.Freeze()
	v.Carry(v.State().NewTable(), from)
}
