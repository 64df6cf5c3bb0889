package vm

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// TestOwnLibraries runs the tests of Lua 5.1, which gopher-lua carries, against this
// package's libraries. What they ask of parts that are left out, and of addresses,
// is replaced.
func TestOwnLibraries(t *testing.T) {
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/yuin/gopher-lua").Output()
	if err != nil {
		t.Fatalf("find gopher-lua: %v", err)
	}
	for file, replace := range map[string][]string{
		"pm.lua": {"assert(string.gfind == string.gmatch)", "", "table.getn", "getn"},
		"strings.lua": {
			"assert(string.find(tostring{}, 'table:'))", "",
			"assert(string.find(tostring(print), 'function:'))", "",
		},
		"sort.lua": {"table.getn", "getn", "math.random", "random"},
	} {
		source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(module)), "_lua5.1-tests", file))
		if err != nil {
			t.Fatal(err)
		}
		text := string(source)
		for i := 0; i < len(replace); i += 2 {
			if !strings.Contains(text, replace[i]) {
				t.Errorf("%s: nothing to replace: %s", file, replace[i])
			}
			text = strings.ReplaceAll(text, replace[i], replace[i+1])
		}
		v := New(context.Background(), Options{})
		if err := runFreely(v, file, text); err != nil {
			t.Errorf("%s: %s", file, err.Report())
		}
		v.Close()
	}
}

// runFreely runs a file that uses global variables, with what such files need.
func runFreely(v *VM, file, source string) *Error {
	for _, name := range v.globals() {
		v.open(name)
	}
	L := v.root
	L.SetGlobal("_G", L.G.Global)
	L.SetGlobal("rawset", L.NewFunction(func(L *lua.LState) int {
		L.CheckTable(1).RawSet(L.Get(2), L.Get(3))
		return 0
	}))
	L.SetGlobal("rawget", L.NewFunction(func(L *lua.LState) int {
		L.Push(L.CheckTable(1).RawGet(L.Get(2)))
		return 1
	}))
	L.SetGlobal("getn", L.NewFunction(func(L *lua.LState) int {
		L.Push(lua.LNumber(L.CheckTable(1).Len()))
		return 1
	}))
	clock := 0
	os := L.NewTable()
	os.RawSetString("clock", L.NewFunction(func(L *lua.LState) int {
		clock++
		L.Push(lua.LNumber(clock))
		return 1
	}))
	os.RawSetString("setlocale", L.NewFunction(func(*lua.LState) int { return 0 }))
	L.SetGlobal("os", os)
	random := rand.New(rand.NewPCG(1, 2))
	L.SetGlobal("random", L.NewFunction(func(L *lua.LState) int {
		L.Push(lua.LNumber(random.Float64()))
		return 1
	}))
	compiled := func(file, source string) (*lua.LFunction, *Error) {
		proto, r, failed := compile(file, []byte(source), len(v.literals))
		if failed != nil {
			return nil, failed
		}
		v.literals = append(v.literals, r.literals...)
		return L.NewFunctionFromProto(proto), nil
	}
	L.SetGlobal("loadstring", L.NewFunction(func(L *lua.LState) int {
		fn, failed := compiled("string", L.CheckString(1))
		if failed != nil {
			L.RaiseError("%s", failed.Error())
		}
		L.Push(fn)
		return 1
	}))
	fn, failed := compiled(file, source)
	if failed != nil {
		return failed
	}
	v.files = append(v.files, file)
	if _, err := v.Call(fn, 0); err != nil {
		return err.(*Error)
	}
	return nil
}
