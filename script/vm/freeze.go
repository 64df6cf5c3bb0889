package vm

import (
	"strconv"

	lua "github.com/yuin/gopher-lua"
)

// frozen is what existed when loading ended.
type frozen struct {
	tables    map[*lua.LTable]struct{}
	variables []variable
	known     map[*lua.Upvalue]int // index into variables
}

// variable is a local variable of the program that a function still holds.
type variable struct {
	name   string
	value  lua.LValue
	cell   *lua.Upvalue
	owners []owner
}

// owner is a function that holds a variable, and its number there.
type owner struct {
	fn    *lua.LFunction
	index int
}

// Freeze ends loading. Everything reachable from roots (the hooks, the values of
// required files, whatever else a hook can get hold of) and from declared globals
// is frozen: a write to such a table raises an error at its line, and CallHook
// refuses changed variables. What hooks make is theirs. Sites are forgotten.
func (v *VM) Freeze(roots ...lua.LValue) {
	f := &frozen{tables: map[*lua.LTable]struct{}{}, known: map[*lua.Upvalue]int{}}
	todo := append([]lua.LValue{v.root.G.Global}, roots...)
	seen := map[*lua.LFunction]struct{}{}
	for len(todo) > 0 {
		value := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch x := value.(type) {
		case *lua.LTable:
			if _, done := f.tables[x]; !done {
				f.tables[x] = struct{}{}
				todo = appendContents(todo, x)
			}
		case *lua.LFunction:
			if _, done := seen[x]; !done {
				seen[x] = struct{}{}
				todo = f.appendVariables(todo, x)
			}
		case *lua.LUserData:
			todo = append(todo, x.Metatable)
		}
	}
	v.frozen = f
	v.sites, v.literals = nil, nil
}

func appendContents(todo []lua.LValue, t *lua.LTable) []lua.LValue {
	for k, value := t.Next(lua.LNil); k != lua.LNil; k, value = t.Next(k) {
		todo = append(todo, k, value)
	}
	return append(todo, t.Metatable)
}

func (f *frozen) appendVariables(todo []lua.LValue, fn *lua.LFunction) []lua.LValue {
	for i, cell := range fn.Upvalues {
		if cell == nil {
			continue
		}
		value := cell.Value()
		todo = append(todo, value)
		if fn.IsG {
			continue
		}
		n, ok := f.known[cell]
		if !ok {
			n = len(f.variables)
			f.known[cell] = n
			f.variables = append(f.variables, variable{name: fn.Proto.DbgUpvalues[i], value: value, cell: cell})
		}
		f.variables[n].owners = append(f.variables[n].owners, owner{fn, i})
	}
	return todo
}

// Frozen reports whether t existed when loading ended, and may not be changed.
func (v *VM) Frozen(t *lua.LTable) bool {
	if v.frozen == nil {
		return false
	}
	_, ok := v.frozen.tables[t]
	return ok
}

const keepInData = "a hook may run in another process: keep it in ctx.data"

func (v *VM) frozenText(key string) string {
	return v.who() + " changed the recipe's table (key " + key + "); " + keepInData
}

func (v *VM) who() string {
	if v.hook == "" {
		return "a hook"
	}
	return "hook " + strconv.Quote(v.hook)
}

// CallHook calls a function after Freeze and returns all its results. A hook that
// assigned to a variable of the program is an *Error at the line of the
// assignment, and the variable gets its old value back. label names the hook.
func (v *VM) CallHook(label string, fn *lua.LFunction, args ...lua.LValue) ([]lua.LValue, error) {
	outer := v.hook
	v.hook = label
	defer func() { v.hook = outer }()
	results, err := v.Call(fn, lua.MultRet, args...)
	changed := v.restore(fn)
	if err != nil {
		return nil, err
	}
	if changed != nil {
		return nil, changed
	}
	return results, nil
}

// restore puts changed variables back and describes the first.
func (v *VM) restore(hook *lua.LFunction) *Error {
	if v.frozen == nil {
		return nil
	}
	var first *Error
	for i := range v.frozen.variables {
		x := &v.frozen.variables[i]
		now := x.cell.Value()
		if same(now, x.value) {
			continue
		}
		x.cell.SetValue(x.value)
		if first != nil {
			continue
		}
		first = &Error{Message: v.who() + " changed the recipe's variable " + strconv.Quote(x.name) + "; " + keepInData}
		first.File, first.Line = x.assigned(hook)
	}
	return first
}

// same compares as Lua does without metamethods, but for NaN, which has not
// changed when it is NaN again.
func same(a, b lua.LValue) bool {
	if a == b {
		return true
	}
	x, ok1 := a.(lua.LNumber)
	y, ok2 := b.(lua.LNumber)
	return ok1 && ok2 && x != x && y != y
}

// assigned finds the line of an assignment to the variable: in the hook, in the
// functions it can call by their names, nearest first, or else in any.
func (x *variable) assigned(hook *lua.LFunction) (file string, line int) {
	near := []*lua.LFunction{hook}
	seen := map[*lua.LFunction]bool{hook: true}
	for len(near) > 0 {
		fn := near[0]
		near = near[1:]
		if fn.IsG {
			continue
		}
		for i, cell := range fn.Upvalues {
			if cell == x.cell {
				if at := setLine(fn.Proto, i); at > 0 {
					return fn.Proto.SourceName, at
				}
			}
			if next, ok := cell.Value().(*lua.LFunction); ok && !seen[next] {
				seen[next] = true
				near = append(near, next)
			}
		}
	}
	for _, o := range x.owners {
		file = o.fn.Proto.SourceName
		if line = setLine(o.fn.Proto, o.index); line > 0 {
			break
		}
	}
	return file, line
}

// setLine searches compiled code, and that of the functions inside it, for the
// first instruction that sets a captured variable; 0 when there is none.
func setLine(p *lua.FunctionProto, index int) int {
	const bMask = 1<<9 - 1
	for pc := 0; pc < len(p.Code); pc++ {
		inst := p.Code[pc]
		switch int(inst >> opShift) {
		case lua.OP_SETUPVAL:
			if int(inst&bMask) == index {
				return p.DbgSourcePositions[pc]
			}
		case lua.OP_CLOSURE:
			inner := p.FunctionPrototypes[inst&bxMask]
			for i := range int(inner.NumUpvalues) {
				pc++
				captured := p.Code[pc]
				if int(captured>>opShift) == lua.OP_GETUPVAL && int(captured&bMask) == index {
					if at := setLine(inner, i); at > 0 {
						return at
					}
				}
			}
		}
	}
	return 0
}
