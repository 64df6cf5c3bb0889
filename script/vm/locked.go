package vm

import (
	"strconv"

	lua "github.com/yuin/gopher-lua"
)

// Lock makes an ordinary table, filled by Go, into one that a program can read and
// list, and not change: a key that it has not raises an error that names the
// nearest one it has, and so does every write. what names the table in messages,
// as in "module fs" or "ctx". The table must have no metatable; it is returned.
func (v *VM) Lock(what string, t *lua.LTable) *lua.LTable {
	return v.LockMeaning(what, t, nil)
}

// LockMeaning is Lock for a table with words that people try: meant returns the key
// that they mean by a word, or "".
func (v *VM) LockMeaning(what string, t *lua.LTable, meant func(word string) string) *lua.LTable {
	mt := v.root.CreateTable(0, 2)
	mt.RawSetString("__metatable", lua.LString("locked"))
	mt.RawSetString("__index", v.root.NewFunction(func(L *lua.LState) int {
		v.unknownKey(L, what, L.Get(2), func(word string) string {
			near := ""
			if meant != nil {
				near = meant(word)
			}
			if near == "" {
				near = Suggest(word, keys(t))
			}
			return near
		})
		return 0
	}))
	if v.locks == nil {
		v.locks = map[*lua.LTable]string{}
	}
	v.locks[mt] = what
	t.Metatable = mt
	return t
}

// Locked reports whether t was made by Lock.
func (v *VM) Locked(t *lua.LTable) bool {
	_, ok := v.lock(t)
	return ok
}

func (v *VM) lock(t *lua.LTable) (what string, ok bool) {
	mt, isTable := t.Metatable.(*lua.LTable)
	if !isTable {
		return "", false
	}
	what, ok = v.locks[mt]
	return what, ok
}

func (v *VM) unknownKey(L *lua.LState, what string, key lua.LValue, meant func(word string) string) {
	text := what + " has no " + quoteKey(key)
	if s, ok := key.(lua.LString); ok {
		if near := meant(string(s)); near != "" {
			text += " (did you mean " + strconv.Quote(near) + "?)"
		}
	}
	L.RaiseError("%s", text)
}

// keys lists the string keys of a table, in its order.
func keys(t *lua.LTable) []string {
	var names []string
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		if s, ok := k.(lua.LString); ok {
			names = append(names, string(s))
		}
	}
	return names
}

// mayChange raises an error unless a program may write to t.
func (v *VM) mayChange(L *lua.LState, t *lua.LTable, key lua.LValue) {
	if what, ok := v.lock(t); ok {
		L.RaiseError("%s cannot be changed (setting %s)", what, quoteKey(key))
	}
	if v.Frozen(t) {
		L.RaiseError("%s", v.frozenText(quoteKey(key)))
	}
}
