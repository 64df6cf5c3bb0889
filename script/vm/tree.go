package vm

import (
	"strconv"

	"github.com/yuin/gopher-lua/ast"
)

// at gives a new node the lines of an old one.
func at[N ast.PositionHolder](node N, old ast.PositionHolder) N {
	node.SetLine(old.Line())
	node.SetLastLine(old.LastLine())
	return node
}

func name(n string, old ast.Expr) ast.Expr {
	return at(&ast.IdentExpr{Value: n}, old)
}

func number(n int, old ast.Expr) ast.Expr {
	return at(&ast.NumberExpr{Value: strconv.Itoa(n)}, old)
}

// invoke is a call of a hidden global that gives one value.
func invoke(fn string, old ast.Expr, args ...ast.Expr) *ast.FuncCallExpr {
	return at(&ast.FuncCallExpr{Func: name(fn, old), Args: args, AdjustRet: true}, old)
}

// call makes a call a statement, of which no value is wanted.
func call(e *ast.FuncCallExpr) ast.Stmt {
	e.AdjustRet = false
	return at(&ast.FuncCallStmt{Expr: e}, e)
}

// manyValues tells whether an expression in last place can be any number of values.
func manyValues(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		return !e.AdjustRet
	case *ast.Comma3Expr:
		return !e.AdjustRet
	}
	return false
}

// single cuts an expression to one value, as parentheses do.
func single(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
	return e
}
