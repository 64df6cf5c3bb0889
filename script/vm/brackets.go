package vm

import (
	"bytes"
	"strconv"
	"strings"
)

// opening is a bracket, or a word that needs an end, and its line.
type opening struct {
	text string
	line int
}

// outline reads tokens roughly, as much as hints for a file that does not parse
// need: what is open where it stops reading.
type outline struct {
	source string
	at     int
	line   int
	open   []opening
	elseIf bool      // the next "then" belongs to an elseif
	bad    []opening // escapes in strings that Lua has not
}

// unclosed says what is still open at the end of a file.
func unclosed(source []byte) string {
	o := outline{source: lines(source), line: 1}
	o.read(len(o.source))
	if len(o.open) == 0 {
		return "a value or a word is missing"
	}
	last := o.open[len(o.open)-1]
	at := " of line " + strconv.Itoa(last.line)
	switch last.text {
	case "(", "{", "[":
		return strconv.Quote(last.text) + at + " is not closed"
	case "repeat":
		return "the repeat" + at + " has no until"
	case "then":
		return "the if" + at + " has no end"
	}
	return "the " + last.text + at + " has no end"
}

// missingComma tells whether a name, number or string stands where a list or table
// wants a comma.
func missingComma(source []byte, n int, token string) string {
	if token == "" || !isLetter(token[0]) && token[0] != '_' && (token[0] < '0' || token[0] > '9') {
		return ""
	}
	o := outline{source: lines(source), line: 1}
	start := 0
	for range n - 1 {
		start += strings.IndexByte(o.source[start:], '\n') + 1
	}
	o.read(start + max(strings.Index(line(source, n), token), 0))
	if len(o.open) == 0 {
		return ""
	}
	if last := o.open[len(o.open)-1]; last.text == "{" || last.text == "(" {
		return "a comma may be missing before it, in the " + strconv.Quote(last.text) + " of line " + strconv.Itoa(last.line)
	}
	return ""
}

// read goes on to an offset.
func (o *outline) read(end int) {
	for o.at < end {
		rest := o.source[o.at:]
		switch c := rest[0]; {
		case c == '\n':
			o.line++
			o.at++
		case strings.HasPrefix(rest, "--"):
			o.at += 2
			if !o.long() {
				o.skip(strings.IndexByte(o.source[o.at:], '\n'))
			}
		case c == '"' || c == '\'':
			o.quoted(c)
		case c == '[' && o.long():
		case c == '(' || c == '{' || c == '[':
			o.open = append(o.open, opening{string(c), o.line})
			o.at++
		case c == ')' || c == '}' || c == ']':
			o.close()
			o.at++
		case isLetter(c) || c == '_':
			n := 0
			for n < len(rest) && (isLetter(rest[n]) || rest[n] == '_' || rest[n] >= '0' && rest[n] <= '9') {
				n++
			}
			o.word(rest[:n])
			o.at += n
		default:
			o.at++
		}
	}
}

func (o *outline) word(w string) {
	switch w {
	case "function", "do", "repeat":
		o.open = append(o.open, opening{w, o.line})
	case "elseif":
		o.elseIf = true
	case "then":
		if !o.elseIf {
			o.open = append(o.open, opening{w, o.line})
		}
		o.elseIf = false
	case "end", "until":
		o.close()
	}
}

func (o *outline) close() {
	if len(o.open) > 0 {
		o.open = o.open[:len(o.open)-1]
	}
}

// skip passes n bytes and counts their lines; a negative n is the rest.
func (o *outline) skip(n int) {
	rest := o.source[o.at:]
	if n < 0 || n > len(rest) {
		n = len(rest)
	}
	o.line += strings.Count(rest[:n], "\n")
	o.at += n
}

// long passes a long bracket, [[…]] or [==[…]==], and tells whether there is one.
func (o *outline) long() bool {
	rest := o.source[o.at:]
	if !strings.HasPrefix(rest, "[") {
		return false
	}
	level := len(rest[1:]) - len(strings.TrimLeft(rest[1:], "="))
	if len(rest) < level+2 || rest[level+1] != '[' {
		return false
	}
	closing := "]" + strings.Repeat("=", level) + "]"
	i := strings.Index(rest, closing)
	if i < 0 {
		o.skip(-1)
	} else {
		o.skip(i + len(closing))
	}
	return true
}

// quoted passes a string, which ends with its line at the latest.
func (o *outline) quoted(quote byte) {
	for o.at++; o.at < len(o.source); o.at++ {
		switch o.source[o.at] {
		case '\\':
			o.at++
			o.escape()
		case '\n':
			return
		case quote:
			o.at++
			return
		}
	}
}

// escape judges what follows a backslash, at being there.
func (o *outline) escape() {
	if o.at >= len(o.source) {
		return
	}
	switch c := o.source[o.at]; {
	case c == '\n':
		o.line++
	case c >= '0' && c <= '9':
		n := 1
		for n < 3 && o.at+n < len(o.source) && o.source[o.at+n] >= '0' && o.source[o.at+n] <= '9' {
			n++
		}
		if value, _ := strconv.Atoi(o.source[o.at : o.at+n]); value > 255 {
			o.bad = append(o.bad, opening{o.source[o.at : o.at+n], o.line})
		}
	case strings.IndexByte("abfnrtv\\\"'", c) < 0:
		o.bad = append(o.bad, opening{o.source[o.at : o.at+1], o.line})
	}
}

// escapes finds the escapes in strings that Lua 5.1 reads as the bare letter: "\x41"
// would be "x41", and no error.
func escapes(file string, source []byte) Errors {
	if bytes.IndexByte(source, '\\') < 0 {
		return nil
	}
	o := outline{source: lines(source), line: 1}
	o.read(len(o.source))
	var problems Errors
	for _, b := range o.bad[:min(len(o.bad), 100)] {
		e := &Error{File: file, Line: b.line, Message: "unknown escape \\" + b.text + " in a string"}
		switch {
		case b.text[0] >= '0' && b.text[0] <= '9':
			e.Hint = "at most \\255"
		case b.text == "x" || b.text == "u" || b.text == "z":
			e.Hint = "recipes are Lua 5.1: write \\ddd, in decimal, for a byte"
		default:
			e.Hint = "write \\\\ for a backslash; patterns have %" + b.text
		}
		problems = append(problems, e)
	}
	return problems
}
