package stdlib

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
)

var jsonModule = Module{Name: "json", Functions: []Function{
	{registry.Function{Name: "decode", Args: decodeArgs, Returns: registry.Field{Kind: registry.Any}, Phase: registry.Always,
		Doc: "The value of a JSON text. null is json.null; a key that stands twice is an error.", Example: `json.decode('{ "a": [1, true, null] }')`, Gives: `{ a = { 1, true, json.null } }`,
		Aka: []string{"parse", "loads", "load", "read", "from_json"}}, jsonDecode},
	{registry.Function{Name: "encode", Args: encodeArgs, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "A value as JSON, its keys sorted. A table without keys is {}, unless json.list or json.decode made it.", Example: `json.encode({ b = { 1, 2 }, a = "x" })`, Gives: `'{"a":"x","b":[1,2]}'`,
		Aka: []string{"stringify", "dumps", "dump", "write", "to_json"}}, jsonEncode},
	{registry.Function{Name: "list", Args: listArgs, Returns: registry.Field{Kind: registry.List, Doc: "The same table."}, Phase: registry.Always,
		Doc: "Says that a table is a list, also when it is empty.", Example: `json.encode(json.list {})`, Gives: `"[]"`, Aka: []string{"array", "empty_array", "as_list"}}, jsonList},
}, Values: []Value{
	{registry.Field{Name: "null", Kind: registry.Other, Lua: "userdata", Doc: "null, which nil cannot be in a table. It is not false; compare with ==.", Example: `json.encode({ a = json.null })`}, (*Load).nullValue},
}}

var decodeArgs = []registry.Field{
	{Name: "text", Kind: registry.Text, Doc: "The document, in UTF-8."},
	{Name: "options", Kind: registry.Options, Optional: true, Sub: decodeOptions, Doc: "May be left out."},
}

var decodeOptions = []registry.Field{
	{Name: "exact", Kind: registry.Bool, Doc: "Whether a whole number that Lua cannot hold exactly, from 2^53 on, is an error; false rounds it.", Example: "false", Default: "true", Aka: []string{"strict", "big", "precise"}},
}

var encodeArgs = []registry.Field{
	{Name: "value", Kind: registry.Any, Doc: "Strings, numbers, booleans, json.null, and tables of them."},
	{Name: "options", Kind: registry.Options, Optional: true, Sub: encodeOptions, Doc: "May be left out."},
}

var encodeOptions = []registry.Field{
	{Name: "indent", Kind: registry.Count, Doc: "Spaces for each level; 0 writes all on one line.", Example: "2", Default: "0", Aka: []string{"pretty", "spaces", "space"}},
}

var listArgs = []registry.Field{
	{Name: "table", Kind: registry.List, Doc: "The list."},
}

func jsonList(c *Call) int {
	c.markList(c.table(1))
	return c.push(c.table(1))
}

func jsonEncode(c *Call) int {
	indent := c.indent()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", strings.Repeat(" ", indent))
	if err := encoder.Encode(c.export(1, indent)); err != nil {
		// The only thing that a document can hold and JSON cannot.
		c.fail("NaN and infinity are no numbers of JSON")
	}
	return c.pushText(strings.TrimSuffix(out.String(), "\n"))
}

// indent is the option of that name.
func (c *Call) indent() int {
	n := int(lua.LVAsNumber(c.option(2, "indent")))
	if n < 0 || n > 16 {
		c.fail("indent is not between 0 and 16")
	}
	return n
}

// document is the text to decode.
func (c *Call) document(limit int) string {
	s := c.text(1)
	switch {
	case len(s) > limit:
		c.fail("the text has %d bytes; at most %d are read", len(s), limit)
	case !utf8.ValidString(s):
		c.fail("the text is no UTF-8")
	}
	return s
}

func jsonDecode(c *Call) int {
	d := &jsonDecoder{importer: c.importer(2), text: c.document(math.MaxInt)}
	d.tokens = json.NewDecoder(strings.NewReader(d.text))
	d.tokens.UseNumber()
	value := d.value(d.next())
	if _, err := d.tokens.Token(); err != io.EOF {
		d.wrong("there is text after the value")
	}
	return c.push(value)
}

// jsonDecoder makes Lua values of the tokens of a text.
type jsonDecoder struct {
	*importer
	text   string
	tokens *json.Decoder
}

// wrong ends the call with what is wrong at the place that has been reached.
func (d *jsonDecoder) wrong(format string, args ...any) {
	read := d.text[:min(int(d.tokens.InputOffset()), len(d.text))]
	d.fail("line %d: %s", strings.Count(read, "\n")+1, fmt.Sprintf(format, args...))
}

func (d *jsonDecoder) next() json.Token {
	token, err := d.tokens.Token()
	var syntax *json.SyntaxError
	switch {
	case err == nil:
	case errors.As(err, &syntax):
		d.wrong("%s", syntax.Error())
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		d.wrong("the text ends too early")
	default:
		d.wrong("%s", err.Error())
	}
	return token
}

func (d *jsonDecoder) value(token json.Token) lua.LValue {
	d.one()
	switch x := token.(type) {
	case bool:
		return lua.LBool(x)
	case string:
		return lua.LString(x)
	case json.Number:
		return d.number(string(x))
	case json.Delim:
		return d.table(x)
	}
	return d.nullValue()
}

func (d *jsonDecoder) number(text string) lua.LValue {
	if !strings.ContainsAny(text, ".eE") {
		n, problem := d.integer(text)
		if problem != "" {
			d.wrong("%s", problem)
		}
		return n
	}
	f, err := json.Number(text).Float64()
	if err != nil {
		d.wrong("the number %s is too large", clip(text))
	}
	return lua.LNumber(f)
}

func (d *jsonDecoder) table(open json.Delim) lua.LValue {
	t := d.newTable()
	if open == '[' {
		t = d.list()
	}
	d.enter(t)
	defer d.leave()
	for d.tokens.More() {
		token := d.next()
		if open == '[' {
			t.Append(d.value(token))
			continue
		}
		key, _ := token.(string)
		if t.RawGetString(key) != lua.LNil {
			d.wrong("the key %s stands twice", quote(clip(key)))
		}
		t.RawSetString(key, d.value(d.next()))
	}
	d.next()
	return t
}
