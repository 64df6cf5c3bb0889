package mount

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
)

// TestOrdinaryUser runs the tests of this package that need no root as uid 65534.
func TestOrdinaryUser(t *testing.T) {
	if !isRoot() {
		t.Skip("missing: root, to become uid 65534; here every test runs as an ordinary user")
	}
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} { // both are made by TempDir
		must(t, os.Chmod(d, 0o755))
	}
	must(t, os.Chown(dir, 65534, 65534))
	cmd := exec.Command("/proc/self/exe", "-test.v", "-test.run", "^(TestRoot|TestTargets|TestLinks|TestMask|TestFIFO|TestFiles|TestBind|TestAccess|TestArtifacts|TestLookupUser)")
	cmd.Dir, cmd.Env = "/", append(os.Environ(), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestRoot") {
		t.Errorf("as uid 65534: %v\n%s", err, out)
	}
}

func TestTargetsStayInside(t *testing.T) {
	check(t)
	outside := t.TempDir()
	for _, tc := range []struct {
		name, link, target string
		want               unix.Errno
		made               string // below the rootfs
	}{
		{"climbing link", "../../../../../../.." + outside, "/e/sub", unix.ENOENT, ""},
		{"absolute link", outside, "/e/sub", unix.ENOENT, ""},
		{"link inside", "/tmp", "/e/x/y", 0, "tmp/x/y"},
		{"relative link inside", "../tmp", "/e/x/y", 0, "tmp/x/y"},
		{"loop", "e", "/e/sub", unix.ELOOP, ""},
		{"last is a link", "/tmp/z", "/e", unix.ENOENT, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := rootfs(t)
			must(t, os.Symlink(tc.link, filepath.Join(dir, "e")))
			for _, op := range []plan.Op{plan.MountFS{Type: "tmpfs", Target: tc.target}, plan.MakeDir{Path: tc.target, Mode: 0o755},
				plan.BindFile{Target: tc.target, Content: "x"}} {
				root := overlay(dir, t.TempDir())
				o := container{ops: standard(root, op), script: "true"}.run(t)
				if errno, _ := o.failed(); errno != tc.want {
					t.Errorf("%s: %v, want %v", op, o.err, tc.want)
				}
				if tc.made != "" {
					if _, err := os.Lstat(filepath.Join(root.Path, tc.made)); err != nil {
						t.Errorf("%s: %v", op, err)
					}
				}
				must(t, os.RemoveAll(root.Path))
			}
			if left := listing(t, outside); strings.Count(left, "\n") != 1 {
				t.Errorf("made outside: %s", left)
			}
		})
	}
}

// overlay is a writable copy of the rootfs, so that what is made there can be seen.
func overlay(dir, into string) plan.RootDir {
	if out, err := exec.Command("cp", "-a", dir, into+"/root").CombinedOutput(); err != nil {
		panic(string(out))
	}
	return plan.RootDir{Path: into + "/root", Write: true}
}

func TestTargetsThatAreNone(t *testing.T) {
	dir := rootfs(t)
	for _, target := range []string{"x", "", "/a/../b", "/..", "/a\x00b"} {
		for _, op := range []plan.Op{plan.MountFS{Type: "tmpfs", Target: target}, plan.MakeDir{Path: target}, plan.MakeFile{Path: target},
			plan.Mask{Path: target}, plan.BindFile{Target: target}, plan.MakeLink{Path: target, Target: "x"}, plan.ReadonlyPath{Path: target}} {
			if o := (container{ops: standard(plan.RootDir{Path: dir}, op)}).run(t); o.err == nil {
				t.Errorf("%T %q was taken", op, target)
			}
		}
	}
}

func TestLinksForProcAndDev(t *testing.T) {
	check(t)
	for _, name := range []string{"proc", "dev", "sys"} {
		dir := rootfs(t)
		must(t, os.Remove(filepath.Join(dir, name)))
		must(t, os.Symlink("/tmp", filepath.Join(dir, name)))
		o := container{ops: standard(plan.RootDir{Path: dir, Write: true}, plan.MountFS{Type: "sysfs", Target: "/sys"}), script: "true"}.run(t)
		errno, step := o.failed()
		if errno != unix.ELOOP {
			t.Fatalf("%s: %v", name, o.err)
		}
		if hint := Explain(standard(plan.RootDir{}, plan.MountFS{Type: "sysfs", Target: "/sys"})[step], errno); !strings.Contains(hint, "must not be links") {
			t.Errorf("%s: hint %q", name, hint)
		}
	}
}

func TestRootMissingTargets(t *testing.T) {
	check(t)
	dir := rootfs(t)
	before := listing(t, dir)
	for _, op := range []plan.Op{plan.MountFS{Type: "tmpfs", Target: "/work"}, plan.BindFile{Target: "/etc/hosts", Content: "x"}} {
		o := container{ops: standard(plan.RootDir{Path: dir}, op), script: "true"}.run(t)
		errno, _ := o.failed()
		if errno != unix.EROFS || !strings.Contains(Explain(op, errno), "sandbox.overlay") {
			t.Errorf("%s: %v, %q", op, o.err, Explain(op, errno))
		}
	}
	// A writable bind is the user's folder too: nothing is made in it.
	project := t.TempDir()
	o := container{ops: standard(plan.RootDir{Path: dir}, plan.Bind{Source: project, Target: "/tmp", Write: true, Recursive: true},
		plan.MountFS{Type: "tmpfs", Target: "/tmp/cache"}), script: "true"}.run(t)
	if errno, _ := o.failed(); errno != unix.ENOENT {
		t.Errorf("below a bind: %v", o.err)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("the folder was changed:\n%s", after)
	}
	if left := listing(t, project); strings.Count(left, "\n") != 1 {
		t.Errorf("made in the project: %s", left)
	}
}

func TestFIFO(t *testing.T) {
	check(t)
	dir := rootfs(t)
	must(t, unix.Mkfifo(filepath.Join(dir, "etc/fifo"), 0o644))
	out := container{ops: standard(plan.RootDir{Path: dir}, plan.BindFile{Target: "/etc/fifo", Content: "text", Mode: 0o640}),
		script: "cat /etc/fifo; stat -c %a /etc/fifo; echo x 2>/dev/null >/etc/fifo || echo readonly"}.succeeds(t)
	if out != "text640\nreadonly\n" {
		t.Errorf("got %q", out)
	}
}

func TestMask(t *testing.T) {
	check(t)
	dir := rootfs(t)
	must(t, os.WriteFile(filepath.Join(dir, "etc/secret"), []byte("s"), 0o644))
	must(t, os.Mkdir(filepath.Join(dir, "etc/keys"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "etc/keys/k"), []byte("s"), 0o644))
	ops := standard(plan.RootDir{Path: dir}, plan.Mask{Path: "/etc/secret"}, plan.Mask{Path: "/etc/keys"}, plan.Mask{Path: "/missing/x"},
		plan.Mask{Path: "/proc/version"}, plan.Mask{Path: "/proc/sysrq-trigger"}, plan.Mask{Path: "/proc/timer_list"}, plan.Mask{Path: "/etc/secret/below"},
		plan.ReadonlyPath{Path: "/proc/sys"}, plan.ReadonlyPath{Path: "/missing"}, plan.ReadonlyPath{Path: "/dev/shm"})
	// The payload of root lives in a user namespace that has no say over these mounts;
	// that of an ordinary user has no capabilities in it.
	if isRoot() {
		all := []definition.IDRange{{Size: 1<<32 - 1}}
		ops = append(ops, plan.ClonePayload{PID: true, UID: all, GID: all})
	} else {
		ops = append(ops, plan.ClonePayload{PID: true}, plan.BoundCaps{}, plan.SetCaps{}, plan.NoNewPrivs{})
	}
	script := `cat /etc/secret; ls /etc/keys; touch /etc/keys/x 2>/dev/null && echo wrote; cat /proc/version; stat -c %t:%T /proc/version;
		echo 1 2>/dev/null >/proc/sys/kernel/hostname && echo sysctl; touch /dev/shm/x 2>/dev/null && echo shm;
		for p in /etc/secret /etc/keys /proc/version /proc/sys /proc; do umount $p 2>/dev/null && echo unmasked $p; done
		mount -o remount,rw,bind /proc/sys 2>/dev/null && echo remounted
		cat /etc/secret; ls /etc/keys; echo end`
	if out := (container{ops: ops, script: script}).succeeds(t); out != "1:3\nend\n" {
		t.Errorf("got %q", out)
	}
}

func TestFiles(t *testing.T) {
	check(t)
	source := filepath.Join(t.TempDir(), "source")
	must(t, os.WriteFile(source, []byte("copied\n"), 0o600))
	ops := standard(plan.RootTmpfs{Size: 64 << 20},
		plan.Bind{Source: rootfs(t) + "/bin", Target: "/bin", Recursive: true},
		plan.MakeDir{Path: "/a/b/c", Mode: 0o1777}, plan.MakeDir{Path: "/a/b", Mode: 0o700},
		plan.MakeFile{Path: "/a/f", Content: "made\n", Mode: 0o600}, plan.MakeFile{Path: "/a/f", Content: "again\n", Mode: 0o644},
		plan.CopyHostFile{Source: source, Path: "/a/f2"}, plan.CopyHostFile{Source: source, Path: "/a/f2"},
		plan.MakeLink{Path: "/a/l", Target: "f"}, plan.BindFile{Target: "/new/g", Content: strings.Repeat("x", 1<<20), Mode: 0o444},
		plan.MountFS{Type: "tmpfs", Target: "/tmp", Options: []string{"mode=1777", "size=1m"}}, plan.MountFS{Type: "mqueue", Target: "/dev/mqueue"},
		plan.MountFS{Type: "devpts", Target: "/dev/pts", NoExec: true, Options: []string{"newinstance", "ptmxmode=0666", "mode=0620"}},
		plan.MountFS{Type: "sysfs", Target: "/sys", Readonly: true, NoExec: true}, plan.MakeFile{Path: "/dev/x", Content: "", Mode: 0o600})
	out := container{ops: ops, script: `stat -c '%n %a %s' /a/b /a/b/c /a/f /a/f2 /new/g /tmp 2>&1 | grep -v 'tmp 1777 .*'; cat /a/f /a/f2 /a/l;
		stat -c %t:%T /dev/pts/ptmx; touch /sys/x 2>/dev/null || echo rosys; touch /y && echo rw; ls /`}.succeeds(t)
	want := "/a/b 755 60\n/a/b/c 1777 40\n/a/f 600 5\n/a/f2 644 7\n/new/g 444 1048576\nmade\ncopied\nmade\n5:2\nrosys\nrw\na\nbin\ndev\nnew\nproc\nsys\ntmp\ny\n"
	if out != want {
		t.Errorf("got %q\nwant %q", out, want)
	}
	full := container{ops: standard(plan.RootTmpfs{Size: 64 << 10}, plan.BindFile{Target: "/g", Content: strings.Repeat("x", 1<<20)})}.run(t)
	if errno, _ := full.failed(); errno != unix.ENOSPC {
		t.Errorf("a file larger than the root: %v", full.err)
	}
}

func TestBind(t *testing.T) {
	check(t)
	dir, project := rootfs(t), t.TempDir()
	must(t, os.WriteFile(filepath.Join(project, "f"), []byte("f\n"), 0o644))
	must(t, os.Mkdir(filepath.Join(dir, "t"), 0o755))
	ops := standard(plan.RootDir{Path: dir},
		plan.Bind{Source: "/sys", Target: "/sys", Recursive: true},
		plan.Bind{Source: project, Target: "/tmp", Write: true, Recursive: true},
		plan.Bind{Source: project + "/f", Target: "/dev/f", Recursive: true},
		plan.Bind{Source: project + "/missing", Target: "/nowhere", Recursive: true, Optional: 7})
	c := container{ops: ops, script: `touch /sys/fs/cgroup/x 2>/dev/null && echo wrote; touch /tmp/made && cat /dev/f;
		touch /dev/f 2>/dev/null && echo wrote; grep -E ' /sys[^ ]* ' /proc/self/mountinfo | grep -v ' ro,' ; echo end`}
	o := c.run(t)
	if o.err != nil || o.out != "f\nend\n" || !slices.Equal(o.notes, []int{7}) {
		t.Errorf("got %q, notes %d, %v", o.out, o.notes, o.err)
	}
	if _, err := os.Stat(filepath.Join(project, "made")); err != nil {
		t.Error(err)
	}
	for _, tc := range []struct {
		op   plan.Op
		want string
	}{
		{plan.Bind{Source: project + "/missing", Target: "/tmp"}, "no such file"},
		{plan.Bind{Source: "/", Target: "/tmp", Recursive: true}, "bind /"},
		{plan.Bind{Source: project, Target: "/proc", Recursive: true}, "not supported"},
		{plan.MountFS{Type: "tmpfs", Target: "/proc"}, "at /proc"},
		{plan.BindCgroup{Target: "/sys/fs/cgroup"}, "no cgroup"},
		{plan.CopyHostFile{Source: project, Path: "/x"}, "regular file"},
	} {
		o := container{ops: standard(plan.RootDir{Path: dir}, tc.op)}.run(t)
		if o.err == nil || !strings.Contains(o.err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.op, o.err, tc.want)
		}
	}
}

func TestMaskWithoutNull(t *testing.T) {
	check(t)
	dir := rootfs(t)
	must(t, os.WriteFile(filepath.Join(dir, "etc/secret"), []byte("s"), 0o644))
	out := container{ops: []plan.Op{plan.PrivateMounts{}, plan.RootDir{Path: dir}, plan.Mask{Path: "/etc/secret"}, plan.Mask{Path: "/bin/missing"}, plan.Pivot{}},
		script: "cat /etc/secret; touch /etc/secret 2>&1 | grep -c Read-only"}.succeeds(t)
	if out != "1\n" {
		t.Errorf("got %q", out)
	}
}

// TestMaskNeedsTheRealNull is CVE-2025-31133: something else at /dev/null must not
// become the mask.
func TestMaskNeedsTheRealNull(t *testing.T) {
	check(t)
	null := plan.MakeDevice{Path: "/dev/null", Source: "/dev/null", Major: 1, Minor: 3}
	for _, before := range []plan.Op{plan.MakeFile{Path: "/dev/null", Content: "x", Mode: 0o666}, plan.MakeLink{Path: "/dev/null", Target: "/etc/passwd"},
		plan.MakeDir{Path: "/dev/null", Mode: 0o755}} {
		ops := []plan.Op{plan.PrivateMounts{}, plan.RootTmpfs{}, before, null}
		o := container{ops: ops}.run(t)
		if errno, step := o.failed(); step != 3 || errno != unix.ENODEV && errno != unix.ELOOP {
			t.Errorf("%s: %v", before, o.err)
		}
	}
	wrong := null
	wrong.Source, wrong.Bind = "/dev/zero", true
	o := container{ops: []plan.Op{plan.PrivateMounts{}, plan.RootTmpfs{}, wrong}}.run(t)
	if errno, _ := o.failed(); errno != unix.ENODEV || Explain(wrong, errno) == "" {
		t.Errorf("/dev/zero for /dev/null: %v", o.err)
	}
}

// TestBindInstead makes neither a pid nor a net namespace: then a user namespace may
// mount neither proc nor sysfs, and root may.
func TestBindInstead(t *testing.T) {
	check(t)
	dir := rootfs(t)
	ops := []plan.Op{plan.PrivateMounts{}, plan.RootDir{Path: dir},
		plan.MountFS{Type: "proc", Target: "/proc", Else: "/proc", Note: 3}, plan.MountFS{Type: "sysfs", Target: "/sys", Readonly: true, Else: "/sys", Note: 4}, plan.Pivot{}}
	o := container{ops: ops, namespaces: []string{"mount"}, script: "test -e /proc/1/stat && test -d /sys/kernel && echo there; grep -c ' /sys ro,' /proc/self/mountinfo"}.run(t)
	want := []int(nil)
	if !isRoot() {
		want = []int{3, 4}
	}
	if o.err != nil || o.out != "there\n1\n" || !slices.Equal(o.notes, want) {
		t.Errorf("got %q, notes %d, %v; want %d", o.out, o.notes, o.err, want)
	}
	ops[2] = plan.MountFS{Type: "proc", Target: "/proc"}
	o = container{ops: ops, namespaces: []string{"mount"}, script: "true"}.run(t)
	errno, step := o.failed()
	if isRoot() && o.err != nil || !isRoot() && (errno != unix.EPERM || step != 2 || !strings.Contains(Explain(ops[2], errno), "unmasked /proc")) {
		t.Errorf("proc without its own pid namespace: %v", o.err)
	}
}

func TestBindCgroup(t *testing.T) {
	check(t)
	own, mounts := "", mountinfo(t)
	for m := range strings.Lines(mounts) {
		if before, after, _ := strings.Cut(m, " - "); strings.HasPrefix(after, "cgroup2 ") {
			own = strings.Fields(before)[4]
		}
	}
	if own == "" {
		t.Skip("missing: a mounted cgroup2")
	}
	ops := standard(plan.RootDir{Path: rootfs(t)}, plan.MountFS{Type: "sysfs", Target: "/sys", Readonly: true}, plan.BindCgroup{Target: "/sys/fs/cgroup"})
	out := container{ops: ops, cgroup: own, script: "test -e /sys/fs/cgroup/cgroup.procs && echo there; mkdir /sys/fs/cgroup/x 2>/dev/null && echo made"}.run(t)
	if out.err != nil || out.out != "there\n" {
		t.Errorf("got %q, %v", out.out, out.err)
	}
}
