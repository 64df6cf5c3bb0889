package sandbox_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox"
	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
)

// steps prepares a container that runs shell scripts one after another; "always:" and
// "failure:" before one say when.
func steps(t *testing.T, scripts ...string) *bed {
	t.Helper()
	b := shell(t, "")
	b.def.Process.Args = nil
	for i, script := range scripts {
		when, rest, ok := strings.Cut(script, ":")
		if !ok || when != "always" && when != "failure" {
			when, rest = "", script
		}
		b.def.Steps = append(b.def.Steps, definition.Step{Program: definition.Program{Name: fmt.Sprintf("s%d", i+1), Args: []string{"/bin/sh", "-c", rest}}, When: definition.When(when)})
	}
	return b
}

// verdicts are those of a result's steps, with their exit codes.
func verdicts(r *definition.Result) string {
	var all []string
	for _, s := range r.Steps {
		all = append(all, fmt.Sprintf("%s %d", s.Verdict, s.ExitCode))
	}
	return strings.Join(all, ", ")
}

// Steps share the files, the environment of the process and the runner's stdin.
func TestSteps(t *testing.T) {
	b := steps(t, `read a; echo $a; echo $A $B; pwd; echo kept > /tmp/f`, `read b; echo $b; echo $A $B; pwd; cat /tmp/f; exit 0`)
	b.stdin = "one\ntwo\n"
	b.def.Process.Env = []definition.EnvVar{{Name: "A", Value: "base"}, {Name: "B", Value: "base"}}
	b.def.Process.Cwd = "/usr"
	b.def.Steps[1].Env, b.def.Steps[1].Cwd = []definition.EnvVar{{Name: "B", Value: "own"}}, "/tmp"
	r := b.ok()
	b.want("one\nbase base\n/usr\ntwo\nbase own\n/tmp\nkept")
	if verdicts(r) != "exited 0, exited 0" || r.Step != "" {
		t.Errorf("%s, %+v", verdicts(r), r)
	}
	for _, s := range r.Steps {
		if s.Wall <= 0 || s.CPU <= 0 || s.StartedAt.IsZero() || s.Wall > r.Wall {
			t.Errorf("%+v", s)
		}
	}
}

// Each step is as isolated as a payload.
func TestStepsAreConfined(t *testing.T) {
	b := steps(t, `grep -E '^(NoNewPrivs|Seccomp|CapBnd):' /proc/self/status | cut -f2 | tr '\n' ' '; ls /proc/self/fd | tr '\n' ' '; mount -t tmpfs x /mnt 2>/dev/null || echo refused`)
	b.ok()
	payload := shell(t, b.def.Steps[0].Args[2])
	payload.ok()
	b.want(strings.TrimSpace(payload.stdout))
	if !strings.Contains(b.stdout, "0 1 2 3 refused") {
		t.Error(b.stdout)
	}
}

func TestFirstFailureStops(t *testing.T) {
	for _, tc := range []struct {
		scripts  []string
		out      string
		verdicts string
		code     int
	}{
		{[]string{"echo a", "exit 3", "echo never", "always:echo always", "failure:echo failure"}, "a\nalways\nfailure", "exited 0, exited 3, skipped 0, exited 0, exited 0", 3},
		{[]string{"echo a", "failure:echo never", "always:echo always", "echo b"}, "a\nalways\nb", "exited 0, skipped 0, exited 0, exited 0", 0},
		{[]string{"exit 4", "always:exit 5", "failure:exit 6"}, "", "exited 4, exited 5, exited 6", 4},
		{[]string{"always:exit 5", "echo never"}, "", "exited 5, skipped 0", 5},
		{[]string{"kill -SEGV $$", "echo never"}, "", "signaled 139, skipped 0", 139},
		// It sees what joined, and not what holds the container.
		{[]string{"sleep 1000 & kill -KILL -1; exit 0", "echo alive"}, "alive", "exited 0, exited 0", 0},
	} {
		t.Run(strings.Join(tc.scripts, "; "), func(t *testing.T) {
			b := steps(t, tc.scripts...)
			r, err := b.run()
			b.want(tc.out)
			if err != nil || verdicts(r) != tc.verdicts || r.ExitCode != tc.code || tc.code != 0 && r.Step == "" {
				t.Errorf("%s; code %d, step %q, error %v", verdicts(r), r.ExitCode, r.Step, err)
			}
		})
	}
}

// A step that is not there is diagnosed as a payload is, and a failure like others.
func TestStepPrograms(t *testing.T) {
	for _, tc := range []struct {
		program, cause string
		code           int
	}{
		{"/no/such/program", "no such file", 127},
		{"no-such-program", "PATH", 127},
		{"/etc/hostname", "is not executable", 126},
		{"/src/script", "the interpreter /no/such/shell", 127},
	} {
		t.Run(tc.program, func(t *testing.T) {
			b := steps(t, "echo a", "", "echo never", "always:echo z")
			if err := os.WriteFile(filepath.Join(b.project, "script"), []byte("#!/no/such/shell\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			b.def.Mounts = []definition.Mount{{Type: definition.MountBind, Source: b.project, Target: "/src"},
				{Type: definition.MountFile, Target: "/etc/hostname", Content: "x"}}
			b.def.Steps[1].Args = []string{tc.program}
			b.def.Origins = definition.Origins{"steps[2].args": {File: "test.lua", Line: 7}}
			r, err := b.run()
			b.want("a\nz")
			if err != nil || r.Verdict != definition.VerdictFailed || r.ExitCode != tc.code || r.Failure == nil || !strings.Contains(r.Failure.Reason, tc.cause) || r.Failure.Origin.Line != 7 {
				t.Errorf("%+v, failure %+v, error %v", r, r.Failure, err)
			}
			if r.Steps[1].Verdict != definition.VerdictFailed || r.Steps[1].ExitCode != tc.code || r.Steps[1].Error == "" {
				t.Errorf("%+v", r.Steps[1])
			}
		})
	}
}

// A step that hangs is ended by its own limit, together with what is in its session;
// what a step before it has left goes on.
func TestStepWall(t *testing.T) {
	b := steps(t, "setsid sleep 4343 &", "(trap '' TERM; exec sleep 4344) & exec sleep 4345",
		`always:for f in /proc/[0-9]*/cmdline; do tr '\0' ' ' < $f; done 2>/dev/null | grep -o 'sleep [0-9][0-9]*' | sort -u`)
	b.def.Steps[1].Wall = definition.Duration(200 * time.Millisecond)
	r, err := b.run()
	b.want("sleep 4343")
	if err != nil || r.Verdict != definition.VerdictTimeout || r.ExitCode != 124 || r.Limit != "steps[2].wall" || r.LimitValue != "200ms" || r.Step != "s2" {
		t.Errorf("%+v, %v", r, err)
	}
	if verdicts(r) != "exited 0, timeout 124, exited 0" {
		t.Error(verdicts(r))
	}
}

// The container's own limits bind all steps together, those for after a failure too.
func TestLimitsBindSteps(t *testing.T) {
	t.Run("wall", func(t *testing.T) {
		b := steps(t, "true", "exec sleep 1000", "always:echo never")
		b.def.Limits.Wall = definition.Duration(300 * time.Millisecond)
		r, err := b.run()
		b.want("")
		if err != nil || r.Verdict != definition.VerdictTimeout || r.Limit != "wall" || verdicts(r) != "exited 0, timeout 124, skipped 0" {
			t.Errorf("%+v, %s, %v", r, verdicts(r), err)
		}
	})
	t.Run("output", func(t *testing.T) {
		b := steps(t, "echo 12345", "echo 67890; exec sleep 1000", "echo never")
		b.def.Limits.Output = 10
		r, err := b.run()
		if err != nil || r.Verdict != definition.VerdictTimeout || r.Limit != "output" || b.stdout != "12345\n6789" {
			t.Errorf("%+v, %q, %v", r, b.stdout, err)
		}
	})
	t.Run("memory", func(t *testing.T) {
		b := steps(t, "exec awk 'BEGIN { s = \"x\"; while (1) s = s s }'", "failure:echo survived")
		memory := definition.Bytes(32 << 20)
		b.def.Limits.Memory = &memory
		needLimits(t, b.def.Limits)
		r, err := b.run()
		b.want("survived")
		if err != nil || r.Verdict != definition.VerdictOOM || r.ExitCode != 137 || verdicts(r) != "oom 137, exited 0" || r.Limit != "memory" || r.LimitValue != "32M" {
			t.Errorf("%+v, %s, %v", r, verdicts(r), err)
		}
	})
}

// An interruption goes to the running step, and is a failure for those behind it.
func TestInterruptedSteps(t *testing.T) {
	for _, tc := range []struct {
		script, verdicts string
		code             int
	}{
		{"READY; exec sleep 1000", "killed 130, skipped 0, exited 0", 130},
		{"trap 'exit 7' INT; READY; while :; do sleep 0.05; done", "exited 7, skipped 0, exited 0", 7},
		{"trap 'exit 0' INT; READY; while :; do sleep 0.05; done", "exited 0, skipped 0, exited 0", 130},
	} {
		t.Run(tc.script, func(t *testing.T) {
			signals := make(chan os.Signal, 1)
			ready := filepath.Join(t.TempDir(), "ready")
			if err := unix.Mkfifo(ready, 0o666); err != nil {
				t.Fatal(err)
			}
			b := steps(t, strings.ReplaceAll(tc.script, "READY", "echo > /fifo/ready"), "echo never", "always:echo z")
			b.def.Mounts = []definition.Mount{{Type: definition.MountBind, Source: filepath.Dir(ready), Target: "/fifo", Write: true}}
			b.options = func(o *sandbox.Options) { o.Signals = heard(signals) }
			go func() {
				if _, err := os.ReadFile(ready); err == nil {
					signals <- unix.SIGINT
				}
			}()
			r, err := b.run()
			b.want("z")
			if err != nil || verdicts(r) != tc.verdicts || r.ExitCode != tc.code {
				t.Errorf("%s; code %d, %v", verdicts(r), r.ExitCode, err)
			}
		})
	}
}

// Hooks find the container before its steps and after them; artifacts are those of
// all steps.
func TestStepsWithHooks(t *testing.T) {
	b := steps(t, "cat /tmp/seed; mkdir -p /out; echo 1 > /out/a", "echo 2 > /out/b")
	dist := filepath.Join(b.project, "dist")
	b.def.Artifacts = []definition.Artifact{{Path: "/out", Target: dist}}
	b.hooks = new(hooks).add(definition.StagePoststart, "seed", func(ctx context.Context, call definition.HookCall) error {
		result, err := call.Host.Exec(ctx, definition.ExecRequest{Args: []string{"/bin/sh", "-c", "echo sown > /tmp/seed"}})
		if err == nil && result.Code != 0 {
			err = fmt.Errorf("code %d: %s", result.Code, result.Stderr)
		}
		return err
	}).add(definition.StageCollect, "judge", func(ctx context.Context, call definition.HookCall) error {
		if len(call.Result.Steps) != 2 {
			return fmt.Errorf("%d steps", len(call.Result.Steps))
		}
		_, err := call.Host.Read(ctx, "/out/b")
		return err
	})
	b.ok()
	b.want("sown")
	for _, name := range []string{"a", "b"} {
		if _, err := os.Stat(filepath.Join(dist, name)); err != nil {
			t.Error(err)
		}
	}
}

// Progress is told of every step, and its end.
func TestProgress(t *testing.T) {
	b := steps(t, "true", "false", "true")
	var told []string
	b.options = func(o *sandbox.Options) {
		o.Progress = func(p sandbox.Progress) {
			if p.Step == nil {
				told = append(told, p.Name+"…")
			} else {
				told = append(told, p.Name+" "+string(p.Step.Verdict))
			}
		}
	}
	b.run()
	if want := []string{"s1…", "s1 exited", "s2…", "s2 exited", "s3 skipped"}; !slices.Equal(told, want) {
		t.Errorf("told %q", told)
	}
}

// A failure at any step of the plan leaves nothing behind, with services and steps too.
func TestEveryStepMayFailWithSteps(t *testing.T) {
	full := func(t *testing.T) *bed {
		b := steps(t, "true", "sleep 4242 &")
		b.def.Rootfs = definition.Rootfs{Kind: definition.RootfsHostReadonly}
		b.def.Services = []definition.Service{{Program: definition.Program{Name: "db", Args: []string{"sleep", "4242"}}, Ready: definition.Ready{Command: []string{"true"}}}}
		return b
	}
	p := full(t).prepare().Plan
	first := slices.IndexFunc(p.Steps, func(s plan.Step) bool { _, ok := s.Op.(plan.ClonePayload); return ok })
	for n := first; n <= len(p.Steps); n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			b := full(t)
			b.change = func(p *plan.Plan) { insertFailure(p, n) }
			if r, _ := b.run(); r.Verdict != definition.VerdictFailed || r.ExitCode == 0 {
				t.Errorf("verdict %s, code %d with a failure at step %d", r.Verdict, r.ExitCode, n)
			}
		})
	}
}

// Steps run where only some namespaces are the container's own, and as other users.
func TestStepsElsewhere(t *testing.T) {
	t.Run("host namespaces", func(t *testing.T) {
		b := steps(t, "echo a", "sleep 4242 & echo b")
		b.def.Rootfs = definition.Rootfs{}
		b.def.Namespaces = definition.Namespaces{Mount: definition.NamespaceHost, IPC: definition.NamespaceHost, UTS: definition.NamespaceHost}
		b.ok()
		b.want("a\nb")
	})
	t.Run("time", func(t *testing.T) {
		b := steps(t, "readlink /proc/self/ns/time", "readlink /proc/self/ns/time")
		b.def.Namespaces.Time = definition.NamespaceNew
		b.ok()
		own, _ := os.Readlink("/proc/self/ns/time")
		lines := strings.Fields(b.stdout)
		if len(lines) != 2 || lines[0] != lines[1] || lines[0] == own {
			t.Errorf("%q, the runner's is %s", lines, own)
		}
	})
	t.Run("user", func(t *testing.T) {
		needRoot(t, "another user")
		b := steps(t, "id -u; id -g", "id -u")
		b.def.Process.User = "daemon"
		b.ok()
		b.want("1\n1\n1")
	})
}
