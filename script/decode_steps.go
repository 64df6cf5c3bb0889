package script

import (
	"math"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/registry"
	"sandbox/script/stdlib"
)

func (d *decoder) steps(path string, v *luaval.Value) []definition.Step {
	var steps []definition.Step
	for i, item := range d.tables(path, v, registry.Step) {
		at := definition.Item(path, i+1)
		var s definition.Step
		for j := range item.Fields {
			name, v := item.Fields[j].Name, &item.Fields[j].Value
			field := definition.Join(at, name)
			d.note(field, v)
			switch name {
			case "name", "args", "env", "cwd":
				d.program(field, name, v, &s.Program)
			case "wall":
				s.Wall = d.time(field, v)
			case "when":
				s.When = definition.When(d.choice(field, v, string(definition.WhenAlways), string(definition.WhenFailure)))
			}
		}
		steps = append(steps, s)
	}
	return steps
}

func (d *decoder) services(path string, v *luaval.Value) []definition.Service {
	var services []definition.Service
	for i, item := range d.tables(path, v, registry.Service) {
		at := definition.Item(path, i+1)
		var s definition.Service
		for j := range item.Fields {
			name, v := item.Fields[j].Name, &item.Fields[j].Value
			field := definition.Join(at, name)
			d.note(field, v)
			switch name {
			case "name", "args", "env", "cwd":
				d.program(field, name, v, &s.Program)
			case "ready":
				s.Ready = d.ready(field, v)
			case "ready_within":
				s.ReadyWithin = d.time(field, v)
			case "stop":
				s.Stop = d.text(field, v)
			}
		}
		services = append(services, s)
	}
	return services
}

// program decodes a field that a step and a service have in common.
func (d *decoder) program(at, name string, v *luaval.Value, p *definition.Program) {
	switch name {
	case "name":
		p.Name = d.text(at, v)
	case "args":
		p.Args = d.args(at, v)
	case "env":
		p.Env = d.words(at, v)
	case "cwd":
		p.Cwd = stdlib.Inside(d.text(at, v))
	}
}

func (d *decoder) ready(path string, v *luaval.Value) definition.Ready {
	var r definition.Ready
	if !d.isTable(path, v, registry.Ready) {
		return r
	}
	if v.IsEmpty() {
		d.problem(path, v, "the table is empty", "write { tcp = 5432 }, { file = \"/run/x\" } or { command = { \"true\" } }")
	}
	for i := range v.Fields {
		name, v := v.Fields[i].Name, &v.Fields[i].Value
		at := definition.Join(path, name)
		d.note(at, v)
		switch name {
		case "tcp":
			port := d.integer(at, v, 1)
			if port > math.MaxUint16 {
				d.problem(at, v, "the number "+luaval.NumberText(v.Number)+" is above 65535", "")
			}
			r.TCP = uint16(port)
		case "file":
			r.File = stdlib.Inside(d.text(at, v))
		case "command":
			r.Command = d.args(at, v)
		}
	}
	return r
}

// tables reads a list of tables with keys. One that is no such table stays, empty, so
// that the others keep their numbers.
func (d *decoder) tables(path string, v *luaval.Value, fields []registry.Field) []*luaval.Value {
	switch {
	case v.IsEmpty():
		return nil
	case v.Kind == luaval.Map:
		d.wanted(path, v, "a list of tables", "write "+path+" = { { name = \"…\", args = { … } } }")
		return nil
	case v.Kind != luaval.List:
		d.wanted(path, v, "a list of tables", "")
		return nil
	}
	var all []*luaval.Value
	for i := range v.Items {
		item := &v.Items[i]
		at := definition.Item(path, i+1)
		d.note(at, item)
		hint := ""
		if item.Kind == luaval.List || item.Kind == luaval.String {
			hint = "write { name = \"…\", args = … }"
		}
		if item.Kind != luaval.Map {
			d.wanted(at, item, "a table with keys", hint)
		} else {
			d.isTable(at, item, fields)
		}
		all = append(all, item)
	}
	return all
}

// words is env where no merge has looked at it before.
func (d *decoder) words(path string, v *luaval.Value) []definition.EnvVar {
	if v.Kind != luaval.Map {
		(&merger{problems: d.problems}).noTable(path, v, registry.Find(registry.Step, "env"))
		return nil
	}
	return d.env(path, v)
}
