package cgroups

import (
	"math"
	"reflect"
	"testing"

	"sandbox/sandbox/definition"
)

func TestShares(t *testing.T) {
	for weight, want := range map[int64]int64{1: 2, 100: 1024, 10000: 262144} {
		if got := Shares(weight); got != want {
			t.Errorf("Shares(%d) = %d, want %d", weight, got, want)
		}
	}
	last := int64(0)
	for weight := int64(1); weight <= 10000; weight++ {
		got := Shares(weight)
		if got < last || got < 2 || got > 262144 {
			t.Fatalf("Shares(%d) = %d after %d", weight, got, last)
		}
		last = got
	}
}

func TestQuota(t *testing.T) {
	for cpus, want := range map[float64]int64{1: 100000, 1.5: 150000, 0.29: 29000, 1e-9: 1000, 1024: 102400000, math.MaxFloat64: maxQuota} {
		if got := quota(cpus); got != want {
			t.Errorf("quota(%v) = %d, want %d", cpus, got, want)
		}
	}
}

func TestMemorySwapDoesNotOverflow(t *testing.T) {
	huge, swap := definition.Bytes(math.MaxInt64), definition.Bytes(1)
	if got := memorySwap(definition.Limits{Memory: &huge, Swap: &swap}); got != "9223372036854775807" {
		t.Errorf("memory and swap = %s", got)
	}
}

func TestParseMembership(t *testing.T) {
	got := parseMembership("9:name=systemd:/\n5:cpu,cpuacct:/a:b c\n0::/user.slice/x\n\nbroken\n")
	want := []membership{
		{named: true, path: "/"},
		{controllers: []string{"cpu", "cpuacct"}, path: "/a:b c"},
		{path: "/user.slice/x"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseMounts(t *testing.T) {
	got := parseMounts(`31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
33 31 0:30 /docker/a\040b /sys/fs/cgroup/cpu\054acct\134 rw,relatime shared:3 master:1 - cgroup cgroup rw,cpu,cpuacct
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 none rw,nsdelegate
42 31 0:39 / /x rw - ext4 /dev/cgroup rw
short - cgroup2
`)
	want := []mount{
		{root: "/docker/a b", point: `/sys/fs/cgroup/cpu,acct\`, version: 1, options: []string{"rw", "cpu", "cpuacct"}},
		{root: "/", point: "/sys/fs/cgroup/unified", version: 2},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{`a\040b`: "a b", `a\04`: `a\04`, `\134040`: `\040`, `a\`: `a\`, `\049`: `\049`, `\011\012`: "\t\n"} {
		if got := unescape(in); got != want {
			t.Errorf("unescape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestVisible(t *testing.T) {
	cases := []struct{ path, root, want string }{
		{"/a/b", "/", "/a/b"},
		{"/docker/x", "/docker/x", "/"},
		{"/docker/x/y", "/docker/x", "/y"},
		{"/docker/xy", "/docker/x", ""},
		{"/a", "/..", ""},
		{"/../a", "/", ""},
		{"/..", "/", ""},
		{"/a (deleted)", "/", ""},
	}
	for _, c := range cases {
		if got := visible(c.path, c.root); got != c.want {
			t.Errorf("visible(%q, %q) = %q, want %q", c.path, c.root, got, c.want)
		}
	}
}
