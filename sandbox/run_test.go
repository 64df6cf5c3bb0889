package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/internal/floor"
	"sandbox/sandbox"
	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
)

func TestExitCodes(t *testing.T) {
	for _, tc := range []struct {
		script  string
		verdict definition.Verdict
		code    int
		signal  string
	}{
		{"true", definition.VerdictExited, 0, ""},
		{"exit 7", definition.VerdictExited, 7, ""},
		{"exit 125", definition.VerdictExited, 125, ""},
		{"kill -SEGV $$", definition.VerdictSignaled, 128 + 11, "SEGV"},
		{"kill -KILL $$", definition.VerdictSignaled, 128 + 9, "KILL"},
	} {
		t.Run(tc.script, func(t *testing.T) {
			r, err := shell(t, tc.script).run()
			if err != nil || r.Verdict != tc.verdict || r.ExitCode != tc.code || r.Signal != tc.signal {
				t.Errorf("verdict %s, code %d, signal %q, error %v", r.Verdict, r.ExitCode, r.Signal, err)
			}
			if !r.Started || r.Wall <= 0 {
				t.Errorf("started %v, wall %s", r.Started, r.Wall)
			}
		})
	}
}

func TestPassThrough(t *testing.T) {
	b := shell(t, "cat; echo error >&2")
	b.stdin = "from stdin"
	b.ok()
	b.want("from stdin")
	if b.stderr != "error\n" {
		t.Errorf("stderr %q", b.stderr)
	}
}

func TestFilesAsStdio(t *testing.T) {
	b := shell(t, "cat; echo error >&2")
	in, out := filepath.Join(b.project, "in"), filepath.Join(b.project, "out")
	if err := os.WriteFile(in, []byte("question\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.def.Process.Stdin, b.def.Process.Stdout, b.def.Process.Stderr = in, out, "stdout"
	b.ok()
	if text, _ := os.ReadFile(out); string(text) != "question\nerror\n" {
		t.Errorf("the file has %q", text)
	}
}

func TestIsolation(t *testing.T) {
	for _, tc := range []struct{ what, script, want string }{
		{"no network but lo", `tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '`, "lo"},
		{"lo is up", `cat /sys/class/net/lo/operstate`, "unknown"},
		{"no host processes", `test $(ls /proc | grep -c '^[0-9]') -lt 8 && echo few`, "few"},
		{"payload is PID 2", `echo $$`, "2"},
		{"no home", `ls -A /root /home | grep -v ':$' | tr -d '\n'`, ""},
		{"no shadow", `cat /etc/shadow 2>/dev/null | wc -c`, "0"},
		{"private tmp", `ls -A /tmp | wc -l`, "0"},
		{"no new privileges", `grep NoNewPrivs /proc/self/status | cut -f2`, "1"},
		{"seccomp", `grep Seccomp: /proc/self/status | cut -f2`, "2"},
		{"no capability to mount", `mount -t tmpfs x /mnt 2>/dev/null || echo refused`, "refused"},
		{"no umount", `umount /proc 2>/dev/null || echo refused`, "refused"},
		{"masked", `cat /proc/kcore /proc/keys /proc/timer_list 2>/dev/null | wc -c`, "0"},
		{"sysctl read-only", `(echo 1 > /proc/sys/kernel/domainname) 2>/dev/null || echo refused`, "refused"},
		{"descriptors", `ls /proc/self/fd | tr '\n' ' '`, "0 1 2 3"},
		{"own host name", `uname -n`, "test"},
		{"environment from nothing", `env | cut -d= -f1 | grep -v '^_$\|PWD\|SHLVL' | sort | tr '\n' ' '`, "HOME LANG PATH"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			t.Setenv("SECRET", "do not leak")
			b := shell(t, tc.script)
			b.ok()
			b.want(tc.want)
		})
	}
}

func TestBindIsReadonlyUnlessWritable(t *testing.T) {
	b := shell(t, "cat /src/a; (echo new > /src/a) 2>/dev/null || echo refused; echo built > /out/b")
	os.WriteFile(filepath.Join(b.project, "a"), []byte("source\n"), 0o644)
	out := t.TempDir()
	b.def.Mounts = []definition.Mount{
		{Type: definition.MountBind, Source: b.project, Target: "/src"},
		{Type: definition.MountBind, Source: out, Target: "/out", Write: true},
	}
	b.ok()
	b.want("source\nrefused")
	if text, _ := os.ReadFile(filepath.Join(out, "b")); string(text) != "built\n" {
		t.Errorf("the writable bind has %q", text)
	}
}

func TestArtifacts(t *testing.T) {
	b := shell(t, "mkdir -p /out/d; echo 1 > /out/a; echo 2 > /out/d/b; ln -s a /out/link; exit $CODE")
	b.def.Mounts = []definition.Mount{{Type: definition.MountTmpfs, Target: "/out"}}
	dist := filepath.Join(b.project, "dist")
	b.def.Artifacts = []definition.Artifact{{Path: "/out", Target: dist}}
	b.def.Process.Env = []definition.EnvVar{{Name: "CODE", Value: "0"}}
	b.ok()
	for name, want := range map[string]string{"a": "1\n", "d/b": "2\n"} {
		if text, _ := os.ReadFile(filepath.Join(dist, name)); string(text) != want {
			t.Errorf("%s has %q", name, text)
		}
	}
}

func TestMissingArtifactFailsTheRun(t *testing.T) {
	b := shell(t, "true")
	b.def.Artifacts = []definition.Artifact{{Path: "/nowhere", Target: filepath.Join(b.project, "dist")}}
	r, err := b.run()
	if err != nil || r.Verdict != definition.VerdictFailed || r.ExitCode != 1 || !strings.Contains(r.Failure.Reason, "/nowhere") {
		t.Errorf("verdict %s, code %d, failure %+v, error %v", r.Verdict, r.ExitCode, r.Failure, err)
	}
}

func TestPrograms(t *testing.T) {
	for _, tc := range []struct {
		name, content, cause string
		mode                 os.FileMode
		code                 int
	}{
		{"missing", "", "no such file or directory", 0, 127},
		{"plain", "#!/bin/sh\n", "is not executable (mode 0644)", 0o644, 126},
		{"nointerpreter", "#!/no/such/shell\n", "the interpreter /no/such/shell", 0o755, 127},
		{"crlf", "#!/bin/sh\r\ntrue\r\n", "CR LF", 0o755, 127},
		{"text", "echo hello\n", "neither a program nor a script", 0o755, 126},
		{"foreign", "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x15\x00" + strings.Repeat("\x00", 100), "another architecture", 0o755, 126},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := shell(t, "")
			path := filepath.Join(b.project, tc.name)
			if tc.mode != 0 {
				if err := os.WriteFile(path, []byte(tc.content), tc.mode); err != nil {
					t.Fatal(err)
				}
			}
			b.def.Mounts = []definition.Mount{{Type: definition.MountBind, Source: b.project, Target: "/src"}}
			b.def.Process.Args = []string{"/src/" + tc.name}
			r, err := b.run()
			var failed *sandbox.Error
			if !errors.As(err, &failed) || r.ExitCode != tc.code || !strings.Contains(err.Error(), tc.cause) {
				t.Errorf("code %d, error %v, want %d and %q", r.ExitCode, err, tc.code, tc.cause)
			}
			if r.Started {
				t.Error("the payload counts as started")
			}
		})
	}
	t.Run("in PATH", func(t *testing.T) {
		b := shell(t, "")
		b.def.Process.Args = []string{"no-such-program"}
		r, err := b.run()
		if err == nil || r.ExitCode != 127 || !strings.Contains(err.Error(), "PATH") {
			t.Errorf("code %d, error %v", r.ExitCode, err)
		}
	})
}

func TestWallLimit(t *testing.T) {
	b := shell(t, "trap '' TERM; while :; do sleep 1; done")
	b.def.Process.Args = []string{"/bin/sleep", "1000"}
	b.def.Limits.Wall = definition.Duration(200 * time.Millisecond)
	r, err := b.run()
	if err != nil || r.Verdict != definition.VerdictTimeout || r.ExitCode != 124 || r.Limit != "wall" || r.LimitValue != "200ms" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestIdleLimit(t *testing.T) {
	b := shell(t, "echo start; sleep 1000")
	b.def.Limits.Idle = definition.Duration(300 * time.Millisecond)
	r, err := b.run()
	if err != nil || r.Verdict != definition.VerdictTimeout || r.Limit != "idle" {
		t.Errorf("%+v, %v", r, err)
	}
	b.want("start")
}

func TestOutputLimit(t *testing.T) {
	b := shell(t, "yes")
	b.def.Limits.Output = 1000
	r, err := b.run()
	if err != nil || r.Verdict != definition.VerdictTimeout || r.Limit != "output" || len(b.stdout) != 1000 {
		t.Errorf("%+v, %v, %d bytes", r, err, len(b.stdout))
	}
}

func TestCPUTimeLimit(t *testing.T) {
	b := shell(t, "while :; do :; done")
	b.def.Limits.CPUTime = definition.Duration(300 * time.Millisecond)
	r, err := b.run()
	if err != nil || r.Verdict != definition.VerdictTimeout || r.Limit != "cpu_time" || r.CPU < b.def.Limits.CPUTime {
		t.Errorf("%+v, %v", r, err)
	}
}

// What is in memory by default cannot take all of it together. A limit of memory
// bounds it instead, and a size of the recipe's is what the recipe says.
func TestDefaultSizes(t *testing.T) {
	const script = `awk '/MemTotal/ { print $2 }' /proc/meminfo; for d in / /run /dev/shm /tmp; do stat -f -c '%b %S' $d; done | awk '{ print $1 * $2 / 1024 }'`
	sizes := func(t *testing.T, b *bed) (total, sum, tmp int64) {
		b.ok()
		var root, run, shm int64
		if n, err := fmt.Sscan(b.stdout, &total, &root, &run, &shm, &tmp); n != 5 {
			t.Fatalf("%q: %v", b.stdout, err)
		}
		return total, root + run + shm + tmp, tmp
	}
	t.Run("default", func(t *testing.T) {
		total, sum, tmp := sizes(t, shell(t, script))
		if sum >= total || tmp < total/5 || tmp > total/3 {
			t.Errorf("%d KiB in memory of %d, %d in /tmp", sum, total, tmp)
		}
	})
	t.Run("of the recipe", func(t *testing.T) {
		b := shell(t, script)
		b.def.Mounts = []definition.Mount{{Type: definition.MountTmpfs, Target: "/tmp", Size: 3 << 20}}
		if _, _, tmp := sizes(t, b); tmp != 3<<10 {
			t.Errorf("/tmp has %d KiB", tmp)
		}
	})
	t.Run("limit of memory", func(t *testing.T) {
		b := shell(t, script)
		memory := definition.Bytes(256 << 20)
		b.def.Limits.Memory = &memory
		needLimits(t, b.def.Limits)
		if total, _, tmp := sizes(t, b); tmp < total*2/5 {
			t.Errorf("/tmp has %d KiB of %d", tmp, total)
		}
	})
}

// needLimits skips limits that this user cannot set here; root always can, and so can
// who has been given the controllers.
func needLimits(t *testing.T, limits definition.Limits) {
	t.Helper()
	layout, err := cgroups.Probe(true, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, missing := cgroups.Resolve(layout, limits)
	for _, m := range missing {
		if isRoot() || floor.TryCgroups().Limits(m.Controller) {
			t.Fatalf("%s, though this user can have it", m)
		}
	}
	if len(missing) > 0 {
		t.Skipf("missing: %s", missing[0])
	}
}

func TestMemoryLimit(t *testing.T) {
	b := shell(t, "exec awk 'BEGIN { s = \"x\"; while (1) s = s s }'")
	memory := definition.Bytes(32 << 20)
	b.def.Limits.Memory = &memory
	needLimits(t, b.def.Limits)
	r, err := b.run()
	if err != nil || r.Verdict != definition.VerdictOOM || r.ExitCode != 137 || r.OOMKills == 0 || r.Limit != "memory" {
		t.Errorf("%+v, %v", r, err)
	}
	if r.Peak.Memory == nil || *r.Peak.Memory < 16<<20 || *r.Peak.Memory > memory {
		t.Errorf("peak %v", r.Peak.Memory)
	}
}

func TestPidsLimit(t *testing.T) {
	b := shell(t, "for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; kill $(jobs -p)")
	pids := int64(5)
	b.def.Limits.Pids = &pids
	needLimits(t, b.def.Limits)
	r, err := b.run()
	if err != nil || r.ExitCode == 0 || !strings.Contains(b.stderr, "fork") {
		t.Errorf("code %d, %v, stderr %q", r.ExitCode, err, b.stderr)
	}
}

// TestCgroupMountedElsewhere needs the cgroup before /sys, which is of the net namespace.
func TestCgroupMountedElsewhere(t *testing.T) {
	needRoot(t, "a cgroup, which an ordinary user may not have")
	b := shell(t, "test -e /cg/cgroup.procs || test -d /cg/memory && echo there")
	b.def.Mounts = []definition.Mount{{Type: definition.MountCgroup, Target: "/cg"}}
	b.ok()
	b.want("there")
}

// TestFewFiles: a small limit of descriptors holds for the payload, not for its set-up.
func TestFewFiles(t *testing.T) {
	for _, r := range []definition.Rlimit{{Name: "nofile", Soft: 16, Hard: 2048}, {Name: "nofile", Soft: 16, Hard: 16}, {Name: "nofile", Soft: 2000, Hard: 2000}} {
		b := shell(t, "echo $(ulimit -Sn) $(ulimit -Hn)")
		b.def.Rlimits = []definition.Rlimit{r}
		b.ok()
		b.want(fmt.Sprint(r.Soft, r.Hard))
	}
}

// TestStoppedKeeper: a payload that can signal its keeper is ended all the same.
func TestStoppedKeeper(t *testing.T) {
	b := shell(t, "kill -STOP $PPID; sleep 4244")
	b.def.Namespaces = definition.Namespaces{PID: definition.NamespaceHost}
	b.def.Limits.Wall = definition.Duration(300 * time.Millisecond)
	began := time.Now()
	r, err := b.run()
	if err != nil || r.Verdict != definition.VerdictTimeout || r.Limit != "wall" || time.Since(began) > 15*time.Second {
		t.Errorf("%+v, %v, after %s", r, err, time.Since(began))
	}
}

// TestKeeperIsEmpty: by the time the payload runs, PID 1 has none of the host's
// folders open and no capability.
func TestKeeperIsEmpty(t *testing.T) {
	needRoot(t, "capabilities in the host's user namespace")
	caps := []string{"SYS_PTRACE", "DAC_OVERRIDE", "DAC_READ_SEARCH"}
	for range 30 {
		b := shell(t, "ls /proc/1/fd | tr '\\n' ' '; grep CapEff /proc/1/status")
		b.def.Namespaces = definition.Namespaces{User: definition.NamespaceHost}
		b.def.Caps = definition.Capabilities{Bounding: caps, Effective: caps, Permitted: caps}
		b.ok()
		b.want("3 CapEff:\t0000000000000000")
	}
}

func TestSignalsAreForwarded(t *testing.T) {
	signals := make(chan os.Signal, 1)
	b := shell(t, `trap 'echo got it; exit 3' TERM; echo ready; while :; do sleep 0.05; done`)
	b.hooks = new(hooks).add(definition.StagePoststart, "term", func(ctx context.Context, call definition.HookCall) error {
		signals <- unix.SIGTERM
		return nil
	})
	b.options = func(o *sandbox.Options) { o.Signals = heard(signals) }
	b.def.Limits.Wall = definition.Duration(10 * time.Second)
	r, err := b.run()
	if err != nil || (r.ExitCode != 3 && r.Verdict != definition.VerdictKilled) {
		t.Errorf("verdict %s, code %d, error %v", r.Verdict, r.ExitCode, err)
	}
}

func TestDeathByForwardedSignalIsKilled(t *testing.T) {
	signals := make(chan os.Signal, 1)
	b := shell(t, "exec sleep 1000")
	b.hooks = new(hooks).add(definition.StagePoststart, "int", func(ctx context.Context, call definition.HookCall) error {
		signals <- unix.SIGINT
		return nil
	})
	b.options = func(o *sandbox.Options) { o.Signals = heard(signals) }
	r, err := b.run()
	if err != nil || r.Verdict != definition.VerdictKilled || r.ExitCode != 130 {
		t.Errorf("verdict %s, code %d, error %v", r.Verdict, r.ExitCode, err)
	}
}

func TestSignalDuringSetUpEndsIt(t *testing.T) {
	signals := make(chan os.Signal, 1)
	b := shell(t, "true")
	b.hooks = new(hooks).add(definition.StagePrestart, "slow", func(ctx context.Context, call definition.HookCall) error {
		signals <- unix.SIGINT
		<-ctx.Done()
		return ctx.Err()
	}).add(definition.StagePoststop, "after", nothing)
	b.options = func(o *sandbox.Options) { o.Signals = heard(signals) }
	r, _ := b.run()
	if r.Verdict != definition.VerdictKilled || r.ExitCode != 130 || r.Started {
		t.Errorf("%+v", r)
	}
	if got := strings.Join(b.hooks.ran, " "); got != "slow after" {
		t.Errorf("hooks ran: %s", got)
	}
}

func TestIDInUse(t *testing.T) {
	b := shell(t, "true")
	b.hooks = new(hooks).add(definition.StagePrestart, "again", func(ctx context.Context, call definition.HookCall) error {
		o := options(t, &definition.Definition{Rootfs: b.def.Rootfs, Process: b.def.Process})
		o.ID = call.Host.ID()
		if _, err := sandbox.Run(ctx, o); err == nil || !strings.Contains(err.Error(), "is in use") {
			t.Errorf("error %v", err)
		}
		return nil
	})
	b.options = func(o *sandbox.Options) { o.ID = "taken" }
	b.ok()
}

// The output may be over its limit before the supervisor knows that the payload runs.
func TestOutputLimitAtOnce(t *testing.T) {
	for range 30 {
		b := shell(t, "echo 0123456789; exec sleep 60")
		b.def.Limits.Output = 4
		r, err := b.run()
		if err != nil || r.Verdict != definition.VerdictTimeout || r.ExitCode != 124 || r.Limit != "output" || b.stdout != "0123" {
			t.Fatalf("%+v, %v, stdout %q", r, err, b.stdout)
		}
	}
}
