package mount

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/plan"
)

// held runs f on the root of a container over dir, which is writable.
func held(t *testing.T, dir string, f func(*Root)) {
	t.Helper()
	check(t)
	container{ops: standard(plan.RootDir{Path: dir, Write: true}, plan.MountFS{Type: "tmpfs", Target: "/tmp"}), script: "true", held: f}.succeeds(t)
}

func TestOpenRootOfTheHost(t *testing.T) {
	check(t)
	if r, err := OpenRoot(os.Getpid()); err == nil {
		r.Close()
		t.Error("opened the host's root as a container's")
	}
}

func TestAccess(t *testing.T) {
	dir, outside := rootfs(t), t.TempDir()
	secret := filepath.Join(outside, "secret")
	must(t, os.WriteFile(secret, []byte("host"), 0o600))
	for name, target := range map[string]string{"abs": secret, "up": "../../../../../../../.." + secret, "in": "/etc/motd", "loop": "loop"} {
		must(t, os.Symlink(target, filepath.Join(dir, name)))
	}
	must(t, unix.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "big"), nil, 0o644))
	must(t, os.Truncate(filepath.Join(dir, "big"), maxContent+1))
	held(t, dir, func(r *Root) {
		must(t, r.Write("/etc/motd", []byte("longer than that"), 0o640))
		must(t, r.Write("/in", []byte("hello"), 0o600))
		must(t, r.Write("/tmp/below a mount", []byte("x"), 0o4755))
		for _, tc := range []struct{ path, want string }{{"/etc/motd", "hello"}, {"/in", "hello"}, {"/tmp/below a mount", "x"}} {
			if b, err := r.Read(tc.path); err != nil || string(b) != tc.want {
				t.Errorf("%s: %q, %v", tc.path, b, err)
			}
		}
		if m, err := r.Mode("/tmp/below a mount"); err != nil || m != unix.S_IFREG|0o755 {
			t.Errorf("mode %o, %v", m, err)
		}
		if b, err := r.Head("/bin/busybox", 4); err != nil || string(b) != "\x7fELF" {
			t.Errorf("head %q, %v", b, err)
		}
		for _, p := range []string{"/abs", "/up", "/loop", "/fifo", "/big", "/dev/zero", "/etc", "/missing", "etc/motd", "/proc/self/root/etc/passwd"} {
			if b, err := r.Read(p); err == nil {
				t.Errorf("read %s: %d bytes", p, len(b))
			}
		}
		for _, p := range []string{"/abs", "/up", "/loop", "/fifo", "/dev/null", "/etc", "/missing/x", "/", "/etc/..", "x"} {
			if err := r.Write(p, []byte("x"), 0o644); err == nil {
				t.Errorf("wrote %s", p)
			}
		}
	})
	if b, err := os.ReadFile(secret); err != nil || string(b) != "host" {
		t.Errorf("the host's file became %q, %v", b, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "etc/motd")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("motd: %v, %v", info, err)
	}
}

// fillArtifacts makes files, links and more that a build may leave.
func fillArtifacts(t *testing.T, out string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Join(out, "sub/deep"), 0o750))
	must(t, os.WriteFile(filepath.Join(out, "sub/prog"), []byte("#!"), 0o755))
	must(t, os.Chmod(filepath.Join(out, "sub/prog"), 0o755|os.ModeSetuid))
	sparse, err := os.Create(filepath.Join(out, "sparse"))
	must(t, err)
	_, err = sparse.WriteAt([]byte("end"), 1<<30)
	must(t, err)
	must(t, sparse.Truncate(1<<31))
	must(t, sparse.Close())
	for name, to := range map[string]string{"sub/ok": "../sub/prog", "top": "sub", "abs": "/etc/passwd", "sub/up": "../../x", "sub/deep/behind": "../a/../../../x"} {
		must(t, os.Symlink(to, filepath.Join(out, name)))
	}
	must(t, unix.Mkfifo(filepath.Join(out, "fifo"), 0o644))
}

func TestArtifacts(t *testing.T) {
	dir, target := rootfs(t), filepath.Join(t.TempDir(), "a", "dist")
	fillArtifacts(t, filepath.Join(dir, "out"))
	elsewhere := t.TempDir()
	must(t, os.MkdirAll(target+"/sub", 0o755))
	must(t, os.WriteFile(filepath.Join(target, "kept"), nil, 0o644))
	must(t, os.WriteFile(elsewhere+"/victim", []byte("kept"), 0o644))
	must(t, os.Symlink(elsewhere+"/victim", filepath.Join(target, "sub/prog")))
	held(t, dir, func(r *Root) {
		var left *LeftOutError
		if err := r.CopyOut("/out", target); !errors.As(err, &left) || len(left.Items) != 4 || left.Hint() == "" {
			t.Errorf("copy: %v", err)
		}
		must(t, r.CopyOut("/out/sub/prog", filepath.Join(filepath.Dir(target), "one")))
		for _, p := range []string{"/out/fifo", "/dev/null", "/missing", "/out/abs"} {
			if err := r.CopyOut(p, filepath.Join(elsewhere, "x")); err == nil {
				t.Errorf("copied %s", p)
			}
		}
		must(t, os.Symlink(elsewhere, target+".link"))
		if err := r.CopyOut("/out", target+".link"); err == nil {
			t.Error("copied through a link")
		}
		must(t, r.CopyIn(target, "/tmp/in"))
		if b, err := r.Read("/tmp/in/sub/prog"); err != nil || string(b) != "#!" {
			t.Errorf("copied in: %q, %v", b, err)
		}
		if err := r.CopyIn(target, "/nowhere/in"); err == nil {
			t.Error("copied in below a folder that is not there")
		}
	})
	for name, want := range map[string]fs.FileMode{"kept": 0o644, "sub": fs.ModeDir | 0o755, "sub/prog": 0o755, "sub/ok": fs.ModeSymlink | 0o777,
		"top": fs.ModeSymlink | 0o777, "sub/deep": fs.ModeDir | 0o750, "sparse": 0o644, "../one": 0o755} {
		if info, err := os.Lstat(filepath.Join(target, name)); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	for _, name := range []string{"abs", "sub/up", "sub/deep/behind", "fifo"} {
		if _, err := os.Lstat(filepath.Join(target, name)); err == nil {
			t.Errorf("%s was copied", name)
		}
	}
	var st unix.Stat_t
	must(t, unix.Stat(target+"/sparse", &st))
	if st.Size != 1<<31 || st.Blocks > 1<<10 {
		t.Errorf("the sparse file has %d bytes in %d blocks", st.Size, st.Blocks)
	}
	if b, _ := os.ReadFile(elsewhere + "/victim"); string(b) != "kept" {
		t.Errorf("written through a link: %q", b)
	}
	if strings.Contains(listing(t, filepath.Dir(target)), ".tmp") {
		t.Error("a temporary file was left")
	}
}

// TestArtifactsRace swaps a folder for a link to the host while it is copied.
func TestArtifactsRace(t *testing.T) {
	dir, outside := rootfs(t), t.TempDir()
	must(t, os.WriteFile(outside+"/secret", []byte("host"), 0o600))
	must(t, os.MkdirAll(dir+"/out/d", 0o755))
	must(t, os.WriteFile(dir+"/out/d/secret", []byte("inside"), 0o644))
	must(t, os.Symlink(outside, dir+"/out/l"))
	held(t, dir, func(r *Root) {
		stop := make(chan struct{})
		var swapper sync.WaitGroup
		swapper.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					unix.Renameat2(unix.AT_FDCWD, dir+"/out/d", unix.AT_FDCWD, dir+"/out/l", unix.RENAME_EXCHANGE)
				}
			}
		})
		for i := range 300 {
			target := filepath.Join(t.TempDir(), "dist")
			err := r.CopyOut("/out", target)
			var left *LeftOutError
			if err != nil && !errors.As(err, &left) && !errors.Is(err, unix.ELOOP) {
				t.Errorf("round %d: %v", i, err)
			}
			for _, name := range []string{"d", "l"} {
				if b, err := os.ReadFile(filepath.Join(target, name, "secret")); err == nil && string(b) != "inside" {
					t.Fatalf("round %d: the host's file came out", i)
				}
			}
		}
		close(stop)
		swapper.Wait()
	})
}

func TestStaysInside(t *testing.T) {
	for _, tc := range []struct {
		target string
		depth  int
		want   bool
	}{
		{"a", 0, true}, {"./a/b", 0, true}, {"..", 0, false}, {"..", 1, true}, {"../a", 1, true}, {"../..", 1, false}, {"../../a", 2, true},
		{"a/../b", 3, false}, {"a/..", 3, false}, {"/a", 3, false}, {"", 3, false}, {"a//b/.", 0, true}, {".//../a", 1, true},
	} {
		if got := staysInside(tc.target, tc.depth); got != tc.want {
			t.Errorf("%q at depth %d: %v", tc.target, tc.depth, got)
		}
	}
}

const passwd = `root:x:0:0:root:/root:/bin/sh
# comment:x:5:5:::
+::::::
bin:x:2:2:::
short:x:3:3
bad:x:1x:1:::
neg:x:-1:1:::
huge:x:4294967295:1:::
plus:x:+7:1:::
octal:x:010:1:::
app:x:1000:1001:App:/home/app:/bin/sh
app:x:0:0:second:/root:/bin/sh
badgid:x:1002::::/
1003:x:0:0:::
`

func TestLookupUser(t *testing.T) {
	dir := rootfs(t)
	must(t, os.WriteFile(dir+"/etc/passwd", []byte(passwd), 0o644))
	must(t, os.WriteFile(dir+"/etc/group", []byte("root:x:0:\nvideo:x:44:app\nbroken:x:4x:\nfew:x:9\n"), 0o644))
	held(t, dir, func(r *Root) {
		for _, tc := range []struct {
			user   string
			groups []string
			want   User
		}{
			{"root", nil, User{Home: "/root"}},
			{"0", nil, User{Home: "/root"}},
			{"app", []string{"video", "7", "root"}, User{UID: 1000, GID: 1001, Home: "/home/app", Groups: []uint32{44, 7, 0}}},
			{"1000", nil, User{UID: 1000, GID: 1001, Home: "/home/app"}},
			{"app:video", nil, User{UID: 1000, GID: 44, Home: "/home/app"}},
			{"1000:5", nil, User{UID: 1000, GID: 5, Home: "/home/app"}},
			{"4000:5", nil, User{UID: 4000, GID: 5}},
		} {
			got, err := r.LookupUser(tc.user, tc.groups)
			if err != nil || got.UID != tc.want.UID || got.GID != tc.want.GID || got.Home != tc.want.Home || len(got.Groups) != len(tc.want.Groups) {
				t.Errorf("%s: %+v, %v, want %+v", tc.user, got, err, tc.want)
			}
			for i := range got.Groups {
				if got.Groups[i] != tc.want.Groups[i] {
					t.Errorf("%s: groups %d", tc.user, got.Groups)
				}
			}
		}
		for _, user := range []string{"", ":", ":5", "app:", "nobody", "App", "app ", " app", "-1", "+0", "0x0", "00", "01000", "4294967295", "4294967296",
			"99999999999999999999", "1000abc", "short", "bad", "neg", "huge", "plus", "octal", "badgid", "4000", "1003", "+", "app:broken", "app:few", "app:nogroup",
			"app:5:6", "app\n", "app:-1", "# comment", "root\x00"} {
			if got, err := r.LookupUser(user, nil); err == nil {
				t.Errorf("%q became %+v", user, got)
			}
		}
		for _, group := range []string{"", "nogroup", "-1", "4294967295", "broken", "a:b"} {
			if got, err := r.LookupUser("app", []string{group}); err == nil {
				t.Errorf("group %q became %+v", group, got)
			}
		}
		// What is not a plain file is no user database.
		must(t, os.Remove(dir+"/etc/passwd"))
		if got, err := r.LookupUser("app", nil); err == nil {
			t.Errorf("without a passwd: %+v", got)
		}
		if got, err := r.LookupUser("0:7", nil); err != nil || got.GID != 7 {
			t.Errorf("without a passwd: %+v, %v", got, err)
		}
		must(t, unix.Mkfifo(dir+"/etc/passwd", 0o644))
		if got, err := r.LookupUser("0", nil); err == nil {
			t.Errorf("a FIFO for a passwd: %+v", got)
		}
	})
}
