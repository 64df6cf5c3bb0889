package stdlib

import (
	"cmp"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
)

// semverModule is semver.org 2.0, lenient about what is missing, as versions of Go
// and of many tools are. The libraries there are compile patterns at every start.
var semverModule = Module{Name: "semver", Functions: []Function{
	{registry.Function{Name: "parse", Args: versionArg, Returns: registry.Field{Kind: registry.Table, Sub: versionFields}, Phase: registry.Always,
		Doc: "The parts of a version.", Example: `semver.parse("v1.2.0-rc.1").prerelease`, Gives: `"rc.1"`, Aka: []string{"version", "new", "split"}}, semverParse},
	{registry.Function{Name: "compare", Args: twoVersions, Returns: registry.Field{Kind: registry.Count, Doc: "-1, 0 or 1."}, Phase: registry.Always,
		Doc: "Which of two versions comes first: -1 the first one, 1 the second one; 0 when neither.", Example: `semver.compare("1.9.0", "1.10.0")`, Gives: `-1`, Aka: []string{"cmp", "less", "gt", "lt"}}, semverCompare},
	{registry.Function{Name: "satisfies", Args: rangeArgs, Returns: registry.Field{Kind: registry.Bool}, Phase: registry.Always,
		Doc: "Whether a version is in a range.", Example: `semver.satisfies("1.26.1", ">=1.25 <2")`, Gives: `true`, Aka: []string{"matches", "match", "check", "in_range"}}, semverSatisfies},
	{registry.Function{Name: "sort", Args: versionsArg, Returns: registry.Field{Kind: registry.Texts}, Phase: registry.Always,
		Doc: "Versions from the first to the last, as a new list.", Example: `semver.sort({ "1.10", "1.9", "1.9-rc1" })`, Gives: `{ "1.9-rc1", "1.9", "1.10" }`, Aka: []string{"order", "latest", "max"}}, semverSort},
}}

var versionArg = []registry.Field{
	{Name: "version", Kind: registry.Text, Doc: "Like \"1.2.3\", \"v1.2.3-rc.1+build\", \"1.26\": a v before it counts for nothing, and missing numbers are 0."},
}

var twoVersions = []registry.Field{
	{Name: "a", Kind: registry.Text, Doc: "One version."},
	{Name: "b", Kind: registry.Text, Doc: "The other."},
}

var rangeArgs = []registry.Field{
	{Name: "version", Kind: registry.Text, Doc: "As for semver.parse."},
	{Name: "range", Kind: registry.Text, Doc: "Comparisons that must all hold, with =, !=, <, <=, >, >=, ^ (up to the next first number that is not 0) or ~ (up to the next second number); a version alone, like \"1.26\" or \"1.x\", is any that begins so; || stands between alternatives."},
}

var versionsArg = []registry.Field{
	{Name: "versions", Kind: registry.Texts, Doc: "As for semver.parse."},
}

var versionFields = []registry.Field{
	{Name: "major", Kind: registry.Count, Doc: "The first number."},
	{Name: "minor", Kind: registry.Count, Doc: "The second."},
	{Name: "patch", Kind: registry.Count, Doc: "The third."},
	{Name: "prerelease", Kind: registry.Text, Doc: "What follows -, or \"\"."},
	{Name: "build", Kind: registry.Text, Doc: "What follows +, or \"\"."},
}

// version is a parsed version; known is how many numbers were written.
type version struct {
	numbers           [3]int64
	known             int
	prerelease, build string
}

// maxVersion bounds a version and a range, in bytes.
const maxVersion = 1024

// parseVersion reads a version; with partial, also "1.x" and "*".
func parseVersion(s string, partial bool) (v version, ok bool) {
	rest := strings.TrimPrefix(s, "v")
	rest, build, hasBuild := strings.Cut(rest, "+")
	rest, pre, hasPre := strings.Cut(rest, "-")
	v.prerelease, v.build = pre, build
	if hasPre && !identifiers(pre) || hasBuild && !identifiers(build) {
		return v, false
	}
	parts := strings.Split(rest, ".")
	if len(parts) > 3 {
		return v, false
	}
	for i, part := range parts {
		if partial && (part == "x" || part == "X" || part == "*") {
			return v, !hasPre && !hasBuild && (i == len(parts)-1 || strings.Trim(strings.Join(parts[i:], ""), "xX*") == "")
		}
		n, good := versionNumber(part)
		if !good {
			return v, false
		}
		v.numbers[i] = n
		v.known++
	}
	return v, true
}

// versionNumber reads digits; 15 are exact as a number of Lua.
func versionNumber(s string) (int64, bool) {
	if s == "" || len(s) > 15 || strings.Trim(s, "0123456789") != "" || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

func identifiers(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" {
			return false
		}
		for i := range len(part) {
			c := part[i]
			if c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	return true
}

// compare is semver.org, point 11.
func (v version) compare(w version) int {
	for i := range v.numbers {
		if by := cmp.Compare(v.numbers[i], w.numbers[i]); by != 0 {
			return by
		}
	}
	switch {
	case v.prerelease == w.prerelease:
		return 0
	case v.prerelease == "":
		return 1
	case w.prerelease == "":
		return -1
	}
	a, b := strings.Split(v.prerelease, "."), strings.Split(w.prerelease, ".")
	for i := range min(len(a), len(b)) {
		if by := compareIdentifiers(a[i], b[i]); by != 0 {
			return by
		}
	}
	return cmp.Compare(len(a), len(b))
}

// compareIdentifiers: numbers by value and before words.
func compareIdentifiers(a, b string) int {
	x, y := strings.Trim(a, "0123456789") == "", strings.Trim(b, "0123456789") == ""
	switch {
	case x && y:
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		if by := cmp.Compare(len(a), len(b)); by != 0 {
			return by
		}
	case x:
		return -1
	case y:
		return 1
	}
	return strings.Compare(a, b)
}

// version reads an argument that is a version.
func (c *Call) version(s string) version {
	v, ok := parseVersion(s, false)
	if !ok || len(s) > maxVersion {
		c.fail("%s is no version like \"1.2.3\" or \"v1.2.3-rc.1\"", quote(clip(s)))
	}
	return v
}

func semverParse(c *Call) int {
	v := c.version(c.text(1))
	t := c.newTable()
	t.RawSetString("major", lua.LNumber(v.numbers[0]))
	t.RawSetString("minor", lua.LNumber(v.numbers[1]))
	t.RawSetString("patch", lua.LNumber(v.numbers[2]))
	t.RawSetString("prerelease", lua.LString(v.prerelease))
	t.RawSetString("build", lua.LString(v.build))
	return c.push(t)
}

func semverCompare(c *Call) int {
	return c.push(lua.LNumber(c.version(c.text(1)).compare(c.version(c.text(2)))))
}
