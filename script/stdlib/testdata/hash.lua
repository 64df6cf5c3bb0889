local check, hash, fs = require "check", require "hash", require "fs"

check.equal(hash.sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
check.equal(hash.sha256(fs.read("go.sum")), fs.hash("go.sum"))
check.equal(hash.sha512(""):sub(1, 16), "cf83e1357eefb8bd")
check.equal(#hash.sha512("\0\255"), 128)
check.fails('hash.sha256 wants a string as text, not a table, as in hash.sha256("hello")', hash.sha256, {})
check.fails('module hash has no "md5" (did you mean "sha256"?)', function() return hash.md5 end)
