package nsinit

import (
	"testing"
	"time"

	"sandbox/sandbox/plan"
)

// BenchmarkStart is a container of all namespaces but no mounts, from an empty
// program to the reaped init; the payload is /bin/true.
func BenchmarkStart(b *testing.B) {
	for _, bench := range []struct {
		name       string
		sync       int
		namespaces []string
		keeper     bool
	}{
		{"machine alone", 0, nil, false}, {"and keeper", 0, nil, true}, {"and one sync", 1, nil, true}, {"and ten syncs", 10, nil, true},
		{"all namespaces", 0, allNamespaces, true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			l := NewLauncher()
			defer l.Close()
			for b.Loop() {
				ops := []plan.Op{plan.DieWithSupervisor{}}
				for range bench.sync {
					ops = append(ops, plan.Sync{Point: "prestart"})
				}
				if bench.keeper {
					ops = append(ops, plan.ClonePayload{PID: bench.namespaces != nil})
				}
				in := NewInit()
				for _, op := range append(ops, plan.BoundCaps{}, plan.NoNewPrivs{}, plan.CloseFDs{}, plan.Exec{Args: []string{"/bin/true"}}) {
					if _, err := in.Lower(op); err != nil {
						b.Fatal(err)
					}
				}
				c, err := l.Start(in, Spawn{Namespaces: bench.namespaces})
				if err != nil {
					b.Fatal(err)
				}
				for range bench.sync {
					if _, err := c.Await(b.Context(), PointPrestart); err != nil {
						b.Fatal(err)
					}
					if err := c.Go(); err != nil {
						b.Fatal(err)
					}
				}
				if err := c.AwaitExec(b.Context()); err != nil {
					b.Fatal(err)
				}
				c.Wait(b.Context(), time.Time{})
				c.Close()
			}
		})
	}
}
