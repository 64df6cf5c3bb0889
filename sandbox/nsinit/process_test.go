package nsinit

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
)

// identity maps every id of the initial namespace.
var identity = []definition.IDRange{{Size: 4294967295}}

// userNamespace are the ops by which an ordinary user gets a container.
func userNamespace(id uint32) []plan.Op {
	return []plan.Op{
		plan.DieWithSupervisor{}, plan.UnshareUser{},
		plan.MapSelf{UID: definition.IDRange{Container: id, Host: uint32(os.Getuid()), Size: 1},
			GID: definition.IDRange{Container: id, Host: uint32(os.Getgid()), Size: 1}},
		plan.CloneInit{Namespaces: allNamespaces},
	}
}

func TestOrdinaryUserContainer(t *testing.T) {
	for _, id := range []uint32{0, 1000} {
		t.Run(fmt.Sprint(id), func(t *testing.T) {
			ops := append(userNamespace(id), plan.SetHostname{Name: "inside"}, plan.ClonePayload{PID: true},
				plan.SetOOMScoreAdj{Value: 500}, plan.BoundCaps{}, plan.SetUser{UID: id, GID: id, KeepGroups: true},
				plan.SetCaps{}, plan.NoNewPrivs{}, plan.CloseFDs{},
				sh("id -u; hostname; cat /proc/self/oom_score_adj; echo $$"))
			out, e := run(t, nil, ops...)
			if out != fmt.Sprintf("%d\ninside\n500\n2", id) || e.Status != 0 || !e.Reported {
				t.Errorf("output %q, exit %+v", out, e)
			}
		})
	}
}

// status reads /proc/self/status of a payload behind some ops.
func status(t *testing.T, ops ...plan.Op) map[string]string {
	t.Helper()
	out, _ := run(t, nil, append(ops, plan.CloseFDs{}, plan.Exec{Args: []string{"/bin/cat", "/proc/self/status"}})...)
	fields := map[string]string{}
	for line := range strings.SplitSeq(out, "\n") {
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.Join(strings.Fields(value), " ")
	}
	return fields
}

func TestPrivileges(t *testing.T) {
	requireRoot(t)
	chown := []string{"CHOWN", "cap_net_raw"}
	const both = "0000000000002001"
	for _, test := range []struct {
		name string
		ops  []plan.Op
		want map[string]string
	}{
		{"user", []plan.Op{plan.SetUser{UID: 1000, GID: 1001, Groups: []uint32{5, 7}}},
			map[string]string{"Uid": "1000 1000 1000 1000", "Gid": "1001 1001 1001 1001", "Groups": "5 7", "CapEff": "0000000000000000"}},
		{"root without capabilities", []plan.Op{plan.BoundCaps{}, plan.SetUser{}, plan.SetCaps{}},
			map[string]string{"CapBnd": "0000000000000000", "CapPrm": "0000000000000000", "CapEff": "0000000000000000", "Groups": ""}},
		{"root with two", []plan.Op{plan.BoundCaps{Keep: chown}, plan.SetUser{}, plan.SetCaps{Effective: chown, Permitted: chown}},
			map[string]string{"CapBnd": both, "CapPrm": both, "CapEff": both, "CapInh": "0000000000000000"}},
		{"user with ambient", []plan.Op{plan.BoundCaps{Keep: chown}, plan.SetUser{UID: 1000, GID: 1000, KeepCaps: true},
			plan.SetCaps{Effective: chown, Permitted: chown, Inheritable: chown, Ambient: chown}},
			map[string]string{"CapBnd": both, "CapPrm": both, "CapEff": both, "CapInh": both, "CapAmb": both}},
		{"no_new_privs, umask", []plan.Op{plan.NoNewPrivs{}, plan.SetUmask{Mask: 0o27}},
			map[string]string{"NoNewPrivs": "1", "Umask": "0027", "Seccomp": "0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := status(t, test.ops...)
			for name, want := range test.want {
				if got[name] != want {
					t.Errorf("%s: %q, want %q", name, got[name], want)
				}
			}
		})
	}
}

func TestResolvedUser(t *testing.T) {
	requireRoot(t)
	l, in := newTestLauncher(t), NewInit()
	lower(t, in, plan.Sync{Point: "user"}, plan.Sync{Point: "prestart"}, plan.SetUser{Resolved: true}, plan.CloseFDs{}, sh("id -u; id -g; id -G"))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := start(t, l, in, Spawn{Stdout: w})
	w.Close()
	if _, err := c.Await(testContext(t), PointUser); err != nil {
		t.Fatal(err)
	}
	if err := c.Go(1, 2, 3); err == nil {
		t.Error("an answer with missing groups was sent")
	}
	if err := c.Go(1234, 5678, 3, 10, 11, 4000000000); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Await(testContext(t), PointPrestart); err != nil {
		t.Fatal(err)
	}
	if err := c.Go(); err != nil {
		t.Fatal(err)
	}
	if e := exited(t, c); e.Status != 0 {
		t.Errorf("exit %+v", e)
	}
	var b [256]byte
	n, _ := r.Read(b[:])
	for range 2 {
		m, _ := r.Read(b[n:])
		n += m
	}
	if got := strings.Fields(string(b[:n])); strings.Join(got, " ") != "1234 5678 5678 10 11 4000000000" {
		t.Errorf("ids %v", got)
	}
}

func TestLimitsAndFolder(t *testing.T) {
	dir := t.TempDir()
	out, _ := run(t, nil,
		plan.SetRlimit{Rlimit: definition.Rlimit{Name: "nofile", Soft: 77, Hard: 99}},
		plan.SetRlimit{Rlimit: definition.Rlimit{Name: "core", Soft: 0, Hard: 0}},
		plan.SetUmask{Mask: 0o77}, plan.SetCwd{Path: dir}, plan.CloseFDs{},
		sh("ulimit -Sn; ulimit -Hn; ulimit -c; umask; pwd; ls /proc/self/fd"))
	want := "77\n99\n0\n0077\n" + dir + "\n0\n1\n2\n3" // 3 is ls reading the folder
	if out != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestPayloadInUserNamespace(t *testing.T) {
	requireRoot(t)
	for _, pid := range []bool{true, false} {
		t.Run(fmt.Sprint(pid), func(t *testing.T) {
			namespaces := []string{"mount", "ipc"}
			if pid {
				namespaces = allNamespaces
			}
			out, e := run(t, namespaces, plan.DieWithSupervisor{}, plan.ClonePayload{PID: pid, UID: identity, GID: identity},
				plan.SetUser{Groups: []uint32{3}}, plan.CloseFDs{},
				sh("cat /proc/self/uid_map; id -u; id -G; umount /proc 2>&1 || mount -t tmpfs x /mnt 2>&1; exit 7"))
			lines := strings.Split(out, "\n")
			if len(lines) < 4 || strings.Join(strings.Fields(lines[0]), " ") != "0 0 4294967295" || lines[1] != "0" || lines[2] != "0 3" ||
				!strings.Contains(lines[3], "umount") || e.Status.ExitStatus() != 7 || !e.Reported {
				t.Errorf("output %q, exit %+v", out, e)
			}
		})
	}
}

// TestFailureBesideUnread: init says why it failed, and ends before it has read what it
// was given; its supervisor looks only then.
func TestFailureBesideUnread(t *testing.T) {
	l, in := newTestLauncher(t), NewInit()
	lower(t, in, plan.SetCwd{Path: "/nonexistent/x"}, plan.EnterNet{}, plan.CloseFDs{}, sh("true"))
	c := start(t, l, in, Spawn{Net: true})
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PIDFD, c.PIDFD(), &info, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	var failed *StepError
	if err := c.AwaitExec(testContext(t)); !errors.As(err, &failed) || failed.Errno != unix.ENOENT {
		t.Errorf("got %#v", err)
	}
}

func TestFailingSteps(t *testing.T) {
	missing := []definition.IDRange{{Size: 0}}
	for _, test := range []struct {
		name string
		op   plan.Op
		want unix.Errno
		call string
		root bool
	}{
		{"cwd", plan.SetCwd{Path: "/nonexistent/x"}, unix.ENOENT, "chdir", false},
		{"sysctl", plan.SetSysctl{Name: "no.such.sysctl", Value: "1"}, unix.ENOENT, "openat2", true},
		{"sysctl value", plan.SetSysctl{Name: "net.ipv4.ip_forward", Value: "many"}, unix.EINVAL, "write", true},
		{"oom_score_adj", plan.SetOOMScoreAdj{Value: 2000}, unix.EINVAL, "write", true},
		{"rlimit", plan.SetRlimit{Rlimit: definition.Rlimit{Name: "nofile", Soft: 2, Hard: 1}}, unix.EINVAL, "prlimit", false},
		{"filter", plan.LoadFilter{}, unix.EINVAL, "seccomp", true},
		{"maps", plan.ClonePayload{UID: missing, GID: missing}, unix.EINVAL, "write", true},
		{"ambient", plan.SetCaps{Ambient: []string{"CHOWN"}}, unix.EPERM, "prctl", false},
		{"session", plan.SetTerminal{}, unix.ENOENT, "openat", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.root {
				requireRoot(t)
			}
			l, in := newTestLauncher(t), NewInit()
			in.Filter = make([]byte, 8)
			spawn := Spawn{}
			if test.name == "session" {
				spawn.Namespaces = []string{"mount"}
				in.Call(unix.SYS_MOUNT, in.Str("none"), in.Str("/"), Imm(0), Imm(unix.MS_REC|unix.MS_PRIVATE), Imm(0))
				in.Call(unix.SYS_MOUNT, in.Str("x"), in.Str("/dev"), in.Str("tmpfs"), Imm(0), Imm(0))
			}
			lower(t, in, plan.NoNewPrivs{}, test.op, plan.CloseFDs{}, sh("true"))
			c := start(t, l, in, spawn)
			err := c.AwaitExec(testContext(t))
			var failed *StepError
			if !errors.As(err, &failed) || failed.Step != 1 || failed.Errno != test.want || failed.Call != test.call {
				t.Fatalf("got %#v, want %s: %v", err, test.call, test.want)
			}
			if e := exited(t, c); e.Status == 0 {
				t.Errorf("exit %+v", e)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	for _, test := range []struct {
		op   plan.Op
		want string
	}{
		{plan.SetSysctl{Name: "../../etc/passwd"}, "not a path below /proc/sys"},
		{plan.SetSysctl{Name: "net..x"}, "not a path below /proc/sys"},
		{plan.BoundCaps{Keep: []string{"FLY"}}, `no capability is called "FLY"`},
		{plan.SetRlimit{Rlimit: definition.Rlimit{Name: "fun"}}, `no rlimit is called "fun"`},
		{plan.Unshare{Namespaces: []string{"mnt"}}, `no namespace is called "mnt"`},
		{plan.JoinCgroup{Controller: "pids"}, "no tasks file"},
		{plan.Sync{Point: "nowhere"}, "no sync point"},
		{plan.LoadFilter{}, "a seccomp filter of 0 bytes"},
		{plan.Exec{}, "nothing to execute"},
		{plan.SetHostname{Name: "a\x00b"}, "a NUL byte"},
	} {
		in := NewInit()
		mine, err := in.Lower(test.op)
		if !mine || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%#v: %v, %v; want %q", test.op, mine, err, test.want)
		}
		if _, err := in.Encode(); err == nil {
			t.Errorf("%#v: encoded", test.op)
		}
	}
	if mine, err := NewInit().Lower(plan.Pivot{}); mine || err != nil {
		t.Errorf("pivot: %v, %v", mine, err)
	}
}

// bpf is struct sock_filter by struct sock_filter.
func bpf(instructions ...unix.SockFilter) []byte {
	var b []byte
	for _, i := range instructions {
		b = append(b, byte(i.Code), byte(i.Code>>8), i.Jt, i.Jf)
		b = append(b, u32s(i.K)...)
	}
	return b
}

// filterCall answers one system call with an action and allows all others.
func filterCall(nr, action uint32) []byte {
	return bpf(unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS},
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: nr},
		unix.SockFilter{Code: unix.BPF_RET, K: action}, unix.SockFilter{Code: unix.BPF_RET, K: unix.SECCOMP_RET_ALLOW})
}

func TestFilter(t *testing.T) {
	run := func(t *testing.T, filter []byte) (*Child, error) {
		l, in := newTestLauncher(t), NewInit()
		in.Filter = filter
		lower(t, in, plan.ClonePayload{}, plan.NoNewPrivs{}, plan.CloseFDs{}, plan.LoadFilter{}, sh("mkdir /nonexistent/x 2>/dev/null; exit 4"))
		c := start(t, l, in, Spawn{})
		return c, c.AwaitExec(testContext(t))
	}
	t.Run("runs", func(t *testing.T) {
		c, err := run(t, filterCall(unix.SYS_MKDIRAT, unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM)))
		if e := exited(t, c); err != nil || e.Status.ExitStatus() != 4 {
			t.Errorf("%v, exit %+v", err, e)
		}
	})
	for name, filter := range map[string][]byte{
		"write killed": filterCall(unix.SYS_WRITE, unix.SECCOMP_RET_KILL_PROCESS),
		"write denied": filterCall(unix.SYS_WRITE, unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM)),
		"all denied":   bpf(unix.SockFilter{Code: unix.BPF_RET, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := run(t, filter)
			var death *DeathError
			if !errors.As(err, &death) || !strings.Contains(death.Hint(), "must allow write, execve") {
				t.Errorf("got %v, exit %+v", err, exited(t, c))
			}
		})
	}
}

func TestNoDescriptorsInKeeper(t *testing.T) {
	requireRoot(t)
	l, in := newTestLauncher(t), NewInit()
	lower(t, in, plan.DieWithSupervisor{}, plan.ClonePayload{PID: true}, plan.CloseFDs{}, sh("read x"))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := start(t, l, in, Spawn{Namespaces: allNamespaces, Stdin: r})
	if err := c.AwaitExec(testContext(t)); err != nil {
		t.Fatal(err)
	}
	// The keeper gives up everything before it waits: wait until it sleeps there.
	awaitCall(t, c.PID(), unix.SYS_WAIT4)
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.PID()))
	if err != nil || len(entries) != 1 || entries[0].Name() != "3" {
		t.Errorf("descriptors %v, %v", entries, err)
	}
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.PID()))
	for _, want := range []string{"CapPrm:\t0000000000000000", "NoNewPrivs:\t1", "Name:\tsandbox-init"} {
		if !regexp.MustCompile("(?m)^" + want + "$").Match(content) {
			t.Errorf("no %q in %s", want, content)
		}
	}
	w.Close()
	exited(t, c)
}

// TestFailingAtEachStep fails a whole life at every step in turn: each must be
// reported as itself, and leave no process.
func TestFailingAtEachStep(t *testing.T) {
	ops := append(userNamespace(0), plan.SetHostname{Name: "x"}, plan.Unshare{Namespaces: []string{"time"}}, plan.ClonePayload{PID: true},
		plan.NewSession{}, plan.SetOOMScoreAdj{Value: 1000}, plan.BoundCaps{}, plan.SetUser{KeepGroups: true}, plan.SetCaps{}, plan.SetUmask{Mask: 0o22},
		plan.SetCwd{Path: "/"}, plan.NoNewPrivs{}, plan.CloseFDs{}, plan.LoadFilter{}, sh("exit 3"))
	for n := range len(ops) + 1 {
		l, in := newTestLauncher(t), NewInit()
		in.Filter = filterCall(unix.SYS_MKDIRAT, unix.SECCOMP_RET_KILL_PROCESS)
		for i, op := range ops {
			in.Step(i)
			if i == n {
				in.Raise(unix.EUCLEAN)
			}
			if _, err := in.Lower(op); err != nil {
				t.Fatal(err)
			}
		}
		c := start(t, l, in, Spawn{})
		err := c.AwaitExec(testContext(t))
		var failed *StepError
		switch {
		case n == len(ops) && err != nil:
			t.Errorf("without a failure: %v", err)
		case n < len(ops) && (!errors.As(err, &failed) || failed.Step != n || failed.Errno != unix.EUCLEAN):
			t.Errorf("step %d (%s): %#v", n, ops[n], err)
		}
		if e := exited(t, c); (e.Status.ExitStatus() == 3) != (n == len(ops)) {
			t.Errorf("step %d: exit %+v", n, e)
		}
	}
}
