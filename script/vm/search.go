package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// search looks for the pattern from position at on; a pattern that starts with ^
// matches there or nowhere.
func (m *matcher) search(at int) (start, end int) {
	p, anchored := 0, false
	if strings.HasPrefix(m.pattern, "^") {
		p, anchored = 1, true
	}
	for ; at <= len(m.subject); at++ {
		m.level = 0
		if end := m.match(at, p); end != fail {
			return at, end
		}
		if anchored {
			break
		}
	}
	return fail, fail
}

// startAt is the third argument of find and match, as an index from 0.
func startAt(L *lua.LState, length int) int {
	at := optInteger(L, 3, 1)
	if at < 0 {
		at = length + at + 1
	}
	return max(at, 1) - 1
}

func strFind(v *VM, L *lua.LState) int {
	s, pattern := checkString(L, 1), checkString(L, 2)
	at := startAt(L, len(s))
	if at > len(s) {
		L.Push(lua.LNil)
		return 1
	}
	if L.ToBool(4) || strings.IndexAny(pattern, "^$*+?.([%-") < 0 {
		i := strings.Index(s[at:], pattern)
		if i < 0 {
			L.Push(lua.LNil)
			return 1
		}
		L.Push(lua.LNumber(at + i + 1))
		L.Push(lua.LNumber(at + i + len(pattern)))
		return 2
	}
	m := &matcher{v: v, L: L, subject: s, pattern: pattern}
	start, end := m.search(at)
	if start == fail {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(start + 1))
	L.Push(lua.LNumber(end))
	for i := range m.level {
		L.Push(m.value(i))
	}
	return 2 + m.level
}

func strMatch(v *VM, L *lua.LState) int {
	s, pattern := checkString(L, 1), checkString(L, 2)
	m := &matcher{v: v, L: L, subject: s, pattern: pattern}
	start, end := m.search(startAt(L, len(s)))
	if start == fail {
		L.Push(lua.LNil)
		return 1
	}
	return pushAll(L, m.values(start, end))
}

func pushAll(L *lua.LState, values []lua.LValue) int {
	for _, value := range values {
		L.Push(value)
	}
	return len(values)
}

func strGmatch(v *VM, L *lua.LState) int {
	m := &matcher{v: v, subject: checkString(L, 1), pattern: checkString(L, 2)}
	at := 0
	L.Push(L.NewFunction(func(L *lua.LState) int {
		m.L = L
		for ; at <= len(m.subject); at++ {
			m.level = 0
			end := m.match(at, 0)
			if end == fail {
				continue
			}
			values := m.values(at, end)
			if end == at {
				end++ // an empty match must not be found again
			}
			at = end
			return pushAll(L, values)
		}
		L.Push(lua.LNil)
		return 1
	}))
	return 1
}

func strGsub(v *VM, L *lua.LState) int {
	s, pattern := checkString(L, 1), checkString(L, 2)
	g := &substitution{m: matcher{v: v, L: L, subject: s, pattern: pattern}, with: L.Get(3)}
	L.CheckTypes(3, lua.LTString, lua.LTNumber, lua.LTTable, lua.LTFunction)
	most := optInteger(L, 4, len(s)+1)
	p, anchored := 0, false
	if strings.HasPrefix(pattern, "^") {
		p, anchored = 1, true
	}
	at, count := 0, 0
	for count < most {
		g.m.level = 0
		end := g.m.match(at, p)
		if end != fail {
			count++
			g.replace(at, end)
		}
		switch {
		case end != fail && end > at:
			at = end
		case at < len(s):
			g.out = append(g.out, s[at])
			at++
		default:
			most = count
		}
		if anchored {
			break
		}
	}
	if at < len(s) {
		g.out = append(g.out, s[at:]...)
	}
	v.Fits(L, len(g.out))
	L.Push(lua.LString(g.out))
	L.Push(lua.LNumber(count))
	return 2
}

// substitution is a gsub under way.
type substitution struct {
	m    matcher
	with lua.LValue
	out  []byte
}

// replace appends what stands for the match start:end.
func (g *substitution) replace(start, end int) {
	m := &g.m
	var value lua.LValue
	switch with := g.with.(type) {
	case *lua.LTable:
		value = m.L.GetTable(with, m.values(start, end)[0])
	case *lua.LFunction:
		m.L.Push(with)
		n := pushAll(m.L, m.values(start, end))
		m.L.Call(n, 1)
		value = m.L.Get(-1)
		m.L.Pop(1)
	default:
		g.expand(Text(with), start, end)
		return
	}
	switch {
	case lua.LVIsFalse(value):
		g.write(m.subject[start:end])
	case lua.LVCanConvToString(value):
		g.write(Text(value))
	default:
		m.L.RaiseError("gsub cannot put a %s in place of a match", value.Type().String())
	}
}

// expand appends a replacement string, %0 to %9 standing for captures.
func (g *substitution) expand(text string, start, end int) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '%' || i+1 >= len(text) {
			g.out = append(g.out, c)
			continue
		}
		i++
		switch c = text[i]; {
		case c == '0':
			g.write(g.m.subject[start:end])
		case c >= '1' && c <= '9':
			values := g.m.values(start, end)
			if int(c-'1') >= len(values) {
				g.m.L.RaiseError("replacement refers to capture %%%s, which the pattern has not", string(c))
			}
			g.write(Text(values[c-'1']))
		default:
			g.out = append(g.out, c)
		}
	}
	g.m.v.Fits(g.m.L, len(g.out))
}

func (g *substitution) write(s string) {
	g.m.v.Fits(g.m.L, len(g.out)+len(s))
	g.out = append(g.out, s...)
}
