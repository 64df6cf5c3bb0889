package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// report is what bench.json holds. Times are milliseconds.
type report struct {
	Date       time.Time          `json:"date"`
	Kernel     string             `json:"kernel"`
	CPU        string             `json:"cpu"`
	CPUs       int                `json:"cpus"`
	Go         string             `json:"go"`
	Rounds     int                `json:"rounds"`
	Containers int                `json:"containers"`
	Order      []string           `json:"order"`
	Contenders map[string]*result `json:"contenders"`
	Ratios     map[string]float64 `json:"ratios"`
	HookCost   float64            `json:"hook_cost_ms"`
}

type result struct {
	Version string  `json:"version,omitempty"`
	Median  float64 `json:"median_ms"`
	Min     float64 `json:"min_ms"`
	P90     float64 `json:"p90_ms"`
	PeakRSS int     `json:"peak_rss_kib"`
	RateOne float64 `json:"per_second_one_at_a_time,omitempty"`
	RateTwo float64 `json:"per_second_two_at_a_time,omitempty"`
}

func newReport(s settings, contenders []contender, times map[string][]time.Duration) *report {
	r := &report{Date: time.Now().UTC().Truncate(time.Second), Kernel: kernel(), CPU: processor(), CPUs: runtime.NumCPU(), Go: runtime.Version(),
		Rounds: s.rounds, Containers: s.count, Contenders: map[string]*result{}, Ratios: map[string]float64{}}
	for _, c := range contenders {
		all := times[c.name]
		slices.Sort(all)
		r.Order = append(r.Order, c.name)
		r.Contenders[c.name] = &result{Version: c.version, Median: ms(all[len(all)/2]), Min: ms(all[0]), P90: ms(all[len(all)*9/10])}
	}
	for _, peer := range []string{"crun", "bwrap", "runc", "go hello"} {
		if p := r.Contenders[peer]; p != nil {
			r.Ratios[peer] = round(r.Contenders[ours].Median / p.Median)
		}
	}
	r.HookCost = round(r.Contenders[oursHook].Median - r.Contenders[ours].Median)
	return r
}

func ms(d time.Duration) float64 { return round(d.Seconds() * 1000) }

func round(x float64) float64 { return float64(int(x*1000+0.5)) / 1000 }

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "%d rounds, interleaved; %s, %d processors, Linux %s, %s\n\n", r.Rounds, r.CPU, r.CPUs, r.Kernel, r.Go)
	fmt.Fprintf(w, "%-18s %9s %9s %9s %9s %9s %9s\n", "/bin/true", "median ms", "min ms", "p90 ms", "RSS MiB", "1 at once", "2 at once")
	for _, name := range r.Order {
		c := r.Contenders[name]
		fmt.Fprintf(w, "%-18s %9.2f %9.2f %9.2f %9.1f %9s %9s  %s\n", name, c.Median, c.Min, c.P90, float64(c.PeakRSS)/1024,
			rate(c.RateOne), rate(c.RateTwo), c.Version)
	}
	fmt.Fprintln(w)
	r.goal(w, "crun", 0.60)
	r.goal(w, "bwrap", 1.15)
	ours := r.Contenders[ours]
	fmt.Fprintf(w, "peak RSS        %8.1f MiB  (goal: at most 8)\n", float64(ours.PeakRSS)/1024)
	fmt.Fprintf(w, "a hook          %8.0f µs   (goal: at most 100)\n", r.HookCost*1000)
	fmt.Fprintf(w, "plan go         %8.2f ms   (goal: at most 10)\n", r.Contenders[oursPlan].Median)
	if crun := r.Contenders["crun"]; crun != nil {
		fmt.Fprintf(w, "rate            %8.2f and %.2f × crun  (goal: at least 1.5)\n", ours.RateOne/crun.RateOne, ours.RateTwo/crun.RateTwo)
	}
}

func (r *report) goal(w io.Writer, peer string, goal float64) {
	if ratio, ok := r.Ratios[peer]; ok {
		fmt.Fprintf(w, "against %-7s %8.2f      (goal: at most %.2f)\n", peer, ratio, goal)
	}
}

func rate(x float64) string {
	if x == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f/s", x)
}

func (r *report) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
