package sandbox_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sandbox/sandbox/definition"
)

var errBroken = errors.New("broken on purpose")

func broken(context.Context, definition.HookCall) error { return errBroken }

func TestHooksRunInOrder(t *testing.T) {
	b := shell(t, "true")
	b.hooks = new(hooks)
	for _, stage := range []definition.Stage{definition.StagePoststop, definition.StageCollect, definition.StagePoststart, definition.StagePrestart} {
		b.hooks.add(stage, string(stage)+"1", nothing).add(stage, string(stage)+"2", nothing)
	}
	r := b.ok()
	want := "prestart1 prestart2 poststart1 poststart2 collect1 collect2 poststop2 poststop1"
	if got := strings.Join(b.hooks.ran, " "); got != want {
		t.Errorf("ran %s, want %s", got, want)
	}
	if len(r.Hooks) != 8 {
		t.Errorf("the result has %d hook runs", len(r.Hooks))
	}
}

func TestHookFailures(t *testing.T) {
	for _, tc := range []struct {
		stage   definition.Stage
		ran     string
		verdict definition.Verdict
		code    int
		started bool
	}{
		{definition.StagePrestart, "fails poststop", definition.VerdictFailed, 125, false},
		{definition.StagePoststart, "fails poststop", definition.VerdictFailed, 125, true},
		{definition.StageCollect, "fails second poststop", definition.VerdictFailed, 125, true},
		{definition.StagePoststop, "poststop second fails", definition.VerdictExited, 0, true},
	} {
		t.Run(string(tc.stage), func(t *testing.T) {
			b := shell(t, map[bool]string{true: "exec sleep 1000", false: "true"}[tc.stage == definition.StagePoststart])
			b.hooks = new(hooks).add(tc.stage, "fails", broken).add(tc.stage, "second", nothing).add(definition.StagePoststop, "poststop", func(_ context.Context, call definition.HookCall) error {
				if call.Result.Verdict != tc.verdict || call.Result.ExitCode != tc.code || call.Result.Started && call.Result.Wall == 0 {
					t.Errorf("poststop sees verdict %s, code %d, wall %s", call.Result.Verdict, call.Result.ExitCode, call.Result.Wall)
				}
				return nil
			})
			r, err := b.run()
			if err != nil || r.Verdict != tc.verdict || r.ExitCode != tc.code || r.Started != tc.started {
				t.Errorf("verdict %s, code %d, started %v, error %v", r.Verdict, r.ExitCode, r.Started, err)
			}
			if got := strings.Join(b.hooks.ran, " "); got != tc.ran {
				t.Errorf("ran %s, want %s", got, tc.ran)
			}
			told := r.Failure != nil && strings.Contains(r.Failure.Reason, errBroken.Error())
			warned := strings.Contains(strings.Join(r.Warnings, " "), errBroken.Error())
			if told == (tc.stage == definition.StagePoststop) || warned != (tc.stage == definition.StagePoststop) {
				t.Errorf("failure %+v, warnings %q", r.Failure, r.Warnings)
			}
		})
	}
}

func TestHookDeclaresFailure(t *testing.T) {
	b := shell(t, "true")
	b.hooks = new(hooks).outcome(definition.StageCollect, "judge", func(context.Context, definition.HookCall) definition.HookOutcome {
		return definition.HookOutcome{Failed: &definition.Failure{Reason: "wrong answer", Origin: definition.Origin{File: "a.lua", Line: 4}}}
	})
	r, err := b.run()
	if err != nil || r.Verdict != definition.VerdictFailed || r.ExitCode != 1 || r.Failure.Reason != "wrong answer" || r.Failure.Hook != "judge" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestHookDeadline(t *testing.T) {
	b := shell(t, "true")
	b.hooks = new(hooks).add(definition.StagePrestart, "hangs", func(ctx context.Context, call definition.HookCall) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})
	b.hooks.refs[0].Deadline = definition.Duration(100 * time.Millisecond)
	r, _ := b.run()
	if r.Verdict != definition.VerdictFailed || r.ExitCode != 125 || !strings.Contains(r.Failure.Reason, "deadline") {
		t.Errorf("%+v", r)
	}
}

// What a hook may do to the container, stage by stage.
func TestHookAccess(t *testing.T) {
	type deed struct {
		name string
		do   func(context.Context, definition.Host) error
	}
	source := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(source, []byte("copied"), 0o600); err != nil {
		t.Fatal(err)
	}
	deeds := []deed{
		{"read", func(ctx context.Context, h definition.Host) error { _, err := h.Read(ctx, "/etc/passwd"); return err }},
		{"write", func(ctx context.Context, h definition.Host) error {
			return h.Write(ctx, "/tmp/hook", []byte("x"), 0o644)
		}},
		{"exec", func(ctx context.Context, h definition.Host) error {
			r, err := h.Exec(ctx, definition.ExecRequest{Args: []string{"/bin/sh", "-c", "read x; echo $x; cat /proc/1/comm >/dev/null"}, Stdin: []byte("hello\n")})
			if err == nil && (r.Code != 0 || string(r.Stdout) != "hello\n") {
				t.Errorf("exec: %+v %s %s", r, r.Stdout, r.Stderr)
			}
			return err
		}},
		{"signal", func(ctx context.Context, h definition.Host) error { return h.Signal(ctx, "CONT") }},
		{"stats", func(ctx context.Context, h definition.Host) error { _, err := h.Stats(ctx); return err }},
	}
	want := map[definition.Stage]string{
		definition.StagePrestart:  "read write",
		definition.StagePoststart: "read write exec signal stats",
		definition.StageCollect:   "read write stats",
		definition.StagePoststop:  "stats",
	}
	for stage, can := range want {
		t.Run(string(stage), func(t *testing.T) {
			b := shell(t, "read line")
			signals := map[bool]string{true: "exec sleep 1000", false: "true"}
			b.def.Process.Args[2] = signals[stage == definition.StagePoststart]
			b.def.Mounts = []definition.Mount{{Type: definition.MountTmpfs, Target: "/scratch"}}
			var could []string
			b.hooks = new(hooks).add(stage, "try", func(ctx context.Context, call definition.HookCall) error {
				for _, d := range deeds {
					if err := d.do(ctx, call.Host); err == nil {
						could = append(could, d.name)
					} else {
						t.Logf("%s: %v", d.name, err)
					}
				}
				if stage == definition.StagePoststart {
					return call.Host.Signal(ctx, "TERM")
				}
				return nil
			})
			b.run()
			if got := strings.Join(could, " "); got != can {
				t.Errorf("at %s a hook can %s, want %s", stage, got, can)
			}
		})
	}
}

func TestPrestartWritesWhatThePayloadReads(t *testing.T) {
	b := shell(t, "cat /tmp/seed; stat -c %a /tmp/seed")
	b.hooks = new(hooks).add(definition.StagePrestart, "seed", func(ctx context.Context, call definition.HookCall) error {
		return call.Host.Write(ctx, "/tmp/seed", []byte("sown\n"), 0o640)
	})
	b.ok()
	b.want("sown\n640")
}

func TestCollectReadsWhatThePayloadWrote(t *testing.T) {
	b := shell(t, "echo 42 > /tmp/answer")
	var answer string
	b.hooks = new(hooks).add(definition.StageCollect, "judge", func(ctx context.Context, call definition.HookCall) error {
		text, err := call.Host.Read(ctx, "/tmp/answer")
		answer = string(text)
		if call.Result == nil || call.Result.Verdict != definition.VerdictExited {
			t.Errorf("the result is %+v", call.Result)
		}
		return err
	})
	b.ok()
	if answer != "42\n" {
		t.Errorf("read %q", answer)
	}
}
