package vm

import (
	lua "github.com/yuin/gopher-lua"
)

// The bounds of one match: captures as in Lua (LUA_MAXCAPTURES), and items that can
// be tried one inside another.
const (
	maxCaptures = 32
	maxItems    = 200
)

// The two lengths of a capture that is no string.
const (
	captureOpen     = -1
	capturePosition = -2
)

// matcher matches a pattern (Lua 5.1 manual 5.4.1) by backtracking, which can take
// time exponential in the pattern: it counts steps and stops when the VM ends.
type matcher struct {
	v        *VM
	L        *lua.LState
	subject  string
	pattern  string
	captures [maxCaptures]struct{ start, length int }
	level    int // captures begun
	depth    int
	steps    int
}

// fail is the end of a match that is none.
const fail = -1

// match tries to match the pattern from p on at subject[s:], and returns the end of
// the match or fail.
func (m *matcher) match(s, p int) int {
	if m.depth++; m.depth > maxItems {
		m.L.RaiseError("pattern too complex (more than %d items)", maxItems)
	}
	defer func() { m.depth-- }()
	for p < len(m.pattern) {
		m.v.Step(m.L, &m.steps)
		next := p
		switch c := m.pattern[p]; {
		case c == '(':
			return m.openCapture(s, p+1)
		case c == ')':
			return m.closeCapture(s, p+1)
		case c == '$' && p+1 == len(m.pattern):
			if s == len(m.subject) {
				return s
			}
			return fail
		case c == '%' && p+1 < len(m.pattern):
			s, next = m.escape(s, p)
		}
		if s == fail {
			return fail
		}
		if next > p {
			p = next
			continue
		}
		end := m.classEnd(p)
		if end < len(m.pattern) && isSuffix(m.pattern[end]) {
			return m.repeated(s, p, end)
		}
		if !m.single(s, p, end) {
			return fail
		}
		s, p = s+1, end
	}
	return s
}

func isSuffix(c byte) bool { return c == '*' || c == '+' || c == '-' || c == '?' }

// repeated matches the item p:end with the suffix at end, and what follows.
func (m *matcher) repeated(s, p, end int) int {
	switch m.pattern[end] {
	case '?':
		if m.single(s, p, end) {
			if r := m.match(s+1, end+1); r != fail {
				return r
			}
		}
		return m.match(s, end+1)
	case '-':
		for {
			if r := m.match(s, end+1); r != fail {
				return r
			}
			if !m.single(s, p, end) {
				return fail
			}
			s++
		}
	}
	most, least := 0, 0
	if m.pattern[end] == '+' {
		least = 1
	}
	for m.single(s+most, p, end) {
		m.v.Step(m.L, &m.steps)
		most++
	}
	for ; most >= least; most-- {
		if r := m.match(s+most, end+1); r != fail {
			return r
		}
	}
	return fail
}

// escape handles %b, %f and %1; for other classes it returns s and p unchanged.
func (m *matcher) escape(s, p int) (int, int) {
	switch c := m.pattern[p+1]; {
	case c == 'b':
		return m.balanced(s, p+2), p + 4
	case c == 'f':
		if p+2 >= len(m.pattern) || m.pattern[p+2] != '[' {
			m.L.RaiseError("malformed pattern: %s needs a set in brackets after it", "%f")
		}
		end := m.classEnd(p + 2)
		before, at := byte(0), byte(0)
		if s > 0 {
			before = m.subject[s-1]
		}
		if s < len(m.subject) {
			at = m.subject[s]
		}
		if m.inSet(before, p+2, end) || !m.inSet(at, p+2, end) {
			return fail, end
		}
		return s, end
	case c >= '0' && c <= '9':
		n := int(c) - '1'
		if n < 0 || n >= m.level || m.captures[n].length == captureOpen {
			m.L.RaiseError("malformed pattern: no capture %%%s", string(c))
		}
		text := m.captured(n)
		if len(m.subject)-s < len(text) || m.subject[s:s+len(text)] != text {
			return fail, p + 2
		}
		return s + len(text), p + 2
	}
	return s, p
}

// balanced matches %bxy, x and y being at p.
func (m *matcher) balanced(s, p int) int {
	if p+1 >= len(m.pattern) {
		m.L.RaiseError("malformed pattern: %s needs two characters after it", "%b")
	}
	if s >= len(m.subject) || m.subject[s] != m.pattern[p] {
		return fail
	}
	open := 1
	for i := s + 1; i < len(m.subject); i++ {
		m.v.Step(m.L, &m.steps)
		switch m.subject[i] {
		case m.pattern[p+1]:
			if open--; open == 0 {
				return i + 1
			}
		case m.pattern[p]:
			open++
		}
	}
	return fail
}

func (m *matcher) openCapture(s, p int) int {
	if m.level >= maxCaptures {
		m.L.RaiseError("more than %d captures in a pattern", maxCaptures)
	}
	length := captureOpen
	if p < len(m.pattern) && m.pattern[p] == ')' {
		length, p = capturePosition, p+1
	}
	m.captures[m.level].start, m.captures[m.level].length = s, length
	m.level++
	r := m.match(s, p)
	if r == fail {
		m.level--
	}
	return r
}

func (m *matcher) closeCapture(s, p int) int {
	for i := m.level - 1; i >= 0; i-- {
		if c := &m.captures[i]; c.length == captureOpen {
			c.length = s - c.start
			r := m.match(s, p)
			if r == fail {
				c.length = captureOpen
			}
			return r
		}
	}
	m.L.RaiseError("malformed pattern: \")\" without \"(\"")
	return fail
}

// classEnd returns where the single-character class at p ends.
func (m *matcher) classEnd(p int) int {
	c := m.pattern[p]
	p++
	if c == '%' {
		if p >= len(m.pattern) {
			m.L.RaiseError("malformed pattern: it ends with %s", "%")
		}
		return p + 1
	}
	if c != '[' {
		return p
	}
	if p < len(m.pattern) && m.pattern[p] == '^' {
		p++
	}
	for first := true; ; first = false {
		if p >= len(m.pattern) {
			m.L.RaiseError("malformed pattern: \"[\" without \"]\"")
		}
		c := m.pattern[p]
		p++
		if c == '%' {
			p++
		} else if c == ']' && !first {
			return p
		}
	}
}

// single tells whether subject[s] is in the class p:end.
func (m *matcher) single(s, p, end int) bool {
	if s >= len(m.subject) {
		return false
	}
	c := m.subject[s]
	switch m.pattern[p] {
	case '.':
		return true
	case '%':
		return inClass(c, m.pattern[p+1])
	case '[':
		return m.inSet(c, p, end)
	}
	return c == m.pattern[p]
}

// inSet tells whether c is in the set p:end, brackets included.
func (m *matcher) inSet(c byte, p, end int) bool {
	p++
	wanted := true
	if m.pattern[p] == '^' {
		wanted = false
		p++
	}
	for last := end - 1; p < last; p++ {
		switch {
		case m.pattern[p] == '%':
			p++
			if inClass(c, m.pattern[p]) {
				return wanted
			}
		case p+2 < last && m.pattern[p+1] == '-':
			if m.pattern[p] <= c && c <= m.pattern[p+2] {
				return wanted
			}
			p += 2
		case m.pattern[p] == c:
			return wanted
		}
	}
	return !wanted
}

// inClass is %a, %d and so on in the C locale; a capital letter means the rest.
func inClass(c, class byte) bool {
	var is bool
	switch lower(class) {
	case 'a':
		is = isLetter(c)
	case 'c':
		is = c < 32 || c == 127
	case 'd':
		is = c >= '0' && c <= '9'
	case 'l':
		is = c >= 'a' && c <= 'z'
	case 'p':
		is = c > 32 && c < 127 && !isLetter(c) && (c < '0' || c > '9')
	case 's':
		is = c == ' ' || c >= 9 && c <= 13
	case 'u':
		is = c >= 'A' && c <= 'Z'
	case 'w':
		is = isLetter(c) || c >= '0' && c <= '9'
	case 'x':
		is = c >= '0' && c <= '9' || lower(c) >= 'a' && lower(c) <= 'f'
	case 'z':
		is = c == 0
	default:
		return class == c
	}
	return is != (class < 'a')
}

func isLetter(c byte) bool { return lower(c) >= 'a' && lower(c) <= 'z' }

// captured is the text of capture n.
func (m *matcher) captured(n int) string {
	c := m.captures[n]
	if c.length == captureOpen {
		m.L.RaiseError("malformed pattern: \"(\" without \")\"")
	}
	if c.length == capturePosition {
		return ""
	}
	return m.subject[c.start : c.start+c.length]
}

// value is what capture n gives to the program.
func (m *matcher) value(n int) lua.LValue {
	if m.captures[n].length == capturePosition {
		return lua.LNumber(m.captures[n].start + 1)
	}
	return lua.LString(m.captured(n))
}

// values are all captures, or the whole match start:end when there is none.
func (m *matcher) values(start, end int) []lua.LValue {
	if m.level == 0 {
		return []lua.LValue{lua.LString(m.subject[start:end])}
	}
	all := make([]lua.LValue, m.level)
	for i := range all {
		all[i] = m.value(i)
	}
	return all
}
