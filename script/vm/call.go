package vm

import (
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	lua "github.com/yuin/gopher-lua"
)

// raised is a Lua error that has been caught.
type raised struct {
	value  lua.LValue
	frames []Frame
	fn     *lua.LFunction // the Lua function that ran
	cause  error
}

// Call calls a Lua function and returns nret results (lua.MultRet for all). An
// error is an *Error. It may be used by a builtin that must survive an error of
// what it calls; others use L.Call, and let errors pass.
func (v *VM) Call(fn *lua.LFunction, nret int, args ...lua.LValue) ([]lua.LValue, error) {
	if err := v.Err(); err != nil {
		return nil, &Error{Message: err.Error(), Cause: err}
	}
	if len(v.active) == 0 {
		v.watch.arm(v)
		defer v.watch.disarm()
	}
	results, r := v.protect(fn, nret, args)
	if r != nil {
		return nil, v.failure(r)
	}
	return results, nil
}

// protect runs a function in a thread of its own. gopher-lua's PCall would close
// the variables of the callers too when an error passes: a closure made before a
// pcall no longer shares its variables with the function around it afterwards.
func (v *VM) protect(fn lua.LValue, nret int, args []lua.LValue) (results []lua.LValue, failed *raised) {
	if len(v.active) >= maxNesting {
		text := "more than " + strconv.Itoa(maxNesting) + " protected calls and coroutines inside one another"
		return nil, &raised{value: lua.LString(text), frames: v.frames()}
	}
	depth := len(v.active)
	thread := v.thread()
	v.active = append(v.active, thread)
	defer func() {
		if fault := recover(); fault != nil {
			results, failed = nil, v.caught(fault)
		}
		v.active = v.active[:depth]
	}()
	thread.Push(fn)
	for _, a := range args {
		thread.Push(a)
	}
	thread.Call(len(args), nret)
	results = make([]lua.LValue, thread.GetTop())
	for i := range results {
		results[i] = thread.Get(i + 1)
	}
	return results, nil
}

// thread makes a Lua thread that obeys the VM's context and reports to raise.
func (v *VM) thread() *lua.LState {
	thread, _ := v.root.NewThread()
	thread.SetContext(v.ctx)
	thread.Panic = v.raise
	return thread
}

// raise is what every thread does with a Lua error: it notes the stack while it
// still stands.
func (v *VM) raise(L *lua.LState) {
	value := v.placed(L, L.Get(-1))
	r := &raised{value: value, cause: v.cause}
	v.cause = nil
	if v.last != nil && v.last.frames != nil && handedOn(v.last.value, value) {
		// Raised again by whoever caught it: where it began is what matters.
		r.frames, r.fn, r.cause = v.last.frames, v.last.fn, v.last.cause
	} else {
		r.frames, r.fn = v.frames(), running(L)
	}
	v.last = r
	panic(&lua.ApiError{Type: lua.ApiErrorRun, Object: value, Cause: r})
}

// placed gives a message the position that gopher-lua could not: that of a builtin
// which pcall or a coroutine calls directly, with no Lua function in its thread.
func (v *VM) placed(L *lua.LState, value lua.LValue) lua.LValue {
	s, ok := value.(lua.LString)
	if !ok {
		return value
	}
	rest := ""
	switch {
	case strings.HasPrefix(string(s), hiddenPrefix+":"):
		_, rest, _ = strings.Cut(string(s), " ")
	case strings.HasPrefix(string(s), " ") && running(L) == nil:
		// Nor has it the name of the function.
		rest = strings.Replace(string(s[1:]), " to main chunk (", " (", 1)
	default:
		return value
	}
	at := v.Where(nil)
	if at.File == "" {
		return lua.LString(rest)
	}
	return lua.LString(at.File + ":" + strconv.Itoa(at.Line) + ": " + rest)
}

// handedOn tells whether an error value is the very one raised before, not one that
// looks the same.
func handedOn(before, now lua.LValue) bool {
	a, ok1 := before.(lua.LString)
	b, ok2 := now.(lua.LString)
	if ok1 && ok2 {
		// Go shares the memory of all strings of one byte.
		return len(a) > 1 && a == b && unsafe.StringData(string(a)) == unsafe.StringData(string(b))
	}
	return before == now && now.Type() != lua.LTNumber && now != lua.LNil
}

// Error makes raised travel in lua.ApiError.Cause.
func (r *raised) Error() string { return Text(r.value) }

// caught turns what recover returned into a raised; a panic that is no Lua error
// poisons the VM.
func (v *VM) caught(fault any) *raised {
	if e, ok := fault.(*lua.ApiError); ok && e.Type == lua.ApiErrorRun {
		if r, ok := e.Cause.(*raised); ok {
			return r
		}
		return &raised{value: e.Object}
	}
	if fault == callOverflow {
		return v.overflow()
	}
	v.poison(fault)
	return &raised{value: lua.LString(v.Err().Error())}
}

// callOverflow is what gopher-lua panics with when a growing call stack is full: its
// own check for that never says so.
const callOverflow = "lua callstack overflow"

// overflow is the Lua error that callOverflow stands for. The stack is gone.
func (v *VM) overflow() *raised {
	at := v.Where(nil)
	text := "stack overflow"
	if at.File != "" {
		text = at.File + ":" + strconv.Itoa(at.Line) + ": " + text
	}
	v.last = &raised{value: lua.LString(text), frames: v.frames()}
	return v.last
}

// Raise raises a Go error as a Lua error at the running line. What Call returns
// wraps it.
func (v *VM) Raise(L *lua.LState, err error) {
	v.cause = err
	L.RaiseError("%s", err.Error())
}

// failure describes a caught error for those outside Lua.
func (v *VM) failure(r *raised) *Error {
	e := &Error{Traceback: r.frames, Cause: r.cause}
	if len(r.frames) > 0 {
		e.File, e.Line = r.frames[0].File, r.frames[0].Line
	}
	if err := v.Err(); err != nil {
		e.Message, e.Cause = err.Error(), err
		return e
	}
	if s, ok := r.value.(lua.LString); ok {
		if file, line, rest, ok := v.position(string(s)); ok {
			e.File, e.Line, e.Message = file, line, rest
		} else {
			e.Message = string(s)
		}
		e.Message = r.reword(e.Message, e.Line)
		return e
	}
	e.Message, e.Hint = v.describe(r.value)
	return e
}

// describe words an error value that is no string.
func (v *VM) describe(value lua.LValue) (message, hint string) {
	if fn, ok := v.root.GetMetaField(value, "__tostring").(*lua.LFunction); ok {
		if results, r := v.protect(fn, 1, []lua.LValue{value}); r == nil {
			if s, ok := results[0].(lua.LString); ok {
				return string(s), ""
			}
		}
	}
	if n, ok := value.(lua.LNumber); ok {
		return Text(n), ""
	}
	if value == lua.LNil {
		return "nil was raised as an error", "raise a string"
	}
	return "a " + value.Type().String() + " was raised as an error", "raise a string"
}

// position splits "file:line: message" when file is one that was loaded.
func (v *VM) position(s string) (file string, line int, rest string, ok bool) {
	for _, name := range v.files {
		tail, found := strings.CutPrefix(s, name+":")
		if !found {
			continue
		}
		number, rest, found := strings.Cut(tail, ": ")
		if line, err := strconv.Atoi(number); found && err == nil {
			return name, line, rest, true
		}
	}
	return "", 0, s, false
}

// frames returns the Lua functions that run now, innermost first, through all
// threads; of more than 24 the middle is left out.
func (v *VM) frames() []Frame {
	const most = 24
	var all []Frame
	v.walk("nSl", func(f Frame) bool {
		all = append(all, f)
		return true
	})
	if len(all) > most {
		cut := Frame{File: "…", Function: fmt.Sprintf("in %d more calls", len(all)-most)}
		kept := append(all[:most/2:most/2], cut)
		all = append(kept, all[len(all)-most/2:]...)
	}
	return all
}

// walk visits the running Lua functions, innermost first, until visit says no. what
// is "nSl", or "Sl" when names of functions, which cost most, are not wanted.
func (v *VM) walk(what string, visit func(Frame) bool) {
	for i := len(v.active) - 1; i >= 0; i-- {
		L := v.active[i]
		for level := 0; ; level++ {
			dbg, ok := L.GetStack(level)
			if !ok {
				break
			}
			if f, ok := frame(L, dbg, what); ok && !visit(f) {
				return
			}
		}
	}
}

// frame describes one level of a stack; false for Go functions and for the
// package's own Lua code, whose file name starts with NUL.
func frame(L *lua.LState, dbg *lua.Debug, what string) (Frame, bool) {
	if _, err := L.GetInfo(what, dbg, lua.LNil); err != nil {
		return Frame{}, false
	}
	if dbg.Source == "" || dbg.Source[0] == 0 {
		return Frame{}, false
	}
	f := Frame{File: dbg.Source, Line: dbg.CurrentLine}
	if what == "Sl" {
		return f, true
	}
	switch {
	case dbg.LineDefined == 0:
		f.Function = "main chunk"
	case dbg.Name == "" || dbg.Name == "?" || dbg.Name[0] == '<' || dbg.Name[0] == '(' || dbg.What == "main":
		f.Function = "function <" + dbg.Source + ":" + strconv.Itoa(dbg.LineDefined) + ">"
	default:
		f.Function = "function '" + dbg.Name + "'"
	}
	return f, true
}

// Place is a line of Lua code on whose behalf Go code runs.
type Place struct {
	File string
	Line int
	// Via is "file:line" of the innermost skipped file, when there is one.
	Via string
}

// Where returns the nearest running Lua line whose file skip does not refuse, and
// the innermost refused one behind it; skip may be nil. Nothing but skipped files
// running, it returns the innermost of them, without Via.
func (v *VM) Where(skip func(file string) bool) Place {
	var found, inner Place
	v.walk("Sl", func(f Frame) bool {
		if skip == nil || !skip(f.File) {
			found = Place{File: f.File, Line: f.Line}
			return false
		}
		if inner.File == "" {
			inner = Place{File: f.File, Line: f.Line}
		}
		return true
	})
	if found.File == "" {
		return inner
	}
	if inner.File != "" {
		found.Via = inner.File + ":" + strconv.Itoa(inner.Line)
	}
	return found
}
