package stdlib

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pelletier/go-toml/v2"
	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
	"sandbox/script/vm"
)

// maxTOML bounds a text: the time to read it grows with the square of its keys, and
// nothing can end it meanwhile.
const maxTOML = 256 << 10

var tomlModule = Module{Name: "toml", Functions: []Function{
	{registry.Function{Name: "decode", Args: decodeArgs, Returns: registry.Field{Kind: registry.Map}, Phase: registry.Always,
		Doc: "The table of a TOML text of at most 256 KiB, its keys sorted. Dates and times are strings.", Example: `toml.decode("[a]\nb = [1, 2]")`, Gives: `{ a = { b = { 1, 2 } } }`,
		Aka: []string{"parse", "loads", "load", "read", "from_toml"}}, tomlDecode},
	{registry.Function{Name: "encode", Args: tomlArgs, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "A table as TOML, its keys sorted. Whole numbers are written without a fraction.", Example: `toml.encode { b = { c = true }, a = { 1, 2 } }`, Gives: `"a = [1, 2]\n\n[b]\nc = true\n"`,
		Aka: []string{"stringify", "dumps", "dump", "write", "to_toml"}}, tomlEncode},
}}

var tomlArgs = []registry.Field{
	{Name: "table", Kind: registry.Map, Doc: "Strings, numbers, booleans, and tables of them."},
}

func tomlDecode(c *Call) int {
	m := c.importer(2)
	document := map[string]any{}
	err := toml.Unmarshal([]byte(c.document(maxTOML)), &document)
	var bad *toml.DecodeError
	switch {
	case errors.As(err, &bad):
		line, column := bad.Position()
		c.fail("line %d, column %d: %s", line, column, vm.Printable(trimTOML(bad.Error())))
	case err != nil:
		c.fail("%s", vm.Printable(trimTOML(err.Error())))
	}
	return c.push(m.value(document))
}

// trimTOML takes the library's name from a message.
func trimTOML(message string) string {
	if len(message) > 6 && message[:6] == "toml: " {
		message = message[6:]
	}
	return clipTo(message, 200)
}

func tomlEncode(c *Call) int {
	document, isTable := c.export(1, 0).(map[string]any)
	if !isTable {
		c.fail("a list is no document of TOML; give it a name: { list = … }")
	}
	if at := withNull(document); at != "" {
		c.fail("%s is null, which TOML has not; leave it out", vm.Printable(clip(at)))
	}
	var out bytes.Buffer
	if err := toml.NewEncoder(&out).Encode(document); err != nil {
		c.fail("%s", vm.Printable(trimTOML(err.Error())))
	}
	return c.pushText(out.String())
}

// withNull is the key of a null in a document, or "".
func withNull(document map[string]any) string {
	for key, value := range document {
		if hasNull(value) {
			return key
		}
	}
	return ""
}

func hasNull(value any) bool {
	switch x := value.(type) {
	case nil:
		return true
	case []any:
		return slices.ContainsFunc(x, hasNull)
	case map[string]any:
		return withNull(x) != ""
	}
	return false
}

// value makes a Lua value of a document that a library has read.
func (m *importer) value(value any) lua.LValue {
	m.one()
	switch x := value.(type) {
	case bool:
		return lua.LBool(x)
	case string:
		return lua.LString(x)
	case float64:
		return lua.LNumber(x)
	case int64:
		n, problem := m.integer(strconv.FormatInt(x, 10))
		if problem != "" {
			m.fail("%s", problem)
		}
		return n
	case time.Time:
		return lua.LString(x.Format(time.RFC3339Nano))
	case fmt.Stringer: // a date or a time of day without a zone
		return lua.LString(x.String())
	case []any:
		t := m.list()
		m.enter(t)
		defer m.leave()
		for _, item := range x {
			t.Append(m.value(item))
		}
		return t
	case map[string]any:
		return m.object(x)
	}
	return lua.LNil
}

func (m *importer) object(document map[string]any) *lua.LTable {
	keys := make([]string, 0, len(document))
	for key := range document {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	t := m.newTable()
	m.enter(t)
	defer m.leave()
	for _, key := range keys {
		t.RawSetString(key, m.value(document[key]))
	}
	return t
}
