local check, json = require "check", require "json"

-- decode
check.equal(json.decode("null"), json.null)
check.equal(json.decode(" -1.5e2\n"), -150)
check.equal(json.decode('"\\u00e9\\n"'), "é\n")
check.equal(json.decode("[]"), {})
check.equal(json.decode('{"a":{"b":[1,[2,{}]]},"c":null}'), { a = { b = { 1, { 2, {} } } }, c = json.null })
check.equal(check.order(json.decode('{"z":1,"a":2,"m":3}')), "z a m")
check.equal(json.decode("9007199254740992"), 2 ^ 53)
check.equal(json.decode("1e300"), 1e300)
check.equal(json.decode("[1.0, -0]"), { 1, 0 })
check.equal(json.decode('{"1":"a"}'), { ["1"] = "a" })

-- encode
check.equal(json.encode(nil), "null")
check.equal(json.encode(json.null), "null")
check.equal(json.encode("<é\n\"\0>"), '"<é\\n\\"\\u0000>"')
check.equal(json.encode(2 ^ 53), "9007199254740992")
check.equal(json.encode(-0.5), "-0.5")
check.equal(json.encode(1e300), "1e+300")
check.equal(json.encode { z = 1, a = { true, false }, m = {} }, '{"a":[true,false],"m":{},"z":1}')
check.equal(json.encode({ b = {}, a = { 1 } }, { indent = 2 }), '{\n  "a": [\n    1\n  ],\n  "b": {}\n}')
check.equal(json.encode(json.decode '{"a":[],"b":{},"c":[[]]}'), '{"a":[],"b":{},"c":[[]]}')
check.equal(json.encode(require("tables").copy(json.decode "[[]]")), "[[]]")
local list = json.list {}
list[1] = "x"
check.equal(json.encode(list), '["x"]')
check.equal(json.encode(require("sandbox").params { a = "b" }), '{"a":"b"}')
check.equal(json.encode(json.null == json.decode("[null]")[1]), "true")
check.equal(tostring(json.null), "null")
check.equal(getmetatable(json.null), "locked")

-- What is no JSON.
check.fails("json.decode: line 1: the text ends too early", json.decode, "")
check.fails("json.decode: line 1: the text ends too early", json.decode, "[1")
check.fails("json.decode: line 2: invalid character ']' looking for beginning of value", json.decode, "[1,\n]")
check.fails("json.decode: line 1: invalid character '\\''", json.decode, "{'a':1}")
check.fails("json.decode: line 2: there is text after the value", json.decode, "1\n2")
check.fails('json.decode: line 1: the key "a" stands twice', json.decode, '{"a":1,"a":1}')
check.fails("json.decode: the text is no UTF-8", json.decode, '"\255"')
check.fails('json.decode wants a string as text, not a table, as in json.decode(\'{ "a": [1, true, null] }\')', json.decode, {})

-- Numbers that Lua has not.
check.fails("json.decode: line 1: Lua cannot hold the number 9007199254740993 exactly (it would be 9007199254740992); { exact = false } takes that", json.decode, "9007199254740993")
check.equal(json.decode("[9007199254740993]", { exact = false }), { 2 ^ 53 })
check.fails("json.decode: line 1: the number 1e999 is too large", json.decode, "1e999")
check.fails("json.decode: line 1: the number 1" .. ("0"):rep(59) .. "… is too large", json.decode, "1" .. ("0"):rep(1000))
check.fails("json.encode: NaN and infinity are no numbers of JSON", json.encode, { 0 / 0 })
check.fails("json.encode: NaN and infinity are no numbers of JSON", json.encode, 1 / 0)

-- What no document can hold.
check.fails("json.encode: a[2].b is a function, which no document can hold", json.encode, { a = { 1, { b = print } } })
check.fails("json.encode: the value is neither a list without gaps nor a table whose keys are strings", json.encode, { 1, a = 2 })
check.fails("json.encode: a is neither a list without gaps nor a table whose keys are strings", json.encode, { a = { [2] = 1 } })
check.fails("json.encode: the value is a table with a metatable", json.encode, setmetatable({}, {}))
check.fails("json.encode: [1] is a string that is no UTF-8; base64.encode makes text of any bytes", json.encode, { "\255" })
check.fails("json.encode: the value is a mount (sandbox.proc), which no document can hold", json.encode, require("sandbox").proc())
check.fails('json.encode: unknown key "ident" (did you mean "indent"?)', json.encode, {}, { ident = 2 })
check.fails('json.encode: unknown key "pretty" (use indent)', json.encode, {}, { pretty = true })
check.fails("json.encode: indent is not between 0 and 16", json.encode, {}, { indent = 1000 })
check.fails('json.encode wants a whole number as indent, not true, as in json.encode({ b = { 1, 2 }, a = "x" })', json.encode, {}, { indent = true })
check.fails("json.encode wants a value, as in json.encode({ b = { 1, 2 }, a = \"x\" })", json.encode)

-- Bombs.
check.fails("json.decode: more than 100 tables inside one another", json.decode, ("["):rep(2 ^ 20))
check.fails("json.decode: more than 100 tables inside one another", json.decode, ('{"a":'):rep(2 ^ 18))
check.fails("json.decode: more than 262144 values", json.decode, "[" .. ("1,"):rep(2 ^ 20) .. "1]")
check.fails("json.decode: more than 262144 values", json.decode, "[" .. ("[],"):rep(2 ^ 20) .. "1]")
local wide = {}
for _ = 1, 30 do wide = { wide, wide } end
check.fails("json.encode: more than 262144 values", json.encode, wide)
local circle = {}
circle.a = { circle }
check.fails("json.encode: a table contains itself", json.encode, circle)
local long = ("x"):rep(2 ^ 23)
check.fails("string longer than 16 MiB", json.encode, { long, long, long })
check.fails("string longer than 16 MiB", json.encode, ("\0"):rep(2 ^ 22))
local tower = json.list {}
for i = 1, 20000 do tower[i] = 1 end
for _ = 1, 90 do tower = { tower } end
check.fails("string longer than 16 MiB", json.encode, tower, { indent = 16 })
