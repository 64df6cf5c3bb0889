package vm

import "testing"

// TestAssignments: gopher-lua as it is gets many of these wrong.
func TestAssignments(t *testing.T) {
	for source, result := range map[string]string{
		`local a, b = 1, 2 a, b = b, a print(a, b)`:                                                                                                  "2\t1",
		`local x, y, z = 1, 2, 3 x, y, z = z, x, y print(x, y, z)`:                                                                                   "3\t1\t2",
		`local function g(i, j) i, j = j, i + j return i, j end print(g(1, 2))`:                                                                      "2\t3",
		`local function v(...) local a, b = ... a, b = b, ... return a, b end print(v(8, 9))`:                                                        "9\t8",
		`local u, t = 1, {} u, t[u] = 5, u print(u, t[1], t[5])`:                                                                                     "5\t1\tnil",
		`local i, t = 1, { 1, 2 } i, t[i] = i + 1, 20 print(i, t[1], t[2])`:                                                                          "2\t20\t2",
		`local t = { 1, 2 } t[1], t[2] = t[2], t[1] print(t[1], t[2])`:                                                                               "2\t1",
		`local t = {} t.x, t.y, t.z = (function() return 1, 2 end)() print(t.x, t.y, t.z)`:                                                           "1\t2\tnil",
		`local t = {} t.a, t.b = ("xy"):byte(1, 2) print(t.a, t.b)`:                                                                                  "120\t121",
		`local t = {} t.a = ("xy"):byte(1, 2) print(t.a)`:                                                                                            "120",
		`local t = {} t.a, t.b = 1, 2, print("extra") print(t.a, t.b)`:                                                                               "extra\n1\t2",
		`local v v, v = 2, 3 print(v)`:                                                                                                               "2",
		`local e, w = 1 e, w = w, e print(e, w)`:                                                                                                     "nil\t1",
		`local n = 0 local function f() n = n + 1 return n end n, n = f(), f() print(n)`:                                                             "1",
		`local a = 1 a = { a, a + 1, [10] = a } print(a[1], a[2], a[10])`:                                                                            "1\t2\t1",
		`local s = "x" s = s .. s .. "y" .. s print(s)`:                                                                                              "xxyx",
		`local n = 2 n = -n ^ 2 + n * n - (n - 1) print(n)`:                                                                                          "-1",
		`local c = 5 c = c < 3 or c print(c) c = c == 5 and c + 1 print(c) c = not c or -c print(c)`:                                                 "5\n6\n-6",
		`local t = { n = 1 } function t:inc(by) self.n = self.n + by return self end print(t:inc(2):inc(3).n)`:                                       "6",
		`local t = { a = { b = {} } } function t.a.b.f(x) return x end print(t.a.b.f(4))`:                                                            "4",
		`local mt = { __newindex = function(t, k, v) print("set", k, v) end } local t = setmetatable({ y = 1 }, mt) t.x, t.y = 1, 2 print(t.x, t.y)`: "set\tx\t1\nnil\t2",
	} {
		out, err := run(t, source)
		if err != nil || out != result {
			t.Errorf("%s: got %q, %v; want %q", source, out, err, result)
		}
	}
}

func TestClosures(t *testing.T) {
	for source, result := range map[string]string{
		`local t = {} for i = 1, 3 do t[i] = function() i = i + 10 return i end end print(t[1](), t[1](), t[2](), t[3]())`:                                               "11\t21\t12\t13",
		`local t, i = {}, 0 while i < 3 do i = i + 1 local j = i t[i] = function() return j end end print(t[1](), t[2](), t[3]())`:                                       "1\t2\t3",
		`local t, i = {}, 0 repeat i = i + 1 local j = i t[i] = function() return j end until j >= 3 print(t[1](), t[2](), t[3]())`:                                      "1\t2\t3",
		`local t = {} for i = 1, 4 do local j = i if i % 2 == 0 then goto continue end t[#t+1] = function() return j end ::continue:: end print(t[1](), t[2]())`:         "1\t3",
		`local t = {} for i = 1, 9 do local j = i t[i] = function() return j end if i == 2 then break end end print(t[1](), t[2](), #t)`:                                 "1\t2\t2",
		`local t = {} for k, v in pairs({ a = 1, b = 2 }) do t[k] = function() v = v + 1 return v end end print(t.a(), t.a(), t.b())`:                                    "2\t3\t3",
		`local function counter() local n = 0 return function() n = n + 1 return n end, function() return n end end local inc, get = counter() inc() inc() print(get())`: "2",
		`local a, b do local x = 1 a, b = function() x = x + 1 return x end, function() return x end end a() print(b())`:                                                 "2",
	} {
		out, err := run(t, source)
		if err != nil || out != result {
			t.Errorf("%s: got %q, %v; want %q", source, out, err, result)
		}
	}
}

func TestConcat(t *testing.T) {
	for source, result := range map[string]string{
		`local s = "" for i = 1, 70 do s = s .. i .. "," end print(#s)`:                                                                         "201",
		`print("a" .. "b" .. 1 .. (select(1, 2, 3)))`:                                                                                           "ab12",
		`local function f() return "x", "y" end print("a" .. f(), f() .. "b")`:                                                                  "ax\txb",
		`local t = setmetatable({}, { __concat = function(a, b) return type(a) .. "+" .. type(b) end }) print(t .. "x", "x" .. t, 1 .. t .. 2)`: "table+string\tstring+table\t1table+number",
		`local t = setmetatable({}, { __concat = function(a, b) return 7 end }) print((t .. "x") + 1)`:                                          "8",
		`print(` + longConcat(200) + `)`:                                                                                                        "200",
	} {
		out, err := run(t, source)
		if err != nil || out != result {
			t.Errorf("%s: got %q, %v; want %q", source, out, err, result)
		}
	}
}

// longConcat is the length of n strings of one letter, joined.
func longConcat(n int) string {
	s := `#("x"`
	for range n - 1 {
		s += ` .. "x"`
	}
	return s + ")"
}
