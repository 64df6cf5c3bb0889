//go:build cgo

package compile

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
)

// Inside a piece the verdicts are SECCOMP_RET_TRACE, which no policy can ask
// for; linking puts a return or a jump in the place of each.
const (
	markMiss  = retTrace | 1
	markMatch = retTrace | 2
	markCall  = retTrace | 16 // + index of the call, in the dispatch
	maxCalls  = 0xff00
)

// link builds the whole program.
func link(calls *calls, arch *archInfo) ([]instruction, error) {
	numbers := make([]uint32, 0, len(calls.byNr))
	for nr, c := range calls.byNr {
		c.settle()
		numbers = append(numbers, nr)
	}
	slices.Sort(numbers)

	var conditional []*call
	marks := map[uint32]uint32{}
	for _, nr := range numbers {
		if c := calls.byNr[nr]; len(c.clauses) > 0 {
			marks[nr] = markCall + uint32(len(conditional))
			conditional = append(conditional, c)
		}
	}
	if len(conditional) > maxCalls {
		return nil, errors.New("too many calls with conditions")
	}
	majority := calls.majority()
	program := header(calls, arch, majority)
	dispatch, err := compileDispatch(calls, arch, marks, majority)
	if err != nil {
		return nil, err
	}
	start := len(program)
	program = append(program, dispatch...)
	for i, c := range conditional {
		if err := retarget(program[start:start+len(dispatch)], markCall+uint32(i), jumpFrom(start, len(program))); err != nil {
			return nil, err
		}
		pieces, err := compileCall(c, arch)
		if err != nil {
			return nil, err
		}
		program = append(program, pieces...)
	}
	return program, nil
}

// majority is the commonest unconditional answer, which needs no rule in the
// dispatch. A policy that lets unknown calls through keeps its default: the
// numbers without a name end there.
func (c *calls) majority() uint32 {
	if c.unknown == c.fallback {
		return c.fallback
	}
	count, best := map[uint32]int{}, c.fallback
	for _, one := range c.byNr {
		if len(one.clauses) == 0 {
			count[one.fallback]++
		}
	}
	for ret, n := range count {
		if n > count[best] || n == count[best] && ret < best {
			best = ret
		}
	}
	return best
}

// header answers what libseccomp cannot: an ABI that is not ours, and numbers
// without a name in its table. The rest falls through to the dispatch.
func header(calls *calls, arch *archInfo, majority uint32) []instruction {
	program := []instruction{
		{code: opLoad, k: offsetArch},
		{code: opEqual, jt: 1, k: arch.audit},
		{code: opReturn, k: retKillProcess},
		{code: opLoad, k: offsetNr},
	}
	if arch.x32 {
		// -1 is not x32 but what a tracer leaves to skip a call: it does not exist.
		program = append(program,
			instruction{code: opGreaterEqual, jf: 3, k: 0x40000000},
			instruction{code: opEqual, jf: 1, k: ^uint32(0)},
			instruction{code: opReturn, k: retErrno | uint32(unix.ENOSYS)},
			instruction{code: opReturn, k: retKillProcess})
	}
	return append(program, unnamed(calls, arch, majority)...)
}

// unnamed answers runs of numbers that libseccomp does not know; rules for them have
// no conditions.
func unnamed(calls *calls, arch *archInfo, majority uint32) []instruction {
	var program []instruction
	for nr := uint32(0); nr <= maxNumber; {
		if arch.inLib[nr] {
			nr++
			continue
		}
		first, ret := nr, calls.answer(nr)
		for nr <= maxNumber && !arch.inLib[nr] && calls.answer(nr) == ret {
			nr++
		}
		if ret == majority {
			continue
		}
		program = append(program, instruction{code: opGreaterEqual, jf: 2, k: first})
		if nr > maxNumber {
			program[len(program)-1].jf = 1
		} else {
			program = append(program, instruction{code: opGreater, jt: 1, k: nr - 1})
		}
		program = append(program, instruction{code: opReturn, k: ret})
	}
	return program
}

func compileDispatch(calls *calls, arch *archInfo, marks map[uint32]uint32, majority uint32) ([]instruction, error) {
	var rules []libRule
	for nr := range uint32(maxNumber) {
		if !arch.inLib[nr] {
			continue
		}
		ret := calls.answer(nr)
		if mark, ok := marks[nr]; ok {
			ret = mark
		}
		if ret != majority {
			rules = append(rules, libRule{name: arch.names[nr], ret: ret})
		}
	}
	return compileLib(arch, majority, rules)
}

// answer is the unconditional answer to a number.
func (c *calls) answer(nr uint32) uint32 {
	if one := c.byNr[nr]; one != nil {
		return one.fallback
	}
	return c.unknown
}

// compileCall compiles the clauses of one call, in order: each piece jumps to
// the next one when it does not decide, the last returns the fallback.
func compileCall(c *call, arch *archInfo) ([]instruction, error) {
	var program []instruction
	var starts []int
	groups := group(c.clauses)
	for _, g := range groups {
		starts = append(starts, len(program))
		code, err := compileGroup(c.name, g, arch)
		if err != nil {
			return nil, err
		}
		program = append(program, code...)
	}
	for i, start := range starts {
		miss, end := always(instruction{code: opReturn, k: c.fallback}), len(program)
		if i+1 < len(starts) {
			end = starts[i+1]
			miss = jumpFrom(start, end)
		}
		if err := retarget(program[start:end], markMiss, miss); err != nil {
			return nil, fmt.Errorf("rules of %s: %w", c.name, err)
		}
	}
	return program, nil
}

// group puts neighbouring clauses together when one libseccomp filter is known to
// get them right. libseccomp 2.5.4 merges rules of one call into a tree,
// and loses some when ordered comparisons, or different arguments, share a branch:
// the random policies of the tests find it within seconds. Equalities of one
// argument under one mask are safe; everything else stays alone.
func group(clauses []clause) [][]clause {
	var out [][]clause
	for _, c := range clauses {
		if n := len(out); n > 0 && out[n-1][0].ret == c.ret && sameTest(out[n-1][0].conds, c.conds) {
			out[n-1] = append(out[n-1], c)
			continue
		}
		out = append(out, []clause{c})
	}
	return out
}

// sameTest reports whether two clauses compare one and the same argument, under
// the same mask, for equality.
func sameTest(a, b []definition.PolicyArg) bool {
	if len(a) != 1 || len(b) != 1 {
		return false
	}
	x, y := a[0], b[0]
	return x.Index == y.Index && x.Op == y.Op && x.Mask == y.Mask && (x.Op == "==" || x.Op == "masked")
}

// rounds splits conditions so that each part has an argument at most once.
func rounds(conds []definition.PolicyArg) [][]definition.PolicyArg {
	var out [][]definition.PolicyArg
	var seen [6]int
	for _, arg := range conds {
		round := seen[arg.Index]
		seen[arg.Index]++
		if round == len(out) {
			out = append(out, nil)
		}
		out[round] = append(out[round], arg)
	}
	return out
}

// compileGroup leaves markMiss in the code for what comes next.
func compileGroup(name string, g []clause, arch *archInfo) ([]instruction, error) {
	parts := rounds(g[0].conds)
	var program []instruction
	for i, part := range parts {
		rules := []libRule{{name, markMatch, part}}
		for _, c := range g[1:] {
			rules = append(rules, libRule{name, markMatch, c.conds})
		}
		code, err := compileLib(arch, markMiss, rules)
		if err != nil {
			return nil, err
		}
		start := len(program)
		program = append(program, code...)
		match := always(instruction{code: opReturn, k: g[0].ret})
		if i+1 < len(parts) {
			match = jumpFrom(start, len(program))
		}
		if err := retarget(program[start:], markMatch, match); err != nil {
			return nil, err
		}
	}
	return program, nil
}

// always puts one instruction in every place.
func always(in instruction) func(int) instruction {
	return func(int) instruction { return in }
}

// jumpFrom returns jumps to target for places counted from base.
func jumpFrom(base, target int) func(int) instruction {
	return func(at int) instruction {
		return instruction{code: opJump, k: uint32(target - (base + at) - 1)}
	}
}

// retarget replaces every return of a mark; there is at least one.
func retarget(code []instruction, mark uint32, with func(at int) instruction) error {
	found := false
	for i, in := range code {
		if in.code == opReturn && in.k == mark {
			code[i] = with(i)
			found = true
		}
	}
	if !found {
		return fmt.Errorf("libseccomp %s lost a rule", Version())
	}
	return nil
}
