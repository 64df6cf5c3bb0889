package stdlib

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
	"sandbox/script/vm"
)

var urlModule = Module{Name: "url", Functions: []Function{
	{registry.Function{Name: "parse", Args: urlArg, Returns: registry.Field{Kind: registry.Table, Sub: urlFields}, Phase: registry.Always,
		Doc: "The parts of a URL, as they are without escapes; those it has not are not there.", Example: `url.parse("https://example.org:8080/a%20b?x=1#top").path`, Gives: `"/a b"`, Aka: []string{"split", "decode", "new"}}, urlParse},
	{registry.Function{Name: "build", Args: partsArg, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "A URL of its parts, with what has to be escaped.", Example: `url.build { scheme = "https", host = "example.org", path = "/a b" }`, Gives: `"https://example.org/a%20b"`, Aka: []string{"format", "compose", "unparse"}}, urlBuild},
	{registry.Function{Name: "join", Args: joinURLArgs, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "What a reference means that stands at a URL.", Example: `url.join("https://example.org/a/b", "../c")`, Gives: `"https://example.org/c"`, Aka: []string{"resolve", "relative"}}, urlJoin},
	{registry.Function{Name: "query", Args: queryArg, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "A query of names and values, sorted by name.", Example: `url.query { q = "a b", tag = { "x", "y" } }`, Gives: `"q=a+b&tag=x&tag=y"`, Aka: []string{"urlencode", "build_query", "encode"}}, urlQuery},
	{registry.Function{Name: "parse_query", Args: queryText, Returns: registry.Field{Kind: registry.Map, Lua: "table<string, string[]>", Doc: "Lists: a name may stand several times."}, Phase: registry.Always,
		Doc: "The names and values of a query.", Example: `url.parse_query("q=a+b&tag=x&tag=y")`, Gives: `{ q = { "a b" }, tag = { "x", "y" } }`, Aka: []string{"parse_qs", "urldecode"}}, urlParseQuery},
	{registry.Function{Name: "escape", Args: textArg, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "A text as one part of a path.", Example: `url.escape("a/b c")`, Gives: `"a%2Fb%20c"`, Aka: []string{"quote", "encode_component", "percent_encode"}}, urlEscape},
	{registry.Function{Name: "unescape", Args: textArg, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "What escape was given.", Example: `url.unescape("a%2Fb%20c")`, Gives: `"a/b c"`, Aka: []string{"unquote", "decode_component", "percent_decode"}}, urlUnescape},
}}

var urlArg = []registry.Field{
	{Name: "url", Kind: registry.Text, Doc: "At most 64 KiB."},
}

var urlFields = []registry.Field{
	{Name: "scheme", Kind: registry.Text, Optional: true, Doc: "Like \"https\".", Example: `"https"`, Aka: []string{"protocol", "proto"}},
	{Name: "user", Kind: registry.Text, Optional: true, Doc: "The user's name.", Example: `"me"`, Aka: []string{"username"}},
	{Name: "password", Kind: registry.Text, Optional: true, Doc: "The user's password.", Example: `"secret"`},
	{Name: "host", Kind: registry.Text, Optional: true, Doc: "A name or an address, without brackets.", Example: `"example.org"`, Aka: []string{"hostname", "domain"}},
	{Name: "port", Kind: registry.Count, Optional: true, Doc: "0..65535.", Example: "8080"},
	{Name: "path", Kind: registry.Text, Optional: true, Doc: "Without escapes.", Example: `"/a b"`},
	{Name: "query", Kind: registry.Text, Optional: true, Doc: "As it stands after ?; url.query makes one.", Example: `"x=1"`, Aka: []string{"search", "params"}},
	{Name: "fragment", Kind: registry.Text, Optional: true, Doc: "What follows #, without escapes.", Example: `"top"`, Aka: []string{"hash", "anchor"}},
}

var partsArg = []registry.Field{
	{Name: "parts", Kind: registry.Options, Sub: urlFields, Doc: "As url.parse returns them."},
}

var joinURLArgs = []registry.Field{
	{Name: "base", Kind: registry.Text, Doc: "A URL."},
	{Name: "reference", Kind: registry.Text, Doc: "A URL, or a part of one."},
}

var queryArg = []registry.Field{
	{Name: "values", Kind: registry.Map, Lua: "table<string, string|number|boolean|(string|number|boolean)[]>", Doc: "Strings, numbers and booleans, or lists of them, by name."},
}

var queryText = []registry.Field{
	{Name: "query", Kind: registry.Text, Doc: "Without ?, at most 64 KiB."},
}

// maxURL bounds a URL and a query, in bytes.
const maxURL = 64 << 10

func (c *Call) url(n int) *url.URL {
	u, err := url.Parse(c.short(n))
	if err != nil {
		var bad *url.Error
		if errors.As(err, &bad) {
			err = bad.Err
		}
		c.fail("%s is no URL: %s", quote(clip(c.text(n))), vm.Printable(clip(err.Error())))
	}
	return u
}

// short is an argument that is a URL or a part of one.
func (c *Call) short(n int) string {
	s := c.text(n)
	if len(s) > maxURL {
		c.fail("the URL has %d bytes; at most %d are read", len(s), maxURL)
	}
	return s
}

func urlParse(c *Call) int {
	u := c.url(1)
	t := c.newTable()
	set := func(name, value string) {
		if value != "" {
			t.RawSetString(name, lua.LString(value))
		}
	}
	set("scheme", u.Scheme)
	set("user", u.User.Username())
	if password, ok := u.User.Password(); ok {
		t.RawSetString("password", lua.LString(password))
	}
	set("host", u.Hostname())
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		t.RawSetString("port", lua.LNumber(port))
	} else if u.Port() != "" {
		c.fail("%s is no URL: the port %s is above 65535", quote(clip(c.text(1))), clip(u.Port()))
	}
	set("path", u.Path)
	if u.Opaque != "" {
		set("path", u.Opaque)
	}
	set("query", u.RawQuery)
	set("fragment", u.Fragment)
	return c.push(t)
}

func urlBuild(c *Call) int {
	part := func(name string) string { return lua.LVAsString(c.option(1, name)) }
	for _, f := range urlFields {
		if len(part(f.Name)) > maxURL {
			c.fail("%s has %d bytes; at most %d are read", f.Name, len(part(f.Name)), maxURL)
		}
	}
	u := url.URL{Scheme: part("scheme"), Host: part("host"), Path: part("path"), RawQuery: part("query"), Fragment: part("fragment")}
	if strings.Contains(u.Host, ":") {
		u.Host = "[" + strings.Trim(u.Host, "[]") + "]"
	}
	if port := c.option(1, "port"); port != lua.LNil {
		n := float64(lua.LVAsNumber(port))
		if n < 0 || n > 65535 {
			c.fail("port is not between 0 and 65535")
		}
		u.Host += ":" + strconv.Itoa(int(n))
	}
	switch user, password := part("user"), c.option(1, "password"); {
	case password != lua.LNil:
		u.User = url.UserPassword(user, lua.LVAsString(password))
	case user != "":
		u.User = url.User(user)
	}
	if u.Host != "" && u.Path != "" && !strings.HasPrefix(u.Path, "/") {
		c.fail("the path %s after a host starts with /", quote(clip(u.Path)))
	}
	text := u.String()
	if again, err := url.Parse(text); err != nil || again.String() != text {
		c.fail("the parts make no URL: %s", quote(clip(text)))
	}
	return c.pushText(text)
}

func urlJoin(c *Call) int {
	return c.pushText(c.url(1).ResolveReference(c.url(2)).String())
}

func urlQuery(c *Call) int {
	values := url.Values{}
	size := 0
	add := func(name string, value lua.LValue) {
		switch value.(type) {
		case lua.LString, lua.LNumber, lua.LBool:
		default:
			c.fail("%s is %s, not a string, a number, a boolean or a list of them", vm.Printable(clip(name)), Describe(value))
		}
		text := vm.Text(value)
		if size += len(name) + len(text) + 2; size > maxURL {
			c.fail("the query has more than %d bytes", maxURL)
		}
		values.Add(name, text)
	}
	t := c.table(1)
	for k, value := t.Next(lua.LNil); k != lua.LNil; k, value = t.Next(k) {
		name, ok := k.(lua.LString)
		if !ok {
			c.fail("a name is %s, not a string", Describe(k))
		}
		list, isList := value.(*lua.LTable)
		if !isList {
			add(string(name), value)
			continue
		}
		for i := 1; i <= list.Len(); i++ {
			add(string(name), list.RawGetInt(i))
		}
	}
	return c.pushText(values.Encode())
}

func urlParseQuery(c *Call) int {
	values, err := url.ParseQuery(c.short(1))
	if err != nil {
		c.fail("%s is no query: %s", quote(clip(c.text(1))), vm.Printable(clip(err.Error())))
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	t := c.newTable()
	for _, name := range names {
		t.RawSetString(name, c.texts(values[name]))
	}
	return c.push(t)
}

func urlEscape(c *Call) int {
	c.VM.Fits(c.L, len(c.text(1)))
	return c.pushText(url.PathEscape(c.text(1)))
}

func urlUnescape(c *Call) int {
	s, err := url.PathUnescape(c.text(1))
	if err != nil {
		c.fail("%s", vm.Printable(clip(err.Error())))
	}
	return c.push(lua.LString(s))
}
