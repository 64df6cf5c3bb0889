package yaml

import "strings"

// header is what follows | or >.
type header struct {
	folded bool
	chomp  byte // '-', '+' or 0
	indent int  // 0 when the first line decides
}

// blockText reads a text that is a block of lines after | or >.
func (p *parser) blockText(parent int) *Node {
	node := p.node(String)
	h := p.header()
	parent = max(parent, 0) // a document's own block is indented, too
	indent := h.indent
	if indent > 0 {
		indent += parent
	} else {
		indent = p.blockIndent(parent)
	}
	lines, ended := p.blockLines(indent)
	kept := len(lines)
	for kept > 0 && lines[kept-1] == "" {
		kept--
	}
	node.Text = strings.Join(lines[:kept], "\n")
	if h.folded {
		node.Text = foldLines(lines[:kept])
	}
	last := ""
	if kept > 0 && (ended || kept < len(lines)) {
		last = "\n" // the text may end without one
	}
	switch h.chomp {
	case '+':
		node.Text += last + strings.Repeat("\n", len(lines)-kept)
	case 0:
		node.Text += last
	}
	return node
}

func (p *parser) header() header {
	h := header{folded: p.peek(0) == '>'}
	for p.at++; !p.gap(0); p.at++ {
		switch c := p.peek(0); {
		case (c == '-' || c == '+') && h.chomp == 0:
			h.chomp = c
		case c >= '1' && c <= '9' && h.indent == 0:
			h.indent = int(c - '0')
		default:
			p.fail("after | and > stand - or + and a digit, and nothing else")
		}
	}
	if !p.lineEnd() {
		p.fail("after | and > stand - or + and a digit, and nothing else")
	}
	if !p.end() {
		p.newline()
	}
	return h
}

// blockIndent is how far the first line that is not empty is indented.
func (p *parser) blockIndent(parent int) int {
	deepest := 0
	for at, line := p.at, p.line; at < len(p.text); line++ {
		rest, _, _ := strings.Cut(p.text[at:], "\n")
		n := len(rest) - len(strings.TrimLeft(rest, " "))
		if n == len(rest) {
			deepest = max(deepest, n)
			at += n + 1
			continue
		}
		if n > parent && deepest > n {
			p.line = line
			p.fail("an empty line before this one is indented more")
		}
		if rest[n] == '\t' && n <= parent {
			p.line = line
			p.fail("a tab indents this line; YAML indents by spaces")
		}
		if n > parent {
			return n
		}
		break
	}
	return max(deepest, parent+1)
}

// blockLines reads lines that are indented so far, or empty; ended tells whether the
// last one has a line end.
func (p *parser) blockLines(indent int) (lines []string, ended bool) {
	for !p.end() && !p.atMarker() {
		rest, _, whole := strings.Cut(p.text[p.at:], "\n")
		n := min(len(rest)-len(strings.TrimLeft(rest, " ")), indent)
		if n < indent && n < len(rest) {
			return lines, ended
		}
		if n < len(rest) || whole {
			lines, ended = append(lines, rest[n:]), whole
		}
		p.at += len(rest)
		if whole {
			p.newline()
		}
	}
	return lines, ended
}

// foldLines joins lines by spaces, but those that are indented further.
func foldLines(lines []string) string {
	var b strings.Builder
	further := func(s string) bool { return s != "" && (s[0] == ' ' || s[0] == '\t') }
	for i := 0; i < len(lines); {
		b.WriteString(lines[i])
		next := i + 1
		for next < len(lines) && lines[next] == "" {
			next++
		}
		if next == len(lines) {
			break
		}
		switch empty := next - i - 1; {
		case lines[i] == "":
			// Empty lines at the beginning are line ends.
			b.WriteString(strings.Repeat("\n", empty+1))
		case further(lines[i]) || further(lines[next]):
			b.WriteString(strings.Repeat("\n", empty+1))
		case empty == 0:
			b.WriteByte(' ')
		default:
			b.WriteString(strings.Repeat("\n", empty))
		}
		i = next
	}
	return b.String()
}
