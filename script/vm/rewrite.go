package vm

import (
	"strconv"
	"strings"

	"github.com/yuin/gopher-lua/ast"
)

// The bounds of one file. gopher-lua's compiler looks constants and labels up one
// by one, and reserves some 10 kB a function.
const (
	maxTreeDepth = 200
	maxConstants = 8000 // different strings and numbers, and tables
	maxFunctions = 2000
	maxLabels    = 1000 // with gotos
	concatGroup  = 60   // operands in one call, which are registers (of 200)
)

// rewriter changes a syntax tree so that tables, assignments and concatenations go
// through this package. gopher-lua's compiler gives every field of a constructor the
// line of its brace, so origins can be had from nowhere else.
type rewriter struct {
	file      string
	first     int // number of the file's first literal
	literals  []literal
	depth     int
	constants map[string]struct{}
	functions int
	labels    int
	locals    []local
	defined   []local // by "function name()"
	excess    *Error
	problems  Errors // that do not keep the file from being compiled
}

// local is a local variable and the line that declares it.
type local struct {
	name string
	line int
}

func (r *rewriter) tooMuch(line int, message, hint string) {
	if r.excess == nil {
		r.excess = &Error{File: r.file, Line: line, Message: message, Hint: hint}
	}
}

// enter counts one level of nesting; false when there are too many, and the tree
// below must not be walked.
func (r *rewriter) enter(line int) bool {
	if r.depth >= maxTreeDepth {
		r.tooMuch(line, "nested more than "+strconv.Itoa(maxTreeDepth)+" levels deep",
			"chains of operators, calls and elseif count too")
	}
	r.depth++
	return r.excess == nil
}

func (r *rewriter) leave() { r.depth-- }

func (r *rewriter) constant(s string, line int) {
	if len(r.constants)+len(r.literals) >= maxConstants {
		r.tooMuch(line, "more than "+strconv.Itoa(maxConstants)+" different constants and tables in one file", "split the file")
		return
	}
	r.constants[s] = struct{}{}
}

func (r *rewriter) block(stmts []ast.Stmt) {
	for i, s := range stmts {
		if !r.enter(s.Line()) {
			return
		}
		stmts[i] = r.stmt(s)
		r.leave()
	}
}

func (r *rewriter) stmt(s ast.Stmt) ast.Stmt {
	switch s := s.(type) {
	case *ast.AssignStmt:
		return r.assign(s)
	case *ast.LocalAssignStmt:
		r.exprs(s.Exprs)
		r.declare(s.Names, s.Line())
	case *ast.FuncCallStmt:
		s.Expr = r.expr(s.Expr)
	case *ast.DoBlockStmt:
		r.block(s.Stmts)
	case *ast.WhileStmt:
		s.Condition = r.expr(s.Condition)
		r.block(s.Stmts)
	case *ast.RepeatStmt:
		r.block(s.Stmts)
		s.Condition = r.expr(s.Condition)
	case *ast.IfStmt:
		s.Condition = r.expr(s.Condition)
		r.block(s.Then)
		r.block(s.Else)
	case *ast.NumberForStmt:
		s.Init, s.Limit = r.expr(s.Init), r.expr(s.Limit)
		if s.Step != nil {
			s.Step = r.expr(s.Step)
		}
		r.declare([]string{s.Name}, s.Line())
		r.block(s.Stmts)
	case *ast.GenericForStmt:
		r.exprs(s.Exprs)
		r.declare(s.Names, s.Line())
		r.block(s.Stmts)
	case *ast.FuncDefStmt:
		return r.funcDef(s)
	case *ast.ReturnStmt:
		r.exprs(s.Exprs)
	case *ast.LabelStmt, *ast.GotoStmt:
		if r.labels++; r.labels > maxLabels {
			r.tooMuch(s.Line(), "more than "+strconv.Itoa(maxLabels)+" labels and gotos in one file", "split the file")
		}
	}
	return s
}

func (r *rewriter) declare(names []string, line int) {
	for _, name := range names {
		if len(r.locals) < maxConstants {
			r.locals = append(r.locals, local{name, line})
		}
	}
}

func (r *rewriter) exprs(list []ast.Expr) {
	for i, e := range list {
		list[i] = r.expr(e)
	}
}

func (r *rewriter) expr(e ast.Expr) ast.Expr {
	if !r.enter(e.Line()) {
		return e
	}
	defer r.leave()
	switch e := e.(type) {
	case *ast.StringExpr:
		r.constant(e.Value, e.Line())
	case *ast.NumberExpr:
		r.number(e)
	case *ast.IdentExpr:
		r.constant(e.Value, e.Line())
	case *ast.AttrGetExpr:
		e.Object, e.Key = r.expr(e.Object), r.expr(e.Key)
	case *ast.TableExpr:
		return r.table(e)
	case *ast.FuncCallExpr:
		r.call(e)
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = r.expr(e.Lhs), r.expr(e.Rhs)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = r.expr(e.Lhs), r.expr(e.Rhs)
	case *ast.StringConcatOpExpr:
		return r.concat(e)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = r.expr(e.Lhs), r.expr(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		e.Expr = r.expr(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = r.expr(e.Expr)
	case *ast.UnaryLenOpExpr:
		e.Expr = r.expr(e.Expr)
	case *ast.FunctionExpr:
		r.function(e)
	}
	return e
}

// number gives the compiler a spelling that it reads as Lua does. It would take 00644
// for octal, and a number that it cannot read, as 0xffffffffffffffff or 1e, for NaN.
func (r *rewriter) number(e *ast.NumberExpr) {
	f, ok := parseNumber(e.Value, 10)
	if !ok {
		r.problems = append(r.problems, &Error{File: r.file, Line: e.Line(),
			Message: "malformed number " + strconv.Quote(strings.TrimSpace(e.Value))})
		return
	}
	e.Value = strconv.FormatFloat(f, 'g', -1, 64)
	r.constant(e.Value, e.Line())
}

func (r *rewriter) call(e *ast.FuncCallExpr) {
	if e.Func != nil {
		e.Func = r.expr(e.Func)
	}
	if e.Receiver != nil {
		e.Receiver = r.expr(e.Receiver)
		r.constant(e.Method, e.Line())
	}
	r.exprs(e.Args)
}

func (r *rewriter) function(e *ast.FunctionExpr) {
	if r.functions++; r.functions > maxFunctions {
		r.tooMuch(e.Line(), "more than "+strconv.Itoa(maxFunctions)+" functions in one file", "split the file")
		return
	}
	r.declare(e.ParList.Names, e.Line())
	r.block(e.Stmts)
}

// table turns {…} into recordTable(id, {…}).
func (r *rewriter) table(e *ast.TableExpr) ast.Expr {
	lit := literal{file: r.file, line: e.Line()}
	for i, f := range e.Fields {
		if f.Key == nil {
			lit.items = append(lit.items, f.Value.Line())
			if i < len(e.Fields)-1 || !manyValues(f.Value) {
				lit.fixed = len(lit.items)
			}
		} else {
			r.key(&lit, f.Key)
			f.Key = r.expr(f.Key)
		}
		f.Value = r.expr(f.Value)
	}
	r.constant("\x00"+strconv.Itoa(len(r.literals)), e.Line())
	id := r.first + len(r.literals)
	r.literals = append(r.literals, lit)
	return invoke(recordTable, e, number(id, e), e)
}

// key notes a constant key of a constructor, and whether it is there already.
func (r *rewriter) key(lit *literal, key ast.Expr) {
	e := entry{file: r.file, line: key.Line()}
	switch k := key.(type) {
	case *ast.StringExpr:
		e.name = k.Value
	case *ast.NumberExpr:
		n, err := strconv.Atoi(k.Value)
		if err != nil || n < 1 {
			return
		}
		e.index = n
	default:
		return
	}
	if first := lit.find(e); first > 0 {
		lit.twice = append(lit.twice, &Error{
			File: r.file, Line: e.line,
			Message: strconv.Quote(k2s(e)) + " is set twice in this table",
			Hint:    "first at line " + strconv.Itoa(first),
		})
	}
	lit.keys = append(lit.keys, e)
}

func k2s(e entry) string {
	if e.index > 0 {
		return strconv.Itoa(e.index)
	}
	return e.name
}

// find returns the line of the same key; only the first 1000 keys are compared.
func (l *literal) find(e entry) int {
	for i := range l.keys[:min(len(l.keys), 1000)] {
		if l.keys[i].name == e.name && l.keys[i].index == e.index {
			return l.keys[i].line
		}
	}
	return 0
}

// assign turns o[k] = v into recordSet(o, k, v).
func (r *rewriter) assign(s *ast.AssignStmt) ast.Stmt {
	r.exprs(s.Lhs)
	r.exprs(s.Rhs)
	if len(s.Lhs) > 1 || len(s.Rhs) > 1 {
		return r.assignMany(s)
	}
	if field, ok := s.Lhs[0].(*ast.AttrGetExpr); ok {
		return call(invoke(recordSet, field, field.Object, field.Key, single(s.Rhs[0])))
	}
	return s
}

// assignMany evaluates objects, keys and values into hidden locals, then assigns
// from right to left as Lua does. gopher-lua assigns to a local variable before it
// has evaluated the next value: a, b = b, a makes both the same.
func (r *rewriter) assignMany(s *ast.AssignStmt) ast.Stmt {
	targets := &ast.LocalAssignStmt{}
	values := &ast.LocalAssignStmt{Exprs: s.Rhs}
	var sets []ast.Stmt
	for i, target := range s.Lhs {
		n := strconv.Itoa(i)
		values.Names = append(values.Names, "\x00v"+n)
		field, ok := target.(*ast.AttrGetExpr)
		if !ok {
			set := &ast.AssignStmt{Lhs: []ast.Expr{target}, Rhs: []ast.Expr{name("\x00v"+n, target)}}
			sets = append(sets, at(set, target))
			continue
		}
		targets.Names = append(targets.Names, "\x00o"+n, "\x00k"+n)
		targets.Exprs = append(targets.Exprs, single(field.Object), single(field.Key))
		sets = append(sets, call(invoke(recordSet, field,
			name("\x00o"+n, field), name("\x00k"+n, field), name("\x00v"+n, field))))
	}
	do := &ast.DoBlockStmt{Stmts: []ast.Stmt{at(targets, s), at(values, s)}}
	for i := len(sets) - 1; i >= 0; i-- {
		do.Stmts = append(do.Stmts, sets[i])
	}
	return at(do, s)
}

// funcDef turns "function t.f() end" and "function t:f() end" into assignments.
func (r *rewriter) funcDef(s *ast.FuncDefStmt) ast.Stmt {
	r.function(s.Func)
	if s.Name.Func == nil {
		s.Func.ParList.Names = append([]string{"self"}, s.Func.ParList.Names...)
		receiver := r.expr(s.Name.Receiver)
		method := at(&ast.StringExpr{Value: s.Name.Method}, s.Name.Receiver)
		r.constant(s.Name.Method, s.Line())
		return call(invoke(recordSet, s.Name.Receiver, receiver, method, s.Func))
	}
	switch target := s.Name.Func.(type) {
	case *ast.AttrGetExpr:
		target.Object, target.Key = r.expr(target.Object), r.expr(target.Key)
		return call(invoke(recordSet, target, target.Object, target.Key, s.Func))
	case *ast.IdentExpr:
		r.constant(target.Value, s.Line())
		r.defined = append(r.defined, local{target.Value, target.Line()})
	}
	return s
}

// concat turns a .. b .. c into boundConcat(a, b, c).
func (r *rewriter) concat(e *ast.StringConcatOpExpr) ast.Expr {
	operands := []ast.Expr{r.expr(e.Lhs)}
	rest := e.Rhs
	for {
		next, ok := rest.(*ast.StringConcatOpExpr)
		if !ok {
			break
		}
		operands = append(operands, r.expr(next.Lhs))
		rest = next.Rhs
	}
	operands = append(operands, r.expr(rest))
	if len(operands) > concatGroup*concatGroup {
		r.tooMuch(e.Line(), "more than "+strconv.Itoa(concatGroup*concatGroup)+" strings joined by ..", "use table.concat")
		return e
	}
	if len(operands) > concatGroup {
		operands = group(operands, e)
	}
	operands[len(operands)-1] = single(operands[len(operands)-1])
	return invoke(boundConcat, e, operands...)
}

func group(operands []ast.Expr, e ast.Expr) []ast.Expr {
	var groups []ast.Expr
	for len(operands) > 0 {
		n := min(concatGroup, len(operands))
		part := operands[:n:n]
		part[n-1] = single(part[n-1])
		groups = append(groups, invoke(boundConcat, e, part...))
		operands = operands[n:]
	}
	return groups
}
