package vm

import (
	"errors"
	"strconv"
	"strings"
)

// The reasons for which a VM ends, for errors.Is. A VM that has ended stays ended:
// every later Load and Call returns the same reason.
var (
	// ErrDeadline: a time limit passed (Within, or the deadline of the VM's context).
	ErrDeadline = errors.New("time limit passed")
	// ErrCancelled: the VM's context was cancelled, or Kill was called.
	ErrCancelled = errors.New("cancelled")
	// ErrMemory: the heap grew beyond Options.Heap.
	ErrMemory = errors.New("memory limit passed")
	// ErrPoisoned: Go code below the VM panicked; its state cannot be trusted.
	ErrPoisoned = errors.New("internal error")
)

// Frame is one Lua function on the stack, innermost first.
type Frame struct {
	File string
	// Line is the line being executed.
	Line int
	// Function is "main chunk", "coroutine", "function 'name'", or
	// "function <file:line>" for one that has no name.
	Function string
}

// String returns "file:line: in function 'f'".
func (f Frame) String() string {
	if f.Line == 0 {
		return Printable(f.File) + " " + Printable(f.Function)
	}
	return Printable(f.File) + ":" + strconv.Itoa(f.Line) + ": in " + Printable(f.Function)
}

// Error is one thing wrong in a Lua program, while loading or running it.
type Error struct {
	// File is the name given to Load; empty when no Lua code was involved.
	File string
	// Line counts from 1; 0 when unknown. Lua has no columns.
	Line int
	// Message says what is wrong, without file, line and hint.
	Message string
	// Hint says what to do; may be empty.
	Hint string
	// Traceback is the Lua functions that led here, innermost first, those of
	// coroutines included; empty for errors found before running. Long ones
	// are cut in the middle.
	Traceback []Frame
	// Cause is one of the reasons above when the VM has ended, or the Go error
	// that a builtin raised with Raise; may be nil.
	Cause error
}

// Error returns "file:line: message (hint)", in one line without control characters.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(Printable(e.File))
		if e.Line > 0 {
			b.WriteString(":" + strconv.Itoa(e.Line))
		}
		b.WriteString(": ")
	}
	b.WriteString(Printable(e.Message))
	if e.Hint != "" {
		b.WriteString(" (" + Printable(e.Hint) + ")")
	}
	return b.String()
}

// Unwrap returns Cause.
func (e *Error) Unwrap() error { return e.Cause }

// Report returns Error, then one indented line a frame of the traceback. A
// traceback of a single frame says nothing that the first line does not, and is
// left out.
func (e *Error) Report() string {
	var b strings.Builder
	b.WriteString(e.Error())
	if len(e.Traceback) > 1 {
		for _, f := range e.Traceback {
			b.WriteString("\n  " + f.String())
		}
	}
	return b.String()
}

// Errors are all the problems of one file, in the order of their lines.
type Errors []*Error

// Error returns one problem a line.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems.
func (es Errors) Unwrap() []error {
	all := make([]error, len(es))
	for i, e := range es {
		all[i] = e
	}
	return all
}

// Printable returns s with control characters (C0, DEL, and the C1 range that
// terminals obey) and invalid UTF-8 written as \xNN, so that text of a recipe can
// be shown on a terminal. Newlines and tabs are kept as \n and \t in letters.
func Printable(s string) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	return escape(s)
}

func escape(s string) string {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, len(s)+16)
	for i, r := range s {
		switch {
		case r == '\n':
			out = append(out, `\n`...)
		case r == '\t':
			out = append(out, `\t`...)
		case r < 0x20 || r == 0x7f:
			out = append(out, '\\', 'x', hex[r>>4], hex[r&15])
		case r >= 0x80 && r < 0xa0:
			out = append(out, '\\', 'x', hex[s[i]>>4], hex[s[i]&15], '\\', 'x', hex[s[i+1]>>4], hex[s[i+1]&15])
		case r == 0xfffd && s[i] != 0xef:
			out = append(out, '\\', 'x', hex[s[i]>>4], hex[s[i]&15])
		case r == 0x202a || r == 0x202b || r == 0x202d || r == 0x202e || r >= 0x2066 && r <= 0x2069:
			// Bidirectional overrides reorder what a reader sees (CVE-2021-42574).
			out = append(out, `\u`...)
			out = strconv.AppendInt(out, int64(r), 16)
		default:
			out = append(out, string(r)...)
		}
	}
	return string(out)
}
