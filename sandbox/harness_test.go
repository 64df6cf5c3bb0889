package sandbox_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/internal/floor"
	"sandbox/internal/leakcheck"
	"sandbox/sandbox"
	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
	"sandbox/sandbox/probe"
	"sandbox/sandbox/seccomp"
)

func TestMain(m *testing.M) {
	switch job := os.Getenv("SANDBOX_TEST_SUPERVISOR"); job {
	case "":
	case jobAlone:
		if err := aloneSupervisor(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	case jobHostFiles:
		if err := hostFilesSupervisor(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	default:
		supervisor(job)
		return
	}
	if name := os.Getenv("SANDBOX_TEST_PAYLOAD"); name != "" {
		payload(name)
		return
	}
	os.Exit(floor.Kernel(m))
}

// bed is one run being prepared: a definition, and what surrounds it.
type bed struct {
	t       *testing.T
	def     definition.Definition
	hooks   *hooks
	state   string
	project string
	stdin   string
	change  func(*plan.Plan)
	options func(*sandbox.Options)

	stdout, stderr string
}

// shell prepares a container of the host's files that runs a shell script.
func shell(t *testing.T, script string) *bed {
	t.Helper()
	b := &bed{t: t, state: filepath.Join(t.TempDir(), "state"), project: t.TempDir()}
	b.def = definition.Definition{
		Name:    "test",
		Rootfs:  definition.Rootfs{Kind: definition.RootfsHost},
		Process: definition.Process{Args: []string{"/bin/sh", "-c", script}},
	}
	b.def.Project = b.project
	return b
}

// run compiles and runs the definition, and checks that nothing is left behind.
func (b *bed) run() (*definition.Result, error) {
	b.t.Helper()
	leakcheck.Check(b.t, b.state)
	o := b.prepare()
	result, err := sandbox.Run(b.t.Context(), o)
	b.stdout, b.stderr = slurp(b.t, o.Stdout), slurp(b.t, o.Stderr)
	return result, err
}

func (b *bed) prepare() sandbox.Options {
	b.t.Helper()
	b.t.Setenv("SANDBOX_STATE_DIR", b.state)
	b.t.Setenv("SANDBOX_CACHE_DIR", filepath.Join(b.t.TempDir(), "cache"))
	if b.hooks != nil {
		b.def.Hooks = b.hooks.refs
	}
	o := options(b.t, &b.def)
	if b.hooks != nil {
		o.Hooks = b.hooks
	}
	dir := b.t.TempDir()
	in := filepath.Join(dir, "in")
	if err := os.WriteFile(in, []byte(b.stdin), 0o600); err != nil {
		b.t.Fatal(err)
	}
	o.Stdin, o.Stdout, o.Stderr = open(b.t, in, os.O_RDONLY), open(b.t, dir+"/out", os.O_RDWR|os.O_CREATE), open(b.t, dir+"/err", os.O_RDWR|os.O_CREATE)
	if b.change != nil {
		b.change(o.Plan)
	}
	if b.options != nil {
		b.options(&o)
	}
	return o
}

func options(t testing.TB, def *definition.Definition) sandbox.Options {
	t.Helper()
	facts, err := probe.Probe(plan.WantsOf(def))
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Compile(def, facts)
	if err != nil {
		t.Fatal(err)
	}
	return sandbox.Options{Definition: def, Plan: p, Facts: facts,
		Filter: func(s definition.Seccomp) ([]byte, error) {
			return seccomp.Filter(s, seccomp.Options{Arch: runtime.GOARCH})
		}}
}

func open(t *testing.T, path string, flags int) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func slurp(t *testing.T, f *os.File) string {
	t.Helper()
	text, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// ok runs and expects a payload that returned 0.
func (b *bed) ok() *definition.Result {
	b.t.Helper()
	r, err := b.run()
	if err != nil || r.Verdict != definition.VerdictExited || r.ExitCode != 0 {
		b.t.Fatalf("verdict %s, code %d, error %v, failure %+v\nstdout: %s\nstderr: %s", r.Verdict, r.ExitCode, err, r.Failure, b.stdout, b.stderr)
	}
	return r
}

// want compares what the payload printed.
func (b *bed) want(stdout string) {
	b.t.Helper()
	if got := strings.TrimSpace(b.stdout); got != stdout {
		b.t.Errorf("stdout %q, want %q (stderr %q)", got, stdout, b.stderr)
	}
}

// hooks are functions in Go where a recipe has them in Lua.
type hooks struct {
	refs  []definition.HookRef
	funcs []func(context.Context, definition.HookCall) definition.HookOutcome
	ran   []string
}

func (h *hooks) add(stage definition.Stage, label string, f func(context.Context, definition.HookCall) error) *hooks {
	return h.outcome(stage, label, func(ctx context.Context, call definition.HookCall) definition.HookOutcome {
		return definition.HookOutcome{Err: f(ctx, call)}
	})
}

func (h *hooks) outcome(stage definition.Stage, label string, f func(context.Context, definition.HookCall) definition.HookOutcome) *hooks {
	h.refs = append(h.refs, definition.HookRef{ID: len(h.refs) + 1, Stage: stage, Label: label,
		Origin: definition.Origin{File: "test.lua", Line: len(h.refs) + 1}})
	h.funcs = append(h.funcs, f)
	return h
}

func (h *hooks) Call(ctx context.Context, call definition.HookCall) definition.HookOutcome {
	h.ran = append(h.ran, call.Hook.Label)
	return h.funcs[call.Hook.ID-1](ctx, call)
}

func (h *hooks) Data() []byte { return nil }

func nothing(context.Context, definition.HookCall) error { return nil }

func isRoot() bool { return os.Geteuid() == 0 }

// needRoot skips what only root can do; the run as root does not skip it.
func needRoot(t *testing.T, what string) {
	t.Helper()
	if !isRoot() {
		t.Skipf("missing: root, for %s", what)
	}
}

// supervise runs this test binary as a supervisor of its own, which a test can kill.
func supervise(t *testing.T, job, state string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^$")
	cmd.Env = append(os.Environ(), "SANDBOX_TEST_SUPERVISOR="+job, "SANDBOX_STATE_DIR="+state)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("supervisor: %s", stderr.String())
		}
	})
	return cmd
}

// eventually waits for a condition that the kernel brings about.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
		unix.Nanosleep(&unix.Timespec{Nsec: 5e6}, nil)
	}
}

// heard lets a test send the user's signals.
func heard(signals <-chan os.Signal) func() (<-chan os.Signal, func()) {
	return func() (<-chan os.Signal, func()) { return signals, func() {} }
}
