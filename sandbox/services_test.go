package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox"
	"sandbox/sandbox/definition"
)

// serve is a service: it listens where SERVE says, after a while, and says good-bye
// when it is asked to end.
func serve() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, unix.SIGTERM, unix.SIGUSR1)
	fmt.Println("starting")
	unix.Nanosleep(&unix.Timespec{Nsec: 50e6}, nil)
	network, address, _ := strings.Cut(os.Getenv("SERVE"), " ")
	l, err := net.Listen(network, address)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("listening")
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	fmt.Println("asked by", <-asked)
	os.WriteFile("/tmp/bye", []byte("bye\n"), 0o644)
}

// serving adds a service to a container, this test binary.
func serving(b *bed, name, address string, ready definition.Ready) *definition.Service {
	self, err := os.Executable()
	if err != nil {
		b.t.Fatal(err)
	}
	if len(b.def.Services) == 0 {
		b.def.Mounts = append(b.def.Mounts, definition.Mount{Type: definition.MountBind, Source: self, Target: "/serve"})
	}
	b.def.Services = append(b.def.Services, definition.Service{Ready: ready,
		Program: definition.Program{Name: name, Args: []string{"/serve"}, Env: []definition.EnvVar{{Name: "SANDBOX_TEST_PAYLOAD", Value: "serve"}, {Name: "SERVE", Value: address}}}})
	return &b.def.Services[len(b.def.Services)-1]
}

// listening prints which TCP ports of the container are listened at.
const listening = `cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { sub(/.*:/, "", $2); print $2 }' | sort -u | tr '\n' ' '`

// A payload and steps find services that are ready, by each of the ways, and which
// are asked to end before artifacts are copied.
func TestServices(t *testing.T) {
	for _, kind := range []string{"payload", "steps"} {
		t.Run(kind, func(t *testing.T) {
			b := shell(t, listening)
			if kind == "steps" {
				b = steps(t, listening, "true")
			}
			serving(b, "four", "tcp4 127.0.0.1:8080", definition.Ready{TCP: 8080})
			serving(b, "six", "tcp6 [::1]:8081", definition.Ready{TCP: 8081})
			serving(b, "file", "unix /run/s.sock", definition.Ready{File: "/run/s.sock"}).Stop = "USR1"
			serving(b, "command", "unix /run/c.sock", definition.Ready{Command: []string{"test", "-S", "/run/c.sock"}})
			out := filepath.Join(b.project, "out")
			b.def.Artifacts = []definition.Artifact{{Path: "/tmp/bye", Target: out}}
			r := b.ok()
			b.want("1F90 1F91")
			if len(r.Services) != 4 || len(r.Warnings) > 0 {
				t.Fatalf("%+v, %q", r.Services, r.Warnings)
			}
			for _, s := range r.Services {
				if s.Ready < definition.Duration(50*time.Millisecond) || s.ExitCode != 0 || s.Early || s.EndedAt.Before(s.StartedAt) || s.LastLines != nil {
					t.Errorf("%+v", s)
				}
			}
			if _, err := os.Stat(out); err != nil {
				t.Error(err)
			}
		})
	}
}

// The payload beside services is what it is without: process 2, with its own verdict.
func TestPayloadBesideServices(t *testing.T) {
	b := shell(t, "echo $$; exit 5")
	b.def.Services = []definition.Service{{Program: definition.Program{Name: "s", Args: []string{"/bin/sh", "-c", "echo its last words; exec sleep 4242"}}, Ready: definition.Ready{Command: []string{"true"}}}}
	r, err := b.run()
	b.want("2")
	if err != nil || r.Verdict != definition.VerdictExited || r.ExitCode != 5 || r.CPU <= 0 || r.Wall <= 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if s := r.Services[0]; s.Signal != "TERM" || s.Early || strings.Join(s.LastLines, "") != "its last words" {
		t.Errorf("%+v", s)
	}
}

func TestServiceNeverReady(t *testing.T) {
	for _, tc := range []struct {
		what  string
		ready definition.Ready
		args  string
		cause string
	}{
		{"tcp", definition.Ready{TCP: 9}, "exec sleep 4242", "port 9 of lo accepts no connections"},
		{"file", definition.Ready{File: "/run/x"}, "exec sleep 4242", "/run/x does not exist"},
		{"command", definition.Ready{Command: []string{"false"}}, "exec sleep 4242", `["false"] does not return 0`},
		{"command missing", definition.Ready{Command: []string{"no-such-program"}}, "exec sleep 4242", "no-such-program"},
		{"ends", definition.Ready{TCP: 9}, "echo oh; exit 7", "it ended before it was ready: exited 7"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			b := shell(t, "echo never")
			b.def.Services = []definition.Service{{Program: definition.Program{Name: "s", Args: []string{"/bin/sh", "-c", tc.args}}, Ready: tc.ready, ReadyWithin: definition.Duration(300 * time.Millisecond)}}
			b.def.Origins = definition.Origins{"services[1]": {File: "test.lua", Line: 5}, "process.args": {File: "test.lua", Line: 1}}
			r, err := b.run()
			b.want("")
			var failed *sandbox.Error
			if !errors.As(err, &failed) || failed.Origin.Line != 5 || !strings.Contains(err.Error(), tc.cause) || !strings.Contains(err.Error(), "service s") {
				t.Errorf("error %v", err)
			}
			if r.Started || r.ExitCode != 125 || len(r.Services) != 1 || r.Services[0].Ready != 0 || r.Services[0].Early {
				t.Errorf("%+v", r)
			}
			if tc.what == "ends" && (r.Services[0].ExitCode != 7 || strings.Join(r.Services[0].LastLines, "") != "oh") {
				t.Errorf("%+v", r.Services[0])
			}
		})
	}
}

func TestServiceThatIsNotThere(t *testing.T) {
	b := steps(t, "echo never")
	b.def.Services = []definition.Service{{Program: definition.Program{Name: "s", Args: []string{"no-such-program"}}}}
	r, err := b.run()
	if err == nil || r.ExitCode != 125 || !strings.Contains(err.Error(), `service s: run "no-such-program"`) {
		t.Errorf("code %d, %v", r.ExitCode, err)
	}
}

// A service that ends early is a warning, and the end of the run is its own.
func TestServiceEndsEarly(t *testing.T) {
	b := steps(t, "while kill -0 $(cat /tmp/pid) 2>/dev/null; do sleep 0.02; done; echo done")
	b.def.Services = []definition.Service{{Program: definition.Program{Name: "s", Args: []string{"/bin/sh", "-c", "echo $$ > /tmp/pid; echo bye; exit 3"}}, Ready: definition.Ready{}}}
	b.def.Steps[0].Args[2] = "while ! [ -s /tmp/pid ]; do sleep 0.02; done; " + b.def.Steps[0].Args[2]
	r := b.ok()
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "the service s ended before it was asked to: exited 3") || !r.Services[0].Early || len(r.Services[0].LastLines) != 1 {
		t.Errorf("%q, %+v", r.Warnings, r.Services)
	}
}

// A signal while a service is waited for ends the set-up.
func TestInterruptedWhileServiceStarts(t *testing.T) {
	signals := make(chan os.Signal, 1)
	b := shell(t, "echo never")
	b.def.Services = []definition.Service{{Program: definition.Program{Name: "s", Args: []string{"sleep", "4242"}}, Ready: definition.Ready{TCP: 9}}}
	b.options = func(o *sandbox.Options) { o.Signals = heard(signals) }
	b.hooks = new(hooks).add(definition.StagePrestart, "int", func(context.Context, definition.HookCall) error {
		time.AfterFunc(100*time.Millisecond, func() { signals <- unix.SIGINT })
		return nil
	})
	r, _ := b.run()
	if r.Verdict != definition.VerdictKilled || r.ExitCode != 130 || r.Started {
		t.Errorf("%+v", r)
	}
}

// The log of a service is kept with the state, and bounded.
func TestServiceLog(t *testing.T) {
	b := steps(t, "while ! [ -e /tmp/done ]; do sleep 0.02; done")
	b.def.Services = []definition.Service{{Program: definition.Program{Name: "s", Args: []string{"/bin/sh", "-c", "yes 0123456789012345678901234567890123456789 | head -c 20000000; echo last; touch /tmp/done; exec sleep 4242"}}}}
	b.options = func(o *sandbox.Options) { o.Keep = true }
	o := b.prepare()
	r, err := sandbox.Run(t.Context(), o)
	if err != nil || r.ExitCode != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	text, err := os.ReadFile(r.Services[0].Log)
	if err != nil || len(text) > 8<<20 || !strings.HasSuffix(string(text), "last\n") || !strings.HasPrefix(string(text), "[what was written before is left out]\n") {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}
