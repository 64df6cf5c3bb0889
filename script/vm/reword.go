package vm

import (
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// running returns the innermost Lua function of a thread, or nil.
func running(L *lua.LState) *lua.LFunction {
	for level := 0; ; level++ {
		dbg, ok := L.GetStack(level)
		if !ok {
			return nil
		}
		value, err := L.GetInfo("f", dbg, lua.LNil)
		if fn, ok := value.(*lua.LFunction); err == nil && ok && !fn.IsG && fn.Proto.SourceName != hiddenPrefix {
			return fn
		}
	}
}

// reword says in Lua's terms what gopher-lua says in its own.
func (r *raised) reword(message string, line int) string {
	const index = "attempt to index a non-table object("
	switch {
	case strings.HasPrefix(message, index):
		kind, rest, _ := strings.Cut(message[len(index):], ") with key '")
		key := strings.TrimSuffix(rest, "'")
		return "attempt to read " + strconv.Quote(key) + " of a " + kind + " value"
	case message == "attempt to call a non-function object":
		if name := r.called(line); name != "" {
			return strconv.Quote(name) + " is called, and is no function"
		}
		return "a value is called that is no function"
	case strings.HasPrefix(message, "cannot perform concat operation between "):
		return strings.Replace(message, "cannot perform concat operation between", "cannot join by .. a", 1)
	case message == "__len undefined":
		return "attempt to get the length of a value that has none"
	case message == "registry overflow":
		return "stack overflow"
	}
	return message
}

// called is the name of the only thing called on a line, or "".
func (r *raised) called(line int) string {
	if r.fn == nil {
		return ""
	}
	only := ""
	p := r.fn.Proto
	for _, c := range p.DbgCalls {
		if c.Pc >= len(p.DbgSourcePositions) || p.DbgSourcePositions[c.Pc] != line {
			continue
		}
		if strings.HasPrefix(c.Name, hiddenPrefix) || c.Name == "?" {
			continue
		}
		if only != "" && only != c.Name {
			return ""
		}
		only = c.Name
	}
	return only
}
