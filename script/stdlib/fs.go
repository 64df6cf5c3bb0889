package stdlib

import (
	"crypto/sha256"
	"encoding/hex"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
)

var fsModule = Module{Name: "fs", Functions: []Function{
	{registry.Function{Name: "read", Args: "path", Returns: "string", Doc: "The content of a file below the project, at most 16 MiB.", Example: `fs.read("go.mod")`}, fsRead},
	{registry.Function{Name: "exists", Args: "path", Returns: "boolean", Doc: "Whether there is a file or folder by this name below the project.", Example: `fs.exists("vendor")`}, fsExists},
	{registry.Function{Name: "glob", Args: "pattern", Returns: "list of strings", Doc: "The sorted names below the project that match: * and ? within a name, [a-z], and ** for any folders.", Example: `fs.glob("cmd/*/main.go")`}, fsGlob},
	{registry.Function{Name: "hash", Args: "path", Returns: "string", Doc: "The SHA-256 of a file below the project, in hexadecimal.", Example: `fs.hash("go.sum")`}, fsHash},
}}

// pathArg reads the one argument of a function of this module.
func pathArg(L *lua.LState, function string) string {
	s, ok := L.Get(1).(lua.LString)
	if !ok || L.GetTop() != 1 {
		L.RaiseError("fs.%s wants one path, as in fs.%s(\"go.mod\")", function, function)
	}
	return string(s)
}

func fsRead(l *Load, L *lua.LState) int {
	content, err := l.Inputs.Read(pathArg(L, "read"))
	if err != nil {
		l.VM.Raise(L, err)
	}
	L.Push(lua.LString(content))
	return 1
}

func fsHash(l *Load, L *lua.LState) int {
	content, err := l.Inputs.Read(pathArg(L, "hash"))
	if err != nil {
		l.VM.Raise(L, err)
	}
	sum := sha256.Sum256(content)
	L.Push(lua.LString(hex.EncodeToString(sum[:])))
	return 1
}

func fsExists(l *Load, L *lua.LState) int {
	found, err := l.Inputs.Exists(pathArg(L, "exists"))
	if err != nil {
		l.VM.Raise(L, err)
	}
	L.Push(lua.LBool(found))
	return 1
}

func fsGlob(l *Load, L *lua.LState) int {
	names, err := l.Inputs.Glob(pathArg(L, "glob"))
	if err != nil {
		l.VM.Raise(L, err)
	}
	t := L.CreateTable(len(names), 0)
	for _, name := range names {
		t.Append(lua.LString(name))
	}
	L.Push(t)
	return 1
}
