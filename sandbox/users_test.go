package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/internal/floor"
	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
	"sandbox/sandbox/probe"
)

// needIDs skips what needs more than one id; root has them all.
func needIDs(t *testing.T) {
	t.Helper()
	f, err := probe.Probe(plan.Wants{Maps: true})
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case f.Root:
	case (!f.NewIDMap || len(f.SubUIDs) == 0 || len(f.SubGIDs) == 0) && floor.SubordinateIDs():
		t.Fatalf("the subordinate ids of this user were overlooked: %+v", f)
	case !f.NewIDMap:
		t.Skip("missing: newuidmap and newgidmap, set-user-ID")
	case len(f.SubUIDs) == 0 || len(f.SubGIDs) == 0:
		t.Skip("missing: subordinate ids of this user in /etc/subuid and /etc/subgid")
	}
}

// TestUserByName looks the names up in the container's files, with the ids of
// ranges for an ordinary user.
func TestUserByName(t *testing.T) {
	needIDs(t)
	b := shell(t, "id -un; id -Gn; touch /tmp/mine; stat -c %U:%G /tmp/mine; grep -c . /proc/self/setgroups")
	b.def.Process.User, b.def.Process.Groups = "games", []string{"adm", "daemon"}
	b.ok()
	b.want("games\ngames daemon adm\ngames:games\n1")
}

// TestFilesOfOtherUsers: what has more than one id can give files away.
func TestFilesOfOtherUsers(t *testing.T) {
	needIDs(t)
	b := shell(t, "touch /tmp/f; chown games:adm /tmp/f; stat -c %U:%G /tmp/f")
	b.ok()
	b.want("games:adm")
}

// TestOverlayRootfs keeps writes in the upper folder and leaves the lower one alone:
// with trusted extended attributes for root, else with user ones (Linux 5.11).
func TestOverlayRootfs(t *testing.T) {
	lower, upper := t.TempDir(), filepath.Join(t.TempDir(), "upper")
	for _, dir := range []string{lower + "/usr", lower + "/d", upper} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"bin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+name, filepath.Join(lower, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"/d/old", "/gone"} {
		if err := os.WriteFile(lower+name, []byte("lower\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b := shell(t, "rm /gone; rm -r /d; mkdir /d; ls -A /d; echo new > /f; cat /f")
	b.def.Rootfs = definition.Rootfs{Kind: definition.RootfsOverlay, Lower: []string{lower}, Upper: upper}
	b.def.Mounts = []definition.Mount{{Type: definition.MountBind, Source: "/usr", Target: "/usr"}}
	b.ok()
	b.want("new")
	if text, err := os.ReadFile(upper + "/f"); string(text) != "new\n" {
		t.Errorf("the upper folder has %q, %v", text, err)
	}
	if _, err := os.Stat(lower + "/d/old"); err != nil {
		t.Error(err)
	}
	b.def.Process.Args[2] = "ls /gone /d/old 2>/dev/null; ls -A /d; cat /f" // what was removed stays removed
	b.ok()
	b.want("new")
}

// TestThrowAwayOverlay: a note says where a folder cannot be made again.
func TestThrowAwayOverlay(t *testing.T) {
	lower := t.TempDir()
	for _, dir := range []string{"/usr", "/d"} {
		if err := os.Mkdir(lower+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"bin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+name, filepath.Join(lower, name)); err != nil {
			t.Fatal(err)
		}
	}
	b := shell(t, "echo new > /f; cat /f; rmdir /d; mkdir /d 2>/dev/null || echo missing")
	b.def.Rootfs = definition.Rootfs{Kind: definition.RootfsOverlay, Lower: []string{lower}}
	b.def.Mounts = []definition.Mount{{Type: definition.MountBind, Source: "/usr", Target: "/usr"}}
	want := "new"
	if notes := strings.Join(b.ok().Notes, "\n"); strings.Contains(notes, "cannot be made again") {
		want = "new\nmissing"
	}
	b.want(want)
}

// TestCgroupFromInside: a container that has controllers sees its own cgroup as the
// root of all, and cannot change its limits.
func TestCgroupFromInside(t *testing.T) {
	layout, err := cgroups.Probe(true, nil)
	if err != nil {
		t.Fatal(err)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs("/sys/fs/cgroup", &fs); err != nil {
		t.Fatal(err)
	}
	switch v2 := fs.Type == unix.CGROUP2_SUPER_MAGIC; {
	case v2 != (layout.Mode == cgroups.ModeV2):
		t.Fatalf("cgroup v2 alone at /sys/fs/cgroup: %t, mode %s", v2, layout.Mode)
	case !v2:
		t.Skip("missing: cgroup v2 alone at /sys/fs/cgroup")
	}
	pids := int64(33)
	b := shell(t, "cat /proc/self/cgroup; cd /sys/fs/cgroup; cat pids.max; (echo max > pids.max) 2>/dev/null || echo kept; (mkdir x) 2>/dev/null || echo refused")
	b.def.Limits.Pids = &pids
	needLimits(t, b.def.Limits)
	b.ok()
	b.want("0::/\n33\nkept\nrefused")
}
