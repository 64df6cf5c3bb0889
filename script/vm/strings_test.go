package vm

import (
	"strings"
	"testing"
)

// TestFormat: each directive, and each mistake.
func TestFormat(t *testing.T) {
	for source, result := range map[string]string{
		`("%d %i %5d|%-5d|%05d|%+d|% d", 1, 2, 3, 4, 5, 6, 7)`: "1 2     3|4    |00005|+6| 7",
		`("%x %X %#x %o %u", 255, 255, 255, 8, 9)`:             "ff FF 0xff 10 9",
		`("%x", -1)`:                                        "ffffffffffffffff",
		`("%c%c", 72, 105)`:                                 "Hi",
		`("%s %s %s %s", "a", 1, 1.5, true)`:                "a 1 1.5 true",
		`("%s %s %s", nil, {}, print)`:                      "nil table function",
		`("%5s|%-5s|%.2s|%05s", "a", "b", "cde", "f")`:      "    a|b    |cd|0000f",
		`("%.3f %5.1f %e %G", 1/3, 2.25, 12345.678, 1e-10)`: "0.333   2.2 1.234568e+04 1E-10",
		`("%g %g %g %g", 100000, 1000000, 0.1, 1e20)`:       "100000 1e+06 0.1 1e+20",
		`("%f %5.1f|%-5f|%E", 1/0, -1/0, 0/0, 1/0)`:         "inf  -inf|nan  |INF",
		`("%q", 'a"b\\c\nd\0e\r')`:                          "\"a\\\"b\\\\c\\\nd\\000e\\r\"",
		`("100%%")`:                                         "100%",
		`("%d", "10")`:                                      "10",
		`("%s", setmetatable({}, { __tostring = function() return "me" end }))`: "me",
	} {
		out, err := run(t, "print(string.format"+source+")")
		if err != nil || out != result {
			t.Errorf("%s: got %q, %v; want %q", source, out, err, result)
		}
	}
	for source, message := range map[string]string{
		`("%d")`:              `format "%d": no argument for directive 1 (%d)`,
		`("%s %s", 1)`:        `format "%s %s": no argument for directive 2 (%s)`,
		`("x", 1)`:            `format "x" has 0 directives and 1 arguments`,
		`("%d", nil)`:         `argument 1 of format: %d needs a number, got a nil value`,
		`("%d", "x")`:         `argument 1 of format: %d needs a number, got a string value`,
		`("%d", "0x1p4")`:     `argument 1 of format: %d needs a number, got a string value`,
		`("%d", 1.5)`:         `argument 1 of format: %d needs an integer, got 1.5`,
		`("%d", 1/0)`:         `argument 1 of format: %d needs an integer, got inf`,
		`("%d", 0/0)`:         `argument 1 of format: %d needs an integer, got nan`,
		`("%c", 256)`:         `argument 1 of format: %c needs a byte, got 256`,
		`("%q", 1)`:           `argument 1 of format: %q needs a string, got a number value`,
		`("%")`:               `format "%" ends in the middle of a directive`,
		`("%-")`:              `format "%-" ends in the middle of a directive`,
		`("%y", 1)`:           `format "%y": unknown directive "%y" (widths and precisions have at most two digits; write %% for a percent sign)`,
		`("%p", {})`:          `format "%p": unknown directive "%p" (widths and precisions have at most two digits; write %% for a percent sign)`,
		`("%100d", 1)`:        `format "%100d": unknown directive "%100" (widths and precisions have at most two digits; write %% for a percent sign)`,
		`("%9999999999d", 1)`: `format "%9999999999d": unknown directive "%999" (widths and precisions have at most two digits; write %% for a percent sign)`,
		`("%.100f", 1)`:       `format "%.100f": unknown directive "%.100" (widths and precisions have at most two digits; write %% for a percent sign)`,
		`("%*d", 1, 2)`:       `format "%*d": unknown directive "%*" (widths and precisions have at most two digits; write %% for a percent sign)`,
		`({})`:                `bad argument #1 to format (string expected, got table)`,
	} {
		_, err := run(t, "print(string.format"+source+")")
		if err == nil {
			t.Errorf("%s: no error", source)
			continue
		}
		want(t, err, "b.lua:1: "+message)
	}
}

// TestNoAddresses: nothing prints where it is in memory.
func TestNoAddresses(t *testing.T) {
	out, err := run(t, `local co = coroutine.create(print)
print({}, print, co, tostring({}), ("%s"):format(function() end), tostring(setmetatable({}, {})))
print(select(2, pcall(error, {})), (select(2, pcall(function() local x = {} .. "" end))))
print(select(2, pcall(function() local x = ({}).y.z end)), (select(2, pcall(next, {}, {}))))`)
	if err != nil || strings.Contains(out, "0x") {
		t.Errorf("got %q, %v", out, err)
	}
	if !strings.HasPrefix(out, "table\tfunction\tthread\ttable\tfunction\ttable\n") {
		t.Errorf("got %q", out)
	}
}

func TestStringFunctions(t *testing.T) {
	for source, result := range map[string]string{
		`("aÄz"):upper(), ("AÄZ"):lower()`: "AÄZ\taÄz",
		`("abc"):sub(2), ("abc"):sub(-2, -2), ("abc"):sub(0), ("abc"):sub(5), ("abc"):sub(2, 1/0)`: "bc\tb\tabc\t\tbc",
		`("abc"):byte(1, -1)`:                                                                      "97\t98\t99",
		`("abc"):byte(-1), select("#", ("abc"):byte(9))`:                                           "99\t0",
		`("ab"):rep(3), ("ab"):rep(0), ("ab"):rep(-1)`:                                             "ababab\t\t",
		`("abc"):reverse(), ("abc"):len(), #"abc"`:                                                 "cba\t3\t3",
		`string.char(72, 105)`:                                                                     "Hi",
		`(5 .. ""):rep(2), 1 .. 2`:                                                                 "55\t12",
		`tostring(1e15), tostring(2^53), tostring(0.1), tostring(-0), tostring(1/0)`:               "1e+15\t9.007199254741e+15\t0.1\t0\tinf",
		`tonumber("0x10"), tonumber(" 12 "), tonumber("1e2"), tonumber("z", 36), tonumber("8", 8)`: "16\t12\t100\t35\tnil",
		`tonumber("0b1"), tonumber("1_000"), tonumber("inf"), tonumber(""), tonumber("-0x10"), tonumber("1e999")`: "nil\tnil\tnil\tnil\t-16\tinf",
		`table.concat({ 1, 2, "x" }, ", "), table.concat({}), table.concat({ 1, 2, 3 }, "-", 2, 3)`:               "1, 2, x\t\t2-3",
		`select(-1, 1, 2, 3), select("#", nil, nil)`:                                                              "3\t2",
		`math.max(1, 5, 3), math.min(2, -1), math.floor(-1.5), math.huge, math.pi > 3.14`:                         "5\t-1\t-2\tinf\ttrue",
		`unpack({ 1, 2, 3 }, 2)`:                             "2\t3",
		`rawequal("a", "a"), next({}), type(next), _VERSION`: "true\tnil\tfunction\tLua 5.1",
		`"10" + 5, "3" * "4", 10 .. ""`:                      "15\t12\t10",
	} {
		out, err := run(t, "print("+source+")")
		if err != nil || out != result {
			t.Errorf("%s: got %q, %v; want %q", source, out, err, result)
		}
	}
}

func TestPatterns(t *testing.T) {
	for source, result := range map[string]string{
		`("hello world"):find("wor")`:                                              "7\t9",
		`("hello"):find("l+"), ("hello"):find("xyz")`:                              "3\tnil", // a call that is not last gives one value
		`("a.b"):find(".", 1, true), ("a.b"):find("%.")`:                           "2\t2\t2",
		`("abc"):find("b", -1), ("abc"):find("", 10), ("abc"):find("", 4)`:         "nil\tnil\t4\t3",
		`("key = value"):match("^(%w+)%s*=%s*(%w+)$")`:                             "key\tvalue",
		`("  trim  "):match("^%s*(.-)%s*$") .. "|"`:                                "trim|",
		`("THE (quick) fox"):find("%((%a+)%)")`:                                    "5\t11\tquick",
		`("THE (quick) fox"):gsub("%f[%a]%a+", string.lower)`:                      "the (quick) fox\t3",
		`("f(a(b)c)d"):match("%b()")`:                                              "(a(b)c)",
		`("abcabc"):match("(a)(b)(c)%1%2%3")`:                                      "a\tb\tc",
		`("abc"):match("()b()")`:                                                   "2\t3",
		`("2026-11-23"):match("(%d+)-(%d+)-(%d+)")`:                                "2026\t11\t23",
		`("x"):rep(3):gsub("x", "%0%0")`:                                           "xxxxxx\t3",
		`("hello"):gsub("", "-")`:                                                  "-h-e-l-l-o-\t6",
		`("abc"):gsub("%w", { a = "1", b = true and "2", c = false })`:             "12c\t3",
		`("abc"):gsub("b", "%%")`:                                                  "a%c\t1",
		`("a,b,,c"):gsub(",", ";", 2)`:                                             "a;b;,c\t2",
		`("aaa"):gsub("^a", "b")`:                                                  "baa\t1",
		`("[]x^-"):match("^[][]+"), ("a-z"):match("[a%-z]+"), ("^"):match("[%^]")`: "[]\ta-z\t^",
		`("äb"):match("%a+"), ("a\0b"):match("%z"), ("\0"):len()`:                  "b\t\x00\t1",
	} {
		out, err := run(t, "print("+source+")")
		if err != nil || out != result {
			t.Errorf("%s: got %q, %v; want %q", source, out, err, result)
		}
	}
	for source, message := range map[string]string{
		`("a"):find("[a")`:                          `malformed pattern: "[" without "]"`,
		`("a"):find("%")`:                           `malformed pattern: it ends with %`,
		`("a"):find("(a")`:                          `malformed pattern: "(" without ")"`,
		`("a"):match("a)")`:                         `malformed pattern: ")" without "("`,
		`("a"):find("%1")`:                          `malformed pattern: no capture %1`,
		`("a"):find("(%1)")`:                        `malformed pattern: no capture %1`,
		`("a"):find("%b")`:                          `malformed pattern: %b needs two characters after it`,
		`("a"):find("%fa")`:                         `malformed pattern: %f needs a set in brackets after it`,
		`("a"):gsub("a", "%2")`:                     `replacement refers to capture %2, which the pattern has not`,
		`("a"):gsub("a", function() return {} end)`: `gsub cannot put a table in place of a match`,
		`("a"):gsub("a")`:                           `bad argument #3 to gsub (string or number or table or function expected, got nil)`,
		`("a"):find(("()"):rep(33))`:                `more than 32 captures in a pattern`,
	} {
		_, err := run(t, "print("+source+")")
		if err == nil {
			t.Errorf("%s: no error", source)
			continue
		}
		want(t, err, "b.lua:1: "+message)
	}
	out, err := run(t, `for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do print(k, v) end
for w in ("one two"):gmatch("%a+") do print(w) end for p in ("ab"):gmatch("()") do print(p) end`)
	if err != nil || out != "a\t1\nb\t2\none\ntwo\n1\n2\n3" {
		t.Errorf("gmatch: %q, %v", out, err)
	}
}
