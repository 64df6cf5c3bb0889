package stdlib

import (
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/vm"
)

// comparison is one part of a range.
type comparison struct {
	op string
	version
}

// operators, the longer ones first.
var operators = [...]string{">=", "<=", "!=", "==", "=", ">", "<", "^", "~"}

func semverSatisfies(c *Call) int {
	v, text := c.version(c.text(1)), c.text(2)
	if len(text) > maxVersion {
		c.fail("the range has %d bytes; at most %d are read", len(text), maxVersion)
	}
	found := false
	for alternative := range strings.SplitSeq(text, "||") {
		all := c.comparisons(alternative, text)
		found = found || v.within(all)
	}
	return c.pushBool(found)
}

// comparisons reads what must hold together.
func (c *Call) comparisons(s, whole string) []comparison {
	var all []comparison
	op := ""
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' }) {
		for _, o := range operators {
			if rest, ok := strings.CutPrefix(word, o); ok && op == "" {
				op, word = o, rest
				break
			}
		}
		if word == "" {
			continue // ">= 1.2": the version follows
		}
		v, ok := parseVersion(word, true)
		if !ok {
			c.fail("%s is no range: %s is no version like \"1.2\" or \"1.x\"", quote(clip(whole)), quote(clip(word)))
		}
		all = append(all, comparison{op, v})
		op = ""
	}
	if op != "" || len(all) == 0 {
		c.fail("%s is no range like \">=1.2 <2\", \"^1.2\" or \"1.x || 2.x\"", quote(clip(whole)))
	}
	return all
}

// within tells whether all comparisons hold. A prerelease is only in a range that
// names one of the same version: ^1.2 is not for 2.0.0-rc1, and nobody who writes
// >=1.2 asks for 1.3.0-alpha.
func (v version) within(all []comparison) bool {
	for _, c := range all {
		if !c.holds(v) {
			return false
		}
	}
	return v.prerelease == "" || slices.ContainsFunc(all, func(c comparison) bool {
		return c.prerelease != "" && c.numbers == v.numbers
	})
}

func (c comparison) holds(v version) bool {
	by := v.compare(c.version)
	switch c.op {
	case "<":
		return by < 0
	case ">=":
		return by >= 0
	case ">":
		// Of 1.2 that is all of 1.2, too.
		return by > 0 && !c.begins(v)
	case "<=":
		return by <= 0 || c.begins(v)
	case "!=":
		return !c.begins(v)
	case "^":
		return by >= 0 && c.same(v, c.first())
	case "~":
		return by >= 0 && c.same(v, min(2, c.known))
	}
	return c.begins(v)
}

// begins tells whether a version starts with the numbers that were written.
func (c comparison) begins(v version) bool {
	if c.known == 3 {
		return v.compare(c.version) == 0
	}
	return c.same(v, c.known)
}

// same tells whether the first n numbers are the same.
func (c comparison) same(v version, n int) bool {
	return slices.Equal(c.numbers[:n], v.numbers[:n])
}

// first is how many numbers must stay for what is compatible: up to the first that
// is not 0.
func (c comparison) first() int {
	for i, n := range c.numbers[:c.known] {
		if n != 0 {
			return i + 1
		}
	}
	return c.known
}

func semverSort(c *Call) int {
	list := c.table(1)
	n, ok := listLength(list)
	if !ok {
		c.fail("the versions are no list")
	}
	type entry struct {
		text string
		version
	}
	all := make([]entry, n)
	for i := range all {
		s, ok := list.RawGetInt(i + 1).(lua.LString)
		if !ok {
			c.fail("item %d of the list is %s, not a string", i+1, vm.Printable(Describe(list.RawGetInt(i+1))))
		}
		all[i] = entry{string(s), c.version(string(s))}
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		c.step()
		return a.compare(b.version)
	})
	out := c.newTable()
	for _, e := range all {
		out.Append(lua.LString(e.text))
	}
	return c.push(out)
}
