package yaml

import "strings"

// where tells what stands before a value on its line.
type where uint8

const (
	atStart   where = iota // nothing
	afterMark              // ---
	afterKey               // "key:"
	afterDash              // "-"
)

// properties are what stands before a value: an anchor and a tag.
type properties struct {
	anchor, tag string
	pending     *Node // what the anchor means meanwhile
}

// value reads the value of a key, an item or a document; parent is the column of
// the list or table that it belongs to, -1 for a document.
func (p *parser) value(parent int, after where) *Node {
	props := p.properties()
	line, sameLine := p.line, true
	if p.lineEnd() {
		p.blank()
		if !p.belongs(parent, after) {
			return p.nothing(props, line)
		}
		sameLine = false
		more := p.properties()
		if more != (properties{}) {
			props, line = p.both(props, more), p.line
			if sameLine = !p.lineEnd(); !sameLine {
				p.blank()
				if !p.belongs(parent, after) {
					return p.nothing(props, line)
				}
			}
		}
	}
	if props != (properties{}) {
		p.propertiesOf(sameLine)
	}
	return p.finish(p.content(parent, after, sameLine), props)
}

// nothing is a value that is not there.
func (p *parser) nothing(props properties, line int) *Node {
	node := p.node(Null)
	node.Line = line
	return p.finish(node, props)
}

// propertiesOf refuses an anchor or a tag right before what cannot have it there.
func (p *parser) propertiesOf(sameLine bool) {
	switch {
	case p.peek(0) == '*':
		p.fail("an alias has no anchor and no tag of its own")
	case sameLine && (p.dash() || p.isKey()):
		p.fail("an anchor or a tag stands on the line before a list or a table, and keys have none")
	}
}

// belongs tells whether the line that has been reached is indented as a value below
// parent. A list may stand right below the key it belongs to.
func (p *parser) belongs(parent int, after where) bool {
	column := p.column()
	return !p.end() && !p.atMarker() && (column > parent || column == parent && after == afterKey && p.dash())
}

// dash tells whether an item of a list begins here.
func (p *parser) dash() bool { return p.peek(0) == '-' && p.gap(1) }

// gap tells whether there is white space at an offset, or the end.
func (p *parser) gap(offset int) bool {
	c := p.peek(offset)
	return c == ' ' || c == '\t' || c == '\n' || c == 0 && p.at+offset >= len(p.text)
}

// content reads what follows the properties.
func (p *parser) content(parent int, after where, sameLine bool) *Node {
	switch c := p.peek(0); {
	case p.dash():
		if sameLine && (after == afterKey || after == afterMark) {
			p.fail("a list begins on a line of its own")
		}
		return p.list(p.column())
	case c == '?' && p.gap(1):
		p.fail("keys that are marked by ? are not read")
	case p.isKey():
		if sameLine && (after == afterKey || after == afterMark) {
			p.fail("a table begins on a line of its own, and a text with \": \" in it needs quotes")
		}
		return p.table(p.column())
	case c == '|' || c == '>':
		return p.blockText(parent)
	}
	node := p.inline(parent)
	if !p.lineEnd() {
		if p.peek(0) == ':' {
			p.fail("a key cannot stand here: is the indentation right? A text with \": \" in it needs quotes, and only a text on one line can be a key")
		}
		p.fail("unexpected %s after a value", p.near())
	}
	return node
}

// inline reads a value that is no block: flow, quoted, alias or plain.
func (p *parser) inline(parent int) *Node {
	switch p.peek(0) {
	case '[', '{':
		return p.flow()
	case '*':
		return p.alias()
	case '"', '\'':
		node := p.node(String)
		node.Text = p.quoted()
		return node
	}
	line := p.line
	text := p.plain(parent, false)
	node := p.node(String)
	node.Line = line
	p.resolve(node, text)
	return node
}

// list reads items, each after a dash in one column.
func (p *parser) list(column int) *Node {
	p.deeper()
	list := p.node(List)
	for {
		p.at++
		list.Items = append(list.Items, p.value(column, afterDash))
		p.blank()
		if p.end() || p.atMarker() || p.column() != column || !p.dash() {
			break
		}
	}
	if !p.end() && !p.atMarker() && p.column() > column {
		p.unexpected()
	}
	p.depth--
	return list
}

// table reads keys in one column, and their values.
func (p *parser) table(column int) *Node {
	p.deeper()
	t := &pairs{parser: p, node: p.node(Map)}
	for {
		merge := strings.HasPrefix(p.text[p.at:], "<<")
		line := p.line
		key := p.key()
		p.spaces()
		p.at++ // the colon
		value := p.value(column, afterKey)
		t.add(key, value, merge, line)
		p.blank()
		if p.end() || p.atMarker() || p.column() < column || p.column() == column && p.dash() {
			break
		}
		if p.column() != column || !p.isKey() {
			p.unexpected()
		}
	}
	p.depth--
	return t.done()
}

// key reads a key, which isKey has found.
func (p *parser) key() string {
	p.count(1)
	from := p.at
	defer p.keyEnds(from)
	if c := p.peek(0); c == '"' || c == '\'' {
		return p.quoted()
	}
	return p.plainLine(false)
}

// maxKey is how long a key may be in a text (YAML 1.2, 7.4.2).
const maxKey = 1024

func (p *parser) keyEnds(from int) {
	if p.at-from > maxKey {
		p.fail("a key of more than %d bytes", maxKey)
	}
}

// isKey tells whether a key begins here: a text that ends on this line in a colon
// before white space.
func (p *parser) isKey() bool {
	at := p.at
	defer func() { p.at = at }()
	switch c := p.peek(0); {
	case c == '"' || c == '\'':
		if !p.passQuoted() {
			return false
		}
	case p.startsPlain(false):
		p.plainLine(false)
	case c == ':' && p.gap(1):
		p.fail("a value without a key")
	default:
		return false
	}
	p.spaces()
	return p.peek(0) == ':' && p.gap(1)
}

// passQuoted passes a quoted text that ends on its line.
func (p *parser) passQuoted() bool {
	quote := p.peek(0)
	for p.at++; !p.end() && p.peek(0) != '\n'; p.at++ {
		switch {
		case quote == '"' && p.peek(0) == '\\' && p.peek(1) != '\n':
			p.at++
		case p.peek(0) == quote && quote == '\'' && p.peek(1) == quote:
			p.at++
		case p.peek(0) == quote:
			p.at++
			return true
		}
	}
	return false
}

// properties reads an anchor and a tag, in any order, and the space after them.
func (p *parser) properties() properties {
	var props properties
	for {
		p.spaces()
		c := p.peek(0)
		if c != '&' && c != '!' {
			return props
		}
		one := properties{}
		word := p.word()
		if c == '&' {
			one.anchor, one.pending = p.anchorName(word), &Node{pending: true}
			p.anchors[one.anchor] = one.pending
		} else {
			one.tag = word
		}
		if !p.gap(0) {
			p.fail("a space is missing after %s", short(word))
		}
		props = p.both(props, one)
	}
}

// word reads up to white space, or what ends a value within brackets.
func (p *parser) word() string {
	rest := p.text[p.at:]
	if i := strings.IndexAny(rest, " \t\n,[]{}"); i >= 0 {
		rest = rest[:i]
	}
	p.at += len(rest)
	return rest
}

// anchorName is a word without its mark: letters, digits, - and _, as everywhere.
func (p *parser) anchorName(word string) string {
	name := word[1:]
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		p.fail("%q is no name of an anchor", short(word))
	}
	return name
}

func (p *parser) both(a, b properties) properties {
	if a.anchor != "" && b.anchor != "" || a.tag != "" && b.tag != "" {
		p.fail("two anchors or two tags of one value")
	}
	if b.anchor != "" {
		a.anchor, a.pending = b.anchor, b.pending
	}
	if b.tag != "" {
		a.tag = b.tag
	}
	return a
}

// finish gives a node its properties.
func (p *parser) finish(node *Node, props properties) *Node {
	if props.tag != "" {
		p.tagged(node, props.tag)
	}
	if node.doubtful && node.Kind == Int {
		p.fail("%s is octal for some and decimal for others; write 0o%s, or put it in quotes", short(node.raw), short(strings.TrimLeft(node.raw, "+-0")))
	}
	if props.anchor != "" && p.anchors[props.anchor] == props.pending {
		p.anchors[props.anchor] = node // and no other inside of it
	}
	return node
}

// alias is the node of an anchor that has been read.
func (p *parser) alias() *Node {
	name := p.anchorName(p.word())
	node := p.anchors[name]
	if node == nil {
		p.fail("there is no anchor %q before this", name)
	}
	if node.pending {
		p.fail("the anchor %q contains itself", name)
	}
	p.count(1)
	return node
}

// pairs are the keys of a table under way.
type pairs struct {
	*parser
	node   *Node
	merged []*Node
	seen   map[string]struct{} // made when a linear search would take too long
}

// few keys are searched one by one.
const few = 16

func (t *pairs) has(key string) bool {
	if t.seen != nil {
		_, found := t.seen[key]
		return found
	}
	for i := range t.node.Pairs {
		if t.node.Pairs[i].Key == key {
			return true
		}
	}
	return false
}

func (t *pairs) push(pair Pair) {
	t.node.Pairs = append(t.node.Pairs, pair)
	if t.seen != nil {
		t.seen[pair.Key] = struct{}{}
	} else if len(t.node.Pairs) > few {
		t.seen = map[string]struct{}{}
		for i := range t.node.Pairs {
			t.seen[t.node.Pairs[i].Key] = struct{}{}
		}
	}
}

func (t *pairs) add(key string, value *Node, merge bool, line int) {
	if merge && key == "<<" {
		t.merge(value)
		return
	}
	if t.has(key) {
		t.line = line
		t.fail("the key %q stands twice", short(key))
	}
	t.push(Pair{key, value})
}

// merge remembers tables whose keys are to be taken: the first one that has a key
// decides, and one of the table's own before all.
func (t *pairs) merge(value *Node) {
	all := []*Node{value}
	if value.Kind == List {
		all = value.Items
	}
	for _, from := range all {
		if from.Kind != Map {
			t.fail("the value of << is a table, or a list of tables")
		}
		t.merged = append(t.merged, from)
	}
}

func (t *pairs) done() *Node {
	for _, from := range t.merged {
		t.count(len(from.Pairs))
		for _, pair := range from.Pairs {
			if !t.has(pair.Key) {
				t.push(pair)
			}
		}
	}
	return t.node
}

// short cuts a text for a message.
func short(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}
