package script

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sandbox/sandbox/definition"
	"sandbox/script/registry"
)

// host records what hooks ask for.
type host struct {
	mu    sync.Mutex
	did   []string
	files map[string]string
	logs  []string
	block chan struct{} // Exec waits for it
	begun chan struct{} // closed when Exec waits
}

var errHost = errors.New("no such file")

func (h *host) note(format string, args ...any) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.did = append(h.did, fmt.Sprintf(format, args...))
	return nil
}
func (h *host) ID() string     { return "id-1" }
func (h *host) PID() int       { return 42 }
func (h *host) Cgroup() string { return "/sys/fs/cgroup/x" }
func (h *host) NetNS() string  { return "/proc/42/ns/net" }
func (h *host) Read(_ context.Context, path string) ([]byte, error) {
	if s, ok := h.files[path]; ok {
		return []byte(s), nil
	}
	return nil, errHost
}
func (h *host) Write(_ context.Context, path string, content []byte, mode uint32) error {
	return h.note("write %s %q %o", path, content, mode)
}
func (h *host) CopyIn(_ context.Context, source, target string) error {
	return h.note("copy_in %s %s", source, target)
}
func (h *host) CopyOut(_ context.Context, source, target string) error {
	return h.note("copy_out %s %s", source, target)
}
func (h *host) Exec(_ context.Context, r definition.ExecRequest) (definition.ExecResult, error) {
	if h.block != nil {
		close(h.begun)
		<-h.block
	}
	return definition.ExecResult{Code: 3, Stdout: []byte("out")}, h.note("exec %v %v %s %s", r.Args, r.Env, r.Cwd, r.Stdin)
}
func (h *host) Signal(_ context.Context, s string) error { return h.note("signal %s", s) }
func (h *host) Pause(context.Context) error              { return h.note("pause") }
func (h *host) Resume(context.Context) error             { return h.note("resume") }
func (h *host) Update(_ context.Context, l definition.Limits) error {
	return h.note("update memory=%s", l.Memory)
}
func (h *host) Stats(context.Context) (definition.Stats, error) {
	b := definition.Bytes(5)
	return definition.Stats{Memory: &b, CPU: definition.Duration(time.Second)}, nil
}
func (h *host) Log(line string) { h.logs = append(h.logs, line) }

// hooked loads a recipe whose hooks are lua, lines from the third on.
func hooked(t testing.TB, lua string) *Recipe {
	t.Helper()
	source := "local sandbox = require \"sandbox\"\nlocal c = sandbox.container { name = \"n\", process = { args = { \"true\" } } }\n" + lua + "\nreturn c"
	r, err := Load(context.Background(), Options{Path: "build.lua", Source: []byte(source), Project: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// call calls the i-th hook, from 1.
func call(r *Recipe, h *host, i int) definition.HookOutcome {
	ref := r.Definitions[0].Hooks[i-1]
	c := definition.HookCall{Hook: ref, Host: h}
	if ref.Stage == definition.StageCollect || ref.Stage == definition.StagePoststop {
		peak := definition.Bytes(3 << 20)
		c.Result = &definition.Result{Verdict: definition.VerdictExited, ExitCode: 7, Peak: definition.Peak{Memory: &peak},
			Steps: []definition.StepRun{{Name: "vet", Verdict: definition.VerdictExited, ExitCode: 7}}}
	}
	return r.Call(context.Background(), c)
}

// uses is a call of each method of ctx, and what it asks of the host.
var uses = map[string]struct{ lua, did string }{
	"time":     {`assert(ctx:time() >= 0)`, ""},
	"log":      {`ctx:log("a %d", 5)`, ""},
	"fail":     {`ctx:fail("no")`, ""},
	"stats":    {`local s = ctx:stats() assert(s.memory == 5 and s.cpu == 1)`, ""},
	"exec":     {`local r = ctx:exec({ "a", 1 }, { env = { A = "b" }, cwd = "/x", stdin = "in" }) assert(r.code == 3 and r.stdout == "out")`, "exec [a 1] [{A b}] /x in"},
	"read":     {`assert(ctx:read("/f") == "text")`, ""},
	"write":    {`ctx:write("/w", "x", "0600")`, `write /w "x" 600`},
	"copy_in":  {`ctx:copy_in("a", "/b")`, "copy_in a /b"},
	"copy_out": {`ctx:copy_out("/a", "b")`, "copy_out /a b"},
	"signal":   {`ctx:signal("HUP")`, "signal HUP"},
	"pause":    {`ctx:pause()`, "pause"},
	"resume":   {`ctx:resume()`, "resume"},
	"update":   {`ctx:update { memory = "2G" }`, "update memory=2G"},
	"id":       {`assert(ctx.id == "id-1")`, ""},
	"name":     {`assert(ctx.name == "n")`, ""},
	"stage":    {`assert(#ctx.stage > 0)`, ""},
	"pid":      {`assert(ctx.pid == 42)`, ""},
	"cgroup":   {`assert(ctx.cgroup == "/sys/fs/cgroup/x")`, ""},
	"netns":    {`assert(ctx.netns == "/proc/42/ns/net")`, ""},
	"data":     {`ctx.data.x = 1`, ""},
	"result":   {`assert(ctx.result.exit_code == 7 and ctx.result.peak.memory == "3M" and ctx.result.verdict == "exited" and ctx.result.steps[1].name == "vet" and ctx.result.steps[1].exit_code == 7)`, ""},
}

// TestStages tries every member of ctx at every stage.
func TestStages(t *testing.T) {
	for _, m := range registry.Context {
		for _, stage := range []string{"prestart", "poststart", "collect", "poststop"} {
			t.Run(stage+"/"+m.Name, func(t *testing.T) {
				use := uses[m.Name]
				r, h := hooked(t, "c:"+stage+"(\"h\", function(ctx)\n"+use.lua+" end)"), &host{files: map[string]string{"/f": "text"}}
				out := call(r, h, 1)
				if m.Stages&registry.ParseStage(stage) == 0 {
					want := m.Stages.String()
					if out.Err == nil || !strings.HasPrefix(out.Err.Error(), "embedded/build.lua:4: ctx") || !strings.HasSuffix(out.Err.Error(), want) {
						t.Errorf("error %v, wanted one that ends in %q", out.Err, want)
					}
					if len(h.did) > 0 {
						t.Errorf("the host did %s", h.did)
					}
					return
				}
				if out.Err != nil {
					t.Fatal(out.Err)
				}
				if (out.Failed != nil) != (m.Name == "fail") || strings.Join(h.did, " ") != use.did {
					t.Errorf("failed %v, the host did %s", out.Failed, h.did)
				}
				if m.Name == "fail" && (out.Failed.Reason != "no" || out.Failed.Origin.String() != "embedded/build.lua:4") {
					t.Errorf("failed with %+v", out.Failed)
				}
			})
		}
	}
}

func TestHookErrors(t *testing.T) {
	for _, tc := range []struct{ lua, want string }{
		{`ctx:read("/none")`, `embedded/build.lua:4: ctx:read: no such file`},
		{`error("boom")`, `embedded/build.lua:4: boom`},
		{`error({})`, `embedded/build.lua:4: a table was raised as an error (raise a string)`},
		{`error()`, `embedded/build.lua:4: nil was raised as an error (raise a string)`},
		{`ctx.log("x")`, `embedded/build.lua:4: log is called with a dot; write ctx:log(…), with a colon`},
		{`ctx:log("%d", "x")`, `embedded/build.lua:4: ctx:log: argument 1 of format: %d needs a number, got a string value`},
		{`ctx:log("%d")`, `embedded/build.lua:4: ctx:log: format "%d": no argument for directive 1 (%d)`},
		{`ctx:kill("x")`, `embedded/build.lua:4: ctx has no "kill" (did you mean "signal"?)`},
		{`ctx.pid = 5`, `embedded/build.lua:4: ctx is not assigned to; write ctx.data.pid = …`},
		{`ctx.data = {}`, `embedded/build.lua:4: ctx is not assigned to; write ctx.data.data = …`},
		{`ctx.data.f = print`, `embedded/build.lua:3: hook "h": ctx.data.f is a function; only strings, numbers, booleans and tables of them can be kept`},
		{`ctx.data.s = ("x"):rep(1048577)`, `embedded/build.lua:3: hook "h": ctx.data.s is larger than 1048576 bytes of JSON`},
		{`ctx.data.n = 0/0`, `embedded/build.lua:3: hook "h": ctx.data.n is NaN, which JSON does not have`},
		{`ctx:write("/x", {})`, `embedded/build.lua:4: ctx:write wants a string or a number as content, not a table, as in ctx:write("/etc/motd", "hello")`},
		{`ctx:write("/x", "", 644)`, `embedded/build.lua:4: ctx:write: wanted an octal string, found the number 644; write "0644" with quotes, Lua has no octal numbers`},
		{`ctx:update { wall = "1s" }`, `embedded/build.lua:4: ctx:update: only memory, swap, pids, cpus and cpu_weight can be changed`},
		{`ctx:update { memroy = "1G" }`, `embedded/build.lua:4: ctx:update: limits: unknown key "memroy" (did you mean "memory"?)`},
		{`ctx:exec {}`, `embedded/build.lua:4: ctx:exec: args: the list is empty (name the program to run)`},
		{`sandbox.env("HOME")`, `embedded/build.lua:4: sandbox.env belongs to the load phase; a hook acts through ctx`},
		{`require "fs"`, `embedded/build.lua:4: require belongs to the load phase; require "fs" outside the hook`},
		{`c:extend {}`, `embedded/build.lua:4: c:extend belongs to the load phase; a hook acts through ctx`},
		{`c = nil`, `embedded/build.lua:4: hook "h" changed the recipe's variable "c"; a hook may run in another process: keep it in ctx.data`},
		{`return 5`, `embedded/build.lua:3: hook "h": a hook returns nothing; this one returned a number`},
	} {
		r := hooked(t, "c:poststart(\"h\", function(ctx)\n"+tc.lua+" end)")
		out := call(r, &host{}, 1)
		if out.Err == nil || out.Err.Error() != tc.want {
			t.Errorf("%s: %v\nwanted %s", tc.lua, out.Err, tc.want)
		}
	}
}

// TestModulesInHooks: what depends on nothing but its arguments is there in hooks, and
// the clock is nowhere else; what modules made at load is frozen as anything is.
func TestModulesInHooks(t *testing.T) {
	const modules = "local strings, tables, time, json, log = require 'strings', require 'tables', require 'time', require 'json', require 'log' "
	const made = "local list, doc = strings.split('a,b', ','), json.decode('{\"a\": [1]}') "
	for lua, want := range map[string]string{
		`assert(strings.join(tables.map(list, string.upper), "+") == "A+B")`:            "",
		`assert(time.now() > 1700000000 and time.format(time.now()):sub(1, 2) == "20")`: "",
		`ctx.data.d = json.decode("[1,{}]") log.info("seen")`:                           "",
		`local mine = tables.copy(doc) mine.a[1] = 2 ctx.data.d = mine`:                 "",
		`list[1] = "x"`:        `hook "h" changed the recipe's table (key 1); a hook may run in another process: keep it in ctx.data`,
		`doc.a[1] = 5`:         `hook "h" changed the recipe's table (key 1); a hook may run in another process: keep it in ctx.data`,
		`strings.split = 5`:    `module strings cannot be changed (setting "split")`,
		`strings.split("a")`:   `strings.split wants a string as separator, as in strings.split("a,b,,c", ",")`,
		`ctx.data.d = doc.a.b`: "",
	} {
		r := hooked(t, modules+made+"c:poststart(\"h\", function(ctx)\n"+lua+" end)")
		out := call(r, &host{}, 1)
		switch {
		case want == "" && out.Err != nil:
			t.Errorf("%s: %v", lua, out.Err)
		case want != "" && (out.Err == nil || out.Err.Error() != "embedded/build.lua:4: "+want):
			t.Errorf("%s: %v\nwanted %s", lua, out.Err, want)
		}
	}
}

func TestHostErrorsKeepTheirCause(t *testing.T) {
	r := hooked(t, `c:poststart("h", function(ctx) ctx:read("/none") end)`)
	if out := call(r, &host{}, 1); !errors.Is(out.Err, errHost) {
		t.Errorf("%v does not wrap the host's error", out.Err)
	}
}

func TestData(t *testing.T) {
	r := hooked(t, `c:prestart("a", function(ctx) ctx.data.list = { 1, "x", { y = true } } end)
c:prestart("b", function(ctx) assert(ctx.data.list[3].y and ctx.data.list[1] == 1) ctx.data.n = 1.5 error("not kept") end)
c:collect("c", function(ctx) assert(ctx.data.n == nil) ctx.data.z = "é" ctx:fail("100% wrong") end)`)
	for i, wantErr := range []bool{false, true, false} {
		if out := call(r, &host{}, i+1); (out.Err != nil) != wantErr {
			t.Errorf("hook %d: %v", i+1, out.Err)
		}
	}
	if got, want := string(r.Data()), `{"list":[1,"x",{"y":true}],"z":"é"}`; got != want {
		t.Errorf("data is %s, wanted %s", got, want)
	}
	recorded, err := r.Record()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Revive(context.Background(), recorded, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if string(again.Data()) != string(r.Data()) || len(again.Definitions[0].Hooks) != 3 {
		t.Errorf("revived with data %s and %d hooks", again.Data(), len(again.Definitions[0].Hooks))
	}
}

// TestOverrun gives up a hook that loops and one that hangs in the host; the next
// ones run in a fresh VM, and the hanging one can do nothing when it wakes.
func TestOverrun(t *testing.T) {
	r := hooked(t, `c:poststart("loop", { deadline = "50ms" }, function(ctx)
while true do end end)
c:poststart("hang", { deadline = "50ms" }, function(ctx)
ctx:exec { "x" } ctx:write("/late", "x") end)
c:poststart("after", function(ctx) ctx.data.ok = true ctx:write("/x", "") end)`)
	h := &host{block: make(chan struct{}), begun: make(chan struct{})}
	for i, want := range []string{`embedded/build.lua:4: hook "loop" took longer than 50ms`, `embedded/build.lua:5: hook "hang" took longer than 50ms`} {
		ref := r.Definitions[0].Hooks[i]
		ctx, cancel := context.WithTimeout(context.Background(), ref.Timeout())
		out := r.Call(ctx, definition.HookCall{Hook: ref, Host: h})
		cancel()
		if out.Err == nil || !strings.HasPrefix(out.Err.Error(), want) || !errors.Is(out.Err, context.DeadlineExceeded) {
			t.Errorf("got %v, wanted %s", out.Err, want)
		}
	}
	<-h.begun
	close(h.block)
	later := &host{}
	if out := call(r, later, 3); out.Err != nil || string(r.Data()) != `{"ok":true}` {
		t.Errorf("after: %v, data %s", out.Err, r.Data())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(later.did) != 1 || strings.Contains(strings.Join(h.did, " "), "/late") {
		t.Errorf("the hosts did %v and %v", h.did, later.did)
	}
}

func BenchmarkHook(b *testing.B) {
	r, h := hooked(b, `c:poststart("h", function(ctx) ctx.data.pid = ctx.pid end)`), &host{}
	for b.Loop() {
		if out := call(r, h, 1); out.Err != nil {
			b.Fatal(out.Err)
		}
	}
}
