// Package seccomp hands out system call filters as BPF programs (struct
// sock_filter, 8 bytes each, little endian), ready for seccomp(2).
//
// The default policy's filters are compiled ahead of time and embedded. A
// recipe's own policy is compiled by the companion program sandbox-kit, which
// links libseccomp, and kept in a cache: this package is part of the runner,
// which is built without cgo.
package seccomp

import (
	_ "embed"
	"encoding/binary"
	"fmt"

	"sandbox/sandbox/definition"
)

//go:generate go run sandbox/cmd/sandbox-kit seccomp default --arch amd64 --output default_amd64.bpf
//go:generate go run sandbox/cmd/sandbox-kit seccomp default --arch arm64 --output default_arm64.bpf

//go:embed default_amd64.bpf
var defaultAMD64 string

//go:embed default_arm64.bpf
var defaultARM64 string

// MaxInstructions is BPF_MAXINSNS (linux/bpf_common.h), the longest program that
// seccomp(2) takes.
const MaxInstructions = 4096

const instructionSize = 8

// Options say where Filter finds what it needs.
type Options struct {
	// Arch is the architecture in Go's words, "amd64" or "arm64".
	Arch string
	// CacheDir is the folder that compiled policies are kept in. It is made with
	// mode 0700, and must belong to the caller. Empty means no cache.
	CacheDir string
	// Kit is the path of sandbox-kit. Empty means: beside the running program,
	// else in PATH.
	Kit string
}

// Default returns the filter of the default policy for an architecture, "amd64"
// or "arm64".
func Default(arch string) ([]byte, error) {
	switch arch {
	case "amd64":
		return []byte(defaultAMD64), nil
	case "arm64":
		return []byte(defaultARM64), nil
	}
	return nil, fmt.Errorf("seccomp filter for %s: there is none (amd64 and arm64 only); set seccomp = \"none\"", arch)
}

// Filter returns the filter of a definition, or nil when it wants none. What is
// wrong with a recipe's policy is returned as definition.Problems, with paths
// below "seccomp.policy".
func Filter(seccomp definition.Seccomp, options Options) ([]byte, error) {
	switch seccomp.Mode {
	case definition.SeccompNone:
		return nil, nil
	case definition.SeccompDefault, "":
		return Default(options.Arch)
	case definition.SeccompPolicy:
		if seccomp.Policy == nil {
			return nil, definition.Problems{{Path: "seccomp.policy", Message: "the policy is missing"}}
		}
		return compiled(seccomp.Policy, options)
	}
	return nil, definition.Problems{{Path: "seccomp.mode", Message: fmt.Sprintf("unknown mode %q", seccomp.Mode),
		Hint: "default, none or policy"}}
}

// Check reports whether bytes have the shape of a filter: whole instructions, no
// more than the kernel takes, with a return at the end. The kernel checks the rest.
func Check(bpf []byte) error {
	n := len(bpf) / instructionSize
	switch {
	case len(bpf) == 0:
		return fmt.Errorf("seccomp filter: it is empty")
	case len(bpf)%instructionSize != 0:
		return fmt.Errorf("seccomp filter: %d bytes are not a multiple of %d", len(bpf), instructionSize)
	case n > MaxInstructions:
		return fmt.Errorf("seccomp filter: %d instructions, the kernel takes %d", n, MaxInstructions)
	}
	const bpfReturnK = 0x06
	if code := binary.LittleEndian.Uint16(bpf[len(bpf)-instructionSize:]); code != bpfReturnK {
		return fmt.Errorf("seccomp filter: it ends in the opcode %#x, not in a return", code)
	}
	return nil
}
