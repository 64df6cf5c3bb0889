//go:build cgo

package sandbox_test

import (
	"runtime"
	"testing"

	"sandbox/sandbox"
	"sandbox/sandbox/definition"
	"sandbox/sandbox/seccomp/compile"
)

// A recipe's own policy decides over the payload's calls.
func TestRecipePolicy(t *testing.T) {
	rule := func(action definition.Action, errno string, names ...string) definition.PolicyRule {
		return definition.PolicyRule{Names: names, Action: action, Errno: errno}
	}
	for _, tc := range []struct {
		name         string
		policy       *definition.Policy
		script, want string
	}{
		{"errno", &definition.Policy{Default: definition.ActionAllow, Rules: []definition.PolicyRule{rule(definition.ActionErrno, "EROFS", "mkdir", "mkdirat")}},
			"mkdir /tmp/x 2>&1 | grep -c 'Read-only file system'; echo x > /tmp/y && cat /tmp/y", "1\nx"},
		{"kill", &definition.Policy{Default: definition.ActionAllow, Rules: []definition.PolicyRule{rule(definition.ActionKill, "", "mkdir", "mkdirat")}},
			"mkdir /tmp/x; echo $?", "159"},
		{"by argument", &definition.Policy{Default: definition.ActionAllow, Rules: []definition.PolicyRule{
			{Names: []string{"kill"}, Action: definition.ActionErrno, Errno: "EPERM", Args: []definition.PolicyArg{{Index: 1, Op: "==", Value: 15}}}}},
			"sleep 5 & kill -TERM $! 2>/dev/null || echo refused; kill -KILL $! && echo killed", "refused\nkilled"},
		{"none", nil, "grep Seccomp: /proc/self/status | cut -f2", "0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := shell(t, tc.script)
			b.def.Seccomp = definition.Seccomp{Mode: definition.SeccompNone}
			if tc.policy != nil {
				b.def.Seccomp = definition.Seccomp{Mode: definition.SeccompPolicy, Policy: tc.policy}
			}
			b.options = func(o *sandbox.Options) {
				o.Filter = func(s definition.Seccomp) ([]byte, error) { return compile.Compile(s.Policy, runtime.GOARCH) }
			}
			b.ok()
			b.want(tc.want)
		})
	}
}
