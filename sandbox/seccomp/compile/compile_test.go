//go:build cgo

package compile

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
)

func mustCompile(t testing.TB, policy *definition.Policy, arch string) []instruction {
	t.Helper()
	bpf, err := Compile(policy, arch)
	if err != nil {
		t.Fatal(err)
	}
	return mustDecode(t, bpf)
}

// mustParse reads a policy in the text format of default.policy.
func mustParse(t testing.TB, text string) *definition.Policy {
	t.Helper()
	policy, err := parsePolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// on makes a call of a native program of an architecture.
func on(t testing.TB, arch, name string, args ...uint64) data {
	t.Helper()
	info := mustArch(t, arch)
	nr, ok := info.numbers[name]
	if !ok {
		t.Fatalf("no system call %s on %s", name, arch)
	}
	d := data{nr: nr, arch: info.audit}
	copy(d.args[:], args)
	return d
}

func TestActions(t *testing.T) {
	tests := []struct {
		rule string
		want uint32
	}{
		{"allow", retAllow},
		{"errno", retErrno | uint32(unix.EPERM)},
		{"errno=ENOENT", retErrno | uint32(unix.ENOENT)},
		{"kill", retKillProcess},
		{"log", retLog},
		{"trap", retTrap},
	}
	for _, arch := range Arches {
		for _, test := range tests {
			// As a rule against another default, and as the default.
			other := "default trap\n"
			if test.want == retTrap {
				other = "default log\n"
			}
			program := mustCompile(t, mustParse(t, other+test.rule+" read"), arch)
			if got := mustRun(t, program, on(t, arch, "read")); got != test.want {
				t.Errorf("%s: rule %s: %s", arch, test.rule, retName(got))
			}
			program = mustCompile(t, mustParse(t, "default "+test.rule), arch)
			if got := mustRun(t, program, on(t, arch, "read")); got != test.want {
				t.Errorf("%s: default %s: %s", arch, test.rule, retName(got))
			}
		}
	}
}

// TestOperators compares in full 64 bits: the values around share one half with
// the operand, where a comparison of 32 bits goes wrong.
func TestOperators(t *testing.T) {
	const operand = 0x5_0000_0007
	values := []uint64{
		0, 7, 5, 0x5_0000_0006, operand, 0x5_0000_0008,
		0x4_0000_0007, 0x4_0000_0008, 0x4_ffff_ffff, 0x6_0000_0007, 0x6_0000_0006, 0x6_0000_0000,
		0x5_ffff_ffff, 0xffff_ffff, ^uint64(0), 1 << 63,
	}
	tests := map[string]func(uint64) bool{
		"==":               func(x uint64) bool { return x == operand },
		"!=":               func(x uint64) bool { return x != operand },
		"<":                func(x uint64) bool { return x < operand },
		"<=":               func(x uint64) bool { return x <= operand },
		">":                func(x uint64) bool { return x > operand },
		">=":               func(x uint64) bool { return x >= operand },
		"& 0xf0000000f ==": func(x uint64) bool { return x&0xf_0000_000f == operand },
		"& 0xffffffff ==":  func(x uint64) bool { return x&0xffff_ffff == 7 },
	}
	for _, arch := range Arches {
		for op, want := range tests {
			value := uint64(operand)
			if strings.Contains(op, "0xffffffff ") {
				value = 7
			}
			for index := range 6 {
				text := fmt.Sprintf("default errno\nallow read if arg%d %s %#x", index, op, value)
				program := mustCompile(t, mustParse(t, text), arch)
				for _, x := range values {
					d := on(t, arch, "read")
					d.args[index] = x
					if got := mustRun(t, program, d) == retAllow; got != want(x) {
						t.Errorf("%s: %s: %#x: allowed %v", arch, text, x, got)
					}
				}
			}
		}
	}
}

// TestSmallNotEqual: not equal must hold for ordinary values, whose upper halves agree.
func TestSmallNotEqual(t *testing.T) {
	program := mustCompile(t, mustParse(t, "default allow\nerrno read if arg0 != 5"), "amd64")
	for x := range uint64(8) {
		want := uint32(retErrno | uint32(unix.EPERM))
		if x == 5 {
			want = retAllow
		}
		if got := mustRun(t, program, on(t, "amd64", "read", x)); got != want {
			t.Errorf("%d: %s", x, retName(got))
		}
	}
}

func TestArgumentsAreAnded(t *testing.T) {
	for _, arch := range Arches {
		program := mustCompile(t, mustParse(t, "default errno\nallow read if arg0 == 1 and arg1 == 2 and arg2 > 3"), arch)
		for _, test := range []struct {
			args  []uint64
			allow bool
		}{
			{[]uint64{1, 2, 4}, true},
			{[]uint64{1, 9, 4}, false},
			{[]uint64{2, 9, 4}, false},
			{[]uint64{9, 2, 4}, false},
			{[]uint64{1, 2, 3}, false},
			{[]uint64{2, 1, 4}, false},
		} {
			if got := mustRun(t, program, on(t, arch, "read", test.args...)) == retAllow; got != test.allow {
				t.Errorf("%s: %v: allowed %v", arch, test.args, got)
			}
		}
	}
}

// TestOneArgumentTwice: a range is two comparisons of one argument.
func TestOneArgumentTwice(t *testing.T) {
	program := mustCompile(t, mustParse(t, "default errno\nallow read if arg0 >= 5 and arg0 < 10 and arg0 != 7"), "amd64")
	for x := range uint64(12) {
		want := x >= 5 && x < 10 && x != 7
		if got := mustRun(t, program, on(t, "amd64", "read", x)) == retAllow; got != want {
			t.Errorf("%d: allowed %v", x, got)
		}
	}
}

func TestRulesAreOred(t *testing.T) {
	for _, text := range []string{
		"default errno\nallow read if arg0 == 1\nallow read if arg0 == 4\nallow read if arg1 == 2",
		"default errno\nallow read if arg1 == 2\nallow read if arg0 == 4\nallow read if arg0 == 1",
	} {
		program := mustCompile(t, mustParse(t, text), "amd64")
		for a := range uint64(6) {
			for b := range uint64(4) {
				want := a == 1 || a == 4 || b == 2
				if got := mustRun(t, program, on(t, "amd64", "read", a, b)) == retAllow; got != want {
					t.Errorf("%q: %d %d: allowed %v", text, a, b, got)
				}
			}
		}
	}
}

// TestFirstRuleDecides where rules of different actions overlap.
func TestFirstRuleDecides(t *testing.T) {
	program := mustCompile(t, mustParse(t, `default kill
errno=EACCES read if arg0 < 3
log read if arg0 < 5
allow read
trap read`), "amd64")
	for x, want := range map[uint64]uint32{0: retErrno | uint32(unix.EACCES), 2: retErrno | uint32(unix.EACCES), 3: retLog, 4: retLog, 5: retAllow} {
		if got := mustRun(t, program, on(t, "amd64", "read", x)); got != want {
			t.Errorf("%d: %s, want %s", x, retName(got), retName(want))
		}
	}
}

func TestForeignArchitecturesAreKilled(t *testing.T) {
	foreign := map[string][]uint32{
		"amd64": {audit386, auditARM64, auditARM, 0},
		"arm64": {audit386, auditARM64 | 0x1000, auditARM, auditAMD64, 0},
	}
	for _, policy := range []string{"default allow", "default errno\nallow read", "default log\nkill read if arg0 == 1"} {
		for arch, audits := range foreign {
			program := mustCompile(t, mustParse(t, policy), arch)
			for _, audit := range audits {
				for _, nr := range []uint32{0, 3, 63, 451, 470, 0x40000000, ^uint32(0)} {
					if got := mustRun(t, program, data{nr: nr, arch: audit}); got != retKillProcess {
						t.Errorf("%s, %q: arch %#x nr %d: %s", arch, policy, audit, nr, retName(got))
					}
				}
			}
		}
	}
}

func TestX32IsKilled(t *testing.T) {
	for _, policy := range []string{"default allow", "default errno\nallow read", "default log\nkill read if arg0 == 1"} {
		program := mustCompile(t, mustParse(t, policy), "amd64")
		for _, nr := range []uint32{0x40000000, 0x40000000 | 59, 0x40000000 | 512, 0x7fffffff, 0xfffffffe} {
			if got := mustRun(t, program, data{nr: nr, arch: auditAMD64}); got != retKillProcess {
				t.Errorf("%q: nr %#x: %s", policy, nr, retName(got))
			}
		}
	}
}

// TestUnknownCalls: what the policy cannot know answers ENOSYS, unless the policy
// lets everything through, or names it.
func TestUnknownCalls(t *testing.T) {
	const enosys = retErrno | uint32(unix.ENOSYS)
	eperm := retErrno | uint32(unix.EPERM)
	for _, test := range []struct {
		policy string
		nr     uint32
		want   uint32
	}{
		{"default errno\nallow read", PolicyLevel, eperm},
		{"default errno\nallow read", PolicyLevel + 1, enosys},
		{"default errno\nallow read", 100000, enosys},
		{"default kill\nallow read", PolicyLevel, retKillProcess},
		{"default kill\nallow read", PolicyLevel + 1, enosys},
		{"default trap\nallow read", 0x3fffffff, enosys},
		{"default errno\nallow setxattrat", 463, retAllow},
		{"default errno\nallow setxattrat", 464, enosys},
		{"default errno\nallow mseal", PolicyLevel, retAllow},
		{"default kill\nallow read", 400, enosys},
		{"default allow\nkill read", 100000, retAllow},
		{"default allow\nkill setxattrat", 463, retKillProcess},
		{"default log\nkill read", 400, retLog},
	} {
		for _, arch := range Arches {
			d := data{nr: test.nr, arch: mustArch(t, arch).audit}
			if got := mustRun(t, mustCompile(t, mustParse(t, test.policy), arch), d); got != test.want {
				t.Errorf("%s, %q: %d: %s, want %s", arch, test.policy, test.nr, retName(got), retName(test.want))
			}
		}
	}
}

// TestCallsOfOtherArchitectures are skipped where they do not exist.
func TestCallsOfOtherArchitectures(t *testing.T) {
	policy := mustParse(t, "default errno\nallow open socketcall sync_file_range2 uretprobe read\nkill mmap2 if arg0 == 1")
	for _, arch := range Arches {
		if got := mustRun(t, mustCompile(t, policy, arch), on(t, arch, "read")); got != retAllow {
			t.Errorf("%s: read: %s", arch, retName(got))
		}
	}
}

func TestProblems(t *testing.T) {
	arg := func(a definition.PolicyArg) *definition.Policy {
		return &definition.Policy{Default: "errno", Rules: []definition.PolicyRule{{Names: []string{"read"}, Action: "allow", Args: []definition.PolicyArg{a}}}}
	}
	tests := []struct {
		policy *definition.Policy
		want   string
	}{
		{nil, "the policy is missing"},
		{&definition.Policy{}, `default: unknown action "" (allow, errno, kill, log or trap)`},
		{mustParse(t, "default errno=EPREM"), `errno: unknown errno "EPREM"`},
		{mustParse(t, "default allow=EPERM"), `default: an errno goes with the action "errno" only`},
		{mustParse(t, "default errno\nalow read"), `rules[1].action: unknown action "alow" (allow, errno, kill, log or trap)`},
		{mustParse(t, "default errno\nallow read\nallow write raed"), `rules[2].names[2]: unknown system call "raed" (did you mean "read"?)`},
		{mustParse(t, "default errno\nallow frobnicate"), `rules[1].names[1]: unknown system call "frobnicate"`},
		{mustParse(t, "default errno\nallow"), `rules[1].names: no system call is named`},
		{mustParse(t, "default errno\nerrno=FOO read"), `rules[1].errno: unknown errno "FOO"`},
		{arg(definition.PolicyArg{Index: 6, Op: "=="}), `rules[1].args[1].index: a system call has the arguments 0 to 5, not 6`},
		{arg(definition.PolicyArg{Op: "="}), `rules[1].args[1].op: unknown operator "=" (==, !=, <, <=, >, >= or masked)`},
		{arg(definition.PolicyArg{Op: "==", Mask: 1}), `rules[1].args[1].mask: a mask goes with the operator "masked" only`},
		{arg(definition.PolicyArg{Op: "masked", Mask: 1, Value: 2}), `rules[1].args[1]: never holds: the value 0x2 has bits outside the mask 0x1`},
		{arg(definition.PolicyArg{Op: "<"}), `rules[1].args[1]: never holds: < 0x0 (arguments are unsigned)`},
	}
	for _, test := range tests {
		_, err := Compile(test.policy, "amd64")
		var problems definition.Problems
		if !errors.As(err, &problems) || problems.Error() != test.want {
			t.Errorf("%+v:\n got %v\nwant %s", test.policy, err, test.want)
		}
	}
}

func TestTooLarge(t *testing.T) {
	policy := &definition.Policy{Default: "errno"}
	for i := range uint64(900) {
		policy.Rules = append(policy.Rules, definition.PolicyRule{Names: []string{"read"}, Action: "allow",
			Args: []definition.PolicyArg{{Op: ">", Value: i}, {Index: 1, Op: "<", Value: i + 1}}})
	}
	_, err := Compile(policy, "amd64")
	if err == nil || !strings.Contains(err.Error(), "the kernel takes 4096") {
		t.Errorf("a filter too large: %v", err)
	}
	policy.Rules[0].Names = strings.Fields(strings.Repeat("read ", maxConditions))
	_, err = Compile(policy, "amd64")
	if err == nil || !strings.Contains(err.Error(), "more than 4096 conditions") {
		t.Errorf("too many conditions: %v", err)
	}
}

func TestUnknownArch(t *testing.T) {
	_, err := Compile(mustParse(t, "default errno"), "mips")
	if err == nil || err.Error() != `seccomp filter for architecture "mips": unknown (amd64, arm64)` {
		t.Error(err)
	}
}
