package project

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"sandbox/sandbox/definition"
	"sandbox/script/vm"
)

// reader reads one file and notes what is wrong with it.
type reader struct {
	file     string
	problems definition.Problems
}

// parse returns the document; an empty one, with the problem noted, when it is no
// TOML. hint says what to do about that.
func (r *reader) parse(text []byte, hint string) *table {
	if len(text) > MaxFile {
		r.problem(0, "", "it has more than "+strconv.Itoa(MaxFile)+" bytes", "")
		return &table{}
	}
	t, err := parseTOML(text)
	if err == nil {
		return t
	}
	line := 0
	if at, ok := err.(*syntaxError); ok {
		line = at.line
	}
	r.problem(line, "", "this is no TOML: "+err.Error(), hint)
	return &table{}
}

func (r *reader) problem(line int, at, message, hint string) {
	r.problems = append(r.problems, definition.Problem{Path: vm.Printable(at), Message: message, Hint: hint,
		Origin: definition.Origin{File: r.file, Line: line}})
}

// err returns the problems in the order of their lines.
func (r *reader) err() error {
	slices.SortStableFunc(r.problems, func(a, b definition.Problem) int { return cmp.Compare(a.Origin.Line, b.Origin.Line) })
	return r.problems.Err()
}

// unknown notes a key that is none of those that can stand in a table.
func (r *reader) unknown(f *field, at string, known []string) {
	hint := "there are " + strings.Join(known, ", ")
	if near := vm.Suggest(f.name, known); near != "" {
		hint = "did you mean " + strconv.Quote(near) + "?"
	}
	r.problem(f.line, at, "unknown key "+strconv.Quote(f.name), hint)
}

// wanted notes a value of the wrong kind.
func (r *reader) wanted(at string, v *value, what, example string) {
	found := "a table"
	switch v.kind {
	case kindText:
		found = "a string"
	case kindList:
		found = "a list"
	case kindOther:
		found = vm.Printable(v.text)
	}
	hint := ""
	if example != "" {
		hint = "write " + example
	}
	r.problem(v.line, at, "wanted "+what+", found "+found, hint)
}

func (r *reader) text(at string, v *value) string {
	switch {
	case v.kind != kindText:
		r.wanted(at, v, "a string", "")
		return ""
	case v.text == "":
		r.problem(v.line, at, "it is empty", "leave the key out")
	}
	return v.text
}

// texts are the strings of a list, with their lines.
func (r *reader) texts(at string, v *value) []value {
	if v.kind != kindList {
		r.wanted(at, v, "a list of strings", "[\"…\"]")
		return nil
	}
	kept := make([]value, 0, len(v.items))
	for i := range v.items {
		if item := &v.items[i]; item.kind != kindText {
			r.wanted(at+"["+strconv.Itoa(i+1)+"]", item, "a string", "")
		} else {
			kept = append(kept, *item)
		}
	}
	return kept
}

// table is empty, with the problem noted, when the value is none.
func (r *reader) table(at string, v *value, example string) *table {
	if v.kind != kindTable {
		r.wanted(at, v, "a table", example)
		return &table{}
	}
	return v.table
}

// isText tells whether a string can stand in a line of a file and be a name on a disk:
// without control characters, line ends, and what reorders what a reader sees.
func isText(s string) bool {
	return vm.Printable(s) == s && !strings.ContainsRune(s, unicode.ReplacementChar)
}
