package vm

import (
	"math"

	lua "github.com/yuin/gopher-lua"
)

// mathLibrary is Lua 5.1 manual 5.6 without random and randomseed: a program is a
// function of its inputs.
var mathLibrary = [...]builtin{
	{"abs", mathAbs}, {"acos", mathAcos}, {"asin", mathAsin}, {"atan", mathAtan},
	{"atan2", mathAtan2}, {"ceil", mathCeil}, {"cos", mathCos}, {"cosh", mathCosh},
	{"deg", mathDeg}, {"exp", mathExp}, {"floor", mathFloor}, {"fmod", mathFmod},
	{"frexp", mathFrexp}, {"ldexp", mathLdexp}, {"log", mathLog}, {"log10", mathLog10},
	{"max", mathMax}, {"min", mathMin}, {"modf", mathModf}, {"pow", mathPow},
	{"rad", mathRad}, {"sin", mathSin}, {"sinh", mathSinh}, {"sqrt", mathSqrt},
	{"tan", mathTan}, {"tanh", mathTanh},
}

// one pushes f of the first argument.
func one(L *lua.LState, f func(float64) float64) int {
	L.Push(lua.LNumber(f(float64(L.CheckNumber(1)))))
	return 1
}

// two pushes f of the first two arguments.
func two(L *lua.LState, f func(a, b float64) float64) int {
	L.Push(lua.LNumber(f(float64(L.CheckNumber(1)), float64(L.CheckNumber(2)))))
	return 1
}

// fold pushes f over all arguments, of which there is at least one.
func fold(L *lua.LState, f func(a, b float64) float64) int {
	most := float64(L.CheckNumber(1))
	for i := 2; i <= L.GetTop(); i++ {
		most = f(most, float64(L.CheckNumber(i)))
	}
	L.Push(lua.LNumber(most))
	return 1
}

func mathAbs(v *VM, L *lua.LState) int   { return one(L, math.Abs) }
func mathAcos(v *VM, L *lua.LState) int  { return one(L, math.Acos) }
func mathAsin(v *VM, L *lua.LState) int  { return one(L, math.Asin) }
func mathAtan(v *VM, L *lua.LState) int  { return one(L, math.Atan) }
func mathAtan2(v *VM, L *lua.LState) int { return two(L, math.Atan2) }
func mathCeil(v *VM, L *lua.LState) int  { return one(L, math.Ceil) }
func mathCos(v *VM, L *lua.LState) int   { return one(L, math.Cos) }
func mathCosh(v *VM, L *lua.LState) int  { return one(L, math.Cosh) }
func mathExp(v *VM, L *lua.LState) int   { return one(L, math.Exp) }
func mathFloor(v *VM, L *lua.LState) int { return one(L, math.Floor) }
func mathFmod(v *VM, L *lua.LState) int  { return two(L, math.Mod) }
func mathLog(v *VM, L *lua.LState) int   { return one(L, math.Log) }
func mathLog10(v *VM, L *lua.LState) int { return one(L, math.Log10) }
func mathMax(v *VM, L *lua.LState) int   { return fold(L, math.Max) }
func mathMin(v *VM, L *lua.LState) int   { return fold(L, math.Min) }
func mathPow(v *VM, L *lua.LState) int   { return two(L, math.Pow) }
func mathSin(v *VM, L *lua.LState) int   { return one(L, math.Sin) }
func mathSinh(v *VM, L *lua.LState) int  { return one(L, math.Sinh) }
func mathSqrt(v *VM, L *lua.LState) int  { return one(L, math.Sqrt) }
func mathTan(v *VM, L *lua.LState) int   { return one(L, math.Tan) }
func mathTanh(v *VM, L *lua.LState) int  { return one(L, math.Tanh) }

func mathDeg(v *VM, L *lua.LState) int {
	return one(L, func(x float64) float64 { return x * 180 / math.Pi })
}

func mathRad(v *VM, L *lua.LState) int {
	return one(L, func(x float64) float64 { return x * math.Pi / 180 })
}

func mathFrexp(v *VM, L *lua.LState) int {
	fraction, exponent := math.Frexp(float64(L.CheckNumber(1)))
	L.Push(lua.LNumber(fraction))
	L.Push(lua.LNumber(exponent))
	return 2
}

func mathLdexp(v *VM, L *lua.LState) int {
	L.Push(lua.LNumber(math.Ldexp(float64(L.CheckNumber(1)), checkInteger(L, 2))))
	return 1
}

func mathModf(v *VM, L *lua.LState) int {
	whole, fraction := math.Modf(float64(L.CheckNumber(1)))
	L.Push(lua.LNumber(whole))
	L.Push(lua.LNumber(fraction))
	return 2
}
