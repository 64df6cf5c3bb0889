package vm

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// builtin is a function of a library.
type builtin struct {
	name string
	run  func(v *VM, L *lua.LState) int
}

// open makes a built-in global the first time that a file names it, and reports
// whether the name is known.
func (v *VM) open(name string) bool {
	if v.root.G.Global.RawGetString(name) != lua.LNil {
		return true
	}
	var value lua.LValue
	switch name {
	case "string":
		value = v.stringLibrary()
	case "table":
		value = v.makeLibrary(name, tableLibrary[:])
	case "math":
		t := v.fill(mathLibrary[:])
		t.RawSetString("pi", lua.LNumber(math.Pi))
		t.RawSetString("huge", lua.LNumber(math.Inf(1)))
		value = v.Lock("module math", t)
	case "coroutine":
		value = v.makeLibrary(name, coroutineLibrary[:])
	case "_VERSION":
		value = lua.LString("Lua 5.1")
	default:
		for i := range baseLibrary {
			if baseLibrary[i].name == name {
				value = v.function(baseLibrary[i])
			}
		}
	}
	if value == nil {
		return false
	}
	v.root.G.Global.RawSetString(name, value)
	return true
}

// globals lists all names that open knows, and those declared.
func (v *VM) globals() []string {
	names := append([]string{"string", "table", "math", "coroutine"}, v.declared...)
	for i := range baseLibrary {
		names = append(names, baseLibrary[i].name)
	}
	return names
}

func (v *VM) function(b builtin) *lua.LFunction {
	return v.root.NewFunction(func(L *lua.LState) int { return b.run(v, L) })
}

func (v *VM) fill(functions []builtin) *lua.LTable {
	t := v.root.CreateTable(0, len(functions))
	for _, b := range functions {
		t.RawSetString(b.name, v.function(b))
	}
	return t
}

func (v *VM) makeLibrary(name string, functions []builtin) *lua.LTable {
	return v.Lock("module "+name, v.fill(functions))
}

// baseLibrary is what is left of Lua 5.1 manual 5.1.
var baseLibrary = [...]builtin{
	{"assert", baseAssert}, {"error", baseError}, {"getmetatable", baseGetMetatable},
	{"ipairs", baseIpairs}, {"next", baseNext}, {"pairs", basePairs}, {"pcall", basePcall},
	{"print", basePrint}, {"rawequal", baseRawEqual}, {"select", baseSelect},
	{"setmetatable", baseSetMetatable}, {"tonumber", baseToNumber}, {"tostring", baseToString},
	{"type", baseType}, {"unpack", baseUnpack}, {"xpcall", baseXpcall},
}

func baseAssert(v *VM, L *lua.LState) int {
	L.CheckAny(1)
	if L.ToBool(1) {
		return L.GetTop()
	}
	if L.GetTop() < 2 {
		L.RaiseError("assertion failed!")
	}
	L.Error(L.Get(2), 0)
	return 0
}

// baseError adds the position itself: gopher-lua gives level 2 that of level 1.
func baseError(v *VM, L *lua.LState) int {
	value, level := L.Get(1), optInteger(L, 2, 1)
	if s, ok := value.(lua.LString); ok && level > 0 {
		skip := level
		v.walk("Sl", func(f Frame) bool {
			if skip--; skip > 0 {
				return true
			}
			value = lua.LString(f.File + ":" + strconv.Itoa(f.Line) + ": " + string(s))
			return false
		})
	}
	L.Error(value, 0)
	return 0
}

func baseGetMetatable(v *VM, L *lua.LState) int {
	value := L.GetMetatable(L.CheckAny(1))
	if L.Get(1).Type() == lua.LTUserData && value != lua.LNil {
		value = lua.LString("locked") // Go's own, and nobody else's
	}
	L.Push(value)
	return 1
}

func baseSetMetatable(v *VM, L *lua.LState) int {
	t := L.CheckTable(1)
	L.CheckTypes(2, lua.LTNil, lua.LTTable)
	if L.GetMetaField(t, "__metatable") != lua.LNil {
		L.RaiseError("cannot change a protected metatable")
	}
	v.mayChange(L, t, lua.LString("metatable"))
	t.Metatable = L.Get(2)
	L.Push(t)
	return 1
}

func baseIpairs(v *VM, L *lua.LState) int {
	t := L.CheckTable(1)
	L.Push(L.NewFunction(nextItem))
	L.Push(t)
	L.Push(lua.LNumber(0))
	return 3
}

func nextItem(L *lua.LState) int {
	i := checkInteger(L, 2) + 1
	value := L.CheckTable(1).RawGetInt(i)
	if value == lua.LNil {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(i))
	L.Push(value)
	return 2
}

func basePairs(v *VM, L *lua.LState) int {
	t := L.CheckTable(1)
	L.Push(L.NewFunction(nextPair))
	L.Push(t)
	L.Push(lua.LNil)
	return 3
}

func baseNext(v *VM, L *lua.LState) int { return nextPair(L) }

func nextPair(L *lua.LState) int {
	key, value := L.CheckTable(1).Next(L.Get(2))
	L.Push(key)
	if key == lua.LNil {
		return 1
	}
	L.Push(value)
	return 2
}

func basePcall(v *VM, L *lua.LState) int {
	fn := L.CheckAny(1)
	results, failed := v.protect(fn, lua.MultRet, arguments(L, 2))
	return v.outcome(L, results, failed)
}

func baseXpcall(v *VM, L *lua.LState) int {
	fn, handler := L.CheckAny(1), L.CheckAny(2)
	results, failed := v.protect(fn, lua.MultRet, arguments(L, 3))
	if failed != nil && v.Err() == nil {
		if again, worse := v.protect(handler, lua.MultRet, []lua.LValue{failed.value}); worse == nil {
			return v.push(L, lua.LFalse, again)
		} else {
			failed = worse
		}
	}
	return v.outcome(L, results, failed)
}

// outcome pushes what pcall returns. The end of the VM cannot be caught.
func (v *VM) outcome(L *lua.LState, results []lua.LValue, failed *raised) int {
	if failed == nil {
		return v.push(L, lua.LTrue, results)
	}
	if v.Err() != nil {
		L.Error(failed.value, 0)
	}
	return v.push(L, lua.LFalse, []lua.LValue{failed.value})
}

func (v *VM) push(L *lua.LState, first lua.LValue, rest []lua.LValue) int {
	L.Push(first)
	for _, value := range rest {
		L.Push(value)
	}
	return 1 + len(rest)
}

// arguments returns the arguments of a builtin from the n-th on.
func arguments(L *lua.LState, n int) []lua.LValue {
	var all []lua.LValue
	for i := n; i <= L.GetTop(); i++ {
		all = append(all, L.Get(i))
	}
	return all
}

func basePrint(v *VM, L *lua.LState) int {
	var line strings.Builder
	for i := 1; i <= L.GetTop(); i++ {
		if i > 1 {
			line.WriteByte('\t')
		}
		s := v.toString(L, L.Get(i))
		v.Fits(L, line.Len()+len(s))
		line.WriteString(s)
	}
	v.Say(line.String())
	return 0
}

// Say gives the user a line, as print does.
func (v *VM) Say(line string) {
	if v.options.Print != nil {
		v.options.Print(line)
	}
}

func baseRawEqual(v *VM, L *lua.LState) int {
	L.Push(lua.LBool(L.CheckAny(1) == L.CheckAny(2)))
	return 1
}

func baseSelect(v *VM, L *lua.LState) int {
	count := L.GetTop() - 1
	if s, ok := L.Get(1).(lua.LString); ok && s == "#" {
		L.Push(lua.LNumber(count))
		return 1
	}
	n := checkInteger(L, 1)
	if n < 0 {
		n = count + n + 1
	}
	if n < 1 {
		L.ArgError(1, "index out of range")
	}
	if n > count {
		return 0
	}
	return count - n + 1
}

func baseToNumber(v *VM, L *lua.LState) int {
	value := L.CheckAny(1)
	base := optInteger(L, 2, 10)
	if base < 2 || base > 36 {
		L.ArgError(2, "base out of range")
	}
	var n lua.LValue = lua.LNil
	switch x := value.(type) {
	case lua.LNumber:
		n = x
	case lua.LString:
		if f, ok := parseNumber(string(x), base); ok {
			n = lua.LNumber(f)
		}
	}
	L.Push(n)
	return 1
}

// parseNumber reads a number as Lua's tonumber does: decimal with fraction and
// exponent, hexadecimal integers, and integers in another base.
func parseNumber(s string, base int) (float64, bool) {
	s = strings.Trim(s, " \t\n\v\f\r")
	if base != 10 {
		if base == 16 {
			s = strings.TrimPrefix(strings.TrimPrefix(s, "0x"), "0X")
		}
		n, err := strconv.ParseInt(s, base, 64)
		return float64(n), err == nil
	}
	digits := strings.TrimLeft(s, "+-")
	if len(digits) > 1 && digits[0] == '0' && lower(digits[1]) == 'x' {
		n, err := strconv.ParseUint(digits[2:], 16, 64)
		if strings.HasPrefix(s, "-") {
			return -float64(n), err == nil
		}
		return float64(n), err == nil
	}
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false // what Go reads and Lua does not: inf, nan, 1_000, 0b1
	}
	f, err := strconv.ParseFloat(s, 64)
	if ne, ok := err.(*strconv.NumError); ok && ne.Err == strconv.ErrRange {
		return f, true // 1e999 is inf in Lua too
	}
	return f, err == nil
}

func baseToString(v *VM, L *lua.LState) int {
	L.Push(lua.LString(v.toString(L, L.CheckAny(1))))
	return 1
}

// toString honours __tostring.
func (v *VM) toString(L *lua.LState, value lua.LValue) string {
	fn := L.GetMetaField(value, "__tostring")
	if fn == lua.LNil {
		return Text(value)
	}
	L.Push(fn)
	L.Push(value)
	L.Call(1, 1)
	s := L.Get(-1)
	L.Pop(1)
	if !lua.LVCanConvToString(s) {
		L.RaiseError("__tostring must return a string, not a %s", s.Type().String())
	}
	return Text(s)
}

func baseType(v *VM, L *lua.LState) int {
	L.Push(lua.LString(L.CheckAny(1).Type().String()))
	return 1
}

func baseUnpack(v *VM, L *lua.LState) int {
	t := L.CheckTable(1)
	from, to := optInteger(L, 2, 1), optInteger(L, 3, t.Len())
	if from > to {
		return 0
	}
	if to-from >= maxUnpack || to-from < 0 {
		L.RaiseError("too many results to unpack (at most %d)", maxUnpack)
	}
	for i := from; i <= to; i++ {
		L.Push(t.RawGetInt(i))
	}
	return to - from + 1
}

// maxUnpack leaves room on a stack of maxRegistry values.
const maxUnpack = 8000

// Text returns a value as tostring does, but never an address: two runs of one
// program print the same.
func Text(value lua.LValue) string {
	switch x := value.(type) {
	case lua.LString:
		return string(x)
	case lua.LNumber:
		return numberText(float64(x))
	case lua.LBool:
		if x {
			return "true"
		}
		return "false"
	case nil:
		return "nil"
	}
	return value.Type().String()
}

// numberText is C's "%.14g", as in Lua 5.1 (LUA_NUMBER_FMT).
func numberText(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.FormatInt(int64(f), 10)
	}
	return formatG(f, 14)
}
