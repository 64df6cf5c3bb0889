package cgroups

import (
	"math"
	"strconv"

	"sandbox/sandbox/definition"
)

// period is the CFS bandwidth period in microseconds; new cgroups have it.
const period = 100000

// row is one limit: the controller that enforces it and what is written where.
type row struct {
	limit      string
	controller string
	asked      func(definition.Limits) bool
	v1, v2     []file
}

// file is one file of a limit and the value to write to it. An implied file is
// left out where the kernel has none, when the recipe did not name the limit.
type file struct {
	name    string
	value   func(definition.Limits) string
	implied bool
}

// table maps each limit to its files, in the order in which a new cgroup is
// written: on v1 memory.memsw must never be below memory.limit.
var table = [...]row{
	{
		limit: "memory", controller: "memory",
		asked: func(l definition.Limits) bool { return l.Memory != nil },
		v1:    []file{{name: "memory.limit_in_bytes", value: func(l definition.Limits) string { return decimal(int64(*l.Memory)) }}},
		v2: []file{
			{name: "memory.max", value: func(l definition.Limits) string { return decimal(int64(*l.Memory)) }},
			// Without it the kernel kills one process of the payload and leaves a
			// crippled rest (Linux 4.19).
			{name: "memory.oom.group", value: func(definition.Limits) string { return "1" }, implied: true},
		},
	},
	{
		limit: "swap", controller: "memory",
		asked: func(l definition.Limits) bool { return l.Swap != nil || l.Memory != nil },
		v1:    []file{{name: "memory.memsw.limit_in_bytes", value: memorySwap, implied: true}},
		v2:    []file{{name: "memory.swap.max", value: func(l definition.Limits) string { return decimal(swapOf(l)) }, implied: true}},
	},
	{
		limit: "pids", controller: "pids",
		asked: func(l definition.Limits) bool { return l.Pids != nil },
		v1:    []file{{name: "pids.max", value: func(l definition.Limits) string { return decimal(*l.Pids) }}},
		v2:    []file{{name: "pids.max", value: func(l definition.Limits) string { return decimal(*l.Pids) }}},
	},
	{
		limit: "cpus", controller: "cpu",
		asked: func(l definition.Limits) bool { return l.CPUs != 0 },
		v1:    []file{{name: "cpu.cfs_quota_us", value: func(l definition.Limits) string { return decimal(quota(l.CPUs)) }}},
		v2: []file{{name: "cpu.max", value: func(l definition.Limits) string {
			return decimal(quota(l.CPUs)) + " " + strconv.Itoa(period)
		}}},
	},
	{
		limit: "cpu_weight", controller: "cpu",
		asked: func(l definition.Limits) bool { return l.CPUWeight != 0 },
		v1:    []file{{name: "cpu.shares", value: func(l definition.Limits) string { return decimal(Shares(l.CPUWeight)) }}},
		v2:    []file{{name: "cpu.weight", value: func(l definition.Limits) string { return decimal(l.CPUWeight) }}},
	},
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func swapOf(l definition.Limits) int64 {
	if l.Swap == nil {
		return 0
	}
	return int64(*l.Swap)
}

// memorySwap is v1's sum of both. Resolve has seen to it that memory is set.
func memorySwap(l definition.Limits) string {
	memory, swap := int64(*l.Memory), swapOf(l)
	if memory > math.MaxInt64-swap {
		return decimal(math.MaxInt64)
	}
	return decimal(memory + swap)
}

// The bounds of a quota in microseconds: the kernel refuses less, and more than
// 2^44 (kernel/sched/core.c, min_cfs_quota_period and max_cfs_runtime).
const minQuota, maxQuota = 1000, 1 << 43

// quota is the processor time per period in microseconds.
func quota(cpus float64) int64 {
	return int64(math.Max(minQuota, math.Min(math.Round(cpus*period), maxQuota)))
}

// Shares converts a v2 cpu.weight (1..10000) to v1 cpu.shares (2..262144). It is
// the inverse of the quadratic, in logarithms, through the three points that
// matter: the two lower ends, the two defaults (100 and 1024), the two upper ends.
func Shares(weight int64) int64 {
	const scale, linear, offset = 612.0, 125.0, 7.0 / 34
	e := math.Log10(float64(weight)) + offset
	l := (math.Sqrt(linear*linear+4*scale*e) - linear) / 2
	return int64(math.Max(2, math.Min(math.Round(math.Exp2(l)), 262144)))
}
