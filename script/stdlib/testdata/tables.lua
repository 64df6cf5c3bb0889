local check, tables = require "check", require "tables"

-- merge
check.equal(tables.merge({}), {})
check.equal(tables.merge({ 1, 2, 3 }, { 4 }), { 4, 2, 3 })
check.equal(tables.merge({ l = { 1, 2 } }, { l = { 3 } }), { l = { 3 } })
check.equal(tables.merge({ l = { 1 } }, { l = {} }), { l = {} })
check.equal(tables.merge({ t = { a = 1 } }, { t = {} }), { t = { a = 1 } })
check.equal(tables.merge({ t = { a = 1 } }, { t = false }), { t = false })
check.equal(tables.merge({ t = 1 }, { t = { a = 1 } }, { t = { b = 2 } }), { t = { a = 1, b = 2 } })
local base, over = { t = { x = { 1 } } }, { t = { y = {} } }
local merged = tables.merge(base, over)
merged.t.x[1], merged.t.y.z = 2, 3
check.equal(base, { t = { x = { 1 } } })
check.equal(over, { t = { y = {} } })
check.equal(check.order(tables.merge({ z = 1, a = 2 }, { m = 3 })), "z a m")

-- copy, equal
local f = function() end
local copy = tables.copy { f = f, t = { f } }
check.equal(copy.f, f)
check.equal(copy.t, { f })
check.equal(tables.equal({}, {}), true)
check.equal(tables.equal({ 1 }, { 1, 2 }), false)
check.equal(tables.equal({ 1, 2 }, { 1 }), false)
check.equal(tables.equal({ a = {} }, { a = { b = 1 } }), false)
check.equal(tables.equal(1, "1"), false)
check.equal(tables.equal(nil, nil), true)
check.equal(tables.equal(0 / 0, 0 / 0), false)

-- map, filter
check.equal(tables.map({ a = 1, 2 }, function(v, k) return k .. v end), { a = "a1", "12" })
check.equal(tables.filter({ a = 1, b = 2 }, function(v, k) return k == "b" end), { b = 2 })
check.equal(tables.filter({ 1, 2, 3, 4 }, function(v) return v % 2 == 0 end), { 2, 4 })
check.equal(tables.filter({ 1, 2, a = 3 }, function(v) return v > 1 end), { [2] = 2, a = 3 })
check.fails("tables.map: the function returned nil for the key 1; tables.filter leaves values out", tables.map, { 1 }, function() end)
check.fails("tables.map wants a function as f, as in tables.map({ 1, 2 }, function(n) return n * 10 end)", tables.map, {})
local ok, message = pcall(tables.map, { 1 }, function() error("mine", 0) end)
check.equal(message, "mine")

-- keys, values, sorted_pairs
local mixed = { z = 1, a = 2, [10] = 3, [2] = 4, [true] = 5 }
check.equal(tables.keys(mixed), { 2, 10, "a", "z", true })
check.equal(tables.values(mixed), { 4, 3, 2, 1, 5 })
local seen = {}
for k, v in tables.sorted_pairs(mixed) do seen[#seen + 1] = tostring(k) .. "=" .. v end
check.equal(table.concat(seen, " "), "2=4 10=3 a=2 z=1 true=5")
for k in tables.sorted_pairs { a = 1, b = 2 } do check.equal(k, k == "a" and "a" or "b") end
local gone = { a = 1, b = 2 }
for k in tables.sorted_pairs(gone) do gone.b = nil check.equal(k, "a") end
check.fails("tables.keys: a key of the table is a table, which has no order", tables.keys, { [{}] = 1 })

-- concat, contains
check.equal(tables.concat({}), {})
check.equal(tables.concat({ 1 }, {}, { 2, 3 }), { 1, 2, 3 })
check.fails("tables.concat: argument 2 is no list: it has other keys, or gaps", tables.concat, { 1 }, { a = 1 })
check.fails("tables.concat: argument 1 is no list: it has other keys, or gaps", tables.concat, { [2] = 1 })
check.equal(tables.contains({ a = 1 }, 1), true)
check.equal(tables.contains({ a = 1 }, "a"), false)
check.equal(tables.contains({ {} }, {}), false)

-- A locked table can be read like any other, and its copy be changed.
local params = require("sandbox").params { x = "a", y = "b" }
local mine = tables.merge(params, { z = "c" })
mine.x = "d"
check.equal(tables.keys(mine), { "x", "y", "z" })
check.equal(params.x, "a")

-- Bombs: tables that contain themselves, that share parts, that are deep or long.
local circle = {}
circle[1] = { circle }
check.fails("tables.copy: a table contains itself", tables.copy, circle)
check.fails("tables.merge: a table contains itself", tables.merge, {}, circle)
local other = {}
other[1] = { other }
check.fails("tables.equal: a table contains itself", tables.equal, circle, other)
local wide = {}
for _ = 1, 30 do wide = { wide, wide } end
check.fails("tables.copy: more than 262144 values", tables.copy, wide)
check.fails("tables.merge: more than 262144 values", tables.merge, { a = 1 }, { wide })
local twin = {}
for _ = 1, 30 do twin = { twin, twin } end
check.fails("tables.equal: more than 262144 values", tables.equal, wide, twin)
local deep = {}
for _ = 1, 200 do deep = { deep } end
check.fails("tables.copy: more than 100 tables inside one another", tables.copy, deep)
local long = {}
for i = 1, 400000 do long[i] = i end
check.fails("tables.concat: more than 1048576 items in a list", tables.concat, long, long, long)
local function forever() return tables.map({ 1 }, forever) end
check.fails("stack overflow", forever)
local co = coroutine.wrap(function() tables.map({ 1 }, coroutine.yield) end)
check.fails("attempt to yield across a built-in function, a metamethod or an iterator", co)
local each = coroutine.wrap(function() for k in tables.sorted_pairs { b = 1, a = 2 } do coroutine.yield(k) end end)
check.equal(each() .. each(), "ab")
