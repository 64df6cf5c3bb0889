package mount

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/plan"
)

func TestRootDirIsReadonlyAndUntouched(t *testing.T) {
	check(t)
	dir := rootfs(t)
	before := listing(t, dir)
	out := container{
		ops: standard(plan.RootDir{Path: dir}, plan.ReadonlyRoot{}),
		script: `touch /x 2>/dev/null && echo wrote; echo a >/dev/null && test -c /dev/null && stat -c '%t:%T %a' /dev/null; stat -c %a /dev/shm;
			readlink /proc/self/root; touch /dev/shm/y && echo shm; cat /proc/self/mountinfo | grep -c .`,
	}.succeeds(t)
	if want := "1:3 666\n1777\n/\nshm\n"; !strings.HasPrefix(out, want) {
		t.Errorf("got %q, want %q first", out, want)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("the folder was changed:\n%s\nwas\n%s", after, before)
	}
}

// listing is every name below dir with its mode.
func listing(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.Walk(dir, func(p string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		b.WriteString(info.Mode().String() + " " + p + "\n")
		return nil
	}))
	return b.String()
}

// TestOverlayOfTheHost hides with the upper layer alone: there is no mount that
// could be undone.
func TestOverlayOfTheHost(t *testing.T) {
	if !isRoot() {
		t.Skip("missing: root, for an overlay of / (CAP_SYS_ADMIN in the initial user namespace)")
	}
	check(t)
	root := plan.RootOverlay{Lower: []string{"/"}, Hide: []string{"/root", "/home", "/tmp", "/nowhere", "/.dockerenv"}, Whiteout: []string{"/etc/shadow", "/etc/gshadow", "/etc/nothing"}}
	out := container{ops: standard(root, plan.CopyHostFile{Source: "/etc/passwd", Path: "/etc/resolv.conf"}, plan.MakeDir{Path: "/new/dir", Mode: 0o755}),
		script: `ls -A /root /home; ls /etc/shadow 2>/dev/null; test -s /etc/resolv.conf && echo resolv; stat -c '%n %a %u' /root /tmp /etc; touch /tmp/x /usr/x /new/dir/y && echo wrote
			umount /root 2>/dev/null && echo undone; test -d /usr/bin && echo usr; grep -c upper /etc/passwd`,
	}.run(t)
	if want := "/home:\n\n/root:\nresolv\n/root 700 0\n/tmp 1777 0\n/etc 755 0\nwrote\nusr\n0\n"; out.out != want {
		t.Errorf("got %q, %v, want %q", out.out, out.err, want)
	}
	for _, p := range []string{"/new", "/usr/x"} {
		if _, err := os.Lstat(p); err == nil {
			t.Errorf("%s was made on the host", p)
		}
	}
}

func TestOverlayKeepsWrites(t *testing.T) {
	check(t)
	dir, base := rootfs(t), t.TempDir()
	before := listing(t, dir)
	upper := filepath.Join(base, "up:per")
	for range 2 {
		out := container{ops: standard(plan.RootOverlay{Lower: []string{dir}, Upper: upper, UserXattr: !isRoot()}, plan.MakeDir{Path: "/kept", Mode: 0o755}),
			script: "echo line >>/kept/log; cat /kept/log"}.succeeds(t)
		if !strings.HasPrefix(out, "line\n") {
			t.Errorf("got %q", out)
		}
	}
	if b, err := os.ReadFile(filepath.Join(upper, "kept/log")); err != nil || string(b) != "line\nline\n" {
		t.Errorf("kept %q, %v", b, err)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("the lower folder was changed:\n%s", after)
	}
}

func TestRootOverlayUserXattr(t *testing.T) {
	check(t)
	dir := rootfs(t)
	must(t, os.MkdirAll(filepath.Join(dir, "srv/data"), 0o750))
	must(t, os.WriteFile(filepath.Join(dir, "srv/secret"), []byte("s"), 0o600))
	root := plan.RootOverlay{Lower: []string{dir}, UserXattr: !isRoot(), Whiteout: []string{"/srv/secret"}, Hide: []string{"/srv/data"}}
	o := container{ops: standard(root, plan.ReadonlyRoot{}), script: "ls /srv; stat -c %a /srv/data; touch /x 2>/dev/null || echo readonly"}.run(t)
	if errno, _ := o.failed(); errno == unix.EOPNOTSUPP && root.UserXattr && kernelBefore(t, 6, 6) {
		if hint := Explain(root, errno); !strings.Contains(hint, "6.6") {
			t.Errorf("hint %q", hint)
		}
		t.Skip("missing: user.* extended attributes of tmpfs (Linux 6.6)")
	}
	if o.err != nil || o.out != "data\n750\nreadonly\n" {
		t.Errorf("got %q, %v", o.out, o.err)
	}
}

func kernelBefore(t *testing.T, major, minor int) bool {
	t.Helper()
	var u unix.Utsname
	must(t, unix.Uname(&u))
	var a, b int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &a, &b); err != nil {
		t.Fatal(err)
	}
	return a < major || a == major && b < minor
}

func TestRootDirOfHost(t *testing.T) {
	check(t)
	var ops []plan.Op
	for _, link := range []string{"bin", "lib", "lib64", "sbin"} {
		if target, err := os.Readlink("/" + link); err == nil {
			ops = append(ops, plan.MakeLink{Path: "/" + link, Target: target})
		}
	}
	ops = append(ops, plan.Bind{Source: "/usr", Target: "/usr", Recursive: true})
	out := container{ops: standard(plan.RootTmpfs{}, ops...), script: "touch /usr/x 2>/dev/null && echo wrote; ls /usr/bin/env"}.succeeds(t)
	if out != "/usr/bin/env\n" {
		t.Errorf("got %q", out)
	}
}
