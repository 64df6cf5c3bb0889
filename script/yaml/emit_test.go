package yaml

import (
	"math"
	"slices"
	"strings"
	"testing"
)

type (
	list  = []any
	table = map[string]any
)

func TestEncode(t *testing.T) {
	for _, c := range []struct {
		document any
		want     string
	}{
		{nil, "null\n"}, {true, "true\n"}, {int64(5), "5\n"}, {1.5, "1.5\n"}, {float64(1 << 60), "1.152921504606847e+18\n"}, {math.Inf(-1), "-.inf\n"}, {math.NaN(), ".nan\n"}, {list{}, "[]\n"}, {table{}, "{}\n"},
		{table{"b": int64(1), "a": list{"x", int64(2), nil}}, "a:\n  - x\n  - 2\n  - null\nb: 1\n"},
		{list{list{int64(1), list{int64(2)}}, table{"a": "b", "c": table{"d": list{}}}}, "- - 1\n  - - 2\n- a: b\n  c:\n    d: []\n"},
		{table{"run": "a\n  b\n\nc\n", "l": list{"x\ny"}}, "l:\n  - |-\n    x\n    y\nrun: |\n  a\n    b\n\n  c\n"},
		{"x\ny\n\n", " |+\n  x\n  y\n\n"},
		{list{"", "yes", "No", "null", "1", "1.2", "0x1", "2001-01-01", "~", "a: b", "a:b", "a #b", "- a", "é", "a\tb", "\x00", "\u2028", " a", "a ", "\na\nb", "it's", `a"b`, "http://x:80/y", "<<", "=", "*a", "a,b", "true"},
			`- ""` + "\n" + `- "yes"` + "\n" + `- "No"` + "\n" + `- "null"` + "\n" + `- "1"` + "\n" + `- "1.2"` + "\n" + `- "0x1"` + "\n" + `- "2001-01-01"` + "\n" + `- "~"` + "\n" + `- "a: b"` + "\n" + `- a:b` + "\n" + `- "a #b"` + "\n" + `- "- a"` + "\n" + `- "é"` + "\n" +
				`- "a\tb"` + "\n" + `- "\u0000"` + "\n" + `- "\u2028"` + "\n" + `- " a"` + "\n" + `- "a "` + "\n" + `- "\na\nb"` + "\n" + `- "it's"` + "\n" + `- "a\"b"` + "\n" + `- http://x:80/y` + "\n" + `- "<<"` + "\n" + `- "="` + "\n" + `- "*a"` + "\n" + `- a,b` + "\n" + `- "true"` + "\n"},
	} {
		if got := Encode(c.document); got != c.want {
			t.Errorf("%v is\n%s\nwanted\n%s", c.document, got, c.want)
		}
	}
}

// again reads what was written.
func again(t *testing.T, document any) {
	t.Helper()
	text := Encode(document)
	nodes, err := Parse(text, bounds)
	if err != nil || len(nodes) != 1 {
		t.Fatalf("%q became %q, which is no YAML: %v", document, text, err)
	}
	if got, want := shape(nodes[0]), shape(node(document)); got != want {
		t.Errorf("%s became\n%s\nwhich is %s", want, text, got)
	}
	agree(t, text)
}

// node makes a node of a document.
func node(value any) *Node {
	switch x := value.(type) {
	case string:
		return &Node{Kind: String, Text: x}
	case list:
		n := &Node{Kind: List}
		for _, item := range x {
			n.Items = append(n.Items, node(item))
		}
		return n
	case table:
		n := &Node{Kind: Map}
		for key, value := range x {
			n.Pairs = append(n.Pairs, Pair{key, node(value)})
		}
		slices.SortFunc(n.Pairs, func(a, b Pair) int { return strings.Compare(a.Key, b.Key) })
		return n
	}
	return &Node{}
}

// FuzzEncode: any text comes back, as a document, an item, a value and a key.
func FuzzEncode(f *testing.F) {
	for _, c := range append(slices.Clone(good), bad...) {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?")
		again(t, text)
		again(t, list{text, list{text}, table{"k": text, "l": list{text}}})
		if KeyFits(text) {
			again(t, table{text: text, "k": table{text: table{text: nil}}})
		}
	})
}
