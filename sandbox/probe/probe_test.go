package probe

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
)

func TestProbe(t *testing.T) {
	f, err := Probe(plan.Wants{Limits: true, Maps: true, HostRootfs: true, HostMounts: true, Resolv: true, RootDir: "/", Terminal: true,
		Devices: []string{"/dev/null", "/etc/passwd", "/dev/nothing"}, Rlimits: []string{"nofile", "core"}})
	if err != nil {
		t.Fatal(err)
	}
	if f.Kernel[0] < 5 || f.LastCap < 38 || f.StateDir == "" || f.CacheDir == "" || f.MappedIDs == 0 {
		t.Errorf("%+v", f)
	}
	if f.Root != (os.Geteuid() == 0) {
		t.Errorf("root: %v, uid %d, capabilities %x", f.Root, f.UID, f.Capabilities)
	}
	if !slices.ContainsFunc(f.Top, func(e plan.TopEntry) bool { return e.Name == "usr" && e.Dir }) {
		t.Errorf("no /usr among %v", f.Top)
	}
	// Only root's overlay hides what else there is in /var, and asks for it.
	if !slices.Contains(f.Secrets, "/etc/shadow") || slices.Contains(f.Var, "/var/lib") != f.Root || slices.Contains(f.Var, "/var/run") {
		t.Errorf("secrets %q, var %q", f.Secrets, f.Var)
	}
	want := []plan.DeviceFact{{Path: "/dev/null", Kind: "c", Major: 1, Minor: 3}, {Path: "/etc/passwd"}}
	if !slices.Equal(f.Devices, want) {
		t.Errorf("devices %+v", f.Devices)
	}
	if len(f.Rlimits) != 2 || f.Rlimits[0].Name != "nofile" || f.Rlimits[0].Hard == 0 {
		t.Errorf("rlimits %+v", f.Rlimits)
	}
	if !slices.Contains(f.RootEntries, "/proc") {
		t.Errorf("root entries %q", f.RootEntries)
	}
}

// TestTop: both ways to list / say the same.
func TestTop(t *testing.T) {
	with, err := Probe(plan.Wants{HostRootfs: true, HostMounts: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range with.Top {
		with.Top[i].Mounts = nil
	}
	without, err := Probe(plan.Wants{HostRootfs: true})
	if err != nil || !reflect.DeepEqual(with.Top, without.Top) {
		t.Errorf("%+v and %+v, %v", with.Top, without.Top, err)
	}
	for _, p := range without.Var {
		if !slices.Contains(with.Var, p) {
			t.Errorf("%s is not listed", p)
		}
	}
}

// TestProbeIsLazy: what is not asked for is not read.
func TestProbeIsLazy(t *testing.T) {
	f, err := Probe(plan.Wants{})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Top)+len(f.Var)+len(f.Secrets)+len(f.SubUIDs)+len(f.Devices)+len(f.Rlimits) > 0 || f.Resolv != "" {
		t.Errorf("%+v", f)
	}
}

func TestStateDir(t *testing.T) {
	base := t.TempDir()
	make := func(name string, mode os.FileMode) string {
		dir := filepath.Join(base, name)
		if err := os.Mkdir(dir, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	link, file := filepath.Join(base, "link"), filepath.Join(base, "file")
	if err := os.Symlink(base, link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ dir, complaint string }{
		{filepath.Join(base, "missing"), ""},
		{make("own", 0o700), ""},
		{make("shared", 0o777), "others may write"},
		{link, "not a folder"},
		{file, "not a folder"},
	} {
		_, err := checked(tc.dir)
		if (err == nil) != (tc.complaint == "") || err != nil && !strings.Contains(err.Error(), tc.complaint) {
			t.Errorf("%s: %v, want %q", tc.dir, err, tc.complaint)
		}
	}
	if os.Geteuid() == 0 {
		foreign := make("foreign", 0o700)
		if err := os.Chown(foreign, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		if _, err := checked(foreign); err == nil || !strings.Contains(err.Error(), "uid 12345") {
			t.Errorf("a folder of another user: %v", err)
		}
	}
}

func TestSubordinate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "subuid")
	text := "4000000:100000:65536\nsomeone:1:2\n4000000:bad:1\n4000000:300000:0\n\n4000000:200000:10\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []definition.IDRange{{Host: 100000, Size: 65536}, {Host: 200000, Size: 10}}
	if got := subordinate(file, 4000000); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

// TestFreeRange: the advice gives nobody the ids of another user.
func TestFreeRange(t *testing.T) {
	dir := t.TempDir()
	uids, gids := filepath.Join(dir, "subuid"), filepath.Join(dir, "subgid")
	for path, text := range map[string]string{uids: "a:100000:65536\n", gids: "a:100000:65536\nb:231072:65536\nbad\nc:x:1\n\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		files []string
		want  string
	}{
		{[]string{filepath.Join(dir, "missing")}, "100000-165535"},
		{[]string{uids}, "165536-231071"},
		{[]string{uids, gids}, "296608-362143"},
	} {
		if got := freeRange(tc.files...); got != tc.want {
			t.Errorf("%q: %s, want %s", tc.files, got, tc.want)
		}
	}
}

// TestDoctor: nothing is wrong with a machine on which the tests run, and nothing
// of the trials stays.
func TestDoctor(t *testing.T) {
	before := mountCount(t)
	checks := Doctor()
	for _, c := range checks {
		t.Logf("%-5s %-16s %s %s", c.Level, c.Name, c.Text, c.Advice)
		if c.Level == LevelError {
			t.Errorf("%s: %s", c.Name, c.Text)
		}
		if (c.Level == LevelOK) != (c.Advice == "") || c.Text == "" {
			t.Errorf("%s: level %s with advice %q", c.Name, c.Level, c.Advice)
		}
	}
	for _, name := range []string{"kernel", "user", "state", "cgroups", "limits.pids", "user namespaces", "proc", "overlay", "memfd", "seccomp", "kit"} {
		if !slices.ContainsFunc(checks, func(c Check) bool { return c.Name == name }) {
			t.Errorf("nothing is said of %s", name)
		}
	}
	if after := mountCount(t); after != before {
		t.Errorf("%d mounts before, %d after", before, after)
	}
	var st unix.Statfs_t
	if err := unix.Statfs("/proc", &st); err != nil || st.Type != unix.PROC_SUPER_MAGIC {
		t.Errorf("/proc is of type %x, %v", st.Type, err)
	}
}

// TestCheckCgroups: what is wrong says what to do on that host, and refers to
// another line only where that one says it.
func TestCheckCgroups(t *testing.T) {
	for host, want := range map[string]string{
		"root-v2":         "",
		"root-v1":         "",
		"rootless-subuid": "",
		"rootless-single": "run as root",
		"no-userns":       "see cgroups",
		"nested":          "see cgroups",
	} {
		text, err := os.ReadFile("../../testdata/facts/" + host + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var f plan.Facts
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatal(err)
		}
		own := Check{}
		for _, c := range checkCgroups(f) {
			switch {
			case c.Name == "cgroups":
				own = c
			case !strings.HasPrefix(c.Name, "limits."):
			case (c.Level == LevelOK) != (want == "") || !strings.Contains(c.Advice, want):
				t.Errorf("%s: %+v, want the advice %q", host, c, want)
			case strings.Contains(c.Advice, "see cgroups") && own.Advice == "":
				t.Errorf("%s: %+v, but cgroups says %+v", host, c, own)
			}
		}
	}
}

func mountCount(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}

func TestAppArmorAdvice(t *testing.T) {
	for _, word := range []string{"profile sandbox /", "userns,", "apparmor_parser"} {
		if !strings.Contains(appArmorAdvice(), word) {
			t.Errorf("no %q in %q", word, appArmorAdvice())
		}
	}
}

func BenchmarkProbe(b *testing.B) {
	for _, bc := range []struct {
		name string
		w    plan.Wants
	}{{"least", plan.Wants{}}, {"host-readonly", plan.Wants{Maps: true, HostRootfs: true, Terminal: true}},
		{"host", plan.Wants{Limits: true, Maps: true, HostRootfs: true, HostMounts: true, Terminal: true}}} {
		b.Run(bc.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Probe(bc.w); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
