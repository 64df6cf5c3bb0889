package definition

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong with a definition.
type Problem struct {
	// Path is the field, as in Origins.
	Path string
	// Message says what is wrong, lower case, without the field.
	Message string
	// Hint says what to do; may be empty.
	Hint string
	// Origin is filled in by Problems.At; validators leave it empty.
	Origin Origin
}

// Error returns "build.lua:9: limits.memory: message (hint)".
func (p Problem) Error() string {
	var b strings.Builder
	if !p.Origin.IsZero() {
		b.WriteString(p.Origin.String() + ": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString(" (" + p.Hint + ")")
	}
	return b.String()
}

// Problems are all the things wrong with a definition, in the order of its fields.
type Problems []Problem

// Error returns one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns the problems as an error, or nil when there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// At fills in the origins of problems that have none.
func (ps Problems) At(origins Origins) Problems {
	for i := range ps {
		if ps[i].Origin.IsZero() {
			ps[i].Origin = origins.Of(ps[i].Path)
		}
	}
	return ps
}

func (ps *Problems) add(path, format string, args ...any) {
	*ps = append(*ps, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

func (ps *Problems) hint(path, hint, format string, args ...any) {
	*ps = append(*ps, Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}
