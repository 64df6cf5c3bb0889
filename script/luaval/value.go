// Package luaval turns Lua values into ordered Go trees that know where each part
// was written, and JSON-like Go values into Lua. It is strict: what a definition
// cannot mean is a problem with a path, a line, what was wanted and what was found,
// and all problems are found at once.
package luaval

import (
	"math"
	"strconv"

	"sandbox/sandbox/definition"
)

// Kind is what a Value holds.
type Kind uint8

// The kinds of values.
const (
	Nothing Kind = iota // missing, or already reported as a problem
	Bool
	Number
	String
	List
	Map
	Opaque // a value made by Go: what a builder returned
)

// Value is a Lua value without its VM.
type Value struct {
	Kind   Kind
	Bool   bool
	Number float64
	Text   string
	// Items of a List; of an empty table none, and Kind is Map.
	Items []Value
	// Fields of a Map, in the order they were written.
	Fields []Field
	// Go is the content of an Opaque.
	Go     any
	Origin definition.Origin
}

// Field is a key of a Map and its value.
type Field struct {
	Name  string
	Value Value
}

// Field returns the value of a key, or nil.
func (v *Value) Field(name string) *Value {
	for i := range v.Fields {
		if v.Fields[i].Name == name {
			return &v.Fields[i].Value
		}
	}
	return nil
}

// Set replaces or appends a key.
func (v *Value) Set(name string, value Value) {
	if old := v.Field(name); old != nil {
		*old = value
		return
	}
	v.Fields = append(v.Fields, Field{name, value})
}

// Remove deletes a key.
func (v *Value) Remove(name string) {
	for i := range v.Fields {
		if v.Fields[i].Name == name {
			v.Fields = append(v.Fields[:i:i], v.Fields[i+1:]...)
			return
		}
	}
}

// IsFalse tells whether a value is false, which removes.
func (v *Value) IsFalse() bool { return v.Kind == Bool && !v.Bool }

// IsEmpty tells whether a value is a table with nothing in it, list and map alike.
func (v *Value) IsEmpty() bool { return v.Kind == Map && len(v.Fields) == 0 }

// Integer returns a number that is whole and exact, which those from 2^53 on are not.
func (v *Value) Integer() (int64, bool) {
	if v.Kind != Number || v.Number != math.Trunc(v.Number) || math.Abs(v.Number) >= 1<<53 {
		return 0, false
	}
	return int64(v.Number), true
}

// Describe words a value for "found …": a short string or number is shown.
func (v *Value) Describe() string {
	switch v.Kind {
	case Bool:
		return strconv.FormatBool(v.Bool)
	case Number:
		return "the number " + NumberText(v.Number)
	case String:
		if len(v.Text) > 60 {
			return "a string of " + strconv.Itoa(len(v.Text)) + " bytes"
		}
		return "the string " + strconv.Quote(v.Text)
	case List:
		return "a list"
	case Map:
		if len(v.Fields) == 0 {
			return "an empty table"
		}
		return "a table with keys"
	case Opaque:
		if d, ok := v.Go.(interface{ Describe() string }); ok {
			return d.Describe()
		}
		return "a value made by a builder"
	}
	return "nothing"
}

// NumberText writes a number as Lua does, but whole ones in full.
func NumberText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 0):
		if f < 0 {
			return "-infinity"
		}
		return "infinity"
	case f == math.Trunc(f) && math.Abs(f) < 1e18:
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', 14, 64)
}
