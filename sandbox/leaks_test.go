package sandbox_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/internal/leakcheck"
	"sandbox/sandbox"
	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
)

// A failure at any step of the plan leaves nothing behind, and poststop runs.
func TestEveryStepMayFail(t *testing.T) {
	full := func(t *testing.T) *bed {
		b := shell(t, "true")
		b.def.Mounts = []definition.Mount{
			{Type: definition.MountBind, Source: b.project, Target: "/src"},
			{Type: definition.MountTmpfs, Target: "/scratch"},
			{Type: definition.MountFile, Target: "/etc/made", Content: "x"},
			{Type: definition.MountCache, Source: "c", Target: "/cache"},
		}
		b.def.Limits.BestEffort = true
		memory, pids := definition.Bytes(256<<20), int64(64)
		b.def.Limits.Memory, b.def.Limits.Pids = &memory, &pids
		b.hooks = new(hooks)
		for _, s := range []definition.Stage{definition.StagePrestart, definition.StagePoststart, definition.StageCollect, definition.StagePoststop} {
			b.hooks.add(s, string(s), nothing)
		}
		return b
	}
	steps := len(full(t).prepare().Plan.Steps)
	if steps < 30 {
		t.Fatalf("the plan has only %d steps", steps)
	}
	for n := 0; n <= steps; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			b := full(t)
			b.change = func(p *plan.Plan) { insertFailure(p, n) }
			r, _ := b.run()
			if r.Verdict != definition.VerdictFailed || r.ExitCode == 0 {
				t.Errorf("verdict %s, code %d with a failure at step %d", r.Verdict, r.ExitCode, n)
			}
			if last := b.hooks.ran; len(last) == 0 || last[len(last)-1] != "poststop" {
				t.Errorf("hooks ran: %v", last)
			}
		})
	}
}

// insertFailure puts a step that cannot succeed before step n, on the side where
// the plan is at that point.
func insertFailure(p *plan.Plan, n int) {
	var op plan.Op = plan.MakeCache{Name: "broken", Path: "/proc/self/nowhere"}
	side := plan.Host
	if n < len(p.Steps) && p.Steps[n].Side == plan.Init {
		op, side = plan.SetCwd{Path: "/no/such/folder"}, plan.Init
	}
	steps := append([]plan.Step{}, p.Steps[:n]...)
	steps = append(steps, plan.Step{Side: side, Op: op})
	p.Steps = append(steps, p.Steps[n:]...)
}

// supervisor is what a killed supervisor runs; see TestSupervisorKilled.
func supervisor(job string) {
	sleepers := []string{"/bin/sh", "-c", "sleep 4242 & sleep 4242 & wait"}
	def := definition.Definition{
		Name:    "killed",
		Rootfs:  definition.Rootfs{Kind: definition.RootfsHost},
		Process: definition.Process{Args: sleepers},
	}
	if job == jobSteps {
		job = string(definition.StagePoststart)
		def.Process.Args = nil
		def.Steps = []definition.Step{{Program: definition.Program{Name: "first", Args: sleepers}}}
		def.Services = []definition.Service{{Program: definition.Program{Name: "db", Args: sleepers}}}
	}
	h := new(hooks)
	park := func(ctx context.Context, call definition.HookCall) error {
		fmt.Println(call.Host.ID())
		<-ctx.Done()
		return nil
	}
	h.add(definition.Stage(job), "park", park)
	h.refs[0].Deadline = definition.Duration(time.Minute)
	h.add(definition.StagePoststop, "last", nothing)
	def.Hooks = h.refs
	o := options(&testing.B{}, &def)
	o.Hooks, o.Record = h, []byte("record")
	o.Stdout, o.Stderr = nil, nil
	if _, err := sandbox.Run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// jobSteps has a supervisor park when a service runs and steps are to come.
const jobSteps = "steps"

func TestSupervisorKilled(t *testing.T) {
	for _, job := range []string{string(definition.StagePrestart), string(definition.StagePoststart), jobSteps} {
		t.Run(job, func(t *testing.T) {
			state := filepath.Join(t.TempDir(), "state")
			leakcheck.Check(t, state)
			cmd := supervise(t, job, state)
			id := waitForLine(t, cmd)
			if job != string(definition.StagePrestart) {
				eventually(t, "the payload's start", func() bool { return processes("4242") > 0 })
			}
			cmd.Process.Kill()
			cmd.Wait()
			eventually(t, "the death of every process", func() bool { return processes("4242") == 0 })

			// The next supervisor removes the rest, and calls poststop once.
			h := new(hooks).add(definition.Stage("unused"), "unused", nothing).add(definition.StagePoststop, "last", nothing)
			var records []string
			revive := func(record []byte) (definition.Hooks, error) {
				records = append(records, string(record))
				return h, nil
			}
			for range 2 {
				if err := sandbox.Sweep(state, revive, func(line string) { t.Log(line) }); err != nil {
					t.Fatal(err)
				}
			}
			if strings.Join(records, " ") != "record" || strings.Join(h.ran, " ") != "last" {
				t.Errorf("revived %q, ran %q", records, h.ran)
			}
			if _, err := os.Stat(filepath.Join(state, id)); !os.IsNotExist(err) {
				t.Errorf("the state of %s is still there: %v", id, err)
			}
		})
	}
}

// waitForLine starts a supervisor and reads its first line; one that does not come to
// say it is killed, and the test fails.
func waitForLine(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = w, &said
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	r.SetReadDeadline(time.Now().Add(20 * time.Second))
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		t.Fatalf("the supervisor said nothing: %v\n%s", err, said.String())
	}
	return strings.TrimSpace(line)
}

// processes counts those with an argument.
func processes(argument string) int {
	lists, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	n := 0
	for _, path := range lists {
		text, _ := os.ReadFile(path)
		for _, arg := range strings.Split(string(text), "\x00") {
			if arg == argument {
				n++
			}
		}
	}
	return n
}

func TestSweepLeavesTheLivingAlone(t *testing.T) {
	b := shell(t, "echo alive")
	b.hooks = new(hooks).add(definition.StagePrestart, "sweep", func(ctx context.Context, call definition.HookCall) error {
		return sandbox.Sweep(b.state, nil, nil)
	})
	b.ok()
	b.want("alive")
}

func TestSweepRemovesUnfinishedState(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	leakcheck.Check(t, state)
	if err := os.MkdirAll(filepath.Join(state, ".tmp-x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := sandbox.Sweep(state, nil, nil); err != nil {
		t.Fatal(err)
	}
}

// TestSweepOfRemoved: a supervisor that was killed while it removed its state.
func TestSweepOfRemoved(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	leakcheck.Check(t, state)
	if err := os.MkdirAll(filepath.Join(state, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := sandbox.Sweep(state, nil, nil); err != nil {
		t.Fatal(err)
	}
}

// TestSlowSweep: while the hooks of a dead supervisor's container take their time,
// the limits of this one's payload hold, and signals reach it.
func TestSlowSweep(t *testing.T) {
	b := shell(t, "trap 'echo got TERM; exit 3' TERM; echo ready; while :; do sleep 0.02; done")
	cmd := supervise(t, string(definition.StagePoststart), b.state)
	waitForLine(t, cmd)
	cmd.Process.Kill()
	cmd.Wait()
	signals := make(chan os.Signal, 1)
	b.def.Process.Args = append(b.def.Process.Args, "4245")
	var out *os.File
	h := new(hooks).add(definition.Stage("unused"), "unused", nothing).add(definition.StagePoststop, "slow", func(ctx context.Context, call definition.HookCall) error {
		eventually(t, "the payload's trap", func() bool { return slurp(t, out) == "ready\n" })
		signals <- unix.SIGTERM
		eventually(t, "the payload's end", func() bool { return processes("4245") == 0 })
		return nil
	})
	b.options = func(o *sandbox.Options) {
		o.Signals, out = heard(signals), o.Stdout
		o.Revive = func([]byte) (definition.Hooks, error) { return h, nil }
	}
	r, err := b.run()
	if err != nil || r.ExitCode != 3 || strings.Join(h.ran, " ") != "last" {
		t.Errorf("%+v, %v, ran %q", r, err, h.ran)
	}
}

func TestStateFolderOfAnotherUserIsRefused(t *testing.T) {
	b := shell(t, "true")
	leakcheck.Check(t)
	o := b.prepare()
	o.Facts.StateDir = filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(o.Facts.StateDir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := unix.Chmod(o.Facts.StateDir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := sandbox.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "SANDBOX_STATE_DIR") {
		t.Errorf("error %v", err)
	}
}
