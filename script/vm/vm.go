package vm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// The bounds of every VM. Each stands between a program and one of the bombs that
// an interpreter without an allocation hook cannot survive otherwise.
const (
	MaxSource     = 256 << 10 // bytes of one file
	MaxString     = 16 << 20  // bytes of one string
	MaxArrayIndex = 1 << 20   // largest integer key of a table
	MaxCoroutines = 1000      // not yet finished
	MaxHeap       = 256 << 20 // bytes, unless Options say otherwise
	maxNesting    = 100       // pcall and coroutines inside one another
	maxCallDepth  = 200       // Lua functions inside one another, per coroutine
	maxRegistry   = 64 << 10  // stack slots of one coroutine
)

// Options are what a VM may use of the world.
type Options struct {
	// Print receives each line of print, without its newline and as the program
	// made it: see Printable. nil discards it.
	Print func(line string)
	// Heap is the process's heap in bytes at which a running program is ended;
	// 0 means MaxHeap. It is a guard against growth, not an account of one VM.
	Heap uint64
}

// VM is one Lua program and its machine. Use New.
type VM struct {
	root    *lua.LState // holds what all threads share; runs nothing itself
	ctx     context.Context
	end     context.CancelCauseFunc
	options Options

	active   []*lua.LState // running threads, innermost last
	files    []string      // names given to Load
	declared []string      // names of globals made known by Declare

	last  *raised // the error raised last, for those who catch it
	cause error   // the Go error of the raise under way

	sites      map[*lua.LTable]*Site
	literals   []literal
	coroutines map[*lua.LState]*coroutine
	trampoline *lua.FunctionProto
	library    *lua.LTable            // of string methods, nil until one is used
	strings    *lua.LTable            // metatable of strings
	locks      map[*lua.LTable]string // metatables made by Lock
	frozen     *frozen                // nil until Freeze
	hook       string                 // label of the hook that runs
	watch      watchdog
}

// bounds sets gopher-lua's process-wide limits before the first VM reads them.
var bounds sync.Once

// New makes a VM that lives as long as ctx. It costs some 10 µs: libraries are
// made when a loaded file names them.
func New(ctx context.Context, options Options) *VM {
	bounds.Do(func() {
		lua.MaxArrayIndex = MaxArrayIndex + 1 // gopher-lua excludes the bound itself
		lua.CompatVarArg = false              // no hidden table named arg
	})
	if options.Heap == 0 {
		options.Heap = MaxHeap
	}
	v := &VM{options: options}
	v.ctx, v.end = context.WithCancelCause(ctx)
	v.root = lua.NewState(lua.Options{CallStackSize: 1, RegistrySize: 128, SkipOpenLibs: true})
	v.root.Options = lua.Options{ // of the threads, which do the work
		CallStackSize:       maxCallDepth,
		RegistrySize:        256,
		RegistryMaxSize:     maxRegistry,
		RegistryGrowStep:    2048,
		MinimizeStackMemory: true,
	}
	v.root.G.MainThread = v.root
	v.root.G.CurrentThread = v.root
	v.installRecorders()
	v.installStringMethods()
	return v
}

// Close ends the VM and frees what it holds. It is not for use from other
// goroutines; see Kill.
func (v *VM) Close() {
	v.end(&ended{kind: ErrCancelled, text: "the VM is closed"})
	v.watch.disarm()
	v.root.Close()
}

// State returns the Lua state for making values: tables, functions, user data.
// It runs nothing; a builtin must use the state it is called with.
func (v *VM) State() *lua.LState { return v.root }

// Context is the VM's one context. Builtins that wait must watch it.
func (v *VM) Context() context.Context { return v.ctx }

// Declare makes a global variable known, and readable, in every file loaded
// afterwards. No file can assign to it.
func (v *VM) Declare(name string, value lua.LValue) {
	v.root.G.Global.RawSetString(name, value)
	v.declared = append(v.declared, name)
}

// Kill ends the VM for good: Lua code stops at its next instruction, and every
// later Load and Call returns an error that is ErrCancelled and wraps cause. Safe
// from any goroutine.
func (v *VM) Kill(cause error) {
	v.end(&ended{kind: ErrCancelled, text: "cancelled: " + cause.Error(), cause: cause})
}

// Within ends the VM with ErrDeadline unless stop is called before d has passed.
// what completes the sentence "… took longer than 2s", as in "loading build.lua".
func (v *VM) Within(d time.Duration, what string) (stop func()) {
	timer := time.AfterFunc(d, func() {
		v.end(&ended{kind: ErrDeadline, text: what + " took longer than " + d.String()})
	})
	return func() { timer.Stop() }
}

// Err returns why the VM has ended, or nil while it can be used.
func (v *VM) Err() error {
	if v.ctx.Err() == nil {
		return nil
	}
	cause := context.Cause(v.ctx)
	var e *ended
	switch {
	case errors.As(cause, &e):
		return e
	case errors.Is(cause, context.DeadlineExceeded):
		return &ended{kind: ErrDeadline, text: "the time limit has passed", cause: cause}
	}
	return &ended{kind: ErrCancelled, text: "cancelled: " + cause.Error(), cause: cause}
}

// poison ends a VM below which Go code has panicked.
func (v *VM) poison(fault any) {
	v.end(&ended{kind: ErrPoisoned, text: fmt.Sprintf("internal error: %v", fault)})
}

// ended is why a VM has ended.
type ended struct {
	kind  error
	text  string
	cause error
}

func (e *ended) Error() string { return e.text }

func (e *ended) Unwrap() []error {
	if e.cause == nil {
		return []error{e.kind}
	}
	return []error{e.kind, e.cause}
}
