package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const warmup = 3

// stopwatch times runs.
type stopwatch struct {
	null *os.File
	n    atomic.Int64
}

// once runs a contender, and returns the time from before the fork to the wait.
func (w *stopwatch) once(c contender) (time.Duration, error) {
	argv := c.argv(int(w.n.Add(1)))
	begin := time.Now()
	p, err := os.StartProcess(argv[0], argv, &os.ProcAttr{Env: os.Environ(), Files: []*os.File{w.null, w.null, w.null}})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.name, err)
	}
	state, err := p.Wait()
	took := time.Since(begin)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.name, err)
	}
	if !state.Success() {
		return 0, fmt.Errorf("%s: %s\n%s", c.name, state, complaint(argv))
	}
	return took, nil
}

// complaint runs a command that failed again, for what it says.
func complaint(argv []string) []byte {
	out, _ := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	return bytes.TrimSpace(out)
}

func measure(s settings, contenders []contender) (*report, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	w := &stopwatch{null: null}
	times := map[string][]time.Duration{}
	order := rand.New(rand.NewPCG(1, 2))
	for round := range s.rounds + warmup {
		// In another order each time: what the kernel still has to do for one contender,
		// to take down a net namespace above all, is done in the time of the next.
		for _, i := range order.Perm(len(contenders)) {
			c := contenders[i]
			took, err := w.once(c)
			if err != nil {
				return nil, err
			}
			if round >= warmup {
				times[c.name] = append(times[c.name], took)
			}
		}
	}
	r := newReport(s, contenders, times)
	for _, c := range contenders {
		rss, err := s.peakRSS(c, int(w.n.Add(1)))
		if err != nil {
			return nil, err
		}
		r.Contenders[c.name].PeakRSS = rss
	}
	return r, w.throughputs(s, contenders, r)
}

// throughputs starts many containers, one at a time and two at a time, in turn.
func (w *stopwatch) throughputs(s settings, contenders []contender, r *report) error {
	for _, parallel := range []int{1, 2} {
		for _, c := range contenders {
			if !c.throughput {
				continue
			}
			rate, err := w.throughput(c, s.count, parallel)
			if err != nil {
				return err
			}
			if parallel == 1 {
				r.Contenders[c.name].RateOne = rate
			} else {
				r.Contenders[c.name].RateTwo = rate
			}
		}
	}
	return nil
}

// throughput returns containers a second.
func (w *stopwatch) throughput(c contender, count, parallel int) (float64, error) {
	var left atomic.Int64
	left.Store(int64(count))
	var failed error
	var once sync.Once
	var all sync.WaitGroup
	begin := time.Now()
	for range parallel {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := w.once(c); err != nil {
					once.Do(func() { failed = err })
					return
				}
			}
		})
	}
	all.Wait()
	return float64(count) / time.Since(begin).Seconds(), failed
}

// peakRSS is the peak resident set in KiB, the median of five.
func (s *settings) peakRSS(c contender, n int) (int, error) {
	var all []int
	for i := range 5 {
		cmd := exec.Command(s.peak, c.argv(1000000+n*10+i)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return 0, fmt.Errorf("%s: %w\n%s", c.name, err, out)
		}
		kib, err := strconv.Atoi(strings.TrimSpace(string(out)))
		if err != nil {
			return 0, err
		}
		all = append(all, kib)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}
