//go:build cgo

package compile

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
)

// The values a filter returns (linux/seccomp.h).
const (
	retKillProcess = 0x80000000
	retTrap        = 0x00030000
	retErrno       = 0x00050000
	retTrace       = 0x7ff00000
	retLog         = 0x7ffc0000
	retAllow       = 0x7fff0000
)

// maxConditions bounds the time a hostile policy can cost.
const maxConditions = 4096

// clause is one rule as it concerns one call: when all conditions hold, ret.
type clause struct {
	conds []definition.PolicyArg
	ret   uint32
}

// call is what happens to one system call: the clauses in order, else fallback.
type call struct {
	name     string
	clauses  []clause
	fallback uint32
}

// calls is a policy that has become numbers, for one architecture.
type calls struct {
	byNr map[uint32]*call
	// fallback is the policy's default.
	fallback uint32
	// unknown is the answer to a call that the policy cannot know.
	unknown uint32
}

// decide resolves the names of a policy, and checks it.
func decide(policy *definition.Policy, arch *archInfo) (*calls, definition.Problems) {
	d := decider{arch: arch, errnos: errnoNumbers()}
	if policy == nil {
		d.problem("", "", "the policy is missing")
		return nil, d.problems
	}
	out := &calls{byNr: map[uint32]*call{}}
	out.fallback = d.action("default", policy.Default, policy.Errno)
	out.unknown = retErrno | uint32(unix.ENOSYS)
	if out.fallback == retAllow || out.fallback == retLog {
		out.unknown = out.fallback
	}
	for i, rule := range policy.Rules {
		d.rule(out, fmt.Sprintf("rules[%d]", i+1), rule)
	}
	for nr, name := range arch.names {
		if out.byNr[nr] == nil && nr <= PolicyLevel {
			out.byNr[nr] = &call{name: name, fallback: out.fallback}
		}
	}
	return out, d.problems
}

type decider struct {
	arch     *archInfo
	errnos   map[string]uint32
	problems definition.Problems
	conds    int
}

func (d *decider) problem(path, hint, format string, args ...any) {
	d.problems = append(d.problems, definition.Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (d *decider) rule(out *calls, path string, rule definition.PolicyRule) {
	ret := d.action(path, rule.Action, rule.Errno)
	conds := d.conditions(path, rule.Args)
	if len(rule.Names) == 0 {
		d.problem(path+".names", "", "no system call is named")
	}
	for i, name := range rule.Names {
		at := fmt.Sprintf("%s.names[%d]", path, i+1)
		nr, here := d.resolve(at, name)
		if !here {
			continue
		}
		if d.conds += len(conds); d.conds > maxConditions {
			d.problem("rules", "", "more than %d conditions", maxConditions)
			return
		}
		if len(conds) > 0 && !d.arch.compilable(nr) {
			d.problem(at, "install a newer libseccomp", "this libseccomp (%s) cannot compare arguments of %q", Version(), name)
			continue
		}
		c := out.byNr[nr]
		if c == nil {
			c = &call{name: name, fallback: out.fallback}
			out.byNr[nr] = c
		}
		c.add(clause{conds, ret})
	}
}

// add appends a clause, unless an earlier one has no conditions and so decides.
func (c *call) add(next clause) {
	if n := len(c.clauses); n > 0 && len(c.clauses[n-1].conds) == 0 {
		return
	}
	c.clauses = append(c.clauses, next)
}

// settle turns a last clause without conditions into the fallback.
func (c *call) settle() {
	if n := len(c.clauses); n > 0 && len(c.clauses[n-1].conds) == 0 {
		c.fallback = c.clauses[n-1].ret
		c.clauses = c.clauses[:n-1]
	}
}

// resolve returns the number of a call, and whether this architecture has it. A
// name that no architecture has is a problem.
func (d *decider) resolve(path, name string) (uint32, bool) {
	if nr, ok := d.arch.numbers[name]; ok {
		return nr, true
	}
	if knownElsewhere(name) {
		return 0, false
	}
	hint := ""
	if near := d.arch.nearest(name); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	d.problem(path, hint, "unknown system call %q", name)
	return 0, false
}

func (d *decider) action(path string, action definition.Action, errno string) uint32 {
	if path != "default" {
		path += ".action"
	}
	if errno != "" && action != definition.ActionErrno {
		d.problem(path, "", "an errno goes with the action %q only", definition.ActionErrno)
	}
	switch action {
	case definition.ActionAllow:
		return retAllow
	case definition.ActionErrno:
		if errno == "" {
			errno = "EPERM"
		}
		number, ok := d.errnos[errno]
		if !ok {
			d.problem(strings.TrimSuffix(strings.TrimSuffix(path, "action"), "default")+"errno", "", "unknown errno %q", errno)
		}
		return retErrno | number
	case definition.ActionKill:
		return retKillProcess
	case definition.ActionLog:
		return retLog
	case definition.ActionTrap:
		return retTrap
	}
	d.problem(path, "", "unknown action %q (allow, errno, kill, log or trap)", action)
	return retErrno
}

// conditions checks the comparisons of a rule and drops those that always hold.
func (d *decider) conditions(path string, args []definition.PolicyArg) []definition.PolicyArg {
	var out []definition.PolicyArg
	for i, arg := range args {
		at := fmt.Sprintf("%s.args[%d]", path, i+1)
		switch {
		case arg.Index > 5:
			d.problem(at+".index", "", "a system call has the arguments 0 to 5, not %d", arg.Index)
		case arg.Op != "masked" && arg.Mask != 0:
			d.problem(at+".mask", "", "a mask goes with the operator \"masked\" only")
		case arg.Op == "masked" && arg.Value&^arg.Mask != 0:
			d.problem(at, "", "never holds: the value %#x has bits outside the mask %#x", arg.Value, arg.Mask)
		case arg.Op == "<" && arg.Value == 0, arg.Op == ">" && arg.Value == ^uint64(0):
			d.problem(at, "arguments are unsigned", "never holds: %s %#x", arg.Op, arg.Value)
		case !isOperator(arg.Op):
			d.problem(at+".op", "", "unknown operator %q (==, !=, <, <=, >, >= or masked)", arg.Op)
		case alwaysHolds(arg):
		default:
			out = append(out, arg)
		}
	}
	return out
}

func isOperator(op string) bool {
	switch op {
	case "==", "!=", "<", "<=", ">", ">=", "masked":
		return true
	}
	return false
}

func alwaysHolds(arg definition.PolicyArg) bool {
	return arg.Op == "masked" && arg.Mask == 0 ||
		arg.Op == ">=" && arg.Value == 0 ||
		arg.Op == "<=" && arg.Value == ^uint64(0)
}

// errnoNumbers maps the names of errno(3) to their numbers: x/sys only has the way back.
func errnoNumbers() map[string]uint32 {
	out := map[string]uint32{"EWOULDBLOCK": uint32(unix.EWOULDBLOCK), "EDEADLOCK": uint32(unix.EDEADLK), "ENOTSUP": uint32(unix.ENOTSUP)}
	for e := uint32(1); e < 200; e++ {
		if name := unix.ErrnoName(unix.Errno(e)); name != "" {
			out[name] = e
		}
	}
	return out
}
