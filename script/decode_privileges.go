package script

import (
	"math"
	"sort"
	"strconv"
	"strings"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/registry"
	"sandbox/script/stdlib"
)

// isTable notes a value that is no table with keys, and keys that it cannot have.
func (d *decoder) isTable(path string, v *luaval.Value, fields []registry.Field) bool {
	if v.Kind != luaval.Map {
		d.wanted(path, v, "a table with keys", "")
		return false
	}
	for i := range v.Fields {
		if registry.Find(fields, v.Fields[i].Name) == nil {
			*d.problems = append(*d.problems, stdlib.Unknown(path, fields, v.Fields[i].Name, v.Fields[i].Value.Origin))
		}
	}
	return true
}

func (d *decoder) idmap(path string, v *luaval.Value) definition.IDMap {
	var m definition.IDMap
	if !d.isTable(path, v, registry.Find(registry.Definition, "idmap").Sub) {
		return m
	}
	if ids := v.Field("uid"); ids != nil {
		m.UID = d.ranges("idmap.uid", ids)
	}
	if ids := v.Field("gid"); ids != nil {
		m.GID = d.ranges("idmap.gid", ids)
	}
	return m
}

func (d *decoder) ranges(path string, v *luaval.Value) []definition.IDRange {
	d.note(path, v)
	if v.Kind != luaval.List {
		d.wanted(path, v, "a list of ranges", "write { { container = 0, host = 100000, size = 65536 } }")
		return nil
	}
	var all []definition.IDRange
	for i := range v.Items {
		item, at := &v.Items[i], definition.Item(path, i+1)
		d.note(at, item)
		if !d.isTable(at, item, registry.IDRange) {
			continue
		}
		all = append(all, definition.IDRange{Container: d.id(at, item, "container"), Host: d.id(at, item, "host"), Size: d.id(at, item, "size")})
	}
	return all
}

func (d *decoder) id(path string, v *luaval.Value, name string) uint32 {
	f := v.Field(name)
	if f == nil {
		d.problem(path, v, name+" is missing", "a range is { container =, host =, size = }")
		return 0
	}
	at := definition.Join(path, name)
	d.note(at, f)
	n := d.integer(at, f, 0)
	if n > math.MaxUint32 {
		d.problem(at, f, "the number "+strconv.FormatInt(n, 10)+" is above 4294967295", "")
		return 0
	}
	return uint32(n)
}

// caps reads one list for three sets, or a table of sets.
func (d *decoder) caps(path string, v *luaval.Value) definition.Capabilities {
	if v.Kind == luaval.List || v.IsEmpty() {
		names := d.capNames(path, v)
		return definition.Capabilities{Bounding: names, Effective: names, Permitted: names}
	}
	var c definition.Capabilities
	if v.Kind != luaval.Map {
		d.wanted(path, v, "a list of names, or a table of lists by set", "{} gives none")
		return c
	}
	d.isTable(path, v, registry.Find(registry.Definition, "caps").Sub)
	for i := range v.Fields {
		at := definition.Join(path, v.Fields[i].Name)
		d.note(at, &v.Fields[i].Value)
		names := d.capNames(at, &v.Fields[i].Value)
		switch v.Fields[i].Name {
		case "bounding":
			c.Bounding = names
		case "effective":
			c.Effective = names
		case "permitted":
			c.Permitted = names
		case "inheritable":
			c.Inheritable = names
		case "ambient":
			c.Ambient = names
		}
	}
	return c
}

// capNames reads names with or without CAP_, in any case.
func (d *decoder) capNames(path string, v *luaval.Value) []string {
	names := d.texts(path, v)
	for i, n := range names {
		names[i] = strings.TrimPrefix(strings.ToUpper(n), "CAP_")
	}
	return names
}

func (d *decoder) rlimits(path string, v *luaval.Value) []definition.Rlimit {
	var all []definition.Rlimit
	for i := range v.Fields {
		name, v := v.Fields[i].Name, &v.Fields[i].Value
		at := definition.Join(path, name)
		d.note(at, v)
		r := definition.Rlimit{Name: strings.TrimPrefix(strings.ToLower(name), "rlimit_")}
		if v.Kind == luaval.List {
			if len(v.Items) != 2 {
				d.problem(at, v, "wanted { soft, hard }, found "+strconv.Itoa(len(v.Items))+" values", "")
				continue
			}
			r.Soft, r.Hard = d.rlimit(at, &v.Items[0]), d.rlimit(at, &v.Items[1])
		} else {
			r.Soft = d.rlimit(at, v)
			r.Hard = r.Soft
		}
		all = append(all, r)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

func (d *decoder) rlimit(path string, v *luaval.Value) uint64 {
	switch {
	case v.Kind == luaval.String && (v.Text == "unlimited" || v.Text == "infinity"):
		return definition.RlimitInfinity
	case v.Kind == luaval.String:
		size, err := definition.ParseBytes(v.Text)
		if err != nil {
			d.wanted(path, v, "a whole number, a size or \"unlimited\"", "")
		}
		return uint64(size)
	case v.Kind == luaval.Number:
		return uint64(d.integer(path, v, 0))
	}
	d.wanted(path, v, "a whole number, \"unlimited\" or { soft, hard }", "")
	return 0
}

func (d *decoder) seccomp(path string, v *luaval.Value) definition.Seccomp {
	switch v.Kind {
	case luaval.String:
		return definition.Seccomp{Mode: definition.SeccompMode(d.choice(path, v, "default", "none"))}
	case luaval.Map:
		d.isTable(path, v, registry.Policy)
		return definition.Seccomp{Mode: definition.SeccompPolicy, Policy: d.policy(path, v)}
	}
	d.wanted(path, v, "\"default\", \"none\" or a policy", "a policy is { default = \"errno\", rules = { { \"read\", \"write\", action = \"allow\" } } }")
	return definition.Seccomp{}
}

func (d *decoder) policy(path string, v *luaval.Value) *definition.Policy {
	p := &definition.Policy{Default: definition.Action(d.part(path, v, "default")), Errno: d.part(path, v, "errno")}
	rules := v.Field("rules")
	if rules == nil {
		return p
	}
	at := definition.Join(path, "rules")
	d.note(at, rules)
	if rules.Kind != luaval.List && !rules.IsEmpty() {
		d.wanted(at, rules, "a list of rules", "")
		return p
	}
	for i := range rules.Items {
		p.Rules = append(p.Rules, d.rule(definition.Item(at, i+1), &rules.Items[i]))
	}
	return p
}

// rule reads { "call", …, action = … }: names as items and fields in one table.
func (d *decoder) rule(path string, v *luaval.Value) definition.PolicyRule {
	d.note(path, v)
	var r definition.PolicyRule
	if !d.isTable(path, &luaval.Value{Kind: tableKind(v), Fields: v.Fields, Origin: v.Origin}, registry.PolicyRule) {
		return r
	}
	for i := range v.Items {
		r.Names = append(r.Names, d.text(definition.Item(path, i+1), &v.Items[i]))
	}
	if names := v.Field("names"); names != nil {
		r.Names = append(r.Names, d.texts(definition.Join(path, "names"), names)...)
	}
	r.Action = definition.Action(d.part(path, v, "action"))
	r.Errno = d.part(path, v, "errno")
	args := v.Field("args")
	if args == nil {
		return r
	}
	at := definition.Join(path, "args")
	d.note(at, args)
	if args.Kind != luaval.List {
		d.wanted(at, args, "a list of comparisons", "write { { index = 0, op = \"==\", value = 1 } }")
		return r
	}
	for i := range args.Items {
		r.Args = append(r.Args, d.comparison(definition.Item(at, i+1), &args.Items[i]))
	}
	return r
}

// tableKind takes a list for a table that has no keys.
func tableKind(v *luaval.Value) luaval.Kind {
	if v.Kind == luaval.List {
		return luaval.Map
	}
	return v.Kind
}

func (d *decoder) comparison(path string, v *luaval.Value) definition.PolicyArg {
	d.note(path, v)
	var a definition.PolicyArg
	if !d.isTable(path, v, registry.PolicyArg) {
		return a
	}
	if index := v.Field("index"); index != nil {
		a.Index = uint(d.integer(definition.Join(path, "index"), index, 0))
	} else {
		d.problem(path, v, "index is missing", "which argument, 0..5")
	}
	a.Op = d.part(path, v, "op")
	a.Value = d.bits(path, v, "value")
	a.Mask = d.bits(path, v, "mask")
	return a
}

// bits reads 64 bits: a number as far as Lua has them, or a string.
func (d *decoder) bits(path string, v *luaval.Value, name string) uint64 {
	f := v.Field(name)
	if f == nil {
		return 0
	}
	at := definition.Join(path, name)
	d.note(at, f)
	if f.Kind == luaval.String {
		n, err := strconv.ParseUint(f.Text, 0, 64)
		if err != nil {
			d.problem(at, f, strconv.Quote(f.Text)+" is no whole number of 64 bits", "write \"0x80000000\"")
		}
		return n
	}
	return uint64(d.integer(at, f, 0))
}

// part reads a string of a table, "" when it is not there.
func (d *decoder) part(path string, v *luaval.Value, name string) string {
	f := v.Field(name)
	if f == nil {
		return ""
	}
	at := definition.Join(path, name)
	d.note(at, f)
	return d.text(at, f)
}
