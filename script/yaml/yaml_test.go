package yaml

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
)

var bounds = Options{MaxDepth: 100, MaxValues: 1 << 18, Step: func() {}}

// shape writes a node as JSON, but that infinities and NaN are words.
func shape(n *Node) string {
	var parts []string
	switch n.Kind {
	case Bool:
		return strconv.FormatBool(n.Bool)
	case Int:
		return n.Text
	case Float:
		if math.IsNaN(n.Float) || math.IsInf(n.Float, 0) {
			return fmt.Sprint(n.Float)
		}
		return "f" + strconv.FormatFloat(n.Float, 'g', -1, 64)
	case String:
		text, _ := json.Marshal(n.Text)
		return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(text))
	case List:
		for _, item := range n.Items {
			parts = append(parts, shape(item))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case Map:
		for _, p := range n.Pairs {
			parts = append(parts, strconv.Quote(p.Key)+":"+shape(p.Value))
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return "null"
}

// good are texts, and what they are; several documents stand in lines.
var good = []struct{ text, want string }{
	{"", ""}, {"# nothing\n", ""}, {"---\n", "null"}, {"---\n---\n", "null\nnull"}, {"a\n", `"a"`}, {"\ufeffa", `"a"`},
	{"--- a\n--- b\n...\n", "\"a\"\n\"b\""}, {"a: 1\n---\nb: 2\n", "{\"a\":1}\n{\"b\":2}"}, {"a\n...\n", `"a"`},
	// scalars
	{"[~, null, Null, NULL, ]", "[null,null,null,null]"}, {"[true, True, FALSE, yes, no, on, off, y]", `[true,true,false,"yes","no","on","off","y"]`},
	{"[0, -1, +5, 0x1F, 0o17, 10000000000000000000000]", "[0,-1,5,31,15,10000000000000000000000]"}, {"[1.5, .5, 1., -1e3, 1E-2, 1e+2]", "[f1.5,f0.5,f1,f-1000,f0.01,f100]"},
	{"[.inf, -.INF, +.Inf, .nan]", "[+Inf,-Inf,+Inf,NaN]"}, {"[1_000, 0b11, 1:30, 2001-12-14, 1.2.3, 0x, 0o8, 1e, .e1, ., +a, --1]", `["1_000","0b11","1:30","2001-12-14","1.2.3","0x","0o8","1e",".e1",".","+a","--1"]`},
	{"a b  c", `"a b  c"`}, {"http://x.org:80/a#b", `"http://x.org:80/a#b"`}, {"a: b:c", `{"a":"b:c"}`}, {"-a", `"-a"`}, {"?a", `"?a"`}, {":a", `":a"`}, {"a # c", `"a"`}, {"a#c", `"a#c"`},
	{"a\n  b\n\n\n c\n", `"a b\n\nc"`}, {"k: a\n  b\n  # c\nl: 1", `{"k":"a b","l":1}`}, {"- a\n b\n", `["a b"]`},
	{`"a\tb\x41\u00e9\U0001F600\ud83d\ude00\/\\\"\0"`, `"a\tbAé😀😀/\\\"\u0000"`}, {`"a\e\N\_\L\P\a\b\v\f\r"`, "\"a\\u001b\u0085\u00a0\\u2028\\u2029\\u0007\\b\\u000b\\f\\r\""}, {"'it''s'", `"it's"`}, {"''", `""`}, {`""`, `""`},
	{"\"a  \n  b\n\n c\\\n  d \\\n e\\ \n f\"", `"a b\ncd e  f"`}, {"'a\n\n\n b \n c'", `"a\n\nb c"`}, {"'\\n'", `"\\n"`},
	// blocks of text
	{"|\n a\n  b\n\n c\n", `"a\n b\n\nc\n"`}, {"a: |\n  x\n\n\nb: 1", `{"a":"x\n","b":1}`}, {"a: |-\n  x\n\n", `{"a":"x"}`}, {"a: |+\n  x\n\nb: 1", `{"a":"x\n\n","b":1}`}, {"a: |2\n   x\n  y\n", `{"a":" x\ny\n"}`}, {"- |1-\n  x", `[" x"]`},
	{"a: |\nb: 1", `{"a":"","b":1}`}, {"a: | # c\n  x", `{"a":"x"}`}, {"a: |\n\n  x\n", `{"a":"\nx\n"}`}, {"a: |\n  # no comment\n# comment\n", `{"a":"# no comment\n"}`}, {"- |\n a\n- b", `["a\n","b"]`}, {"|\n a\n...\n", `"a\n"`},
	{">\n a\n b\n\n c\n\n\n d\n", `"a b\nc\n\nd\n"`}, {">-\n\n\n a\n   b\n   c\n d\n", `"\n\na\n  b\n  c\nd"`}, {"a: >+\n  x\n  y\n\n", `{"a":"x y\n\n"}`}, {"a: |\n  k: v\n  - x\n", `{"a":"k: v\n- x\n"}`}, {"a: |+\n\n\nb: 1", `{"a":"\n\n","b":1}`},
	// lists and tables
	{"- a\n- 1\n-\n- - b\n  - c\n", `["a",1,null,["b","c"]]`}, {"a:\n- 1\n- 2\nb: 3", `{"a":[1,2],"b":3}`}, {"a:\n  - 1\nb:\n\n  c: 2\n", `{"a":[1],"b":{"c":2}}`}, {"- a: 1\n  b: 2\n-   c: 3\n    d: 4", `[{"a":1,"b":2},{"c":3,"d":4}]`},
	{"a: # c\n  b: 1 # d\n\n# e\n  c: 2", `{"a":{"b":1,"c":2}}`}, {"\"a b\": 1\n'c': 2\n\"\": 3\n1: 4\ntrue: 5\n0777: 6", `{"a b":1,"c":2,"":3,"1":4,"true":5,"0777":6}`}, {"a : 1", `{"a":1}`}, {"a:\nb:\n", `{"a":null,"b":null}`}, {"-\n  - a\n  -\n    b: 1", `[["a",{"b":1}]]`},
	{"- - - a\n- b", `[[["a"]],"b"]`}, {"  a: 1\n  b: 2", `{"a":1,"b":2}`}, {"a: 'x'\r\nb: \"y\"\r\n", `{"a":"x","b":"y"}`}, {"a: \"b: c\"", `{"a":"b: c"}`},
	// brackets
	{"[]", "[]"}, {"{}", "{}"}, {"[a, [b, {c: d}], ]", `["a",["b",{"c":"d"}]]`}, {"{a: 1, \"b\":2, 'c' : 3, d, e: , f: {}}", `{"a":1,"b":2,"c":3,"d":null,"e":null,"f":{}}`}, {"a: [1,\n  2, # c\n\n  3\n]\nb: {\n}", `{"a":[1,2,3],"b":{}}`}, {"[a b\n c, \"d\n e\"]", `["a b c","d e"]`}, {"{a:1, b::c}", `{"a:1":null,"b::c":null}`}, {"[a:b]", `["a:b"]`}, {"[http://x]", `["http://x"]`}, {`{"a":{"b":[]}}`, `{"a":{"b":[]}}`},
	// anchors, aliases, merges, tags
	{"a: &x 1\nb: *x\n", `{"a":1,"b":1}`}, {"a: &x\n  k: 1\nb: *x", `{"a":{"k":1},"b":{"k":1}}`}, {"a:\n  &x\n  - 1\nb: [*x, *x]", `{"a":[1],"b":[[1],[1]]}`}, {"- &a x\n- &a y\n- *a", `["x","y","y"]`}, {"a: &x\nb: *x", `{"a":null,"b":null}`}, {"- &a [&a 1]\n- {b: *a}", `[[1],{"b":1}]`}, {"- &a [1]\n- {b: *a}", `[[1],{"b":[1]}]`},
	{"a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  l: 3\n  m: 4", `{"a":{"k":1,"l":2},"b":{"l":3,"m":4,"k":1}}`}, {"a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc: {<<: [*x, *y]}", `{"a":{"k":1},"b":{"k":2,"l":2},"c":{"k":1,"l":2}}`}, {"\"<<\": 1", `{"<<":1}`},
	{"[!!str 1, !!str 0777, !!str 0x1F, !!int \"5\", !!float 1, !!null \"\", !!bool 'true', !!str ]", `["1","0777","0x1F",5,f1,null,true,""]`}, {"a: !!map\n  b: 1\nc: !!seq [1]", `{"a":{"b":1},"c":[1]}`}, {"&a !!str 5", `"5"`}, {"!!str &a 5", `"5"`},
}

func TestParse(t *testing.T) {
	for _, c := range good {
		documents, err := Parse(c.text, bounds)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		var shapes []string
		for _, d := range documents {
			shapes = append(shapes, shape(d))
		}
		if got := strings.Join(shapes, "\n"); got != c.want {
			t.Errorf("%q is\n%s, wanted\n%s", c.text, got, c.want)
		}
	}
}

// bad are texts that are no YAML, or YAML that is not read.
var bad = []struct{ text, want string }{
	{"a: b: c", `line 1: a table begins on a line of its own, and a text with ": " in it needs quotes`}, {"a: b\n c: d", `line 2: a key cannot stand here`}, {"a\nb: 1", "line 2: a key cannot stand here"}, {"a: - b", "line 1: a list begins on a line of its own"}, {"--- a: b", "line 1: a table begins on a line of its own"},
	{"a: 1\n b: 2", "line 2: a key cannot stand here"}, {"a:\n   b: 1\n  c: 2", `line 3: unexpected "c: 2"; is the indentation right?`}, {"- a\n  - b: c\n - d", "line 2: a key cannot stand here"}, {"a:\n  b: 1\n   c: 2", "line 3: a key cannot stand here"}, {"- a\nb: 1", `line 2: unexpected "b: 1"`}, {"a: 1\n- b", `line 2: unexpected "- b"`}, {"a: [1]\n  b: 2", `line 2: unexpected "b: 2"`},
	{"a:\n\tb: 1", "line 2: a tab indents this line"}, {"a:\n  b: 1\n\tc: 2", "line 3: a tab indents this line"}, {"a: |\n\tx", "line 2: a tab indents this line"}, {"a: x\n\ty", "line 2: a tab indents this line"},
	{"a: 1\na: 2", `line 2: the key "a" stands twice`}, {"{a: 1, a: 2}", `line 1: the key "a" stands twice`}, {"? a\n: b", "line 1: keys that are marked by ? are not read"}, {"[a]: b", "line 1: a key cannot stand here"}, {": a", "line 1: a value without a key"}, {"&x a: b", "line 1: an anchor or a tag stands on the line before"}, {"- &x a: b", "line 1: an anchor or a tag stands on the line before"},
	{"*x", `line 1: there is no anchor "x" before this`}, {"a: &x [*x]", `line 1: the anchor "x" contains itself`}, {"a: &x[1]", "line 1: a space is missing after &x"}, {"[!!str]", "line 1: a space is missing after !!str"}, {"- &a 1\n- &b *a", "line 2: an alias has no anchor"}, {"- &a 1\n- [&b *a]", "line 2: an alias has no anchor"}, {strings.Repeat("k", 1025) + ": v", "line 1: a key of more than 1024 bytes"}, {"{\"" + strings.Repeat("k", 1025) + "\": v}", "line 1: a key of more than 1024 bytes"}, {"& a", `line 1: "&" is no name of an anchor`}, {"&! a", `line 1: "&!" is no name`}, {"*", `line 1: "*" is no name`}, {"&a &b c", "line 1: two anchors or two tags"}, {"a: 1\n<<: 2", "line 2: the value of << is a table"}, {"--- &x a\n--- *x", `line 2: there is no anchor "x"`},
	{"!x a", "line 1: the tag !x is not known"}, {"! a", "line 1: the tag ! is not known"}, {"{a\n: b}", "line 2: a key and its colon are on one line"}, {"a\n...\nb", `line 3: unexpected "b"`}, {"...", `line 1: unexpected "..."`}, {"!!binary aGk=", "line 1: the tag !!binary is not known"}, {"!!int a", "line 1: the value is not what its tag !!int says"}, {"!!map [a]", "line 1: the value is not what its tag !!map says"}, {"!!str [a]", "line 1: the value is not what"}, {"0777", "line 1: 0777 is octal for some and decimal for others; write 0o777, or put it in quotes"}, {"1e999", "line 1: the number 1e999 is too large"}, {strings.Repeat("1", 400), "line 1: the number 1111"}, {"0xfffffffffffffffff", "line 1: the number 0xfffffffffffffffff is too large"},
	{"%YAML 1.2\n---\na", "line 1: a line that starts with % is a directive"}, {"@a", `line 1: unexpected "@a"; a text that begins so needs quotes`}, {"`a`", "line 1: unexpected"}, {"a: %b", `line 1: unexpected "%b"`}, {"\"a", "line 1: a quote is not closed"}, {"'a\n---\nb'", "line 2: the document ends within quotes"}, {`"\z"`, `line 1: there is no escape \z`}, {`"\xg0"`, "line 1: an escape that is no character"}, {`"\ud800"`, "line 1: an escape that is no character"}, {`"\ud800\u0041"`, "line 1: an escape that is no character"}, {`"\u00`, "line 1: an escape that is too short"}, {`"\`, "line 1: a quote is not closed"}, {"\"a\" b", `line 1: unexpected "b" after a value`},
	{"[a", "line 1: a bracket is not closed"}, {"{a: 1\nb: 2}", `line 2: wanted "," or "}" before ": 2}"`}, {"[a, , b]", `line 1: wanted a value before`}, {"[a: b]", "line 1: a key in a list; write [{ key: value }]"}, {"[a]]", `line 1: unexpected "]" after a value`}, {"[a\n---\n]", "line 2: the document ends within brackets"}, {"{[a]: b}", "line 1: wanted a key before"}, {"a: | x\n  y", "line 1: after | and > stand"}, {"a: |0\n  y", "line 1: after | and > stand"}, {"a: |\n    \n  x", "line 3: an empty line before this one is indented more"},
	{"a\x00b", `line 1: the character U+0000 is not read`}, {"a\n\x1b[31m", `line 2: the character U+001B is not read`}, {"a\u0085b", "line 1: the character U+0085"}, {"a\u2028b", "line 1: the character U+2028"}, {"a\ufeff", "line 1: the character U+FEFF"}, {"\xff", "line 1: the text is no UTF-8"}, {"a: 1\n... b", `line 2: unexpected "b" after ...`}, {"a: 1\nb", `line 2: unexpected "b"`}, {"a: 'b'\n  c", `line 2: unexpected "c"`},
}

func TestRefused(t *testing.T) {
	for _, c := range bad {
		documents, err := Parse(c.text, bounds)
		if err == nil {
			t.Errorf("%q was read as %s", c.text, shape(documents[0]))
		} else if !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: %v, wanted %s", c.text, err, c.want)
		}
	}
}

// TestBombs: what takes other readers seconds or gigabytes is refused or read in the
// time that its length takes.
func TestBombs(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(format, "%", strconv.Itoa(i)))
		}
		return b.String()
	}
	laughs := "a0: &a0 [x, x]\n"
	for i := range 30 {
		laughs += fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	steps := ""
	for i := range 200 {
		steps += strings.Repeat(" ", i) + "a:\n"
	}
	deep, wide := "more than 100 lists and tables inside one another", "more than 262144 values"
	for _, c := range []struct{ name, text, want string }{
		{"brackets", strings.Repeat("[", 1<<20), deep}, {"braces", strings.Repeat("{a: ", 1<<18), deep}, {"dashes", strings.Repeat("- ", 1<<19), deep},
		{"steps", steps, deep}, {"items", strings.Repeat("- a\n", 1<<19), wide}, {"flow", "[" + strings.Repeat("a,", 1<<19) + "]", wide},
		{"keys", many(100000, "k%: v\n"), ""}, {"flow keys", "{" + many(100000, "k%: v, ") + "}", ""}, {"aliases", laughs, ""},
		{"merges", "a: &a\n" + many(5000, "  k%: v\n") + many(100, "b%:\n  <<: *a\n"), wide}, {"plain", strings.Repeat("x ", 1<<21), ""}, {"lines", strings.Repeat("x\n", 1<<20), ""},
		{"quoted", `"` + strings.Repeat("x \n", 1<<20) + `"`, ""}, {"block", "|\n" + strings.Repeat("  x\n", 1<<20), ""}, {"folded", ">\n" + strings.Repeat("  x\n\n", 1<<20), ""}, {"blank", strings.Repeat("\n", 1<<22), ""},
		{"spaces", strings.Repeat(" ", 1<<22), ""}, {"comments", strings.Repeat("# x\n", 1<<20), ""}, {"documents", strings.Repeat("---\n", 1<<20), wide}, {"anchors", many(100000, "- &a% x\n"), ""},
		{"blocks", strings.Repeat("- |\n\n", 1<<17), ""},
	} {
		start, calls := time.Now(), 0
		o := bounds
		o.Step = func() { calls++ }
		_, err := Parse(c.text, o)
		if spent := time.Since(start); spent > 10*time.Second {
			t.Errorf("%s: it took %v", c.name, spent)
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasSuffix(err.Error(), c.want)) {
			t.Errorf("%s: %v, wanted %q", c.name, err, c.want)
		}
		if calls == 0 && c.name != "spaces" {
			t.Errorf("%s: it cannot be stopped", c.name)
		}
	}
}
