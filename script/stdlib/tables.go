package stdlib

import (
	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
	"sandbox/script/vm"
)

// tablesModule makes tables of tables. None of its functions changes an argument.
var tablesModule = Module{Name: "tables", Functions: []Function{
	{registry.Function{Name: "merge", Args: manyTables, Returns: registry.Field{Kind: registry.Map, Doc: "A new table, down to the last."}, Phase: registry.Always,
		Doc:     "Lays tables over one another: a later value takes the place of an earlier one, tables with keys are merged key by key, lists are replaced. Messages about a merged definition have the lines of what was merged.",
		Example: `tables.merge({ a = 1, t = { x = 1 } }, { a = 2, t = { y = 2 } })`, Gives: `{ a = 2, t = { x = 1, y = 2 } }`, Aka: []string{"extend", "update", "assign", "deep_merge"}}, merge},
	{registry.Function{Name: "copy", Args: oneTable, Returns: registry.Field{Kind: registry.Map}, Phase: registry.Always,
		Doc: "A copy, down to the last table; functions and what builders return are the same in both.", Example: `tables.copy({ 1, { 2 } })`, Gives: `{ 1, { 2 } }`, Aka: []string{"clone", "deepcopy", "deep_copy"}}, copyTable},
	{registry.Function{Name: "map", Args: mapArgs, Returns: registry.Field{Kind: registry.Map}, Phase: registry.Always,
		Doc: "A table with the same keys, whose values are what a function makes of them.", Example: `tables.map({ 1, 2 }, function(n) return n * 10 end)`, Gives: `{ 10, 20 }`, Aka: []string{"transform", "apply", "each"}}, mapTable},
	{registry.Function{Name: "filter", Args: mapArgs, Returns: registry.Field{Kind: registry.Map}, Phase: registry.Always,
		Doc: "The values for which a function says true: of a list without gaps, of another table with their keys.", Example: `tables.filter({ 1, 2, 3 }, function(n) return n ~= 2 end)`, Gives: `{ 1, 3 }`, Aka: []string{"select", "reject", "where"}}, filter},
	{registry.Function{Name: "keys", Args: oneTable, Returns: registry.Field{Kind: registry.List}, Phase: registry.Always,
		Doc: "The keys of a table, sorted.", Example: `tables.keys({ b = 1, a = 2 })`, Gives: `{ "a", "b" }`, Aka: []string{"names"}}, tableKeys},
	{registry.Function{Name: "values", Args: oneTable, Returns: registry.Field{Kind: registry.List}, Phase: registry.Always,
		Doc: "The values of a table, in the order of its sorted keys.", Example: `tables.values({ b = 1, a = 2 })`, Gives: `{ 2, 1 }`, Aka: []string{"items"}}, tableValues},
	{registry.Function{Name: "sorted_pairs", Args: oneTable, Returns: registry.Field{Kind: registry.Pairs}, Phase: registry.Always,
		Doc: "Is pairs in the order of the sorted keys: numbers first, then strings.", Example: `for key, value in tables.sorted_pairs({ b = 1, a = 2 }) do print(key, value) end`, Aka: []string{"sorted", "spairs", "pairs", "ordered_pairs"}}, sortedPairs},
	{registry.Function{Name: "equal", Args: twoValues, Returns: registry.Field{Kind: registry.Bool}, Phase: registry.Always,
		Doc: "Whether two values are the same, tables by what is in them.", Example: `tables.equal({ 1, { 2 } }, { 1, { 2 } })`, Gives: `true`, Aka: []string{"equals", "same", "deep_equal", "compare"}}, equal},
	{registry.Function{Name: "concat", Args: manyLists, Returns: registry.Field{Kind: registry.List}, Phase: registry.Always,
		Doc: "One list of the items of several.", Example: `tables.concat({ "go", "build" }, { "./..." })`, Gives: `{ "go", "build", "./..." }`, Aka: []string{"append", "join", "flatten", "chain"}}, concat},
	{registry.Function{Name: "contains", Args: tableAndValue, Returns: registry.Field{Kind: registry.Bool}, Phase: registry.Always,
		Doc: "Whether a table has a value, under any key.", Example: `tables.contains({ "a", "b" }, "b")`, Gives: `true`, Aka: []string{"includes", "has", "find", "index_of"}}, tableContains},
}}

var table = registry.Field{Name: "table", Kind: registry.Map, Doc: "The table."}

var oneTable = []registry.Field{table}

var manyTables = []registry.Field{
	{Name: "table", Kind: registry.Map, Many: true, Doc: "The first lies at the bottom."},
}

var manyLists = []registry.Field{
	{Name: "list", Kind: registry.List, Many: true, Doc: "One after another."},
}

var mapArgs = []registry.Field{
	table,
	{Name: "f", Kind: registry.Func, Lua: "fun(value: any, key: any): any", Doc: "Called with each value and its key, in the order of pairs."},
}

var twoValues = []registry.Field{
	{Name: "a", Kind: registry.Any, Doc: "One."},
	{Name: "b", Kind: registry.Any, Doc: "The other."},
}

var tableAndValue = []registry.Field{
	table,
	{Name: "value", Kind: registry.Any, Doc: "What to look for; a table is only equal to itself."},
}

func merge(c *Call) int {
	k := &copier{Call: c}
	out := k.table(c.table(1))
	for n := 2; n <= c.L.GetTop(); n++ {
		k.over(out, c.table(n))
	}
	return c.push(out)
}

func copyTable(c *Call) int { return c.push((&copier{Call: c}).table(c.table(1))) }

func mapTable(c *Call) int {
	t, f := c.table(1), c.L.Get(2)
	out := c.newTable()
	for k, value := t.Next(lua.LNil); k != lua.LNil; k, value = t.Next(k) {
		result := c.ask(f, value, k)
		if result == lua.LNil {
			c.fail("the function returned nil for the key %s; tables.filter leaves values out", vm.Printable(clip(vm.Text(k))))
		}
		out.RawSet(k, result)
	}
	return c.push(out)
}

func filter(c *Call) int {
	t, f := c.table(1), c.L.Get(2)
	out := c.newTable()
	_, list := listLength(t)
	for k, value := t.Next(lua.LNil); k != lua.LNil; k, value = t.Next(k) {
		switch {
		case lua.LVIsFalse(c.ask(f, value, k)):
		case list:
			out.Append(value)
		default:
			out.RawSet(k, value)
		}
	}
	return c.push(out)
}

// ask calls a function of the recipe with a value and its key.
func (c *Call) ask(f, value, key lua.LValue) lua.LValue {
	c.step()
	c.L.Push(f)
	c.L.Push(value)
	c.L.Push(key)
	c.L.Call(2, 1)
	result := c.L.Get(-1)
	c.L.Pop(1)
	return result
}

// listLength tells whether a table is a list, 1 to n, and how long.
func listLength(t *lua.LTable) (n int, ok bool) {
	end := t.Len()
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		if i, isNumber := k.(lua.LNumber); !isNumber || i < 1 || int(i) > end || lua.LNumber(int(i)) != i {
			return 0, false
		}
		n++
	}
	return n, n == end
}

func concat(c *Call) int {
	out := c.newTable()
	for i := 1; i <= c.L.GetTop(); i++ {
		n, ok := listLength(c.table(i))
		if !ok {
			c.fail("argument %d is no list: it has other keys, or gaps", i)
		}
		if out.Len()+n > vm.MaxArrayIndex {
			c.tooMany()
		}
		for item := 1; item <= n; item++ {
			c.step()
			out.Append(c.table(i).RawGetInt(item))
		}
	}
	return c.push(out)
}

func tableContains(c *Call) int {
	t, wanted := c.table(1), c.L.Get(2)
	for k, value := t.Next(lua.LNil); k != lua.LNil; k, value = t.Next(k) {
		if value == wanted {
			return c.pushBool(true)
		}
	}
	return c.pushBool(false)
}

func tableKeys(c *Call) int {
	out := c.newTable()
	for _, k := range c.sortedKeys(c.table(1)) {
		out.Append(k)
	}
	return c.push(out)
}

func tableValues(c *Call) int {
	out := c.newTable()
	for _, k := range c.sortedKeys(c.table(1)) {
		out.Append(c.table(1).RawGet(k))
	}
	return c.push(out)
}

func sortedPairs(c *Call) int {
	t, keys := c.table(1), c.sortedKeys(c.table(1))
	return c.push(c.L.NewFunction(func(L *lua.LState) int {
		for len(keys) > 0 {
			k := keys[0]
			keys = keys[1:]
			if value := t.RawGet(k); value != lua.LNil {
				L.Push(k)
				L.Push(value)
				return 2
			}
		}
		L.Push(lua.LNil)
		return 1
	}))
}

func equal(c *Call) int {
	k := &copier{Call: c}
	return c.pushBool(k.equal(c.L.Get(1), c.L.Get(2)))
}
