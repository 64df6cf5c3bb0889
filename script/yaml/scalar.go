package yaml

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// startsPlain tells whether a text without quotes can begin here.
func (p *parser) startsPlain(flow bool) bool {
	c := p.peek(0)
	switch {
	case p.end() || c == '\n' || c == ' ' || c == '\t':
		return false
	case c == '-' || !flow && (c == '?' || c == ':'):
		return !p.gap(1) && !(flow && isFlowMark(p.peek(1)))
	}
	return strings.IndexByte("?:,[]{}#&*!|>'\"%@`", c) < 0
}

// plainLine reads a text without quotes up to what ends it on its line.
func (p *parser) plainLine(flow bool) string {
	from := p.at
	for ; !p.end(); p.at++ {
		c := p.peek(0)
		if c == ':' && flow && isFlowMark(p.peek(1)) {
			p.fail("a colon right before %q is read in two ways; put a space after it", p.peek(1))
		}
		if c == '\n' || c == ':' && p.gap(1) ||
			c == '#' && p.at > from && (p.text[p.at-1] == ' ' || p.text[p.at-1] == '\t') ||
			flow && isFlowMark(c) {
			break
		}
	}
	return strings.TrimRight(p.text[from:p.at], " \t")
}

// plain reads a text without quotes, which goes on as long as lines are indented
// more than parent.
func (p *parser) plain(parent int, flow bool) string {
	if !p.startsPlain(flow) {
		p.fail("unexpected %s; a text that begins so needs quotes", p.near())
	}
	text := p.plainLine(flow)
	var more strings.Builder
	for p.peek(0) == '\n' {
		at, line, start := p.at, p.line, p.start
		breaks := 0
		for p.spaces(); p.peek(0) == '\n'; p.spaces() {
			breaks++
			p.newline()
		}
		if p.end() || p.atMarker() || !flow && p.column() <= parent || p.peek(0) == '#' || flow && (isFlowMark(p.peek(0)) || p.peek(0) == ':' && p.gap(1)) {
			p.at, p.line, p.start = at, line, start
			break
		}
		if !flow && strings.IndexByte(p.text[p.start:p.at], '\t') >= 0 && strings.IndexByte(p.text[p.start:p.at], '\t') <= parent {
			p.fail("a tab indents this line; YAML indents by spaces")
		}
		if more.Len() == 0 {
			more.WriteString(text)
		}
		if breaks == 1 {
			more.WriteByte(' ')
		} else {
			more.WriteString(strings.Repeat("\n", breaks-1))
		}
		more.WriteString(p.plainLine(flow))
	}
	if more.Len() > 0 {
		return more.String()
	}
	return text
}

// quoted reads a text in quotes, with its lines folded.
func (p *parser) quoted() string {
	quote, line := p.peek(0), p.line
	var out []byte
	solid := 0 // what was escaped is not folded
	for p.at++; ; {
		switch c := p.peek(0); {
		case p.end():
			p.line = line
			p.fail("a quote is not closed")
		case c == quote && quote == '\'' && p.peek(1) == '\'':
			out = append(out, '\'')
			p.at += 2
		case c == quote:
			p.at++
			return string(out)
		case c == '\n':
			for len(out) > solid && (out[len(out)-1] == ' ' || out[len(out)-1] == '\t') {
				out = out[:len(out)-1]
			}
			out = p.breaks(out, true)
		case c == '\\' && quote == '"':
			p.at++
			out = p.escape(out)
			solid = len(out)
		default:
			out = append(out, c)
			p.at++
		}
	}
}

// breaks passes line ends within quotes and the white space after them: one is a
// space, or nothing, and more are one line end less.
func (p *parser) breaks(out []byte, space bool) []byte {
	n := 0
	for p.peek(0) == '\n' {
		n++
		p.newline()
		p.spaces()
		if p.at == p.start && p.atMarker() {
			p.fail("the document ends within quotes")
		}
	}
	if n == 1 && space {
		return append(out, ' ')
	}
	for range n - 1 {
		out = append(out, '\n')
	}
	return out
}

// escapes are those that stand for one character.
const (
	escapes = "0abtnvfre \"/\\N_LP\t"
	escaped = "\x00\a\b\t\n\v\f\r\x1b \"/\\\u0085\u00a0\u2028\u2029\t"
)

// escape reads what follows a backslash.
func (p *parser) escape(out []byte) []byte {
	c := p.peek(0)
	switch {
	case p.end():
		p.fail("a quote is not closed")
	case c == '\n':
		return p.breaks(out, false)
	case c == 'x':
		return p.code(out, 2)
	case c == 'u':
		return p.code(out, 4)
	case c == 'U':
		return p.code(out, 8)
	}
	i := strings.IndexByte(escapes, c)
	if i < 0 {
		p.fail("there is no escape \\%c; a backslash is \\\\, or use single quotes", c)
	}
	p.at++
	return append(out, string([]rune(escaped)[i])...)
}

// code reads the hexadecimal digits of a character.
func (p *parser) code(out []byte, digits int) []byte {
	r := p.hex(1, digits)
	p.at += 1 + digits
	if utf16.IsSurrogate(r) && p.peek(0) == '\\' && p.peek(1) == 'u' {
		r = utf16.DecodeRune(r, p.hex(2, 4)) // a pair, as JSON writes it
		p.at += 6
		if r == utf8.RuneError {
			p.fail("an escape that is no character")
		}
	}
	if utf16.IsSurrogate(r) {
		p.fail("an escape that is no character")
	}
	return append(out, string(r)...)
}

func (p *parser) hex(offset, digits int) rune {
	if p.at+offset+digits > len(p.text) {
		p.fail("an escape that is too short")
	}
	n, err := strconv.ParseUint(p.text[p.at+offset:p.at+offset+digits], 16, 32)
	if err != nil || n > 0x10ffff {
		p.fail("an escape that is no character")
	}
	return rune(n)
}
