package seccomp

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"sandbox/sandbox/definition"
)

// ret is one instruction, SECCOMP_RET_ALLOW.
var ret = []byte{0x06, 0, 0, 0, 0, 0, 0xff, 0x7f}

func TestDefault(t *testing.T) {
	seen := map[string]bool{}
	for _, arch := range []string{"amd64", "arm64"} {
		bpf, err := Default(arch)
		if err != nil {
			t.Fatal(err)
		}
		if err := Check(bpf); err != nil {
			t.Error(err)
		}
		audit := map[string]uint32{"amd64": 0xc000003e, "arm64": 0xc00000b7}[arch]
		// The second instruction compares the architecture.
		if got := binary.LittleEndian.Uint32(bpf[12:]); got != audit {
			t.Errorf("%s: the filter is for %#x", arch, got)
		}
		if n := len(bpf) / 8; n > 200 {
			t.Errorf("%s: %d instructions: loading takes time for each", arch, n)
		}
		seen[string(bpf)] = true
		// The embedded filter cannot be changed by a caller.
		bpf[0] = 0xff
		if again, _ := Default(arch); again[0] == 0xff {
			t.Error("two callers share one filter")
		}
	}
	if len(seen) != 2 {
		t.Error("both architectures have the same filter")
	}
	if _, err := Default("mips"); err == nil || !strings.Contains(err.Error(), "there is none (amd64 and arm64 only)") {
		t.Errorf("mips: %v", err)
	}
}

func TestModes(t *testing.T) {
	want, err := Default("arm64")
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []definition.SeccompMode{"", definition.SeccompDefault} {
		if bpf, err := Filter(definition.Seccomp{Mode: mode}, Options{Arch: "arm64"}); err != nil || !bytes.Equal(bpf, want) {
			t.Errorf("mode %q: %d bytes, %v", mode, len(bpf), err)
		}
	}
	if bpf, err := Filter(definition.Seccomp{Mode: definition.SeccompNone}, Options{Arch: "arm64"}); bpf != nil || err != nil {
		t.Errorf("none: %d bytes, %v", len(bpf), err)
	}
	for want, s := range map[string]definition.Seccomp{
		"seccomp.policy: the policy is missing":                      {Mode: definition.SeccompPolicy},
		`seccomp.mode: unknown mode "off" (default, none or policy)`: {Mode: "off"},
	} {
		if _, err := Filter(s, Options{Arch: "amd64"}); err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", s, err, want)
		}
	}
}

func TestCheck(t *testing.T) {
	load := []byte{0x20, 0, 0, 0, 0, 0, 0, 0}
	if err := Check(append(bytes.Clone(load), ret...)); err != nil {
		t.Error(err)
	}
	if err := Check(bytes.Repeat(ret, MaxInstructions)); err != nil {
		t.Error(err)
	}
	for want, bpf := range map[string][]byte{
		"seccomp filter: it is empty":                                  nil,
		"seccomp filter: 9 bytes are not a multiple of 8":              append(bytes.Clone(ret), 0),
		"seccomp filter: 4097 instructions, the kernel takes 4096":     bytes.Repeat(ret, MaxInstructions+1),
		"seccomp filter: it ends in the opcode 0x20, not in a return":  append(bytes.Clone(ret), load...),
		"seccomp filter: it ends in the opcode 0x706, not in a return": {0x06, 7, 0, 0, 0, 0, 0xff, 0x7f},
	} {
		if err := Check(bpf); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
