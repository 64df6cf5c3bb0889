//go:build cgo

package compile

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// data is a struct seccomp_data (linux/seccomp.h).
type data struct {
	nr, arch uint32
	args     [6]uint64
}

// The AUDIT_ARCH values of the tests (linux/audit.h).
const (
	auditAMD64 = 0xc000003e
	auditARM64 = 0xc00000b7
	audit386   = 0x40000003
	auditARM   = 0x40000028
)

func (d data) bytes() []byte {
	b := binary.LittleEndian.AppendUint32(nil, d.nr)
	b = binary.LittleEndian.AppendUint32(b, d.arch)
	b = binary.LittleEndian.AppendUint64(b, 0)
	for _, arg := range d.args {
		b = binary.LittleEndian.AppendUint64(b, arg)
	}
	return b
}

// run interprets a filter with the kernel's rules: forward jumps that stay inside,
// aligned loads inside seccomp_data, and the instructions that seccomp(2) allows.
func run(program []instruction, d data) (uint32, error) {
	mem := d.bytes()
	var a uint32
	for pc := 0; pc < len(program); pc++ {
		in := program[pc]
		jump := func(cond bool) {
			if cond {
				pc += int(in.jt)
			} else {
				pc += int(in.jf)
			}
		}
		switch in.code {
		case opLoad:
			if in.k%4 != 0 || int(in.k)+4 > len(mem) {
				return 0, fmt.Errorf("instruction %d loads at %d", pc, in.k)
			}
			a = binary.LittleEndian.Uint32(mem[in.k:])
		case 0x54: // BPF_ALU|BPF_AND|BPF_K
			a &= in.k
		case opJump:
			pc += int(in.k)
		case opEqual:
			jump(a == in.k)
		case opGreater:
			jump(a > in.k)
		case opGreaterEqual:
			jump(a >= in.k)
		case 0x45: // BPF_JMP|BPF_JSET|BPF_K
			jump(a&in.k != 0)
		case opReturn:
			return in.k, nil
		default:
			return 0, fmt.Errorf("instruction %d has the opcode %#x", pc, in.code)
		}
	}
	return 0, fmt.Errorf("the program runs past its end")
}

func mustDecode(t testing.TB, bpf []byte) []instruction {
	t.Helper()
	program, err := decode(bpf)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

func mustRun(t testing.TB, program []instruction, d data) uint32 {
	t.Helper()
	ret, err := run(program, d)
	if err != nil {
		t.Fatalf("%+v: %v", d, err)
	}
	return ret
}

// retName prints an answer as a policy would.
func retName(ret uint32) string {
	switch ret &^ 0xffff {
	case retAllow:
		return "allow"
	case retKillProcess:
		return "kill"
	case retLog:
		return "log"
	case retTrap:
		return "trap"
	case retErrno:
		return fmt.Sprintf("errno %d", ret&0xffff)
	}
	return fmt.Sprintf("%#x", ret)
}
