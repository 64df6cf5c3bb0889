//go:build cgo

package compile

import (
	"encoding/json"
	"testing"

	"sandbox/sandbox/definition"
)

// FuzzCompile: whatever the policy, there is a filter that ends on every input, or
// problems.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		`{"default":"errno","rules":[{"names":["read"],"action":"allow"}]}`,
		`{"default":"kill","rules":[{"names":["read","write"],"action":"errno","errno":"EIO","args":[{"index":1,"op":"masked","value":1,"mask":3}]}]}`,
		`{"default":"allow","rules":[{"names":["clone"],"action":"trap","args":[{"index":0,"op":">=","value":18446744073709551615},{"index":0,"op":"!=","value":4294967296}]}]}`,
		`{"default":"log","rules":[{"names":["mseal","socketcall","uretprobe"],"action":"kill"},{"names":["read"],"action":"log"}]}`,
		`{"default":"errno","errno":"ENOSYS","rules":[{"names":["read"],"action":"allow","args":[{"index":0,"op":"<","value":0}]}]}`,
		`{}`,
	} {
		f.Add([]byte(seed), uint8(0), uint32(0), uint64(1<<32))
	}
	f.Fuzz(func(t *testing.T, text []byte, which uint8, nr uint32, value uint64) {
		policy := &definition.Policy{}
		if json.Unmarshal(text, policy) != nil || len(policy.Rules) > 64 {
			return
		}
		arch := Arches[int(which)%len(Arches)]
		bpf, err := Compile(policy, arch)
		if err != nil {
			if _, ok := err.(definition.Problems); !ok {
				t.Fatalf("not a problem of the policy: %v", err)
			}
			return
		}
		program := mustDecode(t, bpf)
		mustRun(t, program, data{nr: nr, arch: mustArch(t, arch).audit, args: [6]uint64{value, value, value, value, value, value}})
	})
}
