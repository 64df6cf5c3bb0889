package nsinit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/plan"
)

// TestAsOrdinaryUser runs this package's tests again without any privilege.
func TestAsOrdinaryUser(t *testing.T) {
	requireRoot(t)
	self, err := os.Open("/proc/self/exe") // its folder may be closed to others
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	cmd := exec.CommandContext(testContext(t), "/proc/self/fd/3", "-test.v", "-test.skip=TestMachineIsRebuilt") // needs the sources
	cmd.ExtraFiles = []*os.File{self}
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "TMPDIR=/tmp", "HOME=/")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, name := range []string{"TestOrdinaryUserContainer", "TestJoin", "TestSupervisorDeath", "TestKeeperOutOfReach", "TestExecErrors", "TestMachine"} {
		if !bytes.Contains(out, []byte("--- PASS: "+name+" ")) {
			t.Errorf("%s did not pass", name)
		}
	}
}

// TestRangesFromSupervisor maps ranges from outside, as newuidmap(1) does.
func TestRangesFromSupervisor(t *testing.T) {
	requireRoot(t)
	l, in := newTestLauncher(t), NewInit()
	lower(t, in, plan.DieWithSupervisor{}, plan.UnshareUser{}, plan.Sync{Point: "map"}, plan.BecomeRoot{},
		plan.CloneInit{Namespaces: allNamespaces}, plan.ClonePayload{PID: true}, plan.SetUser{UID: 1000, GID: 1000, Groups: []uint32{7}},
		plan.CloseFDs{}, plan.Exec{Args: []string{"/bin/sh", "-c", "exit 6"}})
	c := start(t, l, in, Spawn{})
	if _, err := c.Await(testContext(t), PointMap); err != nil {
		t.Fatal(err)
	}
	first := c.PID()
	for _, file := range []string{"uid_map", "gid_map"} {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/%s", first, file), []byte("0 100000 65536\n"), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Go(); err != nil {
		t.Fatal(err)
	}
	if err := c.AwaitExec(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if c.PID() == first {
		t.Error("init was not cloned")
	}
	if e := exited(t, c); e.Status.ExitStatus() != 6 || !e.Reported {
		t.Errorf("exit %+v", e)
	}
}

// TestRefusedAnswer lets the supervisor give up on a parked init.
func TestRefusedAnswer(t *testing.T) {
	l, in := newTestLauncher(t), NewInit()
	lower(t, in, plan.Sync{Point: "prestart"}, plan.CloseFDs{}, sh("true"))
	c := start(t, l, in, Spawn{})
	if _, err := c.Await(testContext(t), PointUser); err == nil || !strings.Contains(err.Error(), "parked at prestart, not at user") {
		t.Errorf("got %v", err)
	}
	if err := c.AwaitExec(testContext(t)); err == nil || !strings.Contains(err.Error(), "execve is to come") {
		t.Errorf("got %v", err)
	}
	if _, err := c.PayloadPID(); err == nil {
		t.Error("a payload before execve")
	}
	if err := c.Signal(unix.SIGTERM); err == nil {
		t.Error("a signal before execve")
	}
	if err := c.Close(); err != nil { // its socket's end of file would end init, too
		t.Fatal(err)
	}
	if e := exited(t, c); e.Status.Signal() != unix.SIGKILL {
		t.Errorf("exit %+v", e)
	}
	if err := c.Go(); err == nil {
		t.Error("an init that is not parked was answered")
	}
}

// TestInterruptedCalls stops and continues init in a call that this interrupts
// (signal(7), "Interruption … by stop signals"): epoll_wait(2).
func TestInterruptedCalls(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	l, in := newTestLauncher(t), NewInit()
	fd, pipe := in.NewWord(-1), in.Pass(r)
	in.Call(unix.SYS_EPOLL_CREATE1, Imm(0)).Store(fd)
	in.Call(unix.SYS_EPOLL_CTL, Word(fd), Imm(unix.EPOLL_CTL_ADD), pipe, Addr(in.Bytes(u32s(unix.EPOLLIN, 0, 0, 0))))
	in.Call(unix.SYS_EPOLL_PWAIT, Word(fd), Addr(in.Space(16)), Imm(1), Imm(-1), Imm(0), Imm(8))
	in.Exit(11)
	c := start(t, l, in, Spawn{})
	awaitCall(t, c.PID(), unix.SYS_EPOLL_PWAIT)
	for range 3 {
		for _, sig := range []unix.Signal{unix.SIGSTOP, unix.SIGCONT} {
			if err := unix.Kill(c.PID(), sig); err != nil {
				t.Fatal(err)
			}
		}
		awaitCall(t, c.PID(), unix.SYS_EPOLL_PWAIT)
	}
	w.Close()
	if e := exited(t, c); e.Status.ExitStatus() != 11 {
		t.Errorf("exit %+v, %v", e, c.failure)
	}
}

func TestSpawnErrors(t *testing.T) {
	l := newTestLauncher(t)
	build := func() *Init {
		in := NewInit()
		in.Exit(0)
		return in
	}
	for _, name := range []string{"user", "time", "mnt"} {
		if _, err := l.Start(build(), Spawn{Namespaces: []string{name}}); err == nil || !strings.Contains(err.Error(), name+" namespace") {
			t.Errorf("%s: %v", name, err)
		}
	}
	file, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	var failed *SpawnError
	if _, err := l.Start(build(), Spawn{Cgroup: file}); !errors.As(err, &failed) || !errors.Is(err, unix.EBADF) {
		t.Errorf("a cgroup that is none: %v", err)
	}
	file.Close()
	in := build()
	in.Pass(file)
	if _, err := l.Start(in, Spawn{}); err == nil || !strings.Contains(err.Error(), "is closed") {
		t.Errorf("a closed file: %v", err)
	}
	if _, err := l.Start(NewInit(), Spawn{}); err == nil {
		t.Error("an empty program was started")
	}
	if os.Getuid() != 0 {
		_, err := l.Start(build(), Spawn{Namespaces: allNamespaces})
		if !errors.As(err, &failed) || !strings.Contains(failed.Hint(), "CAP_SYS_ADMIN") {
			t.Errorf("namespaces without privilege: %v", err)
		}
	}
}

// TestForbiddenMemfd starts init where vm.memfd_noexec is 2.
func TestForbiddenMemfd(t *testing.T) {
	requireRoot(t)
	var kernel unix.Utsname
	var major, minor int
	if err := unix.Uname(&kernel); err != nil {
		t.Fatal(err)
	}
	fmt.Sscanf(unix.ByteSliceToString(kernel.Release[:]), "%d.%d", &major, &minor)
	if major < 6 || major == 6 && minor < 6 {
		t.Skip("missing: vm.memfd_noexec of a pid namespace (Linux 6.6)")
	}
	cmd := exec.CommandContext(testContext(t), "/proc/self/exe")
	cmd.Env = append(os.Environ(), "NSINIT_TEST_NOEXEC=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	out, err := cmd.CombinedOutput()
	want := "create an executable memfd: permission denied | this host forbids executable memfds; allow them: sysctl vm.memfd_noexec=1\n"
	if err != nil || string(out) != want {
		t.Errorf("output %q, %v", out, err)
	}
}

// TestManyFiles passes so many descriptors that ForkExec has to move them about.
func TestManyFiles(t *testing.T) {
	l, in := newTestLauncher(t), NewInit()
	for range 150 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		in.Call(unix.SYS_WRITE, in.Pass(w), in.Str("x"), Imm(1))
	}
	in.Exit(12)
	if _, failure, e := runProgram(t, l, in); e.Status.ExitStatus() != 12 {
		t.Errorf("exit %+v, %v", e, failure)
	}
}

// TestPayloadWithoutPIDNamespace: the keeper adopts orphans, names the payload, and
// the payload dies with the keeper.
func TestPayloadWithoutPIDNamespace(t *testing.T) {
	l, in := newTestLauncher(t), NewInit()
	lower(t, in, plan.DieWithSupervisor{}, plan.ClonePayload{}, plan.SetUser{UID: uint32(os.Getuid()), GID: uint32(os.Getgid()), KeepGroups: true},
		plan.CloseFDs{}, sh("(sleep 1000 &); exec sleep 1000"))
	c := start(t, l, in, Spawn{})
	if err := c.AwaitExec(testContext(t)); err != nil {
		t.Fatal(err)
	}
	pid, err := c.PayloadPID()
	if err != nil || pid == c.PID() {
		t.Fatal(pid, err)
	}
	awaitCall(t, pid, unix.SYS_CLOCK_NANOSLEEP)
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", c.PID(), c.PID()))
	if err != nil {
		t.Fatal(err)
	}
	var fds []int
	for _, field := range strings.Fields(string(children)) {
		var child int
		fmt.Sscan(field, &child)
		fd, err := unix.PidfdOpen(child, 0)
		if err != nil {
			t.Fatal(err)
		}
		fds = append(fds, fd)
		defer unix.Close(fd)
	}
	if len(fds) != 2 {
		t.Fatalf("children %q", children)
	}
	if err := unix.PidfdSendSignal(c.PIDFD(), unix.SIGKILL, nil, 0); err != nil {
		t.Fatal(err)
	}
	if e := exited(t, c); e.Reported || e.Status.Signal() != unix.SIGKILL {
		t.Errorf("exit %+v", e)
	}
	awaitEnd(t, fds[0])
	// An orphan outlives it; ending it is the cgroup's part.
	if err := unix.PidfdSendSignal(fds[1], unix.SIGKILL, nil, 0); err != nil {
		t.Error(err)
	}
	awaitEnd(t, fds[1])
}

// TestSysctl sets parameters of the container's namespaces, in both spellings.
func TestSysctl(t *testing.T) {
	const file = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out, _ := run(t, nil, append(userNamespace(0),
		plan.SetSysctl{Name: "net.ipv4.ip_unprivileged_port_start", Value: "81"},
		plan.SetSysctl{Name: "net/ipv4/conf/lo/forwarding", Value: "1"},
		plan.ClonePayload{PID: true}, plan.CloseFDs{}, sh("cat "+file+" /proc/sys/net/ipv4/conf/lo/forwarding"))...)
	if out != "81\n1" {
		t.Errorf("output %q", out)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the host's is %q, was %q: %v", after, before, err)
	}
}
