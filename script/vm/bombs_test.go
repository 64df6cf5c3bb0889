package vm

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// run loads and runs source, and returns what print wrote and the error.
func run(t testing.TB, source string) (string, error) {
	t.Helper()
	var out []string
	v := New(context.Background(), Options{Print: func(line string) { out = append(out, line) }})
	defer v.Close()
	defer v.Within(20*time.Second, "the test")()
	fn, err := v.Load("b.lua", []byte(source))
	if err == nil {
		_, err = v.Call(fn, 0)
	}
	return strings.Join(out, "\n"), err
}

// want checks one line of an error.
func want(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", text)
	}
	if err.Error() != text {
		t.Errorf("got  %q\nwant %q", err.Error(), text)
	}
}

// TestBombs runs what would kill or hang gopher-lua as it is. Each ends with an
// error of its own, not by the test's time limit.
func TestBombs(t *testing.T) {
	for _, b := range []struct{ name, source, message string }{
		{"doubling", `local s = "x" while true do s = s .. s end`, "string longer than 16 MiB"},
		{"wide concat", `local s = ("x"):rep(2^20) local t = ` + strings.Repeat("s..", 119) + `s`, "string longer than 16 MiB"},
		{"index", `local t = {} t[67108863] = 1`, "list index 67108863 is above 1048576"},
		{"index of several", `local t, x = {} t[67108863], x = 1, 2`, "list index 67108863 is above 1048576"},
		{"rep", `local s = string.rep("x", 2^31)`, "string longer than 16 MiB"},
		{"rep of infinity", `local s = string.rep("x", 1/0)`, "string longer than 16 MiB"},
		{"table.concat", `local t, s = {}, ("x"):rep(10000000) for i = 1, 1000 do t[i] = s end local r = table.concat(t)`, "string longer than 16 MiB"},
		{"separator", `local t = {} for i = 1, 100 do t[i] = "" end local r = table.concat(t, ("x"):rep(1000000))`, "string longer than 16 MiB"},
		{"format", `local s = ("x"):rep(2^23) local r = string.format("%s%s%s", s, s, s)`, "string longer than 16 MiB"},
		{"gsub", `local s = ("x"):rep(2^20):gsub("x", ("y"):rep(1000))`, "string longer than 16 MiB"},
		{"print", `local s = ("x"):rep(2^23) print(s, s, s)`, "string longer than 16 MiB"},
		{"append", `local t = {} for i = 1, 2^21 do t[#t+1] = i end`, "list index 1048577 is above 1048576"},
		{"unpack", `local t = { unpack({}, 1, 1e9) }`, "too many results to unpack (at most 8000)"},
		{"unpack to infinity", `local t = { unpack({}, -1/0, 1/0) }`, "too many results to unpack (at most 8000)"},
		{"recursion", `local function f() return 1 + f() end f()`, "stack overflow"},
		{"tail recursion", `local function f() return f() end f()`, "stack overflow"},
		{"recursion by pcall", `local function f() local ok, e = pcall(f) if not ok then error(e, 0) end end f()`, "more than 100 protected calls and coroutines inside one another"},
		{"recursion by __index", `local t = setmetatable({}, { __index = function(t, k) return t[k .. "x"] end }) local x = t.a`, "stack overflow"},
		{"recursion by sort", `local function f() table.sort({ 2, 1 }, f) end f()`, "stack overflow"},
		{"recursion by gsub", `local function f() (("x"):gsub("x", f)) end f()`, "stack overflow"},
		{"coroutines", `while true do coroutine.create(print) end`, "more than 1000 unfinished coroutines"},
		{"nested coroutines", `local function f() coroutine.wrap(f)() end f()`, "more than 100 protected calls and coroutines inside one another"},
		{"__newindex chain", `local t = {} setmetatable(t, { __newindex = t }) t.x = 1`, "more than 100 __newindex tables behind one another"},
		{"pattern items", `local x = ("a"):rep(300):find(("a?"):rep(300) .. "b")`, "pattern too complex (more than 200 items)"},
	} {
		t.Run(b.name, func(t *testing.T) {
			start := time.Now()
			_, err := run(t, b.source)
			want(t, err, "b.lua:1: "+b.message)
			if spent := time.Since(start); spent > 10*time.Second {
				t.Errorf("it took %v", spent)
			}
		})
	}
}

// TestDeadline: nothing outlives the VM's context, neither loops, nor builtins that
// work long, nor code that catches errors.
func TestDeadline(t *testing.T) {
	for name, source := range map[string]string{
		"loop":             `while true do end`,
		"pcall":            `while true do pcall(function() while true do end end) end`,
		"pcall of pcall":   `local function f() while true do pcall(f) end end f()`,
		"xpcall":           `while true do xpcall(function() while true do end end, function() while true do end end) end`,
		"optional":         `local x = ("a"):rep(40):find(("a?"):rep(40) .. ("a"):rep(40))`,
		"minimal":          `local x = ("x"):rep(30000):match(".-.-.-b")`,
		"balanced":         `local s = ("("):rep(1000000) local x = s:find("%b()")`,
		"gmatch":           `for x in ("x"):rep(100000):gmatch(".-.-b") do end`,
		"sort":             `local t = {} for i = 1, 1000000 do t[i] = i % 1000 end while true do table.sort(t) end`,
		"made before, run": `local c = coroutine.wrap(function() while true do end end) c()`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := New(context.Background(), Options{})
			defer v.Close()
			fn, err := v.Load("b.lua", []byte(source))
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			defer v.Within(30*time.Millisecond, "loading b.lua")()
			_, err = v.Call(fn, 0)
			want(t, err, "b.lua:1: loading b.lua took longer than 30ms")
			if !errors.Is(err, ErrDeadline) {
				t.Errorf("%v is not ErrDeadline", err)
			}
			if spent := time.Since(start); spent > 5*time.Second {
				t.Errorf("it took %v", spent)
			}
			if _, err := v.Call(fn, 0); !errors.Is(err, ErrDeadline) {
				t.Errorf("the VM lives on: %v", err)
			}
			if _, err := v.Load("c.lua", nil); !errors.Is(err, ErrDeadline) {
				t.Errorf("the VM loads on: %v", err)
			}
		})
	}
}

// TestGrowth: what grows without any one large step is ended by the watchdog.
func TestGrowth(t *testing.T) {
	for name, source := range map[string]string{
		"tables":   `local t = {} while true do t[#t+1] = { 1, 2, 3 } end`,
		"closures": `local t, n = {}, 0 while true do n = n + 1 t[n] = function() return n end end`,
		"keys":     `local t, i = {}, 0 while true do i = i + 1 t["k" .. i] = true end`,
		"strings":  `local t, i = {}, 0 while true do i = i + 1 t[i] = ("x"):rep(100000) .. i end`,
	} {
		t.Run(name, func(t *testing.T) {
			v := New(context.Background(), Options{Heap: 64 << 20})
			defer v.Close()
			fn, err := v.Load("b.lua", []byte(source))
			if err != nil {
				t.Fatal(err)
			}
			defer v.Within(20*time.Second, "the test")()
			_, err = v.Call(fn, 0)
			want(t, err, "b.lua:1: the recipe used more than 64 MiB of memory")
			if !errors.Is(err, ErrMemory) {
				t.Errorf("%v is not ErrMemory", err)
			}
		})
	}
}

// TestCompileBombs: files that make gopher-lua's parser or compiler quadratic are
// refused, all within the time of a parse.
func TestCompileBombs(t *testing.T) {
	many := func(n int, f func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(f(i))
		}
		return b.String()
	}
	deep := "nested more than 200 levels deep (chains of operators, calls and elseif count too)"
	for _, b := range []struct{ name, source, message string }{
		{"size", strings.Repeat(" ", MaxSource+1), "the file has 262145 bytes; at most 262144 are read"},
		{"minus", "local x = " + strings.Repeat("- ", 64<<10) + "1", ":1: " + deep},
		{"not", "local x = " + strings.Repeat("not ", 32<<10) + "1", ":1: " + deep},
		{"power", "local x = 1" + strings.Repeat("^2", 64<<10), ":1: " + deep},
		{"sum", "local x = 1" + strings.Repeat("+x.y", 50<<10), ":1: " + deep},
		{"concat", "local x = 1" + strings.Repeat(" ..1", 50<<10), ":1: more than 3600 strings joined by .. (use table.concat)"},
		{"calls", "local x = print" + strings.Repeat("()", 100<<10), ":1: " + deep},
		{"brackets", "local x = " + strings.Repeat("(", 100<<10) + "1" + strings.Repeat(")", 100<<10), ""},
		{"tables", "local x = " + strings.Repeat("{", 100<<10) + strings.Repeat("}", 100<<10), ":1: " + deep},
		{"elseif", "local x if x then " + strings.Repeat("elseif x then ", 15<<10) + "end", ":1: " + deep},
		{"blocks", strings.Repeat("do ", 30<<10) + strings.Repeat("end ", 30<<10), ":1: " + deep},
		{"keys", "local x = {" + many(20000, func(i int) string { return "a" + Text(lua.LNumber(i)) + "=1," }) + "}",
			":1: more than 8000 different constants and tables in one file (split the file)"},
		{"many tables", "local x = {" + strings.Repeat("{},", 80000) + "}",
			":1: more than 8000 different constants and tables in one file (split the file)"},
		{"functions", "local x " + strings.Repeat("x = function() end ", 10000),
			":1: more than 2000 functions in one file (split the file)"},
		{"labels", many(10000, func(i int) string { return "::a" + Text(lua.LNumber(i)) + ":: " }),
			":1: more than 1000 labels and gotos in one file (split the file)"},
		{"arguments", "print(" + strings.Repeat("1,", 300) + "1)",
			": an expression or list of arguments that is too long, or too many local variables (at most 200 values are held at a time; build long lists in steps)"},
	} {
		t.Run(b.name, func(t *testing.T) {
			v := New(context.Background(), Options{})
			defer v.Close()
			start := time.Now()
			_, err := v.Load("b.lua", []byte(b.source))
			if spent := time.Since(start); spent > 3*time.Second {
				t.Errorf("it took %v", spent)
			}
			if b.message == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("it was loaded")
			}
			if !strings.HasPrefix(b.message, ":") {
				b.message = ": " + b.message
			}
			want(t, err, "b.lua"+b.message)
		})
	}
}
