local check, template = require "check", require "template"

check.equal(template.render("", {}), "")
check.equal(template.render("no gaps } }} {", {}), "no gaps } }} {")
check.equal(template.render("{{a}}{{ a }}", { a = "x" }), "xx")
check.equal(template.render("{{ n }} {{ b }}", { n = 1.5, b = false }), "1.5 false")
check.equal(template.render("{{ a.b.c }} {{ l.2 }}", { a = { b = { c = "deep" } }, l = { 1, 2 } }), "deep 2")
check.equal(template.render('{{ "{{" }} a }}', {}), "{{ a }}")
check.equal(template.render("{{ a }}", { a = "{{ b }}", b = "no" }), "{{ b }}")
check.equal(template.render("${a} $b", { a = 1 }), "${a} $b")

check.equal(template.expand("${a}${a}", { a = "x" }), "xx")
check.equal(template.expand("$a $$ $${a} $", { a = "x" }), "$a $ ${a} $")
check.equal(template.expand("${a.b}", { a = { b = "${c}" } }), "${c}")
check.equal(template.expand("{{ a }}", {}), "{{ a }}")

check.fails('template.render: line 2: there is no value "prot" (did you mean "port"?)', template.render, "\n{{ prot }}", { port = 1 })
check.fails('template.render: line 1: there is no value "a.c"', template.render, "{{ a.c }}", { a = { x = 1 } })
check.fails('template.render: line 1: "a" is the number 1, which has no "b"', template.render, "{{ a.b }}", { a = 1 })
check.fails('template.render: line 1: "a" is a table, not a string, a number or a boolean', template.render, "{{ a }}", { a = {} })
check.fails('template.render: line 1: "{{" is not closed by "}}"', template.render, "{{ a }", { a = 1 })
check.fails('template.render: line 1: "{{" is not closed by "}}"', template.render, "{{ a\n}}", { a = 1 })
check.fails('template.render: line 1: "" is no name like port or server.port', template.render, "{{ }}", {})
check.fails('template.render: line 1: "f()" is no name like port or server.port', template.render, "{{ f() }}", {})
check.fails('template.expand: line 1: "${" is not closed by "}"', template.expand, "${a", { a = 1 })
check.fails('template.expand: line 1: "a:-b " is no name like port or server.port', template.expand, "${a:-b }", { ["a:-b "] = 1 })
check.fails('template.render wants a table as values, as in template.render("listen {{ port }};", { port = 8080 })', template.render, "a")

-- Metatables are not asked: nothing of the recipe runs.
check.fails('template.render: line 1: there is no value "a"', template.render, "{{ a }}", setmetatable({}, { __index = function() return "x" end }))

-- Bombs.
check.fails("string longer than 16 MiB", template.render, ("{{ a }}"):rep(2 ^ 16), { a = ("x"):rep(2 ^ 16) })
check.fails("string longer than 16 MiB", template.expand, ("${a}"):rep(2 ^ 16), { a = ("x"):rep(2 ^ 16) })
