local check, toml, json = require "check", require "toml", require "json"

check.equal(toml.decode(""), {})
check.equal(toml.decode [=[
title = "x \u00e9"
n = [0x1F, 0o17, 0b11, 1_000, -5, 1.5, 1e3]
d = [1979-05-27T07:32:00Z, 1979-05-27, 07:32:00, 1979-05-27T07:32:00.5]
"quoted key" = 'raw\n'
a.b.c = true
empty = []
t = { x = 1, y = { z = 2 } }
[[products]]
name = "a"
[[products]]
name = "b"
[products.inner]
k = 1
]=], {
  title = "x é",
  n = { 31, 15, 3, 1000, -5, 1.5, 1000 },
  d = { "1979-05-27T07:32:00Z", "1979-05-27", "07:32:00", "1979-05-27T07:32:00.5" },
  ["quoted key"] = "raw\\n",
  a = { b = { c = true } },
  empty = {},
  t = { x = 1, y = { z = 2 } },
  products = { { name = "a" }, { name = "b", inner = { k = 1 } } },
})
check.equal(check.order(toml.decode "z = 1\na = 2\nm = 3"), "a m z")
check.equal(toml.decode "x = inf".x, 1 / 0)

check.equal(toml.encode {}, "")
check.equal(toml.encode { b = 1.5, a = "x\n", c = { d = { e = { 1 } } }, l = { { x = 1 }, { x = 2 } } },
  "a = \"x\\n\"\nb = 1.5\n\n[c]\n[c.d]\ne = [1]\n\n[[l]]\nx = 1\n\n[[l]]\nx = 2\n")
for _, text in ipairs { "a = []\n", "a = 9007199254740992\n", "a = -0.25\n", "'a b' = \"'\"\n" } do
  check.equal(toml.encode(toml.decode(text)), text)
end

check.fails("toml.decode: line 2, column 4: unexpected character U+000A at start of value", toml.decode, "a = 1\nb =\n")
check.fails("toml.decode: line 2, column 1: key a is already defined", toml.decode, "a = 1\na = 2")
check.fails("toml.decode: the text is no UTF-8", toml.decode, "a = '\255'")
check.fails("toml.encode: a list is no document of TOML; give it a name: { list = … }", toml.encode, { 1 })
check.fails("toml.encode: a is null, which TOML has not; leave it out", toml.encode, { a = { { json.null } } })
check.fails("toml.encode: a is a function, which no document can hold", toml.encode, { a = print })
check.fails('toml.encode wants a table, not the string "a", as in toml.encode { b = { c = true }, a = { 1, 2 } }', toml.encode, "a")

-- Numbers that Lua has not.
check.fails("toml.decode: Lua cannot hold the number 9007199254740993 exactly (it would be 9007199254740992); { exact = false } takes that", toml.decode, "a = 9007199254740993")
check.equal(toml.decode("a = 9007199254740993", { exact = false }).a, 2 ^ 53)

-- Bombs.
check.fails("toml.decode: line 1, column 10005: arrays and inline tables are nested more than the maximum of 10000 levels deep", toml.decode, "a = " .. ("["):rep(100000))
check.fails("toml.decode: more than 100 tables inside one another", toml.decode, "a = " .. ("["):rep(1000) .. ("]"):rep(1000))
check.fails("toml.decode: more than 100 tables inside one another", toml.decode, "[a" .. (".a"):rep(50000) .. "]")
check.fails("toml.encode: the value is a table with a metatable", toml.encode, setmetatable({}, {}))
check.fails("toml.decode: the text has 262145 bytes; at most 262144 are read", toml.decode, ("#"):rep(262145))
local wide = {}
for _ = 1, 30 do wide = { wide, wide } end
check.fails("toml.encode: more than 262144 values", toml.encode, { wide = wide })
