package network_test

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/network"
	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// TestLoopback looks at lo from inside a new net namespace.
func TestLoopback(t *testing.T) {
	for name, raised := range map[string]int{"without": 0, "once": 1, "when it is up already": 2} {
		t.Run(name, func(t *testing.T) {
			in := nsinit.NewInit()
			id := func(id int) definition.IDRange { return definition.IDRange{Host: uint32(id), Size: 1} }
			ops := []plan.Op{plan.DieWithSupervisor{}, plan.UnshareUser{}, plan.MapSelf{UID: id(os.Getuid()), GID: id(os.Getgid())},
				plan.CloneInit{Namespaces: []string{"net"}}}
			for range raised {
				ops = append(ops, plan.Loopback{})
			}
			// The route to 127.0.0.1 exists only while lo is up.
			ops = append(ops, plan.CloseFDs{}, plan.Exec{Args: []string{"/bin/sh", "-c", "grep -c '|-- 127.0.0.1' /proc/self/net/fib_trie; true"}})
			for i, op := range ops {
				in.Step(i)
				done, err := network.Lower(in, op)
				if _, mine := op.(plan.Loopback); done != mine || err != nil {
					t.Fatal(op, done, err)
				}
				if !done {
					if done, err := in.Lower(op); !done || err != nil {
						t.Fatal(op, done, err)
					}
				}
			}
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			l := nsinit.NewLauncher()
			defer l.Close()
			c, err := l.Start(in, nsinit.Spawn{Stdout: w, Stderr: w})
			w.Close()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.AwaitExec(t.Context()); err != nil {
				t.Fatal(err)
			}
			out, err := io.ReadAll(r)
			if got := strings.TrimSpace(string(out)); err != nil || (got != "0") != (raised > 0) {
				t.Errorf("addresses %q, %v", got, err)
			}
			if e, _ := c.Wait(t.Context(), time.Time{}); e.Status != 0 {
				t.Errorf("exit %+v", e)
			}
			if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
				t.Errorf("a child is left: %d, %v", pid, err)
			}
		})
	}
}
