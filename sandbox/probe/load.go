package probe

import (
	"runtime"
	"strings"
)

// IdleCore reports whether a second core has nothing to do: making namespaces ahead
// on another thread is then faster, and else slower.
func IdleCore() bool {
	if runtime.NumCPU() < 2 {
		return false
	}
	// "0.20 0.18 0.12 1/80 11206": the fourth field begins with the runnable of all
	// threads (proc_loadavg(5)); one of them is this one.
	fields := strings.Fields(readSmall("/proc/loadavg"))
	return len(fields) > 3 && (strings.HasPrefix(fields[3], "1/") || strings.HasPrefix(fields[3], "2/") && runtime.NumCPU() > 2)
}
