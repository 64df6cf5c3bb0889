package stdlib

import (
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/vm"
)

// What a function that walks values looks at: tables that share parts multiply.
const (
	maxDepth  = 100     // tables inside one another
	maxValues = 1 << 18 // values in one call
)

// copier walks tables, within bounds.
type copier struct {
	*Call
	open  []*lua.LTable // the tables around the one that is looked at
	count int
}

// enter looks at a table; leave must follow.
func (k *copier) enter(t *lua.LTable) {
	if slices.Contains(k.open, t) {
		k.fail("a table contains itself")
	}
	if len(k.open) >= maxDepth {
		k.fail("more than %d tables inside one another", maxDepth)
	}
	k.open = append(k.open, t)
}

func (k *copier) leave() { k.open = k.open[:len(k.open)-1] }

// one counts a value.
func (k *copier) one() {
	k.step()
	if k.count++; k.count > maxValues {
		k.fail("more than %d values", maxValues)
	}
}

func (k *copier) value(value lua.LValue) lua.LValue {
	k.one()
	if t, ok := value.(*lua.LTable); ok {
		return k.table(t)
	}
	return value
}

// table copies a table, and where it was written.
func (k *copier) table(t *lua.LTable) *lua.LTable {
	k.enter(t)
	defer k.leave()
	out := k.L.CreateTable(t.Len(), 0)
	for key, value := t.Next(lua.LNil); key != lua.LNil; key, value = t.Next(key) {
		out.RawSet(key, k.value(value))
	}
	k.VM.Carry(out, t)
	k.asList(out, t)
	return out
}

// over lays a table over another, which is changed.
func (k *copier) over(out, t *lua.LTable) {
	k.enter(t)
	defer k.leave()
	for key, value := t.Next(lua.LNil); key != lua.LNil; key, value = t.Next(key) {
		below, isTable := out.RawGet(key).(*lua.LTable)
		above, both := value.(*lua.LTable)
		if isTable && both && below.Len() == 0 && above.Len() == 0 {
			k.one()
			k.over(below, above)
			continue
		}
		out.RawSet(key, k.value(value))
	}
	k.VM.Carry(out, t)
}

// equal compares by content. A table that contains itself is as deep as can be.
func (k *copier) equal(a, b lua.LValue) bool {
	k.one()
	x, ok1 := a.(*lua.LTable)
	y, ok2 := b.(*lua.LTable)
	if a == b || !ok1 || !ok2 {
		return a == b
	}
	k.enter(x)
	defer k.leave()
	n := 0
	for key, value := x.Next(lua.LNil); key != lua.LNil; key, value = x.Next(key) {
		if !k.equal(value, y.RawGet(key)) {
			return false
		}
		n++
	}
	for key, _ := y.Next(lua.LNil); key != lua.LNil; key, _ = y.Next(key) {
		n--
	}
	return n == 0
}

// sortedKeys are the keys of a table: numbers, strings, then false and true.
func (c *Call) sortedKeys(t *lua.LTable) []lua.LValue {
	var keys []lua.LValue
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		switch k.(type) {
		case lua.LNumber, lua.LString, lua.LBool:
			keys = append(keys, k)
		default:
			c.fail("a key of the table is a %s, which has no order", k.Type())
		}
	}
	slices.SortFunc(keys, func(a, b lua.LValue) int {
		c.step()
		if kind := rank(a) - rank(b); kind != 0 {
			return kind
		}
		if x, ok := a.(lua.LNumber); ok {
			if x < b.(lua.LNumber) {
				return -1
			}
			return 1
		}
		return strings.Compare(vm.Text(a), vm.Text(b))
	})
	return keys
}

func rank(key lua.LValue) int {
	switch key.(type) {
	case lua.LNumber:
		return 0
	case lua.LString:
		return 1
	}
	return 2
}

// maxLists bounds the empty lists that are remembered: they cannot be freed. Later
// ones are tables without keys, as any empty table is.
const maxLists = 64 << 10

// isList tells whether an empty table is meant to be a list, which JSON, YAML and
// TOML tell apart from a table without keys, and Lua does not.
func (l *Load) isList(t *lua.LTable) bool {
	_, ok := l.lists[t]
	return ok
}

// markList remembers that a table is a list when it is empty.
func (l *Load) markList(t *lua.LTable) {
	if l.lists == nil {
		l.lists = map[*lua.LTable]struct{}{}
	}
	if len(l.lists) < maxLists {
		l.lists[t] = struct{}{}
	}
}

// asList makes a copy of an empty list one, too.
func (l *Load) asList(out, t *lua.LTable) {
	if l.isList(t) {
		l.markList(out)
	}
}
