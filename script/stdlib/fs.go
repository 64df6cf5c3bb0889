package stdlib

import (
	"crypto/sha256"
	"encoding/hex"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
)

var fsModule = Module{Name: "fs", Functions: []Function{
	{registry.Function{Name: "read", Args: projectPath, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Loading,
		Doc: "The content of a file below the project, at most 16 MiB.", Example: `fs.read("go.mod")`, Aka: []string{"open", "cat", "readfile", "read_file", "load"}}, fsRead},
	{registry.Function{Name: "exists", Args: projectPath, Returns: registry.Field{Kind: registry.Bool}, Phase: registry.Loading,
		Doc: "Whether there is a file or folder by this name below the project.", Example: `fs.exists("vendor")`, Gives: "true", Aka: []string{"is_file", "is_dir", "stat", "access"}}, fsExists},
	{registry.Function{Name: "glob", Args: globArgs, Returns: registry.Field{Kind: registry.Texts, Doc: "Sorted."}, Phase: registry.Loading,
		Doc: "The names below the project that match a pattern.", Example: `fs.glob("cmd/*/main.go")`, Gives: `{ "cmd/tool/main.go" }`, Aka: []string{"find", "list", "ls", "readdir", "files"}}, fsGlob},
	{registry.Function{Name: "hash", Args: projectPath, Returns: registry.Field{Kind: registry.Text, Doc: "In hexadecimal."}, Phase: registry.Loading,
		Doc: "The SHA-256 of a file below the project.", Example: `fs.hash("go.sum")`, Aka: []string{"sha256", "checksum", "digest"}}, fsHash},
}}

var projectPath = []registry.Field{
	{Name: "path", Kind: registry.Path, Doc: "Below the project."},
}

var globArgs = []registry.Field{
	{Name: "pattern", Kind: registry.Text, Doc: "* and ? within a name, [a-z], and ** for any folders."},
}

func fsRead(c *Call) int {
	content, err := c.Inputs.Read(c.text(1))
	if err != nil {
		c.raise(err)
	}
	return c.push(lua.LString(content))
}

func fsHash(c *Call) int {
	content, err := c.Inputs.Read(c.text(1))
	if err != nil {
		c.raise(err)
	}
	sum := sha256.Sum256(content)
	return c.push(lua.LString(hex.EncodeToString(sum[:])))
}

func fsExists(c *Call) int {
	found, err := c.Inputs.Exists(c.text(1))
	if err != nil {
		c.raise(err)
	}
	return c.pushBool(found)
}

func fsGlob(c *Call) int {
	names, err := c.Inputs.Glob(c.text(1))
	if err != nil {
		c.raise(err)
	}
	return c.push(c.texts(names))
}
