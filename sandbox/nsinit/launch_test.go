package nsinit

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
)

// allNamespaces are those that the clone makes for root.
var allNamespaces = []string{"mount", "pid", "net", "ipc", "uts", "cgroup"}

// testContext bounds every wait of a test.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// newTestLauncher returns a launcher whose test must leave no process and no
// descriptor behind.
func newTestLauncher(t *testing.T) *Launcher {
	t.Helper()
	before := openFDs(t)
	l := NewLauncher()
	t.Cleanup(func() {
		l.Close()
		var status unix.WaitStatus
		if pid, err := unix.Wait4(-1, &status, unix.WNOHANG|unix.WALL, nil); err != unix.ECHILD {
			t.Errorf("a child is left: %d, %v", pid, err)
		}
		if after := openFDs(t); after > before {
			t.Errorf("%d descriptors open, %d before", after, before)
		}
	})
	return l
}

func openFDs(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// lower adds ops, each as the step of its index.
func lower(t *testing.T, in *Init, ops ...plan.Op) {
	t.Helper()
	for i, op := range ops {
		in.Step(i)
		if mine, err := in.Lower(op); err != nil || !mine {
			t.Fatalf("lower %s: %v, %v", op, mine, err)
		}
	}
}

func start(t *testing.T, l *Launcher, in *Init, s Spawn) *Child {
	t.Helper()
	c, err := l.Start(in, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func exited(t testing.TB, c *Child) Exit {
	t.Helper()
	e, ended := c.Wait(t.Context(), time.Now().Add(20*time.Second))
	if !ended {
		t.Fatal("init did not end")
	}
	return e
}

func sh(script string) plan.Exec {
	return plan.Exec{Args: []string{"sh", "-c", script}, Env: []definition.EnvVar{{Name: "PATH", Value: "/usr/bin:/bin"}}}
}

// run runs ops to the payload's end, and returns its output.
func run(t *testing.T, namespaces []string, ops ...plan.Op) (string, Exit) {
	t.Helper()
	l, in := newTestLauncher(t), NewInit()
	lower(t, in, ops...)
	return collect(t, l, in, Spawn{Namespaces: namespaces})
}

func collect(t *testing.T, l *Launcher, in *Init, s Spawn) (string, Exit) {
	t.Helper()
	var c *Child
	return collectChild(t, l, in, s, &c)
}

func collectChild(t *testing.T, l *Launcher, in *Init, s Spawn, child **Child) (string, Exit) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s.Stdout, s.Stderr = w, w
	c := start(t, l, in, s)
	*child = c
	w.Close()
	if err := c.AwaitExec(testContext(t)); err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(out)), exited(t, c)
}

func requireRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("missing: CAP_SYS_ADMIN in the initial user namespace")
	}
}

func TestPayloadThroughKeeper(t *testing.T) {
	requireRoot(t)
	for _, test := range []struct {
		script string
		want   unix.WaitStatus
	}{
		{"exit 0", 0}, {"exit 42", 42 << 8}, {"kill -TERM $$", unix.WaitStatus(unix.SIGTERM)},
		{"kill -KILL $$", unix.WaitStatus(unix.SIGKILL)}, {"(true & true &); sleep 0.01; exit 3", 3 << 8},
	} {
		t.Run(test.script, func(t *testing.T) {
			out, e := run(t, allNamespaces, plan.DieWithSupervisor{}, plan.ClonePayload{PID: true},
				plan.NewSession{}, plan.CloseFDs{}, sh("echo $$; "+test.script))
			if e.Rusage.Maxrss < 100 || e.Rusage.Maxrss > 5000 { // KiB: a shell's, not the test's
				t.Errorf("maxrss %d", e.Rusage.Maxrss)
			}
			if out != "2" || e.Status&^0x80 != test.want || !e.Reported || e.PID != 2 {
				t.Errorf("output %q, exit %+v, want status %#x", out, e, test.want)
			}
		})
	}
}

func TestExecErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		if err := os.WriteFile(dir+"/"+name, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return dir + "/" + name
	}
	write("plain", "#!/bin/sh\n", 0o644)
	path := []definition.EnvVar{{Name: "PATH", Value: "/nonexistent:" + dir + ":relative::/usr/bin"}}
	for _, test := range []struct {
		arg  string
		want unix.Errno
	}{
		{"/nonexistent/true", unix.ENOENT},
		{"no-such-program", unix.ENOENT},
		{"plain", unix.EACCES},
		{dir, unix.EACCES},
		{write("script", "echo no interpreter line\n", 0o755), unix.ENOEXEC},
		{write("interpreter", "#!/nonexistent\n", 0o755), unix.ENOENT},
		{write("file", "", 0o644) + "/x", unix.ENOTDIR},
		{"script", unix.ENOEXEC},
	} {
		t.Run(test.arg, func(t *testing.T) {
			l, in := newTestLauncher(t), NewInit()
			lower(t, in, plan.SetUmask{}, plan.CloseFDs{}, plan.Exec{Args: []string{test.arg}, Env: path})
			c := start(t, l, in, Spawn{})
			err := c.AwaitExec(testContext(t))
			var failed *StepError
			if !errors.As(err, &failed) || failed.Errno != test.want || failed.Step != 2 {
				t.Fatalf("got %#v, want %v", err, test.want)
			}
			if e := exited(t, c); e.Status.ExitStatus() != exitSetup {
				t.Errorf("exit %+v", e)
			}
		})
	}
}

func TestKilledWhileParked(t *testing.T) {
	l, in := newTestLauncher(t), NewInit()
	lower(t, in, plan.Sync{Point: "prestart"}, plan.CloseFDs{}, sh("true"))
	c := start(t, l, in, Spawn{})
	if _, err := c.Await(testContext(t), PointPrestart); err != nil {
		t.Fatal(err)
	}
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	if e := exited(t, c); e.Status.Signal() != unix.SIGKILL || e.Reported {
		t.Errorf("exit %+v", e)
	}
	if err := c.Go(); err != nil {
		t.Error(err)
	}
	err := c.AwaitExec(testContext(t))
	var death *DeathError
	if !errors.As(err, &death) || !strings.Contains(err.Error(), "killed by SIGKILL during set-up") {
		t.Errorf("got %v", err)
	}
}

func TestPayloadPIDAndSignal(t *testing.T) {
	requireRoot(t)
	for _, keeper := range []bool{true, false} {
		t.Run(strconv.FormatBool(keeper), func(t *testing.T) {
			l, in := newTestLauncher(t), NewInit()
			ops := []plan.Op{plan.DieWithSupervisor{}}
			namespaces := []string{"ipc"}
			if keeper {
				namespaces = allNamespaces
				ops = append(ops, plan.ClonePayload{PID: true})
			}
			lower(t, in, append(ops, plan.CloseFDs{}, sh("exec sleep 1000"))...)
			c := start(t, l, in, Spawn{Namespaces: namespaces})
			if err := c.AwaitExec(testContext(t)); err != nil {
				t.Fatal(err)
			}
			pid, err := c.PayloadPID()
			if err != nil || (pid == c.PID()) == keeper {
				t.Fatalf("payload %d, init %d: %v", pid, c.PID(), err)
			}
			if err := c.Signal(unix.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if e := exited(t, c); e.Status.Signal() != unix.SIGTERM || e.Reported != keeper {
				t.Errorf("exit %+v", e)
			}
			if err := c.Signal(unix.SIGTERM); !errors.Is(err, unix.ESRCH) {
				t.Errorf("signal after the end: %v", err)
			}
		})
	}
}

// awaitCall waits until a process is blocked in a system call.
func awaitCall(t *testing.T, pid, nr int) {
	t.Helper()
	ctx := testContext(t)
	for ctx.Err() == nil {
		call, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/syscall")
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(call), strconv.Itoa(nr)+" ") {
			return
		}
	}
	t.Fatalf("process %d is not in system call %d", pid, nr)
}

// awaitEnd waits until a process has ended, and ends it when it does not.
func awaitEnd(t *testing.T, pidfd int) {
	t.Helper()
	poll := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	n, err := unix.Poll(poll, 10000)
	for err == unix.EINTR {
		n, err = unix.Poll(poll, 10000)
	}
	if n != 1 || err != nil {
		unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
		t.Errorf("a process is alive: %v", err)
	}
}
