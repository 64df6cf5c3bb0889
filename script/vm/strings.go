package vm

import (
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// stringsLibrary is Lua 5.1 manual 5.4 without dump.
var stringsLibrary = [...]builtin{
	{"byte", strByte}, {"char", strChar}, {"find", strFind}, {"format", strFormat},
	{"gmatch", strGmatch}, {"gsub", strGsub}, {"len", strLen}, {"lower", strLower},
	{"match", strMatch}, {"rep", strRep}, {"reverse", strReverse}, {"sub", strSub},
	{"upper", strUpper},
}

func (v *VM) stringLibrary() *lua.LTable {
	if v.library == nil {
		v.library = v.makeLibrary("string", stringsLibrary[:])
		v.strings.RawSetString("__index", v.library)
	}
	return v.library
}

// installStringMethods makes s:upper() work. The library is made at the first use.
func (v *VM) installStringMethods() {
	v.strings = v.root.CreateTable(0, 2)
	v.strings.RawSetString("__metatable", lua.LString("locked"))
	v.strings.RawSetString("__index", v.root.NewFunction(func(L *lua.LState) int {
		L.Push(L.GetTable(v.stringLibrary(), L.Get(2)))
		return 1
	}))
	v.root.SetMetatable(lua.LString(""), v.strings)
}

// Fits raises an error when a string would be longer than MaxString, before it is made.
func (v *VM) Fits(L *lua.LState, size int) {
	if size > MaxString {
		L.RaiseError("string longer than %d MiB", MaxString>>20)
	}
}

// checkString is a string, or a number as tostring shows it.
func checkString(L *lua.LState, n int) string {
	switch x := L.Get(n).(type) {
	case lua.LString:
		return string(x)
	case lua.LNumber:
		return Text(x)
	}
	L.TypeError(n, lua.LTString)
	return ""
}

// checkInteger is a number cut to an integer; infinities become the largest ones.
func checkInteger(L *lua.LState, n int) int {
	f := float64(L.CheckNumber(n))
	if math.IsNaN(f) {
		L.ArgError(n, "not a number")
	}
	const most = 1 << 53
	return int(max(-most, min(most, f)))
}

func optInteger(L *lua.LState, n, otherwise int) int {
	if L.Get(n) == lua.LNil {
		return otherwise
	}
	return checkInteger(L, n)
}

// span turns Lua's inclusive positions, negative ones from the end, into a Go slice's.
func span(from, to, length int) (int, int) {
	if from < 0 {
		from = max(length+from+1, 1)
	}
	if to < 0 {
		to = length + to + 1
	}
	from, to = max(from, 1), min(to, length)
	if from > to {
		return 0, 0
	}
	return from - 1, to
}

func strByte(v *VM, L *lua.LState) int {
	s := checkString(L, 1)
	from := optInteger(L, 2, 1)
	start, end := span(from, optInteger(L, 3, from), len(s))
	if end-start > maxUnpack {
		L.RaiseError("too many results (at most %d)", maxUnpack)
	}
	for i := start; i < end; i++ {
		L.Push(lua.LNumber(s[i]))
	}
	return end - start
}

func strChar(v *VM, L *lua.LState) int {
	out := make([]byte, L.GetTop())
	for i := range out {
		c := checkInteger(L, i+1)
		if c < 0 || c > 255 {
			L.ArgError(i+1, "not between 0 and 255")
		}
		out[i] = byte(c)
	}
	L.Push(lua.LString(out))
	return 1
}

func strLen(v *VM, L *lua.LState) int {
	L.Push(lua.LNumber(len(checkString(L, 1))))
	return 1
}

func strLower(v *VM, L *lua.LState) int { return mapBytes(L, lower) }

func strUpper(v *VM, L *lua.LState) int {
	return mapBytes(L, func(c byte) byte {
		if c >= 'a' && c <= 'z' {
			return c - 'a' + 'A'
		}
		return c
	})
}

func mapBytes(L *lua.LState, change func(byte) byte) int {
	out := []byte(checkString(L, 1))
	for i, c := range out {
		out[i] = change(c)
	}
	L.Push(lua.LString(out))
	return 1
}

func strRep(v *VM, L *lua.LState) int {
	s, n := checkString(L, 1), checkInteger(L, 2)
	if n <= 0 || s == "" {
		L.Push(lua.LString(""))
		return 1
	}
	if n > MaxString {
		n = MaxString + 1
	}
	v.Fits(L, n*len(s))
	L.Push(lua.LString(strings.Repeat(s, n)))
	return 1
}

func strReverse(v *VM, L *lua.LState) int {
	s := checkString(L, 1)
	out := make([]byte, len(s))
	for i := range len(s) {
		out[len(s)-1-i] = s[i]
	}
	L.Push(lua.LString(out))
	return 1
}

func strSub(v *VM, L *lua.LState) int {
	s := checkString(L, 1)
	start, end := span(checkInteger(L, 2), optInteger(L, 3, -1), len(s))
	L.Push(lua.LString(s[start:end]))
	return 1
}

// concat(a, b, …) is a .. b .. …, which associates to the right.
func (v *VM) concat(L *lua.LState) int {
	n := L.GetTop()
	size := 0
	for i := 1; i <= n; i++ {
		switch x := L.Get(i).(type) {
		case lua.LString:
			size += len(x)
		case lua.LNumber:
			size += len(Text(x))
		default:
			return v.concatMeta(L, n)
		}
	}
	v.Fits(L, size)
	out := make([]byte, 0, size)
	for i := 1; i <= n; i++ {
		if s, ok := L.Get(i).(lua.LString); ok {
			out = append(out, s...)
		} else {
			out = append(out, Text(L.Get(i))...)
		}
	}
	L.Push(lua.LString(out))
	return 1
}

func (v *VM) concatMeta(L *lua.LState, n int) int {
	right := L.Get(n)
	for i := n - 1; i > 0; i-- {
		left := L.Get(i)
		if lua.LVCanConvToString(left) && lua.LVCanConvToString(right) {
			a, b := Text(left), Text(right)
			v.Fits(L, len(a)+len(b))
			right = lua.LString(a + b)
			continue
		}
		fn := L.GetMetaField(left, "__concat")
		if fn == lua.LNil {
			fn = L.GetMetaField(right, "__concat")
		}
		if fn == lua.LNil {
			// gopher-lua's words; reword has better ones for those who read them.
			L.RaiseError("cannot perform concat operation between %s and %s", left.Type().String(), right.Type().String())
		}
		L.Push(fn)
		L.Push(left)
		L.Push(right)
		L.Call(2, 1)
		right = L.Get(-1)
		L.Pop(1)
	}
	L.Push(right)
	return 1
}
