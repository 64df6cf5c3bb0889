package script

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/registry"
	"sandbox/script/stdlib"
)

// merger lays fragments over one another, by the rule of each field, and notes keys
// that do not exist. It changes neither of its arguments.
type merger struct {
	problems *definition.Problems
}

func (m *merger) problem(at string, v *luaval.Value, message, hint string) {
	*m.problems = append(*m.problems, definition.Problem{Path: at, Message: message, Hint: hint, Origin: v.Origin})
}

// fields merges tables that have the fields of the registry.
func (m *merger) fields(base, over *luaval.Value, fields []registry.Field, at string) luaval.Value {
	out := luaval.Value{Kind: luaval.Map, Origin: over.Origin}
	if base != nil {
		out.Fields = slices.Clone(base.Fields)
	}
	for i := range over.Fields {
		name, v := over.Fields[i].Name, &over.Fields[i].Value
		f := registry.Find(fields, name)
		switch {
		case f == nil:
			*m.problems = append(*m.problems, unknownField(at, fields, name, v.Origin))
		case f.Later != "":
			m.problem("", v, strconv.Quote(name)+" is reserved ("+f.Later+") and not available yet", "use process")
		case v.Kind == luaval.Nothing:
		case v.IsFalse() && f.Kind != registry.Bool && f.Name != "terminal":
			out.Remove(name)
		default:
			if merged := m.field(out.Field(name), v, f, definition.Join(at, name)); merged.Kind != luaval.Nothing {
				out.Set(name, merged)
			}
		}
	}
	return out
}

func (m *merger) field(base, over *luaval.Value, f *registry.Field, at string) luaval.Value {
	switch f.Merge {
	case registry.ByKey:
		if over.Kind != luaval.Map {
			m.noTable(at, over, f)
			return luaval.Value{}
		}
		if f.Sub != nil {
			return m.fields(base, over, f.Sub, at)
		}
		return m.keys(base, over)
	case registry.ByTarget:
		return m.targets(base, over, f, at)
	}
	return *over
}

// noTable is the problem of a list or a scalar where keys are wanted.
func (m *merger) noTable(at string, v *luaval.Value, f *registry.Field) {
	hint := ""
	if v.Kind == luaval.List && f.Name == "env" {
		hint = "write { NAME = \"value\" }"
		if name, value, ok := strings.Cut(v.Items[0].Text, "="); ok {
			hint = "write " + name + " = " + strconv.Quote(value)
		}
	} else if f.Example != "" {
		hint = "write " + f.Example
	}
	if v.Kind == luaval.String && f.Name == "process" {
		hint = "write process = { args = " + strconv.Quote(v.Text) + " }"
	}
	m.problem(at, v, "wanted a table with keys, found "+v.Describe(), hint)
}

// keys merges tables whose keys are free.
func (m *merger) keys(base, over *luaval.Value) luaval.Value {
	out := luaval.Value{Kind: luaval.Map, Origin: over.Origin}
	if base != nil {
		out.Fields = slices.Clone(base.Fields)
	}
	for i := range over.Fields {
		v := &over.Fields[i].Value
		switch {
		case v.Kind == luaval.Nothing:
		case v.IsFalse():
			out.Remove(over.Fields[i].Name)
		default:
			out.Set(over.Fields[i].Name, *v)
		}
	}
	return out
}

// targets merges lists by what each item is for: a mount's target, a device's node.
// A table { ["/target"] = false } removes.
func (m *merger) targets(base, over *luaval.Value, f *registry.Field, at string) luaval.Value {
	out := luaval.Value{Kind: luaval.List, Origin: over.Origin}
	if base != nil {
		out.Items = slices.Clone(base.Items)
	}
	switch over.Kind {
	case luaval.List:
	case luaval.Map:
		m.removeTargets(&out, over, at)
	default:
		m.problem(at, over, "wanted "+f.Kind.String()+", found "+over.Describe(), "write "+f.Example)
	}
	inherited := len(out.Items)
	for i := range over.Items {
		item, where := &over.Items[i], definition.Item(at, i+1)
		target, ok := m.target(item, where)
		if !ok {
			continue
		}
		switch old := indexTarget(out.Items, target); {
		case old < 0:
			out.Items = append(out.Items, *item)
		case old >= inherited:
			m.problem(where, item, strconv.Quote(target)+" is named twice in this list", "")
		default:
			out.Items[old] = *item
		}
	}
	return out
}

func (m *merger) removeTargets(out, over *luaval.Value, at string) {
	for i := range over.Fields {
		name, v := over.Fields[i].Name, &over.Fields[i].Value
		if !v.IsFalse() {
			m.problem(definition.Join(at, name), v, "wanted false, which removes what is at this target, found "+v.Describe(), "mounts to add are a list")
			continue
		}
		if old := indexTarget(out.Items, path.Clean(name)); old >= 0 {
			out.Items = slices.Delete(out.Items, old, old+1)
		}
	}
}

// target is what an item is for; false for one that is of no use.
func (m *merger) target(item *luaval.Value, at string) (string, bool) {
	devices := strings.HasPrefix(at, "devices")
	if target := targetOf(item); target != "" {
		if _, isMount := item.Go.(*stdlib.Mount); isMount != devices {
			return target, true
		}
	}
	switch {
	case item.Kind == luaval.Nothing:
	case devices:
		m.problem(at, item, "wanted a device's path, found "+item.Describe(), "write \"/dev/fuse\"")
	case item.Kind == luaval.Opaque && isBad(item):
	case item.Kind == luaval.String:
		m.problem(at, item, "wanted a mount, found "+item.Describe(), bindHint(item.Text))
	default:
		m.problem(at, item, "wanted a mount, found "+item.Describe(), "write sandbox.bind(source, target)")
	}
	return "", false
}

func isBad(item *luaval.Value) bool {
	mount, ok := item.Go.(*stdlib.Mount)
	return ok && mount.Bad
}

// bindHint words a volume of Docker's as a call.
func bindHint(volume string) string {
	parts := strings.Split(volume, ":")
	if len(parts) < 2 {
		return "write sandbox.bind(source, target)"
	}
	options := ", { write = true })"
	if len(parts) > 2 && parts[2] == "ro" {
		options = ")"
	}
	return "write sandbox.bind(" + strconv.Quote(parts[0]) + ", " + strconv.Quote(parts[1]) + options
}

func targetOf(item *luaval.Value) string {
	if mount, ok := item.Go.(*stdlib.Mount); ok && !mount.Bad {
		if mount.Target == "" {
			return "\x00" // its own problem, found by Validate
		}
		return path.Clean(mount.Target)
	}
	if item.Kind == luaval.String {
		if _, target, both := strings.Cut(item.Text, ":"); both {
			return path.Clean(target)
		}
		return path.Clean(item.Text)
	}
	return ""
}

func indexTarget(items []luaval.Value, target string) int {
	return slices.IndexFunc(items, func(v luaval.Value) bool { return targetOf(&v) == target })
}

// unknownField is the problem of a key that the definition does not have there.
func unknownField(at string, fields []registry.Field, key string, origin definition.Origin) definition.Problem {
	p := stdlib.Unknown(at, fields, key, origin)
	direct := ""
	for i := range fields {
		if slices.Contains(fields[i].Aka, key) {
			direct = definition.Join(at, fields[i].Name)
		}
	}
	known := [...]string{direct, registry.Elsewhere(key), registry.Aka(registry.Definition, "", key)}
	for _, field := range known {
		if field != "" {
			p.Hint = "use " + field
			break
		}
	}
	return p
}
