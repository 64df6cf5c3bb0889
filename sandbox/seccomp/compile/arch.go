//go:build cgo

package compile

import (
	"fmt"
	"strings"

	libseccomp "github.com/seccomp/libseccomp-golang"
)

// archInfo is what is known of an architecture's system calls.
type archInfo struct {
	lib libseccomp.ScmpArch
	// audit is AUDIT_ARCH_* (linux/audit.h), as seccomp_data carries it.
	audit uint32
	// x32 says that numbers from 0x40000000 on are the calls of another ABI.
	x32     bool
	names   map[uint32]string
	numbers map[string]uint32
	// inLib are the numbers that libseccomp can make rules for.
	inLib map[uint32]bool
}

// maxNumber ends the search of libseccomp's table; numbers grow by about ten a year.
const maxNumber = 1024

// recent are calls with their numbers on every architecture, for a libseccomp
// that is older than they are.
var recent = map[string]uint32{
	"cachestat": 451, "fchmodat2": 452, "map_shadow_stack": 453,
	"futex_wake": 454, "futex_wait": 455, "futex_requeue": 456,
	"statmount": 457, "listmount": 458,
	"lsm_get_self_attr": 459, "lsm_set_self_attr": 460, "lsm_list_modules": 461,
	"mseal": 462, "setxattrat": 463, "getxattrat": 464, "listxattrat": 465, "removexattrat": 466,
	"open_tree_attr": 467, "file_getattr": 468, "file_setattr": 469,
}

// recentX86 are those of x86-64 alone (Linux 6.11).
var recentX86 = map[string]uint32{"uretprobe": 335}

func archOf(name string) (*archInfo, error) {
	var info *archInfo
	switch name {
	case "amd64":
		info = &archInfo{lib: libseccomp.ArchAMD64, audit: 0xc000003e, x32: true}
	case "arm64":
		info = &archInfo{lib: libseccomp.ArchARM64, audit: 0xc00000b7}
	default:
		return nil, fmt.Errorf("seccomp filter for architecture %q: unknown (%s)", name, strings.Join(Arches, ", "))
	}
	info.names, info.numbers, info.inLib = map[uint32]string{}, map[string]uint32{}, map[uint32]bool{}
	for nr := range uint32(maxNumber) {
		if call, err := libseccomp.ScmpSyscall(nr).GetNameByArch(info.lib); err == nil {
			info.names[nr], info.numbers[call], info.inLib[nr] = call, nr, true
		}
	}
	info.add(recent)
	if name == "amd64" {
		info.add(recentX86)
	}
	return info, nil
}

func (a *archInfo) add(calls map[string]uint32) {
	for name, nr := range calls {
		if _, known := a.numbers[name]; !known {
			a.names[nr], a.numbers[name] = name, nr
		}
	}
}

func (a *archInfo) compilable(nr uint32) bool { return a.inLib[nr] }

// knownElsewhere reports whether some architecture has the call. libseccomp gives
// calls that only others have a negative number.
func knownElsewhere(name string) bool {
	if _, ok := recentX86[name]; ok {
		return true
	}
	_, err := libseccomp.GetSyscallFromName(name)
	return err == nil
}

// nearest returns the call whose name is at most two edits away, or "".
func (a *archInfo) nearest(name string) string {
	best, bestCost := "", 3
	if len(name) > 64 {
		return ""
	}
	for candidate := range a.numbers {
		cost := edits(name, candidate)
		if cost < bestCost || cost == bestCost && best != "" && candidate < best {
			best, bestCost = candidate, cost
		}
	}
	return best
}

// edits is the Levenshtein distance of two names.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
