package stdlib

import (
	"errors"
	"math"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
	"sandbox/script/vm"
	"sandbox/script/yaml"
)

var yamlModule = Module{Name: "yaml", Functions: []Function{
	{registry.Function{Name: "decode", Args: decodeArgs, Returns: registry.Field{Kind: registry.Any}, Phase: registry.Always,
		Doc: "The value of a YAML text, which is one document of YAML 1.2: yes, no and dates are strings, null is yaml.null, keys are strings. Aliases give copies. A key that stands twice is an error.", Example: `yaml.decode("a: [1, x]\nb: &t { c: null }\nd: *t")`, Gives: `{ a = { 1, "x" }, b = { c = yaml.null }, d = { c = yaml.null } }`,
		Aka: []string{"parse", "loads", "load", "read", "safe_load", "from_yaml"}}, yamlDecode},
	{registry.Function{Name: "decode_all", Args: decodeArgs, Returns: registry.Field{Kind: registry.List}, Phase: registry.Always,
		Doc: "The values of all documents of a text, which --- stands before.", Example: `yaml.decode_all("--- 1\n--- x")`, Gives: `{ 1, "x" }`,
		Aka: []string{"load_all", "documents", "safe_load_all"}}, yamlDecodeAll},
	{registry.Function{Name: "encode", Args: yamlArgs, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "A value as YAML, its keys sorted. What other readers could take for something else is quoted.", Example: `yaml.encode { b = { 1, "yes" }, a = { c = true } }`, Gives: `'a:\n  c: true\nb:\n  - 1\n  - "yes"\n'`,
		Aka: []string{"stringify", "dumps", "dump", "write", "to_yaml"}}, yamlEncode},
}, Values: []Value{
	{registry.Field{Name: "null", Kind: registry.Other, Lua: "userdata", Doc: "null, which nil cannot be in a table: the same as json.null.", Example: `yaml.encode({ a = yaml.null })`}, (*Load).nullValue},
}}

var yamlArgs = []registry.Field{
	{Name: "value", Kind: registry.Any, Doc: "Strings, numbers, booleans, yaml.null, and tables of them."},
}

func yamlDecode(c *Call) int {
	m := c.importer(2)
	switch documents := m.documents(); len(documents) {
	case 0:
		return c.push(c.nullValue())
	case 1:
		return c.push(m.node(documents[0]))
	default:
		c.fail("the text has %d documents; yaml.decode_all reads them all", len(documents))
	}
	return 0
}

func yamlDecodeAll(c *Call) int {
	m := c.importer(2)
	list := m.list()
	for _, document := range m.documents() {
		list.Append(m.node(document))
	}
	return c.push(list)
}

func (m *importer) documents() []*yaml.Node {
	documents, err := yaml.Parse(m.document(math.MaxInt), yaml.Options{MaxDepth: maxDepth, MaxValues: maxValues, Step: m.step})
	var bad *yaml.Error
	if errors.As(err, &bad) {
		m.fail("%s", vm.Printable(bad.Error()))
	}
	return documents
}

// node makes a Lua value of a node, a copy for each alias.
func (m *importer) node(n *yaml.Node) lua.LValue {
	m.one()
	switch n.Kind {
	case yaml.Bool:
		return lua.LBool(n.Bool)
	case yaml.Int:
		value, problem := m.integer(n.Text)
		if problem != "" {
			m.fail("line %d: %s", n.Line, problem)
		}
		return value
	case yaml.Float:
		return lua.LNumber(n.Float)
	case yaml.String:
		return lua.LString(n.Text)
	case yaml.List:
		t := m.list()
		for _, item := range n.Items {
			t.Append(m.node(item))
		}
		return t
	case yaml.Map:
		t := m.newTable()
		for _, pair := range n.Pairs {
			t.RawSetString(pair.Key, m.node(pair.Value))
		}
		return t
	}
	return m.nullValue()
}

func yamlEncode(c *Call) int {
	document := c.export(1, 2)
	c.checkKeys(document)
	return c.pushText(yaml.Encode(document))
}

// checkKeys refuses keys that other readers would not find.
func (c *Call) checkKeys(document any) {
	switch x := document.(type) {
	case []any:
		for _, item := range x {
			c.checkKeys(item)
		}
	case map[string]any:
		for key, value := range x {
			if !yaml.KeyFits(key) {
				c.fail("the key %s is longer than YAML allows", quote(clip(key)))
			}
			c.checkKeys(value)
		}
	}
}
