package mount

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// outcome is how a container of a test ended.
type outcome struct {
	out   string
	code  int
	err   error
	notes []int
}

// failed is the op's errno, and its index among the ops.
func (o outcome) failed() (unix.Errno, int) {
	var e *nsinit.StepError
	if errors.As(o.err, &e) {
		return e.Errno, e.Step
	}
	return 0, -1
}

// container is a set of steps and a shell script for its payload.
type container struct {
	ops    []plan.Op
	script string
	cgroup string
	// namespaces are those to make, all when nil.
	namespaces []string
	// held is called with the root while all is mounted and the payload has not begun.
	held func(root *Root)
}

func isRoot() bool { return os.Geteuid() == 0 }

// run makes the container: by the caller's own rights for root, in a user namespace
// with one id for everyone else.
func (c container) run(t *testing.T) outcome {
	t.Helper()
	before := mountinfo(t)
	launcher := nsinit.NewLauncher()
	defer launcher.Close()
	in := nsinit.NewInit()
	in.CgroupDir = c.cgroup
	spawn := nsinit.Spawn{}
	var head []plan.Op
	namespaces := c.namespaces
	if namespaces == nil {
		namespaces = []string{"mount", "pid", "net", "ipc", "uts"}
	}
	if isRoot() {
		spawn.Namespaces = namespaces
	} else {
		one := func(id int) definition.IDRange {
			return definition.IDRange{Container: 0, Host: uint32(id), Size: 1}
		}
		head = []plan.Op{plan.UnshareUser{}, plan.MapSelf{UID: one(os.Getuid()), GID: one(os.Getgid())},
			plan.CloneInit{Namespaces: namespaces}}
	}
	tail := []plan.Op{}
	if c.held != nil {
		tail = append(tail, plan.Sync{Point: "prestart"})
	}
	tail = append(tail, plan.Exec{Args: []string{"/bin/sh", "-c", c.script}, Env: []definition.EnvVar{{Name: "PATH", Value: "/bin:/usr/bin"}}})
	for i, op := range slices.Concat(head, c.ops, tail) {
		in.Step(i - len(head))
		done, err := Lower(in, op)
		if !done && err == nil {
			done, err = in.Lower(op)
		}
		if err != nil {
			return outcome{err: err}
		}
		if !done {
			t.Fatalf("nobody lowers %T", op)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	spawn.Stdout, spawn.Stderr = w, w
	child, err := launcher.Start(in, spawn)
	w.Close()
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	defer child.Close()
	o := c.follow(t, child)
	out, _ := io.ReadAll(r)
	o.out = string(out)
	if after := mountinfo(t); after != before {
		t.Errorf("mounts of the host changed:\n%s\nwere\n%s", after, before)
	}
	return o
}

func (c container) follow(t *testing.T, child *nsinit.Child) (o outcome) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if c.held != nil {
		if _, err := child.Await(ctx, nsinit.PointPrestart); err != nil {
			return outcome{err: err}
		}
		root, err := OpenRoot(child.PID())
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := root.Close(); err != nil {
				t.Error(err)
			}
		}()
		c.held(root)
		if err := child.Go(); err != nil {
			t.Fatal(err)
		}
	}
	o.err = child.AwaitExec(ctx)
	o.notes = child.Notes()
	exit, ended := child.Wait(ctx, time.Time{})
	if !ended {
		t.Fatal("the container does not end")
	}
	o.code = exit.Status.ExitStatus()
	return o
}

// succeeds runs the container and returns what it printed.
func (c container) succeeds(t *testing.T) string {
	t.Helper()
	o := c.run(t)
	if o.err != nil {
		_, step := o.failed()
		if step >= 0 && step < len(c.ops) {
			t.Fatalf("%s: %v", c.ops[step], o.err)
		}
		t.Fatal(o.err)
	}
	if o.code != 0 {
		t.Fatalf("exit code %d: %s", o.code, o.out)
	}
	return o.out
}

func mountinfo(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// rootfs is a folder with a shell in it.
func rootfs(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"bin", "dev", "proc", "sys", "tmp", "etc"} {
		must(t, os.Mkdir(filepath.Join(dir, d), 0o755))
	}
	busybox := findBusybox(t)
	must(t, os.WriteFile(filepath.Join(dir, "bin/busybox"), busybox, 0o755))
	for _, name := range strings.Fields("sh cat ls mount umount stat touch mkdir echo readlink rm id grep test true mknod dd") {
		must(t, os.Symlink("busybox", filepath.Join(dir, "bin", name)))
	}
	return dir
}

func findBusybox(t testing.TB) []byte {
	t.Helper()
	for _, p := range []string{"/usr/bin/busybox", "/bin/busybox"} {
		if b, err := os.ReadFile(p); err == nil {
			return b
		}
	}
	t.Fatal("a statically linked busybox is needed (package busybox-static)")
	return nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// standard is a complete root: the root op, /proc, /dev with its devices and a pivot.
func standard(root plan.Op, more ...plan.Op) []plan.Op {
	ops := []plan.Op{plan.PrivateMounts{}, root,
		plan.MountFS{Type: "proc", Target: "/proc", NoExec: true},
		plan.MountFS{Type: "tmpfs", Target: "/dev", NoExec: true, Dev: true, Options: []string{"mode=0755", "size=65536"}},
		plan.MakeDevice{Path: "/dev/null", Source: "/dev/null", Major: 1, Minor: 3},
		plan.MakeDevice{Path: "/dev/zero", Source: "/dev/zero", Major: 1, Minor: 5},
		plan.MakeDir{Path: "/dev/shm", Mode: 0o1777},
		plan.MakeLink{Path: "/dev/fd", Target: "/proc/self/fd"},
	}
	return append(append(ops, more...), plan.Pivot{})
}

// check fails the test when it leaves a descriptor or a mount behind.
func check(t testing.TB) {
	t.Helper()
	mounts, files := mountinfo(t), descriptors(t)
	t.Cleanup(func() {
		if after := mountinfo(t); after != mounts {
			t.Errorf("mounts left behind:\n%s\nwere\n%s", after, mounts)
		}
		if after := descriptors(t); after > files {
			t.Errorf("%d descriptors open, %d before", after, files)
		}
	})
}

func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
