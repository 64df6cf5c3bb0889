package script

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	lua "github.com/yuin/gopher-lua"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/vm"
)

// maxData bounds ctx.data as JSON, in bytes.
const maxData = 1 << 20

// lastWords is how long a hook that is being ended may take to say where it was.
const lastWords = 20 * time.Millisecond

var _ definition.Hooks = (*Recipe)(nil)

// Data implements definition.Hooks.
func (r *Recipe) Data() []byte { return r.data }

// done is how a hook ended, as its goroutine tells it.
type done struct {
	outcome definition.HookOutcome
	data    []byte
	keep    bool // data is to be kept
}

// Call implements definition.Hooks. A hook that does not end with ctx is given up:
// its goroutine may still run, what it asks of Host is refused, and the next hook
// gets a fresh VM, loaded from what this one was loaded from.
func (r *Recipe) Call(ctx context.Context, call definition.HookCall) definition.HookOutcome {
	if call.Hook.ID < 1 || call.Hook.ID > len(r.Definitions[0].Hooks) {
		return definition.HookOutcome{Err: fmt.Errorf("the recipe has no hook %d", call.Hook.ID)}
	}
	if err := r.ready(ctx); err != nil {
		return definition.HookOutcome{Err: fmt.Errorf("load the recipe again: %w", err)}
	}
	c := &hookCall{ctx: ctx, HookCall: call}
	machine, h, hc := r.vm, r.hooks[call.Hook.ID-1], r.ctx
	finished := make(chan done, 1)
	data := r.data
	go func() { finished <- hc.run(machine, h, c, data) }()
	select {
	case d := <-finished:
		return r.settle(d)
	case <-ctx.Done():
	}
	c.revoke()
	reason := overrun(ctx, call.Hook)
	machine.Kill(reason)
	r.vm = nil
	words := time.NewTimer(lastWords)
	defer words.Stop()
	err := error(&vm.Error{File: call.Hook.Origin.File, Line: call.Hook.Origin.Line, Message: reason.Error(), Cause: reason})
	select {
	case d := <-finished:
		var at *vm.Error
		if errors.As(d.outcome.Err, &at) && at.Line > 0 {
			err = &vm.Error{File: at.File, Line: at.Line, Message: reason.Error(), Traceback: at.Traceback, Cause: reason}
		}
		machine.Close()
	case <-words.C:
	}
	return definition.HookOutcome{Err: err}
}

// settle keeps what a hook left behind.
func (r *Recipe) settle(d done) definition.HookOutcome {
	if d.keep {
		r.data = d.data
	}
	if r.vm.Err() != nil {
		r.vm.Close()
		r.vm = nil
	}
	return d.outcome
}

// overrun words the end of a hook's context.
func overrun(ctx context.Context, h definition.HookRef) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.DeadlineExceeded) {
		return &late{fmt.Sprintf("hook %q took longer than %s", h.Label, definition.Duration(h.Timeout()))}
	}
	return fmt.Errorf("hook %s was stopped: %w", strconv.Quote(h.Label), cause)
}

// late is a deadline that passed, worded for the user.
type late struct{ text string }

func (l *late) Error() string { return l.text }
func (l *late) Unwrap() error { return context.DeadlineExceeded }

// ready makes a fresh VM when the last one was given up.
func (r *Recipe) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if r.vm != nil {
		return nil
	}
	again, err := replay(ctx, r.source, r.Inputs, r.log)
	if err != nil {
		return err
	}
	if len(again.hooks) != len(r.Definitions[0].Hooks) {
		return errors.New("it registers other hooks than before")
	}
	r.vm, r.hooks, r.ctx = again.vm, again.hooks, again.ctx
	r.ctx.recipe = r
	return nil
}

// Close ends the recipe's VM; no hook can be called afterwards.
func (r *Recipe) Close() {
	if r.vm != nil {
		r.vm.Close()
		r.vm = nil
	}
}

// run calls a hook, in a goroutine of its own.
func (hc *hookContext) run(machine *vm.VM, h *hook, c *hookCall, data []byte) (d done) {
	hc.call = c
	defer func() { hc.call = nil }()
	fields, err := hc.table(c, data)
	if err != nil {
		return done{outcome: definition.HookOutcome{Err: err}}
	}
	results, err := machine.CallHook(h.ref.Label, h.fn, hc.self)
	var fail *declared
	switch {
	case errors.As(err, &fail):
		d.outcome.Failed = &fail.Failure
	case err != nil:
		return done{outcome: definition.HookOutcome{Err: err}}
	case len(results) > 1 || len(results) == 1 && results[0] != lua.LNil:
		d.outcome.Err = hc.wrong(h, "a hook returns nothing; this one returned a "+results[0].Type().String())
	}
	if machine.Err() != nil {
		return d
	}
	text, err := luaval.EncodeJSON(fields.RawGetString("data"), "ctx.data", maxData)
	switch {
	case err != nil:
		d.outcome.Err = hc.wrong(h, err.Error())
	case string(text) != "{}" || data != nil:
		d.data, d.keep = text, true
	}
	return d
}

// wrong is an error of a hook as a whole, at the line that registered it.
func (hc *hookContext) wrong(h *hook, message string) error {
	return &vm.Error{File: h.ref.Origin.File, Line: h.ref.Origin.Line, Message: "hook " + strconv.Quote(h.ref.Label) + ": " + message}
}

// declared is the error that ctx:fail raises.
type declared struct{ definition.Failure }

func (f *declared) Error() string { return f.Reason }

// record is what a recipe is loaded from again.
type record struct {
	Source source  `json:"source"`
	Inputs []Input `json:"inputs"`
	Data   string  `json:"data,omitempty"`
}

// Record returns what Revive needs to load the recipe again in a later process: its
// sources, inputs and parameters, as JSON.
func (r *Recipe) Record() ([]byte, error) {
	return json.Marshal(record{Source: r.source, Inputs: r.Inputs, Data: string(r.data)})
}

// Revive loads a recipe from its record, never from the disk. log is as in Options.
func Revive(ctx context.Context, recorded []byte, log func(string)) (*Recipe, error) {
	var rec record
	if err := json.Unmarshal(recorded, &rec); err != nil {
		return nil, fmt.Errorf("read the record of the recipe: %w", err)
	}
	if !slices.ContainsFunc(rec.Inputs, func(i Input) bool { return i.Kind == InputRequire && i.Name == mainName }) {
		return nil, errors.New("read the record of the recipe: the recipe itself is missing")
	}
	r, err := replay(ctx, rec.Source, rec.Inputs, log)
	if err != nil {
		return nil, err
	}
	if rec.Data != "" {
		r.data = []byte(rec.Data)
	}
	return r, nil
}

// replay loads a recipe from its inputs.
func replay(ctx context.Context, s source, seen []Input, log func(string)) (*Recipe, error) {
	in := &inputs{project: s.Project, seen: slices.Clone(seen), replay: true}
	l := newLoader(ctx, s, in, log)
	r := &Recipe{source: s, began: time.Now(), log: log}
	if err := l.run(); err != nil {
		l.vm.Close()
		return nil, err
	}
	r.adopt(l)
	return r, nil
}
