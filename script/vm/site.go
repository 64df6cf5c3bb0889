package vm

import (
	"math"
	"strconv"

	lua "github.com/yuin/gopher-lua"
)

// maxSites bounds the tables whose places are remembered; later ones have none.
const maxSites = 64 << 10

// entry is a key of a table and where it was set.
type entry struct {
	name  string // of a string key
	index int    // of an integer key, when name is ""
	file  string
	line  int
}

// literal is a table constructor in a source file.
type literal struct {
	file  string
	line  int     // of the opening brace
	keys  []entry // in the order of the source
	items []int   // line of each positional item
	fixed int     // positional items that are exactly one value each
	twice []*Error
}

// Site is where a table and what is in it were written. All methods work on a nil
// Site, and know nothing.
type Site struct {
	literal *literal
	sets    []entry // by assignments, in order
	nils    []entry // keys that the constructor gave the value nil
	holes   []int   // positional items that were nil
	// Of a table that Carry was told of: where the first one copied to it was
	// written, and what is wrong with their constructors.
	copied  Place
	carried []*Error
}

// Site returns where a table was written: by a constructor, or, for others, by
// assignments to its fields. It is nil for a table never written to by Lua code,
// for tables beyond the first 65536, and after Freeze.
func (v *VM) Site(t *lua.LTable) *Site { return v.sites[t] }

// Place is the opening brace of the constructor, or the first assignment.
func (s *Site) Place() Place {
	switch {
	case s == nil:
	case s.literal != nil:
		return Place{File: s.literal.file, Line: s.literal.line}
	case s.copied.File != "":
		return s.copied
	case len(s.sets) > 0:
		return Place{File: s.sets[0].file, Line: s.sets[0].line}
	}
	return Place{}
}

// Key is where a string key was set last; the table's own place when unknown.
func (s *Site) Key(name string) Place {
	return s.find(func(e entry) bool { return e.index == 0 && e.name == name }, 0)
}

// Item is where the item with an index, from 1, was set last; the table's own
// place when unknown.
func (s *Site) Item(index int) Place {
	return s.find(func(e entry) bool { return e.index == index && e.name == "" }, index)
}

func (s *Site) find(match func(entry) bool, index int) Place {
	if s == nil {
		return Place{}
	}
	for i := len(s.sets) - 1; i >= 0; i-- {
		if match(s.sets[i]) {
			return Place{File: s.sets[i].file, Line: s.sets[i].line}
		}
	}
	for i := len(s.nils) - 1; i >= 0; i-- {
		if match(s.nils[i]) {
			return Place{File: s.nils[i].file, Line: s.nils[i].line}
		}
	}
	if s.literal == nil {
		return s.Place()
	}
	for i := len(s.literal.keys) - 1; i >= 0; i-- {
		if e := s.literal.keys[i]; match(e) {
			return Place{File: e.file, Line: e.line}
		}
	}
	if index > 0 && index <= len(s.literal.items) {
		return Place{File: s.literal.file, Line: s.literal.items[index-1]}
	}
	return s.Place()
}

// NilKeys are the string keys that the constructor set to nil, as in
// { memory = t.memroy }, in the order of the source; Key has their lines. A key
// that was set afterwards is not among them.
func (s *Site) NilKeys() []string {
	if s == nil {
		return nil
	}
	var names []string
	for _, e := range s.nils {
		if !s.set(e.name) {
			names = append(names, e.name)
		}
	}
	return names
}

func (s *Site) set(name string) bool {
	for _, e := range s.sets {
		if e.index == 0 && e.name == name {
			return true
		}
	}
	return false
}

// Problems are what is wrong with the constructor itself: keys set twice, and list
// items that are nil, trailing ones included.
func (s *Site) Problems() []*Error {
	switch {
	case s == nil:
		return nil
	case s.literal == nil:
		return s.carried
	}
	problems := append([]*Error(nil), s.literal.twice...)
	for _, i := range s.holes {
		problems = append(problems, &Error{
			File: s.literal.file, Line: s.literal.items[i-1],
			Message: "item " + strconv.Itoa(i) + " of this list is nil",
			Hint:    "leave it out, or write false",
		})
	}
	return problems
}

// The names of the recording functions in compiled code. No source can name them.
const (
	recordTable  = "\x00table"
	recordSet    = "\x00set"
	boundConcat  = "\x00concat"
	hiddenPrefix = "\x00"
)

func (v *VM) installRecorders() {
	v.sites = map[*lua.LTable]*Site{}
	g := v.root.G.Global
	g.RawSetString(recordTable, v.root.NewFunction(v.recordTable))
	g.RawSetString(recordSet, v.root.NewFunction(v.recordSet))
	g.RawSetString(boundConcat, v.root.NewFunction(v.concat))
}

// recordTable(id, table) returns the table that constructor id has made.
func (v *VM) recordTable(L *lua.LState) int {
	id, _ := L.Get(1).(lua.LNumber)
	t, ok := L.Get(2).(*lua.LTable)
	if !ok || v.sites == nil || len(v.sites) >= maxSites {
		return 1
	}
	lit := &v.literals[int(id)]
	s := &Site{literal: lit}
	for i := 1; i <= lit.fixed; i++ {
		if t.RawGetInt(i) == lua.LNil {
			s.holes = append(s.holes, i)
		}
	}
	for _, e := range lit.keys {
		if e.index == 0 && t.RawGetString(e.name) == lua.LNil {
			s.nils = append(s.nils, e)
		}
	}
	v.sites[t] = s
	return 1
}

// recordSet(object, key, value) does object[key] = value.
func (v *VM) recordSet(L *lua.LState) int {
	v.assign(L, L.Get(1), L.Get(2), L.Get(3))
	return 0
}

// assign is Lua's assignment to a field (Lua 5.1 manual, 2.8, "newindex"), with
// every table that would change checked first.
func (v *VM) assign(L *lua.LState, object, key, value lua.LValue) {
	for range 100 {
		t, isTable := object.(*lua.LTable)
		if isTable {
			v.mayChange(L, t, key)
			if t.Metatable == lua.LNil || t.RawGet(key) != lua.LNil {
				v.store(L, t, key, value)
				return
			}
		}
		handler := L.GetMetaField(object, "__newindex")
		if handler == lua.LNil {
			if !isTable {
				L.RaiseError("attempt to set field %s of a %s value", quoteKey(key), object.Type().String())
			}
			v.store(L, t, key, value)
			return
		}
		if handler.Type() == lua.LTFunction {
			L.Push(handler)
			L.Push(object)
			L.Push(key)
			L.Push(value)
			L.Call(3, 0)
			return
		}
		object = handler
	}
	L.RaiseError("more than 100 __newindex tables behind one another")
}

// store sets a field without metamethods, within bounds, and remembers the line.
func (v *VM) store(L *lua.LState, t *lua.LTable, key, value lua.LValue) {
	e := entry{}
	switch k := key.(type) {
	case lua.LString:
		e.name = string(k)
	case lua.LNumber:
		f := float64(k)
		if math.IsNaN(f) {
			L.RaiseError("table index is NaN")
		}
		if f > MaxArrayIndex && f < hashIndex && f == math.Trunc(f) {
			L.RaiseError("list index %s is above %d", Text(k), MaxArrayIndex)
		}
		if f == math.Trunc(f) && f > 0 {
			e.index = int(f)
		}
	default:
		if key == lua.LNil {
			L.RaiseError("table index is nil")
		}
	}
	t.RawSet(key, value)
	if v.sites == nil || e.name == "" && e.index == 0 {
		return
	}
	v.remember(t, e)
}

// Carry remembers that the fields of one table were copied to another by Go code,
// and so were written where the first one's were.
func (v *VM) Carry(to, from *lua.LTable) {
	site := v.sites[from]
	if site == nil {
		return
	}
	for k, _ := from.Next(lua.LNil); k != lua.LNil; k, _ = from.Next(k) {
		var e entry
		var at Place
		switch k := k.(type) {
		case lua.LString:
			e.name, at = string(k), site.Key(string(k))
		case lua.LNumber:
			e.index, at = int(k), site.Item(int(k))
		}
		if e.name == "" && e.index < 1 {
			continue
		}
		if slot := v.slot(to, e); slot != nil {
			slot.file, slot.line = at.File, at.Line
		}
	}
	s := v.siteOf(to)
	if s == nil {
		return
	}
	if s.copied.File == "" {
		s.copied = site.Place()
	}
	if len(s.nils) < maxSets {
		s.carried = append(s.carried, site.Problems()...)
		for _, name := range site.NilKeys() {
			at := site.Key(name)
			s.nils = append(s.nils, entry{name: name, file: at.File, line: at.Line})
		}
	}
}

// remember notes that a field was set by the line that runs.
func (v *VM) remember(t *lua.LTable, e entry) {
	if slot := v.slot(t, e); slot != nil {
		at := v.Where(nil)
		slot.file, slot.line = at.File, at.Line
	}
}

// siteOf is the site of a table, made when there is none, or nil when there are too
// many already.
func (v *VM) siteOf(t *lua.LTable) *Site {
	s := v.sites[t]
	if s == nil && v.sites != nil && len(v.sites) < maxSites {
		s = &Site{}
		v.sites[t] = s
	}
	return s
}

// slot is where the place of a field is kept, or nil when too much is kept already.
func (v *VM) slot(t *lua.LTable, e entry) *entry {
	s := v.siteOf(t)
	if s == nil {
		return nil
	}
	for i := range s.sets {
		if s.sets[i].name == e.name && s.sets[i].index == e.index {
			return &s.sets[i]
		}
	}
	if len(s.sets) == maxSets {
		return nil
	}
	s.sets = append(s.sets, e)
	return &s.sets[len(s.sets)-1]
}

// hashIndex is where gopher-lua's own array part ends: keys from there on were never
// slots of an array, and allocate nothing but themselves.
const hashIndex = 1 << 26

// maxSets bounds the assignments remembered for one table: finding the one to
// replace is a linear search, and a loop that fills a table is not a definition.
const maxSets = 256

func quoteKey(key lua.LValue) string {
	if s, ok := key.(lua.LString); ok {
		return strconv.Quote(string(s))
	}
	return Text(key)
}
