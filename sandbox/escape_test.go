package sandbox_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sandbox/sandbox"
	"sandbox/sandbox/definition"
)

// hostile prepares a container whose payload is this test binary, as an attacker
// that has uid 0 inside.
func hostile(t *testing.T, name string) *bed {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b := shell(t, "")
	b.def.Process.Args = []string{"/attack"}
	b.def.Process.Env = []definition.EnvVar{{Name: "SANDBOX_TEST_PAYLOAD", Value: name}}
	b.def.Mounts = []definition.Mount{{Type: definition.MountBind, Source: self, Target: "/attack"}}
	return b
}

// What a payload with uid 0 and the default privileges cannot do, with the default
// filter and, where the filter is not what keeps it from it, without.
func TestAttacks(t *testing.T) {
	l, err := net.Listen("unix", hostSocket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, mode := range []definition.SeccompMode{definition.SeccompDefault, definition.SeccompNone} {
		for _, a := range attacks {
			if mode == definition.SeccompNone && !a.unfiltered {
				continue
			}
			t.Run(string(mode)+"/"+a.name, func(t *testing.T) {
				b := hostile(t, a.name)
				b.def.Seccomp.Mode = mode
				b.ok()
				b.want("")
			})
		}
	}
}

// CVE-2019-5736: the program that a container reaches as /proc/self/exe while it is
// set up is init, sealed, and never the runner.
func TestSelfExecutionEnds(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"/proc/self/exe"}, {"/src/script"}} {
		b := shell(t, "")
		if err := os.WriteFile(filepath.Join(b.project, "script"), []byte("#!/proc/self/exe\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		b.def.Mounts = []definition.Mount{{Type: definition.MountBind, Source: b.project, Target: "/src"}}
		b.def.Process.Args = args
		b.def.Limits.Wall = definition.Duration(5 * time.Second)
		if r, _ := b.run(); r.ExitCode == 0 || r.Verdict == definition.VerdictTimeout {
			t.Errorf("%s: verdict %s, code %d", args, r.Verdict, r.ExitCode)
		}
	}
	if after, err := os.ReadFile(self); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the runner's program has changed: %v", err)
	}
}

// CVE-2024-21626: the payload's folder named by a descriptor of the set-up leads to
// the container's files at most, never to the host's.
func TestCwdAmongDescriptors(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "marker"), []byte("of the host"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/proc/self/fd/3", "/proc/self/fd/4", "/proc/self/fd/5", "/proc/self/fd/6", "/proc/self/fd/7", "/proc/self/fd/8",
		"/proc/self/fd/9", "/proc/self/fd/10", "/proc/1/root", "/proc/1/cwd"} {
		b := shell(t, "cat ."+outside+"/marker ../../.."+outside+"/marker; pwd")
		b.def.Process.Cwd = dir
		b.run()
		if strings.Contains(b.stdout, "unreachable") || strings.Contains(b.stdout, "of the host") {
			t.Errorf("%s: the payload stands at %q", dir, b.stdout)
		}
	}
}

// What outlives the payload's own process does not outlive the run; leakcheck of
// every run looks for cgroups, mounts and descriptors as well.
func TestNothingSurvives(t *testing.T) {
	for name, script := range map[string]string{
		"double fork":         `(sleep 4243 &) & exit 0`,
		"new session":         `setsid sleep 4243 & exit 0`,
		"deaf to signals":     `(trap '' TERM HUP INT QUIT; setsid sleep 4243 &); exit 0`,
		"stopped":             `sleep 4243 & kill -STOP $!; exit 0`,
		"a tree that forks":   `f() { [ $1 -lt 100 ] || return; sleep 4243 & f $(($1+1)) & }; f 0; exit 0`,
		"holding the outputs": `setsid sh -c 'while :; do sleep 4243; done' & exit 0`,
	} {
		t.Run(name, func(t *testing.T) {
			b := shell(t, script)
			b.def.Limits.Wall = definition.Duration(10 * time.Second)
			if r, err := b.run(); err != nil || r.Verdict != definition.VerdictExited {
				t.Errorf("%+v, %v", r, err)
			}
			if n := processes("4243"); n > 0 {
				t.Errorf("%d processes survived", n)
			}
		})
	}
}

func TestExhaustion(t *testing.T) {
	memory, pids := definition.Bytes(24<<20), int64(40)
	limits := definition.Limits{Memory: &memory, Pids: &pids, Wall: definition.Duration(20 * time.Second)}
	needLimits(t, limits)
	for _, tc := range []struct{ name, script string }{
		{"fork bomb", `b() { b | b & }; b; sleep 1; exit 1`},
		{"files of /dev/shm", `head -c 100M /dev/zero > /dev/shm/f`},
		{"files of /tmp", `head -c 100M /dev/zero > /tmp/f`},
		{"files of the throw-away layer", `head -c 100M /dev/zero > /usr/f`},
		{"many files", `i=0; while [ $i -lt 1000000 ]; do : > /tmp/$i || exit 1; i=$((i+1)); done`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := shell(t, tc.script)
			b.def.Limits = limits
			r, err := b.run()
			if err != nil || r.ExitCode == 0 {
				t.Errorf("verdict %s, code %d, error %v", r.Verdict, r.ExitCode, err)
			}
			if r.Peak.Pids != nil && *r.Peak.Pids > pids {
				t.Errorf("%d processes at once", *r.Peak.Pids)
			}
		})
	}
}

// A folder of the project that the payload may write to: what it makes there leads
// neither artifacts nor a hook's copies elsewhere.
func TestPlantedLinksInTheProject(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("of the host"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := shell(t, "rm -rf /src/dist && ln -s "+outside+" /src/dist && echo planted > /out/f && echo ready && exec sleep 30")
	b.def.Mounts = []definition.Mount{{Type: definition.MountBind, Source: b.project, Target: "/src", Write: true},
		{Type: definition.MountTmpfs, Target: "/out"}}
	if err := os.Mkdir(filepath.Join(b.project, "dist"), 0o755); err != nil {
		t.Fatal(err)
	}
	b.def.Artifacts = []definition.Artifact{{Path: "/out", Target: filepath.Join(b.project, "dist", "artifacts")}}
	b.hooks = new(hooks).add(definition.StagePoststart, "copies", func(ctx context.Context, call definition.HookCall) error {
		eventually(t, "the link", func() bool {
			to, _ := os.Readlink(filepath.Join(b.project, "dist"))
			_, err := call.Host.Read(ctx, "/out/f")
			return to == outside && err == nil
		})
		if err := call.Host.CopyOut(ctx, "/out", "dist/hook"); err == nil {
			t.Error("a hook copied out through the link")
		}
		if err := call.Host.CopyIn(ctx, "dist/secret", "/tmp/secret"); err == nil {
			t.Error("a hook copied in through the link")
		}
		return call.Host.Signal(ctx, "KILL")
	})
	b.run()
	if entries, _ := os.ReadDir(outside); len(entries) != 1 {
		t.Errorf("the folder outside has %v", entries)
	}
}

// CVE-2025-52881: a hook's write that is led to a file of the kernel's, and reads
// that would consume the kernel's log or never end.
func TestHookLedToTheKernel(t *testing.T) {
	b := shell(t, "ln -s /proc/2/oom_score_adj /tmp/adj; ln -s /proc/kmsg /tmp/log; ln -s /proc/2/status /tmp/status; mkfifo /tmp/fifo; : > /tmp/ready; exec sleep 30")
	b.hooks = new(hooks).add(definition.StagePoststart, "writes", func(ctx context.Context, call definition.HookCall) error {
		h := call.Host
		eventually(t, "the links", func() bool { _, err := h.Read(ctx, "/tmp/ready"); return err == nil })
		if err := h.Write(ctx, "/tmp/adj", []byte("500"), 0o644); err == nil {
			t.Error("wrote to a file of procfs through a link")
		}
		for _, p := range []string{"/tmp/log", "/tmp/status", "/tmp/fifo"} {
			if text, err := h.Read(ctx, p); err == nil {
				t.Errorf("read %d bytes of %s", len(text), p)
			}
		}
		if _, err := h.Read(ctx, "/proc/2/status"); err != nil {
			t.Errorf("procfs by its own name: %v", err)
		}
		return h.Signal(ctx, "KILL")
	})
	b.run()
}

// A further process whose child keeps its output open does not hold the hook.
func TestExecOutputHeldOpen(t *testing.T) {
	b := shell(t, "exec sleep 60")
	var took time.Duration
	b.hooks = new(hooks).add(definition.StagePoststart, "exec", func(ctx context.Context, call definition.HookCall) error {
		start := time.Now()
		r, err := call.Host.Exec(ctx, definition.ExecRequest{Args: []string{"/bin/sh", "-c", "echo said; sleep 60 &"}})
		took = time.Since(start)
		if err == nil && string(r.Stdout) != "said\n" {
			t.Errorf("stdout %q", r.Stdout)
		}
		call.Host.Signal(context.Background(), "KILL")
		return nil
	})
	b.hooks.refs[0].Deadline = definition.Duration(2 * time.Second)
	b.def.Limits.Wall = definition.Duration(20 * time.Second)
	b.run()
	if took > 10*time.Second {
		t.Errorf("the hook was held for %s", took)
	}
}

// CVE-2016-9962: processes that join are out of reach until their execve.
func TestJoiningUnderSurveillance(t *testing.T) {
	b := hostile(t, "watch")
	b.hooks = new(hooks).add(definition.StagePoststart, "exec", func(ctx context.Context, call definition.HookCall) error {
		for range 20 {
			if r, err := call.Host.Exec(ctx, definition.ExecRequest{Args: []string{"/bin/true"}}); err != nil || r.Code != 0 {
				t.Errorf("exec: %+v, %v", r, err)
			}
		}
		return call.Host.Signal(ctx, "TERM")
	})
	b.run()
	b.want("")
}

// The state folder decides what is killed and removed.
func TestHostileState(t *testing.T) {
	t.Run("link", func(t *testing.T) {
		b := shell(t, "true")
		elsewhere := t.TempDir()
		if err := os.Symlink(elsewhere, b.state); err != nil {
			t.Fatal(err)
		}
		if r, err := b.run(); err == nil || r.Started {
			t.Errorf("ran with a linked state folder: %v", err)
		}
	})
	t.Run("ids", func(t *testing.T) {
		for _, id := range []string{"..", "a/b", "/tmp/x", "../x", ".hidden", "-f", "a\nb", "a\x00b", "é", strings.Repeat("a", 129)} {
			b := shell(t, "true")
			b.options = func(o *sandbox.Options) { o.ID = id }
			if r, err := b.run(); err == nil || r.Started {
				t.Errorf("the id %q was taken", id)
			}
		}
	})
	t.Run("record", func(t *testing.T) {
		state, parent := t.TempDir(), t.TempDir()
		victim := filepath.Join(parent, "sandbox-victim")
		if err := os.Mkdir(victim, 0o700); err != nil {
			t.Fatal(err)
		}
		for id, record := range map[string]string{
			"climbs":  `{"id":"climbs","uid":0,"cgroup":{"id":"..","dirs":[{"version":2,"parent":"` + victim + `"}]}}`,
			"foreign": `{"id":"foreign","uid":0,"cgroup":{"id":"victim","dirs":[{"version":2,"parent":"` + parent + `"}]}}`,
			"broken":  `{`,
		} {
			dir := filepath.Join(state, id)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "state.json"), []byte(record), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(victim, filepath.Join(state, "link")); err != nil {
			t.Fatal(err)
		}
		err := sandbox.Sweep(state, nil, func(string) {})
		for _, id := range []string{"climbs", "foreign", "broken"} {
			if err == nil || !strings.Contains(err.Error(), "sweep "+id+":") {
				t.Errorf("the record %q was taken: %v", id, err)
			}
		}
		if _, err := os.Stat(victim); err != nil {
			t.Errorf("the sweep removed %s: %v", victim, err)
		}
	})
}

// A name with a newline does not look like a step of its own.
func TestPlanHasALineAStep(t *testing.T) {
	b := shell(t, "true")
	b.def.Mounts = []definition.Mount{{Type: definition.MountTmpfs, Target: "/a\nhost  forged"}}
	p := options(t, &b.def).Plan
	if lines := strings.Count(p.String(), "\n"); lines != len(p.Steps)+len(p.Teardown)+len(p.Notes) {
		t.Errorf("%d lines of %d steps, %d undo steps and %d notes", lines, len(p.Steps), len(p.Teardown), len(p.Notes))
	}
}
