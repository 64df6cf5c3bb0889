local check, yaml, json = require "check", require "yaml", require "json"

-- decode; how texts are read is tested beside the reader.
check.equal(yaml.decode(""), yaml.null)
check.equal(yaml.null, json.null)
check.equal(yaml.decode [[
on: { push: [main], "pull request": }
jobs:
- name: build   # and test
  steps: &steps
    - run: |
        go build ./...
        go test ./...
    - uses: 'x@v1'
- name: again
  steps: *steps
version: 1.10
size: 0x10
date: 2026-01-31
yes: no
1: one
]], {
  on = { push = { "main" }, ["pull request"] = yaml.null },
  jobs = {
    { name = "build", steps = { { run = "go build ./...\ngo test ./...\n" }, { uses = "x@v1" } } },
    { name = "again", steps = { { run = "go build ./...\ngo test ./...\n" }, { uses = "x@v1" } } },
  },
  version = 1.1, size = 16, date = "2026-01-31", yes = "no", ["1"] = "one",
})
check.equal(check.order(yaml.decode "z: 1\na: 2\nm: 3"), "z a m")
local shared = yaml.decode "a: &x [1]\nb: *x"
shared.a[1] = 2
check.equal(shared.b, { 1 })
check.equal(yaml.decode_all "a: 1\n---\n- 2\n", { { a = 1 }, { 2 } })
check.equal(yaml.decode_all "", {})
check.equal(yaml.decode("[.inf]")[1], 1 / 0)

-- encode
check.equal(yaml.encode(nil), "null\n")
check.equal(yaml.encode { a = {}, b = json.list {}, c = yaml.null, d = "on", e = 1.5, f = 2 ^ 53 }, 'a: {}\nb: []\nc: null\nd: "on"\ne: 1.5\nf: 9007199254740992\n')
check.equal(yaml.encode { script = "a\nb\n", list = { { x = 1, z = { 2 } } } }, "list:\n  - x: 1\n    z:\n      - 2\nscript: |\n  a\n  b\n")
for _, value in ipairs { "", "a: b", "- x", "\0\127\194\133", "  a\n b", "null", "0777", { [""] = { {} } }, { ["a b: c"] = "#" } } do
  check.equal(yaml.decode(yaml.encode(value)), value)
end

-- What is not read.
check.fails('yaml.decode: line 2: the key "a" stands twice', yaml.decode, "a: 1\na: 2")
check.fails("yaml.decode: line 2: a tab indents this line; YAML indents by spaces", yaml.decode, "a:\n\tb: 1")
check.fails("yaml.decode: line 1: the tag !Ref is not known", yaml.decode, "!Ref x")
check.fails("yaml.decode: line 1: 0644 is octal for some and decimal for others; write 0o644, or put it in quotes", yaml.decode, "0644")
check.fails("yaml.decode: the text has 2 documents; yaml.decode_all reads them all", yaml.decode, "a\n---\nb")
check.fails("yaml.decode: the text is no UTF-8", yaml.decode, "\255")
check.fails("yaml.encode: a is a function, which no document can hold", yaml.encode, { a = print })
check.fails('yaml.encode: the key "' .. ("k"):rep(60) .. '…" is longer than YAML allows', yaml.encode, { { [("k"):rep(1025)] = 1 } })

-- Numbers that Lua has not.
check.fails("yaml.decode: line 2: Lua cannot hold the number 9007199254740993 exactly (it would be 9007199254740992); { exact = false } takes that", yaml.decode, "-\n  9007199254740993")
check.equal(yaml.decode("9007199254740993", { exact = false }), 2 ^ 53)
check.fails("yaml.decode: line 1: the number 1e999 is too large", yaml.decode, "1e999")

-- Bombs: deep, wide, and laughs by the billion.
check.fails("yaml.decode: line 1: more than 100 lists and tables inside one another", yaml.decode, ("["):rep(2 ^ 20))
check.fails("yaml.decode: line 1: more than 100 lists and tables inside one another", yaml.decode, ("- "):rep(2 ^ 20))
check.fails("yaml.decode: line 1: more than 262144 values", yaml.decode, "[" .. ("a,"):rep(2 ^ 20) .. "]")
local laughs = { "a0: &a0 [lol, lol, lol]" }
for i = 1, 30 do laughs[#laughs + 1] = ("a%d: &a%d [*a%d, *a%d, *a%d]"):format(i, i, i - 1, i - 1, i - 1) end
check.fails("yaml.decode: more than 262144 values", yaml.decode, table.concat(laughs, "\n"))
check.fails('yaml.decode: line 1: the anchor "a" contains itself', yaml.decode, "&a [*a]")
check.fails("string longer than 16 MiB", yaml.encode, ("\0"):rep(2 ^ 22))
