package stdlib

import (
	"path"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
)

// pathModule is arithmetic on paths with slashes: it looks at no file.
var pathModule = Module{Name: "path", Functions: []Function{
	{registry.Function{Name: "join", Args: pathParts, Returns: registry.Field{Kind: registry.Path}, Phase: registry.Always,
		Doc: "Puts paths together with slashes and cleans what results; empty ones are left out.", Example: `path.join("/src", "../out", "bin")`, Gives: `"/out/bin"`,
		Aka: []string{"concat", "combine", "append"}}, pathJoin},
	{registry.Function{Name: "dir", Args: onePath, Returns: registry.Field{Kind: registry.Path}, Phase: registry.Always,
		Doc: "A path without its last name; \".\" when there is but one.", Example: `path.dir("cmd/tool/main.go")`, Gives: `"cmd/tool"`, Aka: []string{"dirname", "parent", "folder"}}, pathDir},
	{registry.Function{Name: "base", Args: onePath, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "The last name of a path.", Example: `path.base("cmd/tool/main.go")`, Gives: `"main.go"`, Aka: []string{"basename", "name", "filename"}}, pathBase},
	{registry.Function{Name: "ext", Args: onePath, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "The last name from its last dot on, or \"\".", Example: `path.ext("main.tar.gz")`, Gives: `".gz"`, Aka: []string{"extension", "suffix", "extname"}}, pathExt},
	{registry.Function{Name: "clean", Args: onePath, Returns: registry.Field{Kind: registry.Path}, Phase: registry.Always,
		Doc: "The shortest text for the same path: without \".\", \"..\" and repeated slashes where they can go.", Example: `path.clean("/src//./a/../b/")`, Gives: `"/src/b"`,
		Aka: []string{"normalize", "normalise", "canonical", "abs"}}, pathClean},
	{registry.Function{Name: "rel", Args: relArgs, Returns: registry.Field{Kind: registry.Path}, Phase: registry.Always,
		Doc: "The way from one path to another. Both are absolute, or neither.", Example: `path.rel("/src/cmd", "/src/lib/x.go")`, Gives: `"../lib/x.go"`, Aka: []string{"relative", "relpath"}}, pathRel},
	{registry.Function{Name: "is_abs", Args: onePath, Returns: registry.Field{Kind: registry.Bool}, Phase: registry.Always,
		Doc: "Whether a path starts with a slash.", Example: `path.is_abs("/src")`, Gives: `true`, Aka: []string{"isabs", "is_absolute", "absolute"}}, pathIsAbs},
}}

var onePath = []registry.Field{
	{Name: "path", Kind: registry.Path, Doc: "With slashes."},
}

var pathParts = []registry.Field{
	{Name: "path", Kind: registry.Path, Many: true, Doc: "One after another; later ones stay below the first though they start with a slash."},
}

var relArgs = []registry.Field{
	{Name: "base", Kind: registry.Path, Doc: "Where the way begins: a folder."},
	{Name: "target", Kind: registry.Path, Doc: "Where it ends."},
}

func pathJoin(c *Call) int {
	parts, size := make([]string, c.L.GetTop()), 0
	for i := range parts {
		parts[i] = c.text(i + 1)
		size += len(parts[i]) + 1
	}
	c.VM.Fits(c.L, size)
	return c.push(lua.LString(path.Join(parts...)))
}

func pathDir(c *Call) int { return c.push(lua.LString(path.Dir(c.text(1)))) }

func pathBase(c *Call) int { return c.push(lua.LString(path.Base(c.text(1)))) }

func pathExt(c *Call) int { return c.push(lua.LString(path.Ext(c.text(1)))) }

func pathClean(c *Call) int { return c.push(lua.LString(path.Clean(c.text(1)))) }

func pathIsAbs(c *Call) int { return c.pushBool(path.IsAbs(c.text(1))) }

func pathRel(c *Call) int {
	base, target := path.Clean(c.text(1)), path.Clean(c.text(2))
	if path.IsAbs(base) != path.IsAbs(target) {
		c.fail("%s and %s: one is absolute and the other is not", quote(clip(base)), quote(clip(target)))
	}
	from, to := names(base), names(target)
	for len(from) > 0 && len(to) > 0 && from[0] == to[0] {
		from, to = from[1:], to[1:]
	}
	if len(from) > 0 && from[0] == ".." {
		c.fail("the way from %s is not known: it lies above where both begin", quote(clip(base)))
	}
	c.VM.Fits(c.L, 3*len(from)+len(target))
	way := strings.Repeat("../", len(from)) + strings.Join(to, "/")
	return c.push(lua.LString(path.Clean(way)))
}

// names are the names of a clean path, none for "." and "/".
func names(clean string) []string {
	clean = strings.TrimPrefix(clean, "/")
	if clean == "" || clean == "." {
		return nil
	}
	return strings.Split(clean, "/")
}

// clip shortens a text for a message.
func clip(s string) string { return clipTo(s, 60) }

func clipTo(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}
