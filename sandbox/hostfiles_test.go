package sandbox_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/internal/leakcheck"
	"sandbox/sandbox"
	"sandbox/sandbox/definition"
)

// hostShell prepares a container in the host's mount namespace, on its own files.
func hostShell(t *testing.T, script string) *bed {
	t.Helper()
	b := shell(t, script)
	b.def.Rootfs, b.def.Namespaces.Mount = definition.Rootfs{}, definition.NamespaceHost
	return b
}

// The files are the host's, all else is as isolated as ever.
func TestHostFiles(t *testing.T) {
	var root unix.Stat_t
	if err := unix.Stat("/", &root); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ what, script, want string }{
		{"the host's root", `stat -c %i /`, fmt.Sprint(root.Ino)},
		{"its files", `cat in; echo changed > in`, "from the host"},
		{"no network but lo", `tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '`, "lo"},
		{"payload is PID 2", `echo $$`, "2"},
		{"no signal to the host", `kill -0 $PPID && echo init; kill -0 ` + fmt.Sprint(os.Getpid()) + ` 2>/dev/null || echo refused`, "init\nrefused"},
		{"no look at the runner", `readlink /proc/` + fmt.Sprint(os.Getpid()) + `/exe || echo refused`, "refused"},
		{"no mount", `mkdir m; mount -t tmpfs x m 2>/dev/null || echo refused`, "refused"},
		{"no new privileges", `grep NoNewPrivs /proc/self/status | cut -f2`, "1"},
		{"seccomp", `grep Seccomp: /proc/self/status | cut -f2`, "2"},
		{"capabilities", `grep CapBnd /proc/self/status | cut -f2`, "00000000000004fb"},
		{"descriptors", `ls /proc/self/fd | tr '\n' ' '`, "0 1 2 3"},
		{"own host name", `uname -n`, "test"},
		{"environment from nothing", `env | cut -d= -f1 | grep -v '^_$\|PWD\|SHLVL' | sort | tr '\n' ' '`, "HOME LANG PATH"},
		{"a home that can be written", `touch $HOME/.sandbox-test && rm $HOME/.sandbox-test && echo written`, "written"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			b := hostShell(t, tc.script)
			b.def.Process.Cwd = b.project
			in := filepath.Join(b.project, "in")
			if err := os.WriteFile(in, []byte("from the host\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			r := b.ok()
			b.want(tc.want)
			if text, _ := os.ReadFile(in); tc.what == "its files" && string(text) != "changed\n" {
				t.Errorf("the host's file has %q", text)
			}
			if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, "own files") {
				t.Errorf("nothing says what is lost: %q", notes)
			}
		})
	}
}

// The payload's uid is what guards the host: as root another one, and an ordinary
// user's own.
func TestHostFilesOfOthers(t *testing.T) {
	const file = "/usr/sandbox-test-file"
	b := hostShell(t, "cat /etc/shadow 2>/dev/null | wc -c; (echo x > "+file+") 2>/dev/null || echo refused")
	if isRoot() {
		b.def.Process.User = "65534:65534"
	}
	t.Cleanup(func() { os.Remove(file) })
	b.ok()
	b.want("0\nrefused")
}

// Hooks act on the host's files, and follow no link there: it may be the payload's.
func TestHostFilesInHooks(t *testing.T) {
	b := hostShell(t, `cat seed; mkdir d; echo secret > d/target; ln -s d/target link; ln -s d dir; exec sleep 1000`)
	b.def.Process.Cwd = b.project
	at := func(name string) string { return filepath.Join(b.project, name) }
	b.hooks = new(hooks).add(definition.StagePrestart, "seed", func(ctx context.Context, call definition.HookCall) error {
		return call.Host.Write(ctx, at("seed"), []byte("sown\n"), 0o644)
	}).add(definition.StagePoststart, "exec", func(ctx context.Context, call definition.HookCall) error {
		r, err := call.Host.Exec(ctx, definition.ExecRequest{Args: []string{"/bin/sh", "-c", "until [ -L dir ]; do sleep 0.01; done; tail -n +3 /proc/net/dev | cut -d: -f1"}})
		if err != nil || strings.TrimSpace(string(r.Stdout)) != "lo" {
			t.Errorf("exec: %+v, %s, %s, %v", r, r.Stdout, r.Stderr, err)
		}
		return call.Host.Signal(ctx, "TERM")
	}).add(definition.StageCollect, "look", func(ctx context.Context, call definition.HookCall) error {
		if text, err := call.Host.Read(ctx, at("d/target")); err != nil || string(text) != "secret\n" {
			t.Errorf("read %q, %v", text, err)
		}
		for _, name := range []string{"link", "dir/target"} {
			if text, err := call.Host.Read(ctx, at(name)); err == nil || !strings.Contains(err.Error(), "is a link") {
				t.Errorf("%s: read %q, %v", name, text, err)
			}
			if err := call.Host.Write(ctx, at(name), nil, 0o644); err == nil {
				t.Errorf("%s is written through a link", name)
			}
			if err := call.Host.CopyOut(ctx, at(name), "copy"); err == nil {
				t.Errorf("%s is copied through a link", name)
			}
		}
		return nil
	})
	r, err := b.run()
	if err != nil || r.Signal != "TERM" || r.Failure != nil {
		t.Errorf("signal %q, failure %+v, error %v", r.Signal, r.Failure, err)
	}
	b.want("sown")
}

func TestHostFilesVariants(t *testing.T) {
	for _, tc := range []struct {
		what, script, want string
		change             func(*definition.Definition)
	}{
		{"init = false", `echo $$`, "1", func(d *definition.Definition) { d.Process.NoInit = true }},
		{"host pids", `test $$ -gt 2 && echo many`, "many", func(d *definition.Definition) { d.Namespaces.PID = definition.NamespaceHost }},
		{"oom score", `cat /proc/self/oom_score_adj`, "500", func(d *definition.Definition) { n := 500; d.Process.OOMScoreAdj = &n }},
		{"sysctl", `cat /proc/sys/net/ipv4/ip_default_ttl`, "99", func(d *definition.Definition) {
			d.Sysctl = []definition.Sysctl{{Name: "net.ipv4.ip_default_ttl", Value: "99"}}
		}},
		{"nothing of its own", `uname -n`, hostname(t), func(d *definition.Definition) {
			const host = definition.NamespaceHost
			d.Namespaces.PID, d.Namespaces.IPC, d.Namespaces.UTS, d.Namespaces.Cgroup, d.Network = host, host, host, host, definition.NetworkHost
		}},
	} {
		t.Run(tc.what, func(t *testing.T) {
			b := hostShell(t, tc.script)
			tc.change(&b.def)
			b.ok()
			b.want(tc.want)
		})
	}
	t.Run("user by name", func(t *testing.T) {
		needIDs(t)
		b := hostShell(t, "id -un; id -gn")
		b.def.Process.User = "games"
		b.ok()
		b.want("games\ngames")
	})
	t.Run("missing program", func(t *testing.T) {
		b := hostShell(t, "")
		b.def.Process.Args = []string{"/bin/no-such-program"}
		if r, err := b.run(); err == nil || r.ExitCode != 127 || !strings.Contains(err.Error(), "no such file") {
			t.Errorf("code %d, error %v", r.ExitCode, err)
		}
	})
	t.Run("limits", func(t *testing.T) {
		b := hostShell(t, "for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; kill $(jobs -p)")
		pids := int64(5)
		b.def.Limits.Pids = &pids
		needLimits(t, b.def.Limits)
		if r, err := b.run(); err != nil || r.ExitCode == 0 || !strings.Contains(b.stderr, "fork") {
			t.Errorf("code %d, %v, stderr %q", r.ExitCode, err, b.stderr)
		}
	})
}

func hostname(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// Where nothing of the host's is the container's own, a hook has nothing to enter.
func TestExecWithoutNamespaces(t *testing.T) {
	needRoot(t, "sharing the host's user namespace")
	b := hostShell(t, "exec sleep 1000")
	const host = definition.NamespaceHost
	b.def.Namespaces = definition.Namespaces{Mount: host, IPC: host, UTS: host, Cgroup: host, User: host, PID: host}
	b.def.Network, b.def.Process.User = definition.NetworkHost, "65534:65534"
	b.hooks = new(hooks).add(definition.StagePoststart, "exec", func(ctx context.Context, call definition.HookCall) error {
		r, err := call.Host.Exec(ctx, definition.ExecRequest{Args: []string{"/usr/bin/id", "-u"}})
		if err != nil || string(r.Stdout) != "65534\n" {
			t.Errorf("exec: %+v, %s, %s, %v", r, r.Stdout, r.Stderr, err)
		}
		return call.Host.Signal(ctx, "TERM")
	})
	if r, err := b.run(); err != nil || r.Signal != "TERM" {
		t.Errorf("signal %q, error %v", r.Signal, err)
	}
}

// Root of a user namespace does not own the mount namespace that it is in, and can
// mount no procfs there: the maps of the payload's user namespace are written
// through the host's /proc, where PID 2 is another process.
func TestHostFilesInAnotherUserNamespace(t *testing.T) {
	needRoot(t, "a user namespace in which groups can be set")
	state := filepath.Join(t.TempDir(), "state")
	leakcheck.Check(t, state)
	cmd := supervise(t, jobHostFiles, state)
	all := []syscall.SysProcIDMap{{Size: 1000}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER, UidMappings: all, GidMappings: all, GidMappingsEnableSetgroups: true}
	out, err := outputOf(cmd)
	if err != nil || out != "0 0 1000 2\n" {
		t.Errorf("the payload said %q, %v", out, err)
	}
}

const jobHostFiles = "host files"

// hostFilesSupervisor is what TestHostFilesInAnotherUserNamespace runs.
func hostFilesSupervisor() error {
	def := definition.Definition{
		Namespaces: definition.Namespaces{Mount: definition.NamespaceHost},
		Process:    definition.Process{Args: []string{"/bin/sh", "-c", "echo $(cat /proc/self/uid_map) $$"}},
	}
	o := options(&testing.B{}, &def)
	o.Stdout, o.Stderr = os.Stdout, os.Stderr
	r, err := sandbox.Run(context.Background(), o)
	if err == nil && r.ExitCode != 0 {
		err = fmt.Errorf("code %d, %v", r.ExitCode, r.Failure)
	}
	return err
}

// outputOf is what a command prints; its standard error is kept where it goes.
func outputOf(cmd *exec.Cmd) (string, error) {
	var out strings.Builder
	cmd.Stdout = &out
	err := cmd.Run()
	return out.String(), err
}
