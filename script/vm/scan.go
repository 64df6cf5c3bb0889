package vm

import (
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// The layout of gopher-lua's instructions: opcode 6 bits, A 8, Bx 18.
const (
	opShift  = 26
	bxMask   = 1<<18 - 1
	argsMask = 1<<opShift - 1
)

// scanner walks the compiled code of a file. It finds all undeclared globals, in
// hook bodies and dead branches too, opens the libraries that the code names, and
// turns tail calls into calls, so that no frame is missing from an origin or a
// traceback: "return lib.build{…}" would leave no trace of its line.
type scanner struct {
	vm       *VM
	rewriter *rewriter
	problems Errors
	seen     map[use]bool
}

// use is an undeclared name on a line.
type use struct {
	name string
	line int
}

func (s *scanner) scan(p *lua.FunctionProto) {
	for pc := 0; pc < len(p.Code); pc++ {
		inst := p.Code[pc]
		switch int(inst >> opShift) {
		case lua.OP_CLOSURE:
			// The instructions after it name the captured variables.
			pc += int(p.FunctionPrototypes[inst&bxMask].NumUpvalues)
		case lua.OP_TAILCALL:
			keepFrame(p, pc)
		case lua.OP_GETGLOBAL:
			s.global(p.Constants[inst&bxMask].String(), p.DbgSourcePositions[pc], false)
		case lua.OP_SETGLOBAL:
			s.global(p.Constants[inst&bxMask].String(), p.DbgSourcePositions[pc], true)
		}
	}
	for _, inner := range p.FunctionPrototypes {
		s.scan(inner)
	}
}

// keepFrame turns a tail call into a call. The compiler puts a return of all results
// behind it in either case.
func keepFrame(p *lua.FunctionProto, pc int) {
	if inst := p.Code[pc]; int(inst>>opShift) == lua.OP_TAILCALL {
		p.Code[pc] = inst&argsMask | uint32(lua.OP_CALL)<<opShift
	}
}

// global judges one use of a global variable.
func (s *scanner) global(name string, line int, write bool) {
	known := strings.HasPrefix(name, hiddenPrefix) || s.vm.open(name)
	if known && !write {
		return
	}
	u := use{name, line}
	if s.seen[u] || len(s.problems) >= 100 {
		return
	}
	if s.seen == nil {
		s.seen = map[use]bool{}
	}
	s.seen[u] = true
	e := &Error{File: s.rewriter.file, Line: line}
	switch {
	case known:
		e.Message = strconv.Quote(name) + " is built in and cannot be changed"
		e.Hint = "write \"local " + name + "\" for a variable of your own"
	case write:
		e.Message, e.Hint = "undeclared variable "+strconv.Quote(name), s.writeHint(name, line)
	default:
		e.Message, e.Hint = "undeclared variable "+strconv.Quote(name), s.readHint(name, line)
	}
	s.problems = append(s.problems, e)
}

func (s *scanner) writeHint(name string, line int) string {
	for _, d := range s.rewriter.defined {
		if d.name == name && d.line == line {
			return "write \"local function " + name + "\""
		}
	}
	if hint := s.elsewhere(name, line); hint != "" {
		return hint
	}
	if near := Suggest(name, s.localNames()); near != "" {
		return "did you mean " + strconv.Quote(near) + "? A new variable is declared by \"local " + name + " = …\""
	}
	return "write \"local " + name + " = …\""
}

func (s *scanner) readHint(name string, line int) string {
	if hint := s.elsewhere(name, line); hint != "" {
		return hint
	}
	if left := leftOut(name); left != "" {
		return left
	}
	if near := Suggest(name, append(s.localNames(), s.vm.globals()...)); near != "" {
		return "did you mean " + strconv.Quote(near) + "?"
	}
	for _, d := range s.rewriter.defined {
		if d.name == name {
			return "write \"local function " + name + "\" at line " + strconv.Itoa(d.line)
		}
	}
	return ""
}

// elsewhere says where a local variable of that name is declared.
func (s *scanner) elsewhere(name string, line int) string {
	at := 0
	for _, l := range s.rewriter.locals {
		if l.name == name && (at == 0 || l.line <= line) {
			at = l.line
		}
	}
	switch {
	case at == 0:
		return ""
	case at > line:
		return strconv.Quote(name) + " is declared at line " + strconv.Itoa(at) + ", after its use"
	case at == line:
		return strconv.Quote(name) + " is declared on this line, and not known here"
	}
	return strconv.Quote(name) + " is declared at line " + strconv.Itoa(at) + ", in a block that has ended"
}

func (s *scanner) localNames() []string {
	names := make([]string, 0, len(s.rewriter.locals)+len(s.rewriter.defined))
	for _, l := range s.rewriter.locals {
		names = append(names, l.name)
	}
	return names
}

// leftOut explains the absence of what stock Lua has.
func leftOut(name string) string {
	switch name {
	case "_G", "getfenv", "setfenv", "rawset", "rawget", "newproxy", "module", "collectgarbage", "debug", "package":
		return "this part of Lua is left out"
	case "load", "loadstring", "loadfile", "dofile":
		return "code is loaded by require only"
	case "io", "os":
		return "programs reach files, time and environment only through modules made for it"
	case "continue":
		return "Lua 5.1 has no continue; use goto, or turn the condition round"
	case "null", "None", "undefined":
		return "write nil"
	case "this":
		return "write self, in a function defined with a colon"
	}
	return ""
}
