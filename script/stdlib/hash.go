package stdlib

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
)

// hashModule is of texts; fs.hash is of files. MD5 and SHA-1 are left out: what they
// would be asked for here, whether something is what it was, they cannot tell.
var hashModule = Module{Name: "hash", Functions: []Function{
	{registry.Function{Name: "sha256", Args: textArg, Returns: registry.Field{Kind: registry.Text, Doc: "In hexadecimal."}, Phase: registry.Always,
		Doc: "The SHA-256 of a text.", Example: `hash.sha256("hello")`, Gives: `"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"`, Aka: []string{"sha", "sha1", "md5", "hash", "digest"}}, hashSHA256},
	{registry.Function{Name: "sha512", Args: textArg, Returns: registry.Field{Kind: registry.Text, Doc: "In hexadecimal."}, Phase: registry.Always,
		Doc:     "The SHA-512 of a text.",
		Example: `hash.sha512("hello")`, Gives: `"9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043"`}, hashSHA512},
}}

func hashSHA256(c *Call) int {
	sum := sha256.Sum256([]byte(c.text(1)))
	return c.push(lua.LString(hex.EncodeToString(sum[:])))
}

func hashSHA512(c *Call) int {
	sum := sha512.Sum512([]byte(c.text(1)))
	return c.push(lua.LString(hex.EncodeToString(sum[:])))
}
