package vm

import (
	"bytes"
	"fmt"
	"sort"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// Load compiles a file and returns its main function, which has not run. file is
// the name that errors and origins show. A byte order mark and a first line that
// starts with "#" are left out of what is compiled, not of the line count. The
// error is an Errors with all problems that can be known before running: one
// syntax error, or every use of an undeclared global.
func (v *VM) Load(file string, source []byte) (*lua.LFunction, error) {
	if err := v.Err(); err != nil {
		return nil, Errors{{File: file, Message: err.Error(), Cause: err}}
	}
	if len(source) > MaxSource {
		return nil, Errors{{File: file, Message: fmt.Sprintf("the file has %d bytes; at most %d are read", len(source), MaxSource)}}
	}
	if len(v.active) == 0 {
		v.watch.arm(v)
		defer v.watch.disarm()
	}
	source = strip(source)
	proto, r, failed := compile(file, source, len(v.literals))
	if failed != nil {
		return nil, Errors{failed}
	}
	if err := v.Err(); err != nil {
		return nil, Errors{{File: file, Message: err.Error(), Cause: err}}
	}
	s := scanner{vm: v, rewriter: r, problems: append(r.problems, escapes(file, source)...)}
	s.scan(proto)
	if len(s.problems) > 0 {
		sort.SliceStable(s.problems, func(i, j int) bool { return s.problems[i].Line < s.problems[j].Line })
		return nil, s.problems
	}
	v.literals = append(v.literals, r.literals...)
	v.files = append(v.files, file)
	return v.root.NewFunctionFromProto(proto), nil
}

// strip blanks what is no Lua at the start of a file.
func strip(source []byte) []byte {
	source = bytes.TrimPrefix(source, []byte("\xef\xbb\xbf"))
	if len(source) == 0 || source[0] != '#' {
		return source
	}
	if end := bytes.IndexAny(source, "\r\n"); end >= 0 {
		return source[end:]
	}
	return nil
}

// compile parses, rewrites and compiles. gopher-lua panics on some input; what it
// panics with is an error of the file here, since no VM is involved yet.
func compile(file string, source []byte, first int) (proto *lua.FunctionProto, r *rewriter, failed *Error) {
	defer func() {
		if fault := recover(); fault != nil {
			failed = &Error{File: file, Message: fmt.Sprintf("the file cannot be compiled: %v", fault)}
		}
	}()
	chunk, err := parse.Parse(bytes.NewReader(source), file)
	if err != nil {
		return nil, nil, syntaxProblem(file, source, err)
	}
	r = &rewriter{file: file, first: first, constants: map[string]struct{}{}}
	r.block(chunk)
	if r.excess != nil {
		return nil, nil, r.excess
	}
	proto, err = lua.Compile(chunk, file)
	if err != nil {
		return nil, nil, compileProblem(file, err)
	}
	return proto, r, nil
}

// compileProblem words an error of the compiler.
func compileProblem(file string, err error) *Error {
	e := &Error{File: file, Message: err.Error()}
	ce, ok := err.(*lua.CompileError)
	if !ok {
		return e
	}
	e.Line, e.Message = ce.Line, ce.Message
	switch {
	case strings.HasPrefix(ce.Message, "register overflow"):
		e.Message = "an expression or list of arguments that is too long, or too many local variables"
		e.Hint = "at most 200 values are held at a time; build long lists in steps"
	case ce.Message == "no loop to break":
		e.Message = "break outside a loop"
	case strings.HasPrefix(ce.Message, "label "):
		e.Line-- // gopher-lua adds one
	case strings.Contains(ce.Message, "goto"):
		// The compiler gives the end of the function, and the line in words.
		if at := lineInWords(ce.Message); at > 0 {
			e.Line = at
			e.Message = strings.Replace(ce.Message, " at line "+strconv.Itoa(at), "", 1)
		}
	}
	return e
}

// lineInWords is the number in "… at line 3".
func lineInWords(message string) int {
	_, rest, _ := strings.Cut(message, " at line ")
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	n, _ := strconv.Atoi(rest[:digits])
	return n
}

// syntaxProblem gives an error of the parser a line that exists, and a hint.
func syntaxProblem(file string, source []byte, err error) *Error {
	pe, ok := err.(*parse.Error)
	if !ok {
		return &Error{File: file, Message: "syntax error: " + err.Error()}
	}
	e := &Error{File: file, Line: pe.Pos.Line, Message: syntaxMessage(pe.Message)}
	if pe.Pos.Line == parse.EOF {
		e.Line = lastLine(source)
		e.Message += " at the end of the file"
		if strings.HasPrefix(e.Message, "syntax error") {
			e.Hint = unclosed(source)
		}
		return e
	}
	if e.Message == "unterminated string" {
		// The scanner has passed the end of the line by then.
		e.Line = pe.Pos.Line - 1
		return e
	}
	if pe.Token != "" {
		e.Message += " near " + strconv.Quote(pe.Token)
	}
	if e.Hint = newerLua(line(source, e.Line), pe.Token); e.Hint == "" {
		e.Hint = missingComma(source, e.Line, pe.Token)
	}
	return e
}

// syntaxMessage evens out the parser's words.
func syntaxMessage(message string) string {
	message = strings.ToLower(strings.TrimSpace(message))
	switch {
	case message == "" || message == "parse error":
		return "syntax error"
	case strings.HasPrefix(message, "invalid '"):
		return "invalid token"
	case message == "invalid multiline comment" || message == "invalid multiline string":
		return strings.Replace(message, "invalid multiline", "unterminated long", 1)
	}
	return strings.Replace(message, "multiline", "long", 1)
}

// lastLine is the number of the last line that is not blank.
func lastLine(source []byte) int {
	return strings.Count(strings.TrimRight(lines(source), " \t\n"), "\n") + 1
}

// lines gives a file the line ends that the parser counts: \r\n and \n\r are one.
func lines(source []byte) string {
	s := string(source)
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\n\r", "\n")
	return strings.ReplaceAll(s, "\r", "\n")
}

// line returns the text of a line, counted from 1.
func line(source []byte, n int) string {
	all := strings.Split(lines(source), "\n")
	if n < 1 || n > len(all) {
		return ""
	}
	return all[n-1]
}
