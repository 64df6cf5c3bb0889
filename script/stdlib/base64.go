package stdlib

import (
	"encoding/base64"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
)

// base64Module is RFC 4648.
var base64Module = Module{Name: "base64", Functions: []Function{
	{registry.Function{Name: "encode", Args: textArg, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "Any bytes as text, with + and / and padding.", Example: `base64.encode("hello")`, Gives: `"aGVsbG8="`, Aka: []string{"b64encode", "enc"}}, base64Encode},
	{registry.Function{Name: "decode", Args: base64Text, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "What encode was given. Line ends count for nothing, and padding may be missing.", Example: `base64.decode("aGVsbG8=")`, Gives: `"hello"`, Aka: []string{"b64decode", "dec"}}, base64Decode},
	{registry.Function{Name: "encode_url", Args: textArg, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "The same with - and _ and without padding, for URLs and file names.", Example: `base64.encode_url("\255\254")`, Gives: `"__4"`, Aka: []string{"urlsafe_encode", "url_encode", "encode_urlsafe"}}, base64EncodeURL},
	{registry.Function{Name: "decode_url", Args: base64Text, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "What encode_url was given.", Example: `base64.decode_url("__4")`, Gives: `"\255\254"`, Aka: []string{"urlsafe_decode", "url_decode", "decode_urlsafe"}}, base64DecodeURL},
}}

var base64Text = []registry.Field{
	{Name: "text", Kind: registry.Text, Doc: "In Base64."},
}

func base64Encode(c *Call) int { return c.encode64(base64.StdEncoding) }

func base64EncodeURL(c *Call) int { return c.encode64(base64.RawURLEncoding) }

func base64Decode(c *Call) int { return c.decode64(base64.RawStdEncoding) }

func base64DecodeURL(c *Call) int { return c.decode64(base64.RawURLEncoding) }

func (c *Call) encode64(e *base64.Encoding) int {
	s := c.text(1)
	c.VM.Fits(c.L, e.EncodedLen(len(s)))
	return c.push(lua.LString(e.EncodeToString([]byte(s))))
}

func (c *Call) decode64(e *base64.Encoding) int {
	s := strings.TrimRight(c.text(1), "=\r\n")
	out, err := e.DecodeString(s)
	if at, ok := err.(base64.CorruptInputError); ok {
		c.fail("the text is no Base64 at byte %d", int64(at)+1)
	}
	return c.push(lua.LString(out))
}
