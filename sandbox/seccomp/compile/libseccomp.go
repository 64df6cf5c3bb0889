//go:build cgo

package compile

import (
	"fmt"
	"io"
	"os"
	"sync"

	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
)

// Version returns libseccomp's version, as "2.5.4".
func Version() string {
	major, minor, micro := libseccomp.GetLibraryVersion()
	return fmt.Sprintf("%d.%d.%d", major, minor, micro)
}

// treeFrom is the number of rules from which a binary tree is shorter to walk
// than a list; loading walks the filter once for every call number (Linux 5.11).
const treeFrom = 16

// apiLevel 3 has KILL_PROCESS and LOG (Linux 4.14). It is set, not probed: the
// filter must not depend on the kernel it is compiled on.
var apiLevel = sync.OnceValue(func() error { return libseccomp.SetAPI(3) })

// libRule is one rule of a libseccomp filter; ret is what the filter returns.
type libRule struct {
	name  string
	ret   uint32
	conds []definition.PolicyArg
}

// compileLib compiles rules that cannot overlap, or overlap with one ret.
func compileLib(arch *archInfo, fallback uint32, rules []libRule) ([]instruction, error) {
	if err := apiLevel(); err != nil {
		return nil, fmt.Errorf("set the API level of libseccomp %s: %w", Version(), err)
	}
	filter, err := libseccomp.NewFilter(libAction(fallback))
	if err != nil {
		return nil, err
	}
	defer filter.Release()
	if err := onlyArch(filter, arch.lib); err != nil {
		return nil, err
	}
	if err := filter.SetBadArchAction(libseccomp.ActKillProcess); err != nil {
		return nil, err
	}
	if len(rules) >= treeFrom {
		if err := filter.SetOptimize(2); err != nil {
			return nil, err
		}
	}
	for _, rule := range rules {
		if err := addRule(filter, rule); err != nil {
			return nil, fmt.Errorf("rule for %s: %w", rule.name, err)
		}
	}
	code, err := export(filter)
	if err != nil {
		return nil, err
	}
	return withoutPrologue(code, arch), nil
}

// withoutPrologue drops libseccomp's own test of the architecture and of x32, which
// the header has made once for all pieces: loading a filter walks it for every call
// number. What does not begin exactly as expected stays as it is.
func withoutPrologue(code []instruction, arch *archInfo) []instruction {
	prologue := []instruction{{code: opLoad, k: offsetArch}, {code: opEqual, k: arch.audit}, {code: opLoad, k: offsetNr}}
	if arch.x32 {
		prologue = append(prologue, instruction{code: opGreaterEqual, jf: 1, k: 0x40000000}, instruction{code: opEqual, k: ^uint32(0)})
	}
	if len(code) <= len(prologue) {
		return code
	}
	for i, want := range prologue {
		got := code[i]
		if want.code == opEqual {
			got.jf = 0 // to the return for a bad architecture, wherever that is
		}
		if got != want {
			return code
		}
	}
	load := instruction{code: opLoad, k: offsetNr}
	rest := code[len(prologue):]
	if rest[0] == load {
		return rest
	}
	return append([]instruction{load}, rest...)
}

func onlyArch(filter *libseccomp.ScmpFilter, arch libseccomp.ScmpArch) error {
	native, err := libseccomp.GetNativeArch()
	if err != nil || native == arch {
		return err
	}
	if err := filter.AddArch(arch); err != nil {
		return err
	}
	return filter.RemoveArch(native)
}

func addRule(filter *libseccomp.ScmpFilter, rule libRule) error {
	// libseccomp takes the number of the machine it runs on and translates it.
	call, err := libseccomp.GetSyscallFromName(rule.name)
	if err != nil {
		return err
	}
	if len(rule.conds) == 0 {
		return filter.AddRuleExact(call, libAction(rule.ret))
	}
	conds := make([]libseccomp.ScmpCondition, 0, len(rule.conds))
	for _, arg := range rule.conds {
		cond, err := condition(arg)
		if err != nil {
			return err
		}
		conds = append(conds, cond)
	}
	return filter.AddRuleConditionalExact(call, libAction(rule.ret), conds)
}

func condition(arg definition.PolicyArg) (libseccomp.ScmpCondition, error) {
	switch arg.Op {
	case "==":
		return libseccomp.MakeCondition(arg.Index, libseccomp.CompareEqual, arg.Value)
	case "!=":
		return libseccomp.MakeCondition(arg.Index, libseccomp.CompareNotEqual, arg.Value)
	case "<":
		return libseccomp.MakeCondition(arg.Index, libseccomp.CompareLess, arg.Value)
	case "<=":
		return libseccomp.MakeCondition(arg.Index, libseccomp.CompareLessOrEqual, arg.Value)
	case ">":
		return libseccomp.MakeCondition(arg.Index, libseccomp.CompareGreater, arg.Value)
	case ">=":
		return libseccomp.MakeCondition(arg.Index, libseccomp.CompareGreaterEqual, arg.Value)
	}
	return libseccomp.MakeCondition(arg.Index, libseccomp.CompareMaskedEqual, arg.Mask, arg.Value)
}

func libAction(ret uint32) libseccomp.ScmpAction {
	data := int16(ret & 0xffff)
	switch ret &^ 0xffff {
	case retAllow:
		return libseccomp.ActAllow
	case retLog:
		return libseccomp.ActLog
	case retTrap:
		return libseccomp.ActTrap
	case retErrno:
		return libseccomp.ActErrno.SetReturnCode(data)
	case retTrace:
		return libseccomp.ActTrace.SetReturnCode(data)
	}
	return libseccomp.ActKillProcess
}

// export reads the filter back through a memfd: libseccomp before 2.6 only
// writes to descriptors, and a pipe would block on a large one.
func export(filter *libseccomp.ScmpFilter) ([]instruction, error) {
	fd, err := unix.MemfdCreate("seccomp", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd_create for the filter: %w", err)
	}
	file := os.NewFile(uintptr(fd), "seccomp")
	defer file.Close()
	if err := filter.ExportBPF(file); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	bpf, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	return decode(bpf)
}
