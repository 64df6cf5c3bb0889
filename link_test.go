package sandbox_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// heavy are packages that the runner must not link, and what they would cost every
// start: package initialisation runs whether or not a package is used.
var heavy = map[string]string{
	"net/http":                              "0.6 ms",
	"crypto/tls":                            "comes with net/http",
	"runtime/cgo":                           "0.5 ms, and a C library: what needs it lives in sandbox-kit",
	"github.com/seccomp/libseccomp-golang":  "cgo: compiling a policy is sandbox-kit's work",
	"google.golang.org/protobuf/proto":      "0.7 ms",
	"github.com/checkpoint-restore/go-criu": "0.6 ms",
	"github.com/cilium/ebpf":                "0.5 ms",
	"github.com/vishvananda/netlink":        "0.2 ms: lo needs one ioctl",
	"github.com/opencontainers/cgroups":     "0.3 ms",
	"html/template":                         "0.2 ms",
	"go.yaml.in/yaml":                       "0.1 ms: script/yaml reads what recipes need",
	"testing":                               "registers flags at start",
	"expvar":                                "comes with net/http",
}

func TestRunnerIsLight(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "./cmd/sandbox")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 50 {
		t.Fatalf("only %d dependencies listed", len(deps))
	}
	for _, dep := range deps {
		for path, cost := range heavy {
			if dep == path || strings.HasPrefix(dep, path+"/") {
				t.Errorf("cmd/sandbox links %s (%s)", dep, cost)
			}
		}
	}
}

// Bounds on what the packages do before main: counts, which are the same on every
// machine, not times. Raise them only for a reason that stands in the commit.
const (
	maxInitTasks  = 58
	maxInitAllocs = 360
	maxInitBytes  = 48 << 10
)

// TestInitIsBounded reads the runtime's own trace: one line a package that has an
// init task, with what it allocated.
func TestInitIsBounded(t *testing.T) {
	runner := filepath.Join(t.TempDir(), "sandbox")
	build := exec.Command("go", "build", "-trimpath", "-o", runner, "./cmd/sandbox")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(runner, "version")
	cmd.Env = []string{"GODEBUG=inittrace=1"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	line := regexp.MustCompile(`(?m)^init (\S+) @.* clock, (\d+) bytes, (\d+) allocs$`)
	tasks, bytes, allocs := 0, 0, 0
	for _, m := range line.FindAllStringSubmatch(string(out), -1) {
		b, _ := strconv.Atoi(m[2])
		a, _ := strconv.Atoi(m[3])
		tasks, bytes, allocs = tasks+1, bytes+b, allocs+a
		if strings.HasPrefix(m[1], module) && a > 0 {
			t.Errorf("%s allocates in its initialisation: %s", m[1], m[0])
		}
	}
	t.Logf("%d init tasks, %d allocations, %d bytes", tasks, allocs, bytes)
	if tasks == 0 || tasks > maxInitTasks || allocs > maxInitAllocs || bytes > maxInitBytes {
		t.Errorf("%d init tasks, %d allocations, %d bytes before main; at most %d, %d and %d\n%s",
			tasks, allocs, bytes, maxInitTasks, maxInitAllocs, maxInitBytes, out)
	}
}
