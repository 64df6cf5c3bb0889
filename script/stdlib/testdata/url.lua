local check, url = require "check", require "url"

check.equal(url.parse("https://me:s%2Fcret@example.org:8080/a%20b/?x=1&y=%20#to%70"),
  { scheme = "https", user = "me", password = "s/cret", host = "example.org", port = 8080, path = "/a b/", query = "x=1&y=%20", fragment = "top" })
check.equal(url.parse("http://[::1]:80"), { scheme = "http", host = "::1", port = 80 })
check.equal(url.parse("../a"), { path = "../a" })
check.equal(url.parse("mailto:a@b"), { scheme = "mailto", path = "a@b" })
check.equal(url.parse(""), {})

check.equal(url.build {}, "")
check.equal(url.build { scheme = "http", host = "::1", port = 80, path = "/", query = url.query { a = true }, fragment = "é" }, "http://[::1]:80/?a=true#%C3%A9")
check.equal(url.build(url.parse("https://me:pw@example.org/x?y#z")), "https://me:pw@example.org/x?y#z")
check.equal(url.join("https://example.org/a/", "b?c"), "https://example.org/a/b?c")
check.equal(url.join("https://example.org/a/", "//other.org"), "https://other.org")

check.equal(url.query {}, "")
check.equal(url.query { b = 1, a = "&=", c = {} }, "a=%26%3D&b=1")
check.equal(url.parse_query(""), {})
check.equal(url.parse_query("a=1&a=&b"), { a = { "1", "" }, b = { "" } })
check.equal(check.order(url.parse_query("z=1&a=1&m=1")), "a m z")
check.equal(url.unescape(url.escape("é/ %+\0")), "é/ %+\0")

check.fails('url.parse: "http://a b" is no URL: invalid character " " in host name', url.parse, "http://a b")
check.fails('url.parse: "http://a:x" is no URL: invalid port ":x" after host', url.parse, "http://a:x")
check.fails('url.parse: "http://a:99999" is no URL: the port 99999 is above 65535', url.parse, "http://a:99999")
check.fails('url.parse: "\\x00" is no URL: net/url: invalid control character in URL', url.parse, "\0")
check.fails('url.build: unknown key "hostname" (use host)', url.build, { hostname = "a" })
check.fails("url.build: port is not between 0 and 65535", url.build, { host = "a", port = 70000 })
check.fails('url.build: the path "a" after a host starts with /', url.build, { host = "h", path = "a" })
check.fails('url.build: the parts make no URL: "1://h"', url.build, { scheme = "1", host = "h" })
check.fails('url.query: a is a table, not a string, a number, a boolean or a list of them', url.query, { a = { {} } })
check.fails("url.query: a name is the number 1, not a string", url.query, { "a" })
check.fails('url.parse_query: "%zz" is no query: invalid URL escape "%zz"', url.parse_query, "%zz")
check.fails('url.unescape: invalid URL escape "%zz"', url.unescape, "%zz")

-- Bombs.
check.fails("url.parse: the URL has 65537 bytes; at most 65536 are read", url.parse, ("a"):rep(65537))
check.fails("url.parse_query: the URL has 131072 bytes; at most 65536 are read", url.parse_query, ("a&"):rep(65536))
check.fails("url.build: path has 65537 bytes; at most 65536 are read", url.build, { path = ("a"):rep(65537) })
check.fails("url.query: the query has more than 65536 bytes", url.query, { a = ("a"):rep(65536) })
check.fails("string longer than 16 MiB", url.escape, ("/"):rep(2 ^ 23))
