package mount

import (
	"os"
	"slices"
	"testing"
)

func TestParseMounts(t *testing.T) {
	mounts, err := parseMounts("27 1 254:0 / / rw shared:1 - overlay overlay rw,lowerdir=a\\040-\\040b\n" +
		"28 27 0:5 / /mnt/a\\040b\\134c rw master:1 propagate_from:2 - tmpfs none rw\n29 27 0:6 / /proc/x rw - tmpfs none rw\n")
	want := []mountEntry{{"/", "overlay"}, {`/mnt/a b\c`, "tmpfs"}, {"/proc/x", "tmpfs"}}
	if err != nil || !slices.Equal(mounts, want) {
		t.Errorf("got %q, %v", mounts, err)
	}
	if rootDepth(mounts) != 1 || rootDepth(mounts[1:]) != 0 {
		t.Error("depth of the root")
	}
	for _, bad := range []string{"x\n", "27 1 254:0 / / rw\n", "\n"} {
		if m, err := parseMounts(bad); err == nil {
			t.Errorf("%q: %q", bad, m)
		}
	}
}

func TestProbeTop(t *testing.T) {
	top, _, err := ProbeTop()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("/")
	must(t, err)
	if len(top) != len(entries) {
		t.Errorf("%d entries, want %d", len(top), len(entries))
	}
	for _, e := range top {
		info, err := os.Lstat("/" + e.Name)
		must(t, err)
		if e.Dir != info.IsDir() || (e.Link != "") != (info.Mode()&os.ModeSymlink != 0) {
			t.Errorf("%+v is %v", e, info.Mode())
		}
		if e.Name == "proc" && !slices.Contains(e.Mounts, "/proc") {
			t.Errorf("no mount at /proc: %+v", e)
		}
	}
	if _, err := ProbeProcMasked(); err != nil {
		t.Error(err)
	}
}

func BenchmarkProbeTop(b *testing.B) {
	for b.Loop() {
		if _, _, err := ProbeTop(); err != nil {
			b.Fatal(err)
		}
	}
}
