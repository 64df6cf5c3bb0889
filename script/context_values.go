package script

import (
	"errors"
	"strconv"
	"time"

	lua "github.com/yuin/gopher-lua"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/registry"
	"sandbox/script/vm"
)

// result makes the ctx.result of a hook: sizes in bytes' largest unit, as text, and
// times in seconds.
func (hc *hookContext) result(r *definition.Result) lua.LValue {
	state := hc.vm.State()
	t := state.NewTable()
	if r == nil {
		return hc.vm.Lock("ctx.result", t)
	}
	t.RawSetString("verdict", lua.LString(r.Verdict))
	t.RawSetString("exit_code", lua.LNumber(r.ExitCode))
	t.RawSetString("signal", lua.LString(r.Signal))
	t.RawSetString("limit", lua.LString(r.Limit))
	t.RawSetString("limit_value", lua.LString(r.LimitValue))
	t.RawSetString("error", lua.LString(r.Error))
	t.RawSetString("started", lua.LBool(r.Started))
	t.RawSetString("wall", seconds(r.Wall))
	t.RawSetString("cpu", seconds(r.CPU))
	t.RawSetString("oom_kills", lua.LNumber(r.OOMKills))
	reason := ""
	if r.Failure != nil {
		reason = r.Failure.Reason
	}
	t.RawSetString("reason", lua.LString(reason))
	peak := state.NewTable()
	peak.RawSetString("memory", lua.LString("unknown"))
	peak.RawSetString("memory_bytes", lua.LNumber(0))
	peak.RawSetString("pids", lua.LNumber(0))
	if r.Peak.Memory != nil {
		peak.RawSetString("memory", lua.LString(readable(*r.Peak.Memory)))
		peak.RawSetString("memory_bytes", lua.LNumber(*r.Peak.Memory))
	}
	if r.Peak.Pids != nil {
		peak.RawSetString("pids", lua.LNumber(*r.Peak.Pids))
	}
	t.RawSetString("peak", hc.vm.Lock("ctx.result.peak", peak))
	t.RawSetString("step", lua.LString(r.Step))
	t.RawSetString("steps", hc.steps(r.Steps))
	return hc.vm.Lock("ctx.result", t)
}

// steps are the ctx.result.steps, in their order.
func (hc *hookContext) steps(runs []definition.StepRun) lua.LValue {
	list := hc.vm.State().NewTable()
	for _, run := range runs {
		t := hc.vm.State().NewTable()
		t.RawSetString("name", lua.LString(run.Name))
		t.RawSetString("verdict", lua.LString(run.Verdict))
		t.RawSetString("exit_code", lua.LNumber(run.ExitCode))
		t.RawSetString("signal", lua.LString(run.Signal))
		t.RawSetString("limit", lua.LString(run.Limit))
		t.RawSetString("wall", seconds(run.Wall))
		t.RawSetString("cpu", seconds(run.CPU))
		list.Append(hc.vm.Lock("a step of ctx.result", t))
	}
	return hc.vm.Lock("ctx.result.steps", list)
}

// readable rounds a size to tenths of its largest unit.
func readable(b definition.Bytes) string {
	units := [...]string{"", "K", "M", "G", "T", "P"}
	f, i := float64(b), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	text := strconv.FormatFloat(f, 'f', 1, 64)
	if text[len(text)-2:] == ".0" {
		text = text[:len(text)-2]
	}
	return text + units[i]
}

func seconds(d definition.Duration) lua.LNumber { return lua.LNumber(time.Duration(d).Seconds()) }

func (hc *hookContext) stats(s definition.Stats) *lua.LTable {
	t := hc.vm.State().NewTable()
	t.RawSetString("cpu", seconds(s.CPU))
	t.RawSetString("wall", seconds(s.Wall))
	if s.Memory != nil {
		t.RawSetString("memory", lua.LNumber(*s.Memory))
	}
	if s.MemoryPeak != nil {
		t.RawSetString("memory_peak", lua.LNumber(*s.MemoryPeak))
	}
	if s.Pids != nil {
		t.RawSetString("pids", lua.LNumber(*s.Pids))
	}
	return t
}

// exec is ctx:exec(args, [options]).
func (hc *hookContext) exec(L *lua.LState, c *hookCall) (int, error) {
	var problems definition.Problems
	d := decoder{problems: &problems, origins: definition.Origins{}}
	reader := luaval.Reader{VM: hc.vm, Problems: &problems, At: func(vm.Place) definition.Origin { return definition.Origin{} }}
	args := reader.Read(L.Get(2), "args", definition.Origin{})
	request := definition.ExecRequest{Args: d.args("args", &args)}
	if L.Get(3) != lua.LNil {
		options := reader.Read(L.Get(3), "options", definition.Origin{})
		d.isTable("options", &options, registry.ExecOptions)
		for i := range options.Fields {
			f := &options.Fields[i]
			switch f.Name {
			case "env":
				request.Env = d.env("env", &f.Value)
			case "cwd":
				request.Cwd = d.text("cwd", &f.Value)
			case "stdin":
				request.Stdin = []byte(d.text("stdin", &f.Value))
			}
		}
	}
	if len(problems) > 0 {
		return 0, problems
	}
	result, err := c.Host.Exec(c.ctx, request)
	if err != nil {
		return 0, err
	}
	t := L.NewTable()
	t.RawSetString("code", lua.LNumber(result.Code))
	t.RawSetString("signal", lua.LString(result.Signal))
	t.RawSetString("stdout", lua.LString(result.Stdout))
	t.RawSetString("stderr", lua.LString(result.Stderr))
	L.Push(t)
	return 1, nil
}

// update is ctx:update(limits), for the limits that a cgroup keeps.
func (hc *hookContext) update(L *lua.LState, c *hookCall) error {
	var problems definition.Problems
	d := decoder{problems: &problems, origins: definition.Origins{}}
	reader := luaval.Reader{VM: hc.vm, Problems: &problems, At: func(vm.Place) definition.Origin { return definition.Origin{} }}
	v := reader.Read(L.Get(2), "limits", definition.Origin{})
	if v.Kind == luaval.Map {
		m := merger{problems: &problems}
		v = m.fields(nil, &v, registry.Find(registry.Definition, "limits").Sub, "limits")
	} else {
		d.wanted("limits", &v, "a table of limits", "ctx:update { memory = \"2G\" }")
	}
	limits := d.limits("limits", &v)
	if limits.CPUTime != 0 || limits.Wall != 0 || limits.Idle != 0 || limits.Output != 0 || limits.BestEffort {
		return errors.New("only memory, swap, pids, cpus and cpu_weight can be changed")
	}
	problems = append(problems, limits.Validate()...)
	if len(problems) > 0 {
		return problems
	}
	return c.Host.Update(c.ctx, limits)
}
