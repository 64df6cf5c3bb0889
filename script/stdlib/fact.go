package stdlib

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// facts are the names Fact knows.
var facts = [...]string{"arch", "cpus", "kernel", "os.id", "os.version_id"}

// Fact returns something about this machine: arch (as GOARCH), cpus (that this
// process may use), kernel (its release, from /proc/sys/kernel/osrelease), os.id and
// os.version_id (os-release(5); "linux" and "" where the file does not say).
func Fact(name string) (string, error) {
	switch name {
	case "arch":
		return runtime.GOARCH, nil
	case "cpus":
		return strconv.Itoa(runtime.NumCPU()), nil
	case "kernel":
		release, err := os.ReadFile("/proc/sys/kernel/osrelease")
		return strings.TrimSpace(string(release)), err
	case "os.id":
		return osRelease("ID", "linux")
	case "os.version_id":
		return osRelease("VERSION_ID", "")
	}
	return "", fmt.Errorf("there is no fact %q; there are %s", name, strings.Join(facts[:], ", "))
}

func osRelease(key, def string) (string, error) {
	f, err := os.Open("/etc/os-release")
	if errors.Is(err, os.ErrNotExist) {
		f, err = os.Open("/usr/lib/os-release")
	}
	if errors.Is(err, os.ErrNotExist) {
		return def, nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), key+"="); ok {
			return strings.Trim(value, `"'`), nil
		}
	}
	return def, lines.Err()
}
