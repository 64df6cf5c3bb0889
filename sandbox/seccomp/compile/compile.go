//go:build cgo

// Package compile turns a system call policy into a seccomp filter (classic
// BPF, as seccomp(2) takes it) by libseccomp. It needs cgo, and is therefore
// never part of the runner: see package seccomp for what the runner does.
//
// libseccomp compiles the pieces, this package links them:
//
//	header     foreign architectures, x32, numbers libseccomp does not know
//	dispatch   one libseccomp filter: call number → action, or → a piece below
//	pieces     one libseccomp filter for neighbouring rules of a call
//
// The pieces are in the order of the rules, so that the first rule that holds
// decides; one libseccomp filter alone leaves that open, and refuses two
// comparisons of one argument.
package compile

import (
	"encoding/binary"
	"errors"
	"fmt"

	"sandbox/sandbox/definition"
)

// PolicyLevel is the number of the newest call that a policy is taken to know:
// mseal, of Linux 6.12. A higher number answers ENOSYS unless a rule names it.
const PolicyLevel = 462

// maxInstructions is BPF_MAXINSNS (linux/bpf_common.h).
const maxInstructions = 4096

// Arches are the architectures that filters are made for, in Go's words.
var Arches = []string{"amd64", "arm64"}

// Compile returns the filter of a policy for an architecture ("amd64" or
// "arm64"): sock_filter structures of 8 bytes, little endian, at most 4096.
// What is wrong with the policy is returned as definition.Problems, whose paths
// are relative to the policy ("rules[2].names[1]").
func Compile(policy *definition.Policy, arch string) ([]byte, error) {
	target, err := archOf(arch)
	if err != nil {
		return nil, err
	}
	calls, problems := decide(policy, target)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	program, err := link(calls, target)
	if err != nil {
		return nil, fmt.Errorf("compile seccomp policy for %s: %w", arch, err)
	}
	if len(program) > maxInstructions {
		return nil, definition.Problems{{
			Path:    "rules",
			Message: fmt.Sprintf("the filter has %d instructions, the kernel takes %d", len(program), maxInstructions),
			Hint:    "merge rules, or compare fewer arguments",
		}}
	}
	return encode(program), nil
}

// Default returns the default policy's filter for an architecture.
func Default(arch string) ([]byte, error) {
	policy, err := DefaultPolicy()
	if err != nil {
		return nil, err
	}
	return Compile(policy, arch)
}

// instruction is a struct sock_filter (linux/filter.h).
type instruction struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

// The opcodes used here (linux/bpf_common.h).
const (
	opLoad         = 0x20 // BPF_LD|BPF_W|BPF_ABS: A = word at k of struct seccomp_data
	opJump         = 0x05 // BPF_JMP|BPF_JA
	opEqual        = 0x15 // BPF_JMP|BPF_JEQ|BPF_K
	opGreater      = 0x25 // BPF_JMP|BPF_JGT|BPF_K
	opGreaterEqual = 0x35 // BPF_JMP|BPF_JGE|BPF_K
	opReturn       = 0x06 // BPF_RET|BPF_K
)

// Offsets in struct seccomp_data (linux/seccomp.h).
const (
	offsetNr   = 0
	offsetArch = 4
)

func encode(program []instruction) []byte {
	out := make([]byte, 0, 8*len(program))
	for _, in := range program {
		out = binary.LittleEndian.AppendUint16(out, in.code)
		out = append(out, in.jt, in.jf)
		out = binary.LittleEndian.AppendUint32(out, in.k)
	}
	return out
}

func decode(bpf []byte) ([]instruction, error) {
	if len(bpf) == 0 || len(bpf)%8 != 0 {
		return nil, errors.New("libseccomp exported a broken filter")
	}
	out := make([]instruction, len(bpf)/8)
	for i := range out {
		b := bpf[8*i:]
		out[i] = instruction{binary.LittleEndian.Uint16(b), b[2], b[3], binary.LittleEndian.Uint32(b[4:])}
	}
	return out, nil
}
