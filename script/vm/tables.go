package vm

import (
	"sort"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// tableLibrary is Lua 5.1 manual 5.5.
var tableLibrary = [...]builtin{
	{"concat", tableConcat}, {"insert", tableInsert}, {"maxn", tableMaxN},
	{"remove", tableRemove}, {"sort", tableSort},
}

func tableConcat(v *VM, L *lua.LState) int {
	t := L.CheckTable(1)
	separator := ""
	if L.Get(2) != lua.LNil {
		separator = checkString(L, 2)
	}
	from, to := optInteger(L, 3, 1), optInteger(L, 4, t.Len())
	var b strings.Builder
	for i := from; i <= to; i++ {
		value := t.RawGetInt(i)
		if !lua.LVCanConvToString(value) {
			L.RaiseError("item %d of the table to concat is a %s, not a string", i, value.Type().String())
		}
		s := Text(value)
		v.Fits(L, b.Len()+len(s)+len(separator))
		b.WriteString(s)
		if i < to {
			b.WriteString(separator)
		}
	}
	L.Push(lua.LString(b.String()))
	return 1
}

func tableInsert(v *VM, L *lua.LState) int {
	t := L.CheckTable(1)
	end := t.Len() + 1
	position, value := end, L.Get(2)
	switch L.GetTop() {
	case 2:
	case 3:
		position, value = checkInteger(L, 2), L.Get(3)
	default:
		L.RaiseError("table.insert takes a table, a position that may be left out, and a value")
	}
	if position < 1 || position > end {
		L.ArgError(2, "position "+strconv.Itoa(position)+" is not between 1 and "+strconv.Itoa(end))
	}
	if end > MaxArrayIndex {
		L.RaiseError("more than %d items in a table", MaxArrayIndex)
	}
	v.mayChange(L, t, lua.LNumber(position))
	if value == lua.LNil {
		L.ArgError(L.GetTop(), "the value is nil")
	}
	if position == end {
		v.store(L, t, lua.LNumber(position), value)
		return 0
	}
	t.Insert(position, value)
	return 0
}

func tableMaxN(v *VM, L *lua.LState) int {
	t := L.CheckTable(1)
	most := lua.LNumber(0)
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		if n, ok := k.(lua.LNumber); ok && n > most {
			most = n
		}
	}
	L.Push(most)
	return 1
}

func tableRemove(v *VM, L *lua.LState) int {
	t := L.CheckTable(1)
	end := t.Len()
	position := optInteger(L, 2, end)
	if end == 0 || position < 1 || position > end {
		return 0
	}
	v.mayChange(L, t, lua.LNumber(position))
	L.Push(t.Remove(position))
	return 1
}

func tableSort(v *VM, L *lua.LState) int {
	t := L.CheckTable(1)
	by := &order{L: L, v: v}
	if L.Get(2) != lua.LNil {
		by.before = L.CheckFunction(2)
	}
	v.mayChange(L, t, lua.LNumber(1))
	by.values = make([]lua.LValue, t.Len())
	for i := range by.values {
		by.values[i] = t.RawGetInt(i + 1)
	}
	sort.Sort(by)
	for i, value := range by.values {
		t.RawSetInt(i+1, value)
	}
	return 0
}

// order sorts a copy: what a comparison does to the table meanwhile cannot harm.
type order struct {
	L      *lua.LState
	v      *VM
	before *lua.LFunction
	values []lua.LValue
	steps  int
}

func (o *order) Len() int      { return len(o.values) }
func (o *order) Swap(i, j int) { o.values[i], o.values[j] = o.values[j], o.values[i] }

func (o *order) Less(i, j int) bool {
	if o.before == nil {
		o.v.Step(o.L, &o.steps)
		return o.L.LessThan(o.values[i], o.values[j])
	}
	o.L.Push(o.before)
	o.L.Push(o.values[i])
	o.L.Push(o.values[j])
	o.L.Call(2, 1)
	less := o.L.ToBool(-1)
	o.L.Pop(1)
	return less
}

// Step counts work done in Go, and now and then looks whether the VM has ended.
func (v *VM) Step(L *lua.LState, steps *int) {
	if *steps++; *steps&1023 == 0 {
		if err := v.Err(); err != nil {
			L.RaiseError("%s", err.Error())
		}
	}
}
