package project

import (
	"errors"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// kind is what a TOML value is, as far as these files use it.
type kind uint8

const (
	kindOther kind = iota // numbers, booleans, times: nothing that is wanted anywhere
	kindText
	kindList
	kindTable
)

// value is a TOML value that knows its line.
type value struct {
	kind  kind
	line  int
	text  string  // of a string; of kindOther as it is written
	items []value // of a list
	table *table  // of a table
}

// table keeps the order of the file.
type table struct{ fields []field }

type field struct {
	name  string
	line  int
	value value
}

func (t *table) find(name string) *field {
	for i := range t.fields {
		if t.fields[i].name == name {
			return &t.fields[i]
		}
	}
	return nil
}

// syntaxError is text that is no TOML.
type syntaxError struct {
	line    int
	message string
}

func (e *syntaxError) Error() string { return e.message }

// parseTOML reads a document twice: the decoder knows all that TOML forbids, such as a
// key that is set twice; the parser knows the lines.
func parseTOML(text []byte) (*table, error) {
	var anything map[string]any
	if err := toml.Unmarshal(text, &anything); err != nil {
		var at *toml.DecodeError
		if !errors.As(err, &at) {
			return nil, &syntaxError{message: err.Error()}
		}
		line, _ := at.Position()
		return nil, &syntaxError{line: line, message: strings.TrimPrefix(at.Error(), "toml: ")}
	}
	d := document{root: &table{}}
	d.parser.Reset(text)
	within := d.root
	for d.parser.NextExpression() {
		switch e := d.parser.Expression(); e.Kind {
		case unstable.Table:
			within = d.open(d.root, words(e))
		case unstable.ArrayTable:
			within = d.item(words(e))
		case unstable.KeyValue:
			d.set(within, e)
		}
	}
	return d.root, d.parser.Error()
}

// document is a document being read.
type document struct {
	parser unstable.Parser
	root   *table
	line   int // of the last key: what stands between keys has none of its own
}

// lineOf is where a node stands; lists and tables stand where their key does.
func (d *document) lineOf(n *unstable.Node) int {
	if n.Raw.Length > 0 {
		d.line = d.parser.Shape(n.Raw).Start.Line
	}
	return d.line
}

// open returns the table that the words of a key lead to, and makes what is missing.
func (d *document) open(t *table, words []*unstable.Node) *table {
	for _, word := range words {
		f := d.field(t, word)
		if n := len(f.value.items); n > 0 { // of an array of tables the last
			t = f.value.items[n-1].table
			continue
		}
		if f.value.table == nil {
			f.value = value{kind: kindTable, line: f.line, table: &table{}}
		}
		t = f.value.table
	}
	return t
}

func (d *document) field(t *table, n *unstable.Node) *field {
	name, line := string(n.Data), d.lineOf(n)
	f := t.find(name)
	if f == nil {
		t.fields = append(t.fields, field{name: name, line: line})
		f = &t.fields[len(t.fields)-1]
	}
	return f
}

// item adds a table to an array of tables.
func (d *document) item(words []*unstable.Node) *table {
	last := len(words) - 1
	f := d.field(d.open(d.root, words[:last]), words[last])
	f.value.kind, f.value.line = kindList, f.line
	item := value{kind: kindTable, line: d.line, table: &table{}}
	f.value.items = append(f.value.items, item)
	return item.table
}

// set adds a key with its value.
func (d *document) set(t *table, e *unstable.Node) {
	key := words(e)
	last := len(key) - 1
	f := d.field(d.open(t, key[:last]), key[last])
	f.value = d.value(e.Value())
}

// words are the parts of a dotted key.
func words(n *unstable.Node) []*unstable.Node {
	var all []*unstable.Node
	for key := n.Key(); key.Next(); {
		all = append(all, key.Node())
	}
	return all
}

func (d *document) value(n *unstable.Node) value {
	v := value{line: d.lineOf(n), text: string(n.Data)}
	switch n.Kind {
	case unstable.String:
		v.kind = kindText
	case unstable.Array:
		v.kind = kindList
		for children := n.Children(); children.Next(); {
			v.items = append(v.items, d.value(children.Node()))
		}
	case unstable.InlineTable:
		v.kind, v.table = kindTable, &table{}
		for children := n.Children(); children.Next(); {
			d.set(v.table, children.Node())
		}
	}
	return v
}
