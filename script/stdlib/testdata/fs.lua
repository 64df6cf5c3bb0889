local check, fs = require "check", require "fs"

check.equal(fs.read("go.mod"), "module example.org/tool\n")
check.equal(fs.exists("vendor"), true)
check.equal(fs.exists("none"), false)
check.equal(fs.glob("**/*.go"), { "cmd/tool/main.go" })
check.equal(fs.glob("*.none"), {})
check.equal(fs.hash("go.sum"), "c0daa229ce5256e82c787b13eace3d467d965fa23283f5392c07097785c2249b")
check.fails("fs.hash wants a path, as in fs.hash(\"go.sum\")", fs.hash)
