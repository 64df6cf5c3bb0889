package mount

import (
	"testing"

	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// BenchmarkLower is what a usual container costs to encode, and its program's size.
func BenchmarkLower(b *testing.B) {
	ops := standard(plan.RootOverlay{Lower: []string{"/"}, Hide: []string{"/root", "/home", "/tmp"}, Whiteout: []string{"/etc/shadow"}},
		plan.MountFS{Type: "sysfs", Target: "/sys", Readonly: true}, plan.MountFS{Type: "tmpfs", Target: "/tmp", Options: []string{"mode=1777"}},
		plan.Bind{Source: "/usr", Target: "/src", Recursive: true}, plan.BindFile{Target: "/etc/hosts", Content: "127.0.0.1 localhost\n", Mode: 0o644},
		plan.Mask{Path: "/proc/kcore"}, plan.Mask{Path: "/proc/keys"}, plan.Mask{Path: "/proc/timer_list"}, plan.Mask{Path: "/sys/firmware"},
		plan.ReadonlyPath{Path: "/proc/sys"}, plan.ReadonlyPath{Path: "/proc/bus"}, plan.ReadonlyPath{Path: "/proc/irq"})
	size := 0
	for b.Loop() {
		in := nsinit.NewInit()
		for _, op := range ops {
			if _, err := Lower(in, op); err != nil {
				b.Fatal(err)
			}
		}
		encoded, err := in.Encode()
		if err != nil {
			b.Fatal(err)
		}
		size = len(encoded)
		b.ReportMetric(float64(in.Len()), "calls")
	}
	b.ReportMetric(float64(size), "bytes")
}
