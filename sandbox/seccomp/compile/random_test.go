//go:build cgo

package compile

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"sandbox/sandbox/definition"
)

var operators = []string{"==", "!=", "<", "<=", ">", ">=", "masked"}

// halves are the words random 64-bit values are put together from, so that values
// often share one half.
var halves = []uint64{0, 1, 2, 5, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff}

func randomValue(r *rand.Rand) uint64 {
	return halves[r.IntN(len(halves))]<<32 | halves[r.IntN(len(halves))]
}

func randomPolicy(r *rand.Rand) *definition.Policy {
	actions := []definition.Action{"allow", "errno", "kill", "log", "trap"}
	errnos := []string{"", "ENOSYS", "EACCES"}
	names := []string{"read", "socket", "clone", "ioctl", "mseal", "open", "setxattrat", "uretprobe", "futex_waitv"}
	action := func() (definition.Action, string) {
		a := actions[r.IntN(len(actions))]
		if a == definition.ActionErrno {
			return a, errnos[r.IntN(len(errnos))]
		}
		return a, ""
	}
	policy := &definition.Policy{}
	policy.Default, policy.Errno = action()
	for range r.IntN(7) {
		rule := definition.PolicyRule{}
		rule.Action, rule.Errno = action()
		if r.IntN(4) == 0 {
			rule.Names = []string{names[r.IntN(len(names))], names[r.IntN(len(names))]}
		} else {
			rule.Names = []string{names[r.IntN(3)]}
			for range r.IntN(4) {
				rule.Args = append(rule.Args, randomCondition(r))
			}
		}
		policy.Rules = append(policy.Rules, rule)
	}
	return policy
}

func randomCondition(r *rand.Rand) definition.PolicyArg {
	for {
		arg := definition.PolicyArg{Index: uint(r.IntN(3)), Op: operators[r.IntN(len(operators))], Value: randomValue(r)}
		if arg.Op == "masked" {
			arg.Mask = randomValue(r)
			arg.Value &= arg.Mask
		}
		if !(arg.Op == "<" && arg.Value == 0) && !(arg.Op == ">" && arg.Value == ^uint64(0)) {
			return arg
		}
	}
}

// TestRandomPolicies compares filters with the policies read literally. The first
// arguments of a call are drawn from the same values as the conditions.
func TestRandomPolicies(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range 150 {
		policy, arch := randomPolicy(r), Arches[i%2]
		if err := agree(t, r, policy, arch); err != nil {
			t.Fatalf("seed %d, policy %d on %s: %v\n%+v", seed, i, arch, err, policy)
		}
	}
}

func agree(t *testing.T, r *rand.Rand, policy *definition.Policy, arch string) error {
	bpf, err := Compile(policy, arch)
	if err != nil {
		return err
	}
	program, info := mustDecode(t, bpf), mustArch(t, arch)
	calls := []uint32{info.numbers["read"], info.numbers["socket"], info.numbers["clone"]}
	for range 600 {
		d := data{nr: calls[r.IntN(3)], arch: info.audit, args: [6]uint64{randomValue(r), randomValue(r), randomValue(r)}}
		if got, want := mustRun(t, program, d), expect(t, policy, arch, d); got != want {
			return fmt.Errorf("%+v: %s, want %s", d, retName(got), retName(want))
		}
	}
	for nr := range uint32(500) {
		d := data{nr: nr, arch: info.audit}
		if got, want := mustRun(t, program, d), expect(t, policy, arch, d); got != want {
			return fmt.Errorf("%+v: %s, want %s", d, retName(got), retName(want))
		}
	}
	return nil
}

func mustArch(t testing.TB, name string) *archInfo {
	t.Helper()
	info, err := archOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return info
}
