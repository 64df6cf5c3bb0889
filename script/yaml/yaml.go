// Package yaml reads and writes YAML 1.2 documents that are data: lists, tables with
// scalar keys, scalars of the core schema, anchors, aliases and merge keys. What it
// does not read, it refuses; nothing is read in another way than YAML says.
//
// It reads a text once from left to right, in time proportional to its length, and
// calls back while it does. The libraries there are either cost every start of the
// runner 0.1 ms, or take seconds and gigabytes for some texts of 64 KiB, and cannot
// be stopped.
package yaml

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is what a Node is.
type Kind uint8

// The kinds of nodes.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List
	Map
)

// Node is a value of a document. Aliases share the node of their anchor.
type Node struct {
	Kind Kind
	// Text is that of a String; of an Int, its decimal digits.
	Text  string
	Bool  bool
	Float float64
	Items []*Node
	Pairs []Pair // keys are different, and in the order they were written
	Line  int

	// raw is what stands in the text for an Int; doubtful is one with a 0 before it.
	raw      string
	doubtful bool
	// pending stands for a node that is being read.
	pending bool
}

// Pair is a key of a Map and its value.
type Pair struct {
	Key   string
	Value *Node
}

// Options bound the reading of a text.
type Options struct {
	MaxDepth  int    // lists and tables inside one another
	MaxValues int    // nodes, and keys that merges bring
	Step      func() // called for each node and each line
}

// Error is what is wrong with a text.
type Error struct {
	Line    int
	Message string
}

// Error returns "line 3: …".
func (e *Error) Error() string { return "line " + strconv.Itoa(e.Line) + ": " + e.Message }

// Parse reads the documents of a text. The error is an *Error.
func Parse(text string, o Options) (documents []*Node, err error) {
	p := &parser{options: o, line: 1}
	defer func() {
		if fault := recover(); fault != nil {
			problem, ok := fault.(*Error)
			if !ok {
				panic(fault)
			}
			documents, err = nil, problem
		}
	}()
	p.prepare(text)
	p.blank()
	for !p.end() {
		documents = append(documents, p.document(documents == nil))
	}
	return documents, nil
}

// parser is a text that is being read.
type parser struct {
	options Options
	text    string
	at      int // what has been read
	line    int
	start   int // where the line begins
	anchors map[string]*Node
	depth   int
	values  int
}

// fail ends the reading.
func (p *parser) fail(format string, args ...any) {
	panic(&Error{Line: p.line, Message: fmt.Sprintf(format, args...)})
}

// prepare evens out line ends, and refuses what no text has in it.
func (p *parser) prepare(text string) {
	text = strings.TrimPrefix(text, "\ufeff")
	if strings.IndexByte(text, '\r') >= 0 {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	if !utf8.ValidString(text) {
		p.fail("the text is no UTF-8")
	}
	for i, r := range text {
		if !readable(r) {
			p.line += strings.Count(text[:i], "\n")
			p.fail("the character U+%04X is not read; in double quotes it can be written as an escape", r)
		}
	}
	p.text = text
}

// readable tells whether a character may stand in a text. Three that are may not be
// here: for YAML 1.1 they are line ends, and for 1.2 they are none.
func readable(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return true
	case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff:
		return false
	}
	return true
}

func (p *parser) end() bool { return p.at >= len(p.text) }

// peek is the byte at an offset, or 0 beyond the end.
func (p *parser) peek(offset int) byte {
	if p.at+offset < len(p.text) {
		return p.text[p.at+offset]
	}
	return 0
}

func (p *parser) column() int { return p.at - p.start }

// spaces passes white space within a line.
func (p *parser) spaces() {
	for p.peek(0) == ' ' || p.peek(0) == '\t' {
		p.at++
	}
}

// lineEnd passes white space and a comment, and tells whether nothing else is left
// of the line.
func (p *parser) lineEnd() bool {
	before := p.at
	p.spaces()
	if p.peek(0) == '#' && (p.at > before || p.at == p.start || p.text[p.at-1] == ' ') {
		p.toLineEnd()
	}
	return p.end() || p.peek(0) == '\n'
}

func (p *parser) toLineEnd() {
	if i := strings.IndexByte(p.text[p.at:], '\n'); i >= 0 {
		p.at += i
	} else {
		p.at = len(p.text)
	}
}

// newline passes the end of a line.
func (p *parser) newline() {
	p.options.Step()
	p.at++
	p.line++
	p.start = p.at
}

// blank passes white space, comments and line ends up to what comes next.
func (p *parser) blank() {
	for p.lineEnd() && !p.end() {
		p.newline()
	}
	if !p.end() && strings.IndexByte(p.text[p.start:p.at], '\t') >= 0 && strings.Trim(p.text[p.start:p.at], " \t") == "" {
		p.fail("a tab indents this line; YAML indents by spaces")
	}
}

// marker tells whether a line begins with --- or ..., alone or before a space.
func (p *parser) marker(mark string) bool {
	rest := p.text[p.start:]
	return strings.HasPrefix(rest, mark) && (len(rest) == 3 || strings.IndexByte(" \t\n", rest[3]) >= 0)
}

// atMarker tells whether a document ends here.
func (p *parser) atMarker() bool {
	return p.at == p.start && (p.marker("---") || p.marker("..."))
}

// document reads one document; all but the first begin with ---.
func (p *parser) document(first bool) *Node {
	p.anchors = map[string]*Node{}
	after := atStart
	switch {
	case p.at == p.start && p.marker("---"):
		p.at += 3
		after = afterMark
	case p.peek(0) == '%':
		p.fail("a line that starts with %% is a directive, and those are not read")
	case !first || p.atMarker():
		p.unexpected()
	}
	node := p.value(-1, after)
	p.blank()
	for !p.end() && p.at == p.start && p.marker("...") {
		p.at += 3
		if !p.lineEnd() {
			p.fail("unexpected %s after ...", p.near())
		}
		p.blank()
	}
	return node
}

// unexpected refuses text where nothing can be.
func (p *parser) unexpected() {
	p.fail("unexpected %s; is the indentation right?", p.near())
}

// near quotes what is at the place that has been reached.
func (p *parser) near() string {
	rest, _, _ := strings.Cut(p.text[p.at:], "\n")
	if len(rest) > 30 {
		rest = strings.ToValidUTF8(rest[:30], "") + "…"
	}
	return strconv.Quote(rest)
}

// node counts a node.
func (p *parser) node(kind Kind) *Node {
	p.count(1)
	return &Node{Kind: kind, Line: p.line}
}

func (p *parser) count(n int) {
	p.options.Step()
	if p.values += n; p.values > p.options.MaxValues {
		p.fail("more than %d values", p.options.MaxValues)
	}
}

// deeper must be followed by p.depth--.
func (p *parser) deeper() {
	if p.depth++; p.depth > p.options.MaxDepth {
		p.fail("more than %d lists and tables inside one another", p.options.MaxDepth)
	}
}
