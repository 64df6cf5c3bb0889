package script

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sandbox/sandbox/definition"
	"sandbox/script/docs"
	"sandbox/script/registry"
	"sandbox/script/stdlib"
)

// willing is a host that has every file, and whose processes end well.
type willing struct{ host }

func (*willing) Read(context.Context, string) ([]byte, error) { return []byte("text"), nil }
func (*willing) Exec(context.Context, definition.ExecRequest) (definition.ExecResult, error) {
	return definition.ExecResult{}, nil
}

// loadExample loads a text that has all modules by their names, and a container c.
func loadExample(t *testing.T, text string) (*Recipe, error) {
	t.Helper()
	source, last := "", "\nreturn c"
	for _, m := range stdlib.Modules {
		source += "local " + m.Name + " = require \"" + m.Name + "\" "
	}
	const least = "sandbox.container { process = { args = { \"true\" } } } "
	switch {
	case strings.Contains(text, "sandbox.params"): // comes before any container
		last = "\nreturn " + least
	case strings.HasPrefix(text, "return "):
		last = ""
	default:
		source += "local c = " + least
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("stdlib", "testdata", "project"))); err != nil {
		t.Fatal(err)
	}
	r, err := Load(context.Background(), Options{Path: "x.lua", Source: []byte(source + text + last), Project: dir, Fact: testFact})
	if err == nil {
		t.Cleanup(r.Close)
	}
	return r, err
}

// TestExamples runs every example of the documentation.
func TestExamples(t *testing.T) {
	for _, topic := range docs.Topics() {
		if topic.Example == "" {
			continue
		}
		t.Run(topic.Name, func(t *testing.T) {
			switch topic.Group {
			case docs.Fields:
				fieldExample(t, topic)
			case docs.Modules:
				functionExample(t, topic)
			case docs.Containers:
				if _, err := loadExample(t, topic.Example); err != nil {
					t.Error(err)
				}
			default:
				hookExample(t, topic)
			}
		})
	}
}

// within are the values that parts of fields stand in.
var within = []struct{ path, before, after string }{
	{"limits.", `limits = tables.merge({ memory = "512M" }, (function(t) return t.limits end) {`, `})`},
	{"seccomp.rules.args.mask", `seccomp = { default = "errno", rules = { { "read", action = "allow", args = { tables.merge({ index = 0, op = "masked", value = 1 }, {`, `}) } } } }`},
	{"seccomp.rules.args.", `seccomp = { default = "errno", rules = { { "read", action = "allow", args = { tables.merge({ index = 0, op = "==", value = 1 }, {`, `}) } } } }`},
	{"seccomp.rules.", `seccomp = { default = "errno", rules = { tables.merge({ "read", action = "errno" }, {`, `}) } }`},
	{"seccomp.", `seccomp = tables.merge({ default = "errno", rules = { { "read", action = "allow" } } }, {`, `})`},
	{"idmap.uid.", `idmap = { uid = { tables.merge({ container = 0, host = 100000, size = 65536 }, {`, `}) }, gid = { { container = 0, host = 100000, size = 65536 } } }`},
	{"idmap.gid.", `idmap = { gid = { tables.merge({ container = 0, host = 100000, size = 65536 }, {`, `}) }, uid = { { container = 0, host = 100000, size = 65536 } } }`},
	{"idmap.uid", `idmap = tables.merge({ gid = { { container = 0, host = 100000, size = 65536 } } }, (function(t) return t.idmap end) {`, `})`},
	{"idmap.gid", `idmap = tables.merge({ uid = { { container = 0, host = 100000, size = 65536 } } }, (function(t) return t.idmap end) {`, `})`},
	{"idmap", `idmap = tables.merge({ gid = { { container = 0, host = 100000, size = 65536 } } }, (function(t) return t.idmap end) {`, `})`},
	{"caps.", `caps = tables.merge({ bounding = { "CHOWN" }, permitted = { "CHOWN" } }, (function(t) return t.caps end) {`, `})`},
	{"steps.", `process = { args = false }, steps = { tables.merge({ name = "a", args = { "true" } }, {`, `}) }`},
	{"steps", `process = { args = false }, `, ""},
	{"services.ready.", `services = { { name = "a", args = { "true" }, ready = {`, `} } }`},
	{"services.ready_within", `services = { { name = "a", args = { "true" }, ready = { tcp = 80 }, `, `} }`},
	{"services.", `services = { tables.merge({ name = "a", args = { "true" } }, {`, `}) }`},
	{"", "", ""},
}

// fieldExample loads a container with the field, on top of the least there can be.
func fieldExample(t *testing.T, topic docs.Topic) {
	for _, w := range within {
		if !strings.HasPrefix(topic.Name, w.path) {
			continue
		}
		text := "return sandbox.container({ process = { args = { \"true\" } } }, { " + w.before + topic.Example + w.after + " })"
		if _, err := loadExample(t, text); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
		return
	}
}

// functionExample evaluates an expression and compares what it gives, or runs a
// statement: at load, or, for what is for hooks, in one.
func functionExample(t *testing.T, topic docs.Topic) {
	text := "local got = " + topic.Example
	if topic.Gives != "" {
		text += " if not tables.equal(got, " + topic.Gives + ") then error(\"it gives \" .. json.encode(got)) end"
	}
	if topic.Name == "time.now" {
		r, err := loadExample(t, "c:prestart(\"h\", function(ctx) "+text+" end)")
		if err != nil {
			t.Fatal(err)
		}
		if out := call(r, &host{}, 1); out.Err != nil {
			t.Error(out.Err)
		}
		return
	}
	_, err := loadExample(t, text)
	if err != nil && strings.Contains(err.Error(), "syntax error") && topic.Gives == "" {
		_, err = loadExample(t, topic.Example)
	}
	if err != nil {
		t.Error(err)
	}
}

// hookExample registers the example, or runs it as a hook at the first stage that has
// the member.
func hookExample(t *testing.T, topic docs.Topic) {
	text := topic.Example
	if topic.Group == docs.Context {
		m := registry.FindMember(topic.Name[len("ctx."):])
		stage, _, _ := strings.Cut(m.Stages.String(), ", ")
		text = "c:" + stage + "(\"h\", function(ctx) " + text + " end)"
	}
	r, err := loadExample(t, text)
	if err != nil {
		t.Fatal(err)
	}
	ref := r.Definitions[0].Hooks[0]
	c := definition.HookCall{Hook: ref, Host: &willing{}}
	if ref.Stage == definition.StageCollect || ref.Stage == definition.StagePoststop {
		c.Result = &definition.Result{Verdict: definition.VerdictOOM}
	}
	out := r.Call(context.Background(), c)
	if out.Err != nil || (out.Failed != nil) != strings.Contains(text, ":fail(") {
		t.Errorf("%v, failed: %v", out.Err, out.Failed)
	}
}

// TestOptionExamples: the examples of options have the kind that is wanted.
func TestOptionExamples(t *testing.T) {
	var check func(name string, fields []registry.Field)
	check = func(name string, fields []registry.Field) {
		for i := range fields {
			f := &fields[i]
			if f.Kind == registry.Options {
				check(name, f.Sub)
				continue
			}
			if f.Example == "" {
				continue
			}
			r, err := loadExample(t, "c:prestart(\"h\", function(ctx) ctx.data.v = "+f.Example+" end)")
			if err != nil {
				t.Errorf("%s: %s: %v", name, f.Name, err)
				continue
			}
			if out := call(r, &host{}, 1); out.Err != nil {
				t.Errorf("%s: %s: %v", name, f.Name, out.Err)
			}
		}
	}
	for _, m := range stdlib.Modules {
		for i := range m.Functions {
			check(m.Name+"."+m.Functions[i].Name, m.Functions[i].Args)
		}
	}
	check("hooks", registry.HookOptions)
	check("exec", registry.ExecOptions)
}

// TestResults: the tables that ctx gives have the fields that the registry says.
func TestResults(t *testing.T) {
	for _, c := range []struct{ member, stage, value string }{
		{"result", "collect", "ctx.result"}, {"stats", "poststart", "ctx:stats()"}, {"exec", "poststart", "ctx:exec { \"x\" }"},
	} {
		r, h := hooked(t, "c:"+c.stage+"(\"h\", function(ctx) local keys = {}\nfor k, v in pairs("+c.value+") do keys[k] = type(v) end ctx.data.keys = keys end)"), &host{}
		if out := call(r, h, 1); out.Err != nil {
			t.Fatal(out.Err)
		}
		got := map[string]map[string]string{}
		if err := json.Unmarshal(r.Data(), &got); err != nil {
			t.Fatal(err)
		}
		fields := registry.FindMember(c.member).Returns.Sub
		for name, kind := range got["keys"] {
			f := registry.Find(fields, name)
			if f == nil || !strings.HasPrefix(strings.Replace(f.LuaType(), "integer", "number", 1), kind) && f.Kind != registry.Choice && (f.Of == nil || kind != "table") {
				t.Errorf("ctx %s has %s, a %s, which the registry does not", c.member, name, kind)
			}
		}
		for i := range fields {
			if f := &fields[i]; got["keys"][f.Name] == "" && !f.Optional {
				t.Errorf("ctx %s has no %s", c.member, f.Name)
			}
		}
	}
}
