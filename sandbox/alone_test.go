package sandbox_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/internal/leakcheck"
	"sandbox/sandbox"
	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
	"sandbox/sandbox/probe"
)

const jobAlone = "alone"

// TestAlone runs containers with a limit from a runner that is alone in a delegated v2
// cgroup: it moves to a leaf, as no process may be in a cgroup whose controllers are
// enabled, and whatever it has started goes there or waits.
func TestAlone(t *testing.T) {
	controllers, _ := os.ReadFile("/sys/fs/cgroup/cgroup.controllers")
	needRoot(t, "a delegated cgroup of its own")
	if !strings.Contains(string(controllers), "memory") {
		if host, err := cgroups.Probe(true, nil); err != nil || host.Mode == cgroups.ModeV2 {
			t.Fatalf("no memory controller at /sys/fs/cgroup without the v1 hierarchies: %+v, %v", host, err)
		}
		t.Skip("missing: the memory controller on cgroup v2")
	}
	if err := os.WriteFile("/sys/fs/cgroup/cgroup.subtree_control", []byte("+memory"), 0); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(t.TempDir(), "state")
	leakcheck.Check(t, state)
	dir := fmt.Sprintf("/sys/fs/cgroup/sandbox-alone-%d", os.Getpid())
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	if err := unix.Setxattr(dir, "trusted.delegate", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, ahead := range []string{"", "ahead"} {
		cmd := exec.Command("/bin/sh", "-c", `echo $$ >"$0/cgroup.procs"; exec "$1"`, dir, self)
		cmd.Env = append(os.Environ(), "SANDBOX_TEST_SUPERVISOR="+jobAlone, "SANDBOX_TEST_AHEAD="+ahead, "SANDBOX_STATE_DIR="+state)
		out, err := cmd.CombinedOutput()
		if want := "alone\n" + dir + "\n"; err != nil || string(out) != want {
			t.Errorf("%q: %v, %s", ahead, err, out)
		}
	}
}

// aloneSupervisor runs a container with a limit, and prints the folder its cgroup is in.
func aloneSupervisor() error {
	def := definition.Definition{Name: "alone", Rootfs: definition.Rootfs{Kind: definition.RootfsHost},
		Process: definition.Process{Args: []string{"/bin/echo", "alone"}}}
	memory := definition.Bytes(64 << 20)
	def.Limits.Memory = &memory
	launcher := nsinit.NewLauncher()
	defer launcher.Close()
	if os.Getenv("SANDBOX_TEST_AHEAD") != "" {
		launcher.Ahead(nsinit.Spawn{Namespaces: []string{"mount", "pid", "ipc", "uts"}, Net: true, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
	}
	wants := plan.WantsOf(&def)
	wants.Own = launcher.Started
	facts, err := probe.Probe(wants)
	if err != nil {
		return err
	}
	p, err := plan.Compile(&def, facts)
	if err != nil {
		return err
	}
	o := options(&testing.B{}, &def)
	o.Plan, o.Facts, o.Launcher = p, facts, launcher
	o.Stdin, o.Stdout, o.Stderr = os.Stdin, os.Stdout, os.Stderr
	r, err := sandbox.Run(context.Background(), o)
	if err == nil && (r.ExitCode != 0 || strings.Contains(strings.Join(r.Notes, "\n"), "cgroup")) {
		err = fmt.Errorf("%+v", r)
	}
	for i := range p.Steps {
		if op, ok := p.Steps[i].Op.(plan.CreateCgroup); ok {
			fmt.Println(op.Setting.Dirs[0].Parent)
		}
	}
	return err
}
