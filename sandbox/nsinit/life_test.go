package nsinit

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/internal/floor"
	"sandbox/sandbox/plan"
)

// TestMain lets the test binary be the supervisor that a test kills.
func TestMain(m *testing.M) {
	if script := os.Getenv("NSINIT_TEST_SUPERVISOR"); script != "" {
		fmt.Fprintln(os.Stderr, supervise(script))
		os.Exit(1)
	}
	if os.Getenv("NSINIT_TEST_NOEXEC") != "" {
		// Of the pid namespace since Linux 6.6, which this process is the first of.
		if err := os.WriteFile("/proc/sys/vm/memfd_noexec", []byte("2"), 0); err != nil {
			fmt.Println("unsupported", err)
			os.Exit(0)
		}
		in := NewInit()
		in.Exit(0)
		_, err := NewLauncher().Start(in, Spawn{})
		if hinted, ok := err.(interface{ Hint() string }); ok {
			fmt.Println(err, "|", hinted.Hint())
		}
		os.Exit(0)
	}
	// The poller's descriptors come with the first pipe, and are no leak.
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	os.Exit(floor.Kernel(m))
}

// supervise runs a script in a container, prints the host pids of init and payload
// and waits to be killed.
func supervise(script string) error {
	in := NewInit()
	ops := append(userNamespace(0), plan.ClonePayload{PID: true}, plan.NewSession{}, plan.CloseFDs{}, sh(script))
	for _, op := range ops {
		if _, err := in.Lower(op); err != nil {
			return err
		}
	}
	out, w, err := os.Pipe()
	if err != nil {
		return err
	}
	c, err := NewLauncher().Start(in, Spawn{Stdout: w, Stderr: os.Stderr})
	if err != nil {
		return err
	}
	w.Close()
	var b [1]byte
	if _, err := io.ReadFull(out, b[:]); err != nil {
		return err
	}
	if err := c.AwaitExec(context.Background()); err != nil {
		return err
	}
	payload, err := c.PayloadPID()
	if err != nil {
		return err
	}
	fmt.Println(c.PID(), payload)
	c.Wait(context.Background(), time.Time{})
	return fmt.Errorf("the payload ended")
}

// TestSupervisorDeath kills a supervisor; everything in its container must end,
// whatever the payload does against it.
func TestSupervisorDeath(t *testing.T) {
	for name, script := range map[string]string{
		"plain":   "echo; sleep 1000",
		"hostile": `exec perl -e '$|=1; $SIG{$_}="IGNORE" for grep !/^(KILL|STOP|__.*)$/, keys %SIG; syscall(` + strconv.Itoa(unix.SYS_PRCTL) + `,1,0,0,0,0)==0 or die; setpgrp(0,0); fork(); print "\n"; sleep 1000'`,
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(testContext(t), "/proc/self/exe")
			cmd.Env = append(os.Environ(), "NSINIT_TEST_SUPERVISOR="+script)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { cmd.Wait() })
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			var fds []int
			for _, field := range strings.Fields(line) {
				pid, _ := strconv.Atoi(field)
				fd, err := unix.PidfdOpen(pid, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer unix.Close(fd)
				fds = append(fds, fd)
			}
			cmd.Process.Kill()
			for _, fd := range fds {
				awaitEnd(t, fd)
			}
		})
	}
}

// TestKeeperOutOfReach lets a payload of the same user attack its keeper: by /proc,
// pidfd_getfd(2) (438), PTRACE_ATTACH (16) and signals.
func TestKeeperOutOfReach(t *testing.T) {
	const attack = `mount -t proc proc /proc 2>/dev/null
readlink /proc/1/fd/3 && echo descriptor
cat /proc/1/environ 2>&1 | grep -c denied
readlink /proc/1/exe >/dev/null 2>&1 && echo exe
(echo x > /proc/1/mem) 2>&1 | grep -c denied
perl -e '$p = syscall(434, 1, 0); print $p >= 0 ? "pidfd " : "none ", syscall(438, $p, 3, 0), " ", syscall(%d, 16, 1, 0, 0), "\n"'
kill -KILL 1; kill -TERM 1; echo alive`
	script := fmt.Sprintf(attack, unix.SYS_PTRACE)
	ops := append(userNamespace(0), plan.ClonePayload{PID: true}, plan.BoundCaps{Keep: []string{"SYS_ADMIN"}},
		plan.SetCaps{Effective: []string{"SYS_ADMIN"}, Permitted: []string{"SYS_ADMIN"}}, plan.CloseFDs{}, sh(script))
	out, e := run(t, nil, ops...)
	if out != "1\n1\npidfd -1 -1\nalive" || e.Status != 0 {
		t.Errorf("output %q, exit %+v", out, e)
	}
}

// TestInitIsSealed opens what /proc/PID/exe of init leads to.
func TestInitIsSealed(t *testing.T) {
	l, in := newTestLauncher(t), NewInit()
	lower(t, in, plan.Sync{Point: "prestart"})
	in.Exit(0)
	c := start(t, l, in, Spawn{})
	if _, err := c.Await(testContext(t), PointPrestart); err != nil {
		t.Fatal(err)
	}
	exe := fmt.Sprintf("/proc/%d/exe", c.PID())
	link, err := os.Readlink(exe)
	if err != nil || !strings.HasPrefix(link, "/memfd:sandbox-init") {
		t.Errorf("init is %q, %v", link, err)
	}
	content, err := os.ReadFile(exe)
	machine := machineAMD64
	if runtime.GOARCH == "arm64" {
		machine = machineARM64
	}
	if err != nil || string(content) != string(machine) {
		t.Errorf("%d bytes, %v", len(content), err)
	}
	if err := c.Go(); err != nil {
		t.Fatal(err)
	}
	exited(t, c)
	// The running file is also protected by ETXTBSY; the seals are for ever.
	fd := int(l.machine.Fd())
	if _, err := unix.Write(fd, []byte("x")); err != unix.EPERM {
		t.Errorf("write: %v", err)
	}
	if err := unix.Ftruncate(fd, 0); err != unix.EPERM {
		t.Errorf("truncate: %v", err)
	}
	if _, err := unix.Mmap(fd, 0, 4096, unix.PROT_WRITE, unix.MAP_SHARED); err == nil {
		t.Error("it can be mapped for writing")
	}
}

func TestOrphansAreReaped(t *testing.T) {
	requireRoot(t)
	// Each inner shell leaves its child to init; a zombie would keep its process id.
	// Where / is a shared mount, the new proc must not cover the host's.
	out, _ := run(t, allNamespaces, plan.ClonePayload{PID: true}, plan.CloseFDs{},
		sh("i=0; while [ $i -lt 20 ]; do (sleep 0 & ) ; i=$((i+1)); done; mount --make-rprivate / && mount -t proc p /proc; "+
			"until ! grep -qs '^State:.Z' /proc/[0-9]*/status; do :; done; echo done"))
	if out != "done" {
		t.Errorf("output %q", out)
	}
}

func TestJoin(t *testing.T) {
	l, in := newTestLauncher(t), NewInit()
	lower(t, in, append(userNamespace(0), plan.SetHostname{Name: "joined"}, plan.ClonePayload{PID: true}, plan.CloseFDs{}, sh("sleep 1000"))...)
	c := start(t, l, in, Spawn{})
	if err := c.AwaitExec(testContext(t)); err != nil {
		t.Fatal(err)
	}
	payload, err := c.PayloadPID()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(payload, 0)
	if err != nil {
		t.Fatal(err)
	}
	pidfd := os.NewFile(uintptr(fd), "pidfd")
	defer pidfd.Close()
	for range 2 { // a join does not change what the next one starts from
		second := NewInit()
		second.JoinContainer(Join{PIDFD: pidfd, Namespaces: append([]string{"user"}, allNamespaces...)})
		lower(t, second, plan.SetOOMScoreAdj{Value: 777}, plan.BoundCaps{}, plan.SetUser{KeepGroups: true}, plan.SetCaps{}, plan.NoNewPrivs{}, plan.CloseFDs{},
			sh("hostname; cat /proc/self/oom_score_adj; grep CapEff /proc/self/status; ls /proc/self/fd; kill -0 2 && exit 9"))
		out, e := collect(t, l, second, Spawn{})
		if out != "joined\n777\nCapEff:\t0000000000000000\n0\n1\n2\n3" || e.Status.ExitStatus() != 9 || e.Reported {
			t.Errorf("output %q, exit %+v", out, e)
		}
	}
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	if e := exited(t, c); e.Status.Signal() != unix.SIGKILL || e.Reported {
		t.Errorf("exit %+v", e)
	}
}

// TestAhead uses a machine started ahead, or throws it away when something else is
// wanted; the second container never gets the first one's namespaces.
func TestAhead(t *testing.T) {
	requireAhead(t)
	made := []string{"mount", "pid", "ipc", "uts"}
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		wanted []string
		net    bool
		used   bool
	}{{"wanted", made, true, true}, {"host network", made, false, true}, {"one more", append([]string{"cgroup"}, made...), true, false}} {
		t.Run(test.name, func(t *testing.T) {
			l := newTestLauncher(t)
			l.Ahead(Spawn{Namespaces: made, Net: true, Stdin: os.Stdin})
			pid := 0
			if a := l.ahead; a != nil {
				<-a.ready
				pid = a.child.PID()
			}
			for i := range 2 {
				in := l.NewInit()
				if test.net {
					lower(t, in, plan.EnterNet{})
				}
				lower(t, in, plan.ClonePayload{PID: true}, plan.CloseFDs{}, sh("readlink /proc/self/ns/net; readlink /proc/self/fd/0; ls /proc/self/fd | tr '\\n' ' '"))
				var c *Child
				out, _ := collectChild(t, l, in, Spawn{Namespaces: test.wanted, Net: test.net}, &c)
				ns, rest, _ := strings.Cut(out, "\n")
				if (ns == own) == test.net {
					t.Errorf("net namespace %s, the own is %s", ns, own)
				}
				if rest != "/dev/null\n0 1 2 3" {
					t.Errorf("stdin and descriptors %q", rest)
				}
				if got := c.former == nil && c.pid == pid; got != (test.used && i == 0) {
					t.Errorf("container %d: made ahead: %v", i, got)
				}
			}
		})
	}
	t.Run("not wanted", func(t *testing.T) { newTestLauncher(t).Ahead(Spawn{Namespaces: made, Net: true}) })
	t.Run("lo", func(t *testing.T) {
		l := newTestLauncher(t)
		l.Ahead(Spawn{Namespaces: made, Net: true})
		l.ahead.thread.call(func() {}) // lo is raised on the same thread
		in := l.NewInit()
		lower(t, in, plan.EnterNet{}, plan.ClonePayload{PID: true}, plan.CloseFDs{}, sh("grep -c '|-- 127.0.0.1' /proc/self/net/fib_trie"))
		if out, _ := collect(t, l, in, Spawn{Namespaces: made, Net: true}); out == "0" {
			t.Error("lo is down")
		}
	})
}

// TestAheadKilled: a machine that something has killed is started anew.
func TestAheadKilled(t *testing.T) {
	requireAhead(t)
	for _, discarded := range []bool{false, true} {
		l := newTestLauncher(t)
		l.Ahead(Spawn{Namespaces: []string{"pid"}, Net: true})
		<-l.ahead.ready
		pid := l.ahead.child.PID()
		if !l.Started(pid) || l.Started(os.Getpid()) {
			t.Error("does not know its machine")
		}
		if discarded {
			l.Discard()
		} else if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		var info unix.Siginfo
		unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT, nil) //nolint:errcheck // it may be reaped
		in := l.NewInit()
		lower(t, in, plan.EnterNet{}, plan.ClonePayload{PID: true}, plan.CloseFDs{}, sh("echo $$"))
		if out, _ := collect(t, l, in, Spawn{Namespaces: []string{"pid"}, Net: true}); out != "2" {
			t.Errorf("said %q", out)
		}
	}
}

func requireAhead(t *testing.T) {
	t.Helper()
	requireRoot(t)
	if runtime.NumCPU() < 2 {
		t.Skip("missing: a second processor, without which nothing is started ahead")
	}
}

// TestAheadDies waits for the end of a machine whose supervisor's end is closed
// before it got a program.
func TestAheadDies(t *testing.T) {
	requireAhead(t)
	l := newTestLauncher(t)
	l.Ahead(Spawn{Namespaces: []string{"mount", "pid"}, Net: true})
	<-l.ahead.ready
	c := l.ahead.child
	c.mu.Lock()
	closeFD(&c.conn.socket)
	c.mu.Unlock()
	if e := exited(t, c); e.Status.ExitStatus() != exitSetup {
		t.Errorf("exit %+v", e)
	}
}

// TestTerminal gives the payload a terminal of a devpts of its own.
func TestTerminal(t *testing.T) {
	requireRoot(t)
	l, in := newTestLauncher(t), NewInit()
	in.Call(unix.SYS_MOUNT, in.Str("none"), in.Str("/"), Imm(0), Imm(unix.MS_REC|unix.MS_PRIVATE), Imm(0))
	in.Call(unix.SYS_MOUNT, in.Str("devpts"), in.Str("/dev/pts"), in.Str("devpts"), Imm(0), in.Str("newinstance,ptmxmode=0666,mode=0620"))
	lower(t, in, plan.ClonePayload{PID: true}, plan.SetTerminal{}, plan.SetUser{UID: 1000, GID: 1000}, plan.CloseFDs{},
		sh("tty; stty size; stat -c %u /dev/pts/0; ls /proc/self/fd; : > /dev/tty && echo controlling; exec >&- 2>&- <&-"))
	c := start(t, l, in, Spawn{Namespaces: allNamespaces})
	files, err := c.Await(testContext(t), PointTerminal)
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	master := files[0]
	defer master.Close()
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 12, Col: 34}); err != nil {
		t.Fatal(err)
	}
	if err := c.Go(); err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(master)
	if pe, ok := err.(*os.PathError); !ok || pe.Err != syscall.EIO { // the end of a terminal
		t.Error(err)
	}
	if got := strings.Join(strings.Fields(string(out)), " "); got != "/dev/pts/0 12 34 1000 0 1 2 3 controlling" {
		t.Errorf("output %q", got)
	}
	exited(t, c)
}
