package vm

import (
	"fmt"
	"runtime"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

// coroutine is one that has not finished.
type coroutine struct {
	body    *lua.LFunction
	running bool // or waiting for one that it resumed
	loading bool // made before Freeze
}

// coroutineLibrary is Lua 5.1 manual 5.2.
var coroutineLibrary = [...]builtin{
	{"create", coCreate}, {"resume", coResume}, {"running", coRunning},
	{"status", coStatus}, {"wrap", coWrap}, {"yield", coYield},
}

const enterCoroutine = "\x00enter"

// newCoroutine makes a thread whose first act is to report errors to raise:
// gopher-lua's Resume sets a handler of its own, which forgets the stack.
func (v *VM) newCoroutine(L *lua.LState, body *lua.LFunction) *lua.LState {
	if len(v.coroutines) >= MaxCoroutines {
		L.RaiseError("more than %d unfinished coroutines", MaxCoroutines)
	}
	if v.trampoline == nil {
		v.makeTrampoline()
	}
	thread := v.thread()
	v.coroutines[thread] = &coroutine{body: body, loading: v.frozen == nil}
	return thread
}

// makeTrampoline compiles "return enter()(...)".
func (v *VM) makeTrampoline() {
	enter := &ast.FuncCallExpr{Func: &ast.IdentExpr{Value: enterCoroutine}}
	body := &ast.FuncCallExpr{Func: enter, Args: []ast.Expr{&ast.Comma3Expr{}}}
	proto, err := lua.Compile([]ast.Stmt{&ast.ReturnStmt{Exprs: []ast.Expr{body}}}, hiddenPrefix)
	if err != nil {
		panic(err)
	}
	for pc := range proto.Code {
		keepFrame(proto, pc)
	}
	v.trampoline = proto
	v.coroutines = map[*lua.LState]*coroutine{}
	v.root.G.Global.RawSetString(enterCoroutine, v.root.NewFunction(func(L *lua.LState) int {
		L.Panic = v.raise
		L.Push(v.coroutines[L].body)
		return 1
	}))
}

// resume runs a coroutine until it yields, ends or fails. No results are one nil,
// which is all that gopher-lua's Resume lets see.
func (v *VM) resume(L, thread *lua.LState, args []lua.LValue) ([]lua.LValue, *raised) {
	c := v.coroutines[thread]
	refuse := func(text string) ([]lua.LValue, *raised) {
		return nil, &raised{value: lua.LString(text), frames: v.frames()}
	}
	switch {
	case c == nil:
		return refuse("cannot resume a dead coroutine")
	case c.running:
		return refuse("cannot resume a coroutine that is running")
	case c.loading && v.frozen != nil:
		return refuse(v.who() + " resumed a coroutine made while loading; make it in the hook")
	case len(v.active) >= maxNesting:
		return refuse(fmt.Sprintf("more than %d protected calls and coroutines inside one another", maxNesting))
	}
	depth := len(v.active)
	v.active = append(v.active, thread)
	v.last = nil
	c.running = true
	state, err, values := L.Resume(thread, v.root.NewFunctionFromProto(v.trampoline), args...)
	c.running = false
	var failed *raised
	if state == lua.ResumeError {
		failed = v.coroutineError(err)
	}
	v.active = v.active[:depth]
	if state != lua.ResumeYield {
		delete(v.coroutines, thread)
	}
	if failed != nil {
		return nil, failed
	}
	return values, nil
}

// coroutineError finds what raise has noted. gopher-lua hands out the value only,
// and makes a string of a Go panic; one that raise has not seen is such a panic.
func (v *VM) coroutineError(err error) *raised {
	e, ok := err.(*lua.ApiError)
	if ok && v.last != nil && v.last.value == e.Object {
		return v.last
	}
	if ok && e.Object == lua.LString(callOverflow) {
		return v.overflow()
	}
	if v.Err() == nil {
		v.poison(err)
	}
	return &raised{value: lua.LString(v.Err().Error())}
}

func checkThread(L *lua.LState) *lua.LState {
	thread, ok := L.Get(1).(*lua.LState)
	if !ok {
		L.TypeError(1, lua.LTThread)
	}
	return thread
}

func coCreate(v *VM, L *lua.LState) int {
	L.Push(v.newCoroutine(L, luaFunction(L)))
	return 1
}

// luaFunction is a first argument that is a function.
func luaFunction(L *lua.LState) *lua.LFunction { return L.CheckFunction(1) }

func coResume(v *VM, L *lua.LState) int {
	results, failed := v.resume(L, checkThread(L), arguments(L, 2))
	return v.outcome(L, results, failed)
}

func coWrap(v *VM, L *lua.LState) int {
	thread := v.newCoroutine(L, luaFunction(L))
	L.Push(v.root.NewFunction(func(L *lua.LState) int {
		results, failed := v.resume(L, thread, arguments(L, 1))
		if failed != nil {
			v.last = failed
			L.Error(failed.value, 0)
		}
		for _, value := range results {
			L.Push(value)
		}
		return len(results)
	}))
	return 1
}

// coYield refuses where gopher-lua would go on running after the yield: in what a
// builtin, a metamethod or a for loop's iterator calls, and in a protected call,
// which is a thread of its own.
func coYield(v *VM, L *lua.LState) int {
	if v.coroutines[L] == nil {
		L.RaiseError("attempt to yield outside a coroutine, or across pcall")
	}
	if !resumable() {
		L.RaiseError("attempt to yield across a built-in function, a metamethod or an iterator")
	}
	return -1
}

// resumable tells from the Go stack whether nothing but the interpreter's loop is
// between here and the resume. gopher-lua keeps no count of its nested loops.
func resumable() bool {
	var callers [32]uintptr
	n := runtime.Callers(2, callers[:])
	for frames := runtime.CallersFrames(callers[:n]); ; {
		f, more := frames.Next()
		switch {
		case strings.HasSuffix(f.Function, "gopher-lua.threadRun"):
			return true
		case strings.HasSuffix(f.Function, "gopher-lua.(*LState).callR") || !more:
			return false
		}
	}
}

func coRunning(v *VM, L *lua.LState) int {
	for i := len(v.active) - 1; i >= 0; i-- {
		if v.coroutines[v.active[i]] != nil {
			L.Push(v.active[i])
			return 1
		}
	}
	L.Push(lua.LNil)
	return 1
}

func coStatus(v *VM, L *lua.LState) int {
	thread := checkThread(L)
	status := "suspended"
	switch c := v.coroutines[thread]; {
	case c == nil:
		status = "dead"
	case c.running:
		status = "normal"
		for i := len(v.active) - 1; i >= 0; i-- {
			if v.coroutines[v.active[i]] != nil {
				if v.active[i] == thread {
					status = "running"
				}
				break
			}
		}
	}
	L.Push(lua.LString(status))
	return 1
}
