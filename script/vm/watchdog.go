package vm

import (
	"fmt"
	"runtime"
	"sync"
	"time"
)

// watchdog ends a VM whose process has grown too large. gopher-lua has no hook on
// allocation, and debug.SetMemoryLimit only makes the collector work harder.
type watchdog struct {
	mu    sync.Mutex
	timer *time.Timer
	off   chan struct{}
}

// arm starts watching after 5 ms, so that short calls pay for a timer only.
func (w *watchdog) arm(v *VM) {
	w.mu.Lock()
	defer w.mu.Unlock()
	off := make(chan struct{})
	w.off = off
	w.timer = time.AfterFunc(5*time.Millisecond, func() { guard(v, off) })
}

// disarm stops watching; it may be called more than once.
func (w *watchdog) disarm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.off != nil {
		w.timer.Stop()
		close(w.off)
		w.off = nil
	}
}

func guard(v *VM, off <-chan struct{}) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if heap() > v.options.Heap {
			// What is counted includes garbage that has not been swept yet.
			runtime.GC()
			if heap() > v.options.Heap {
				v.end(&ended{kind: ErrMemory, text: fmt.Sprintf("the recipe used more than %d MiB of memory", v.options.Heap>>20)})
				return
			}
		}
		select {
		case <-off:
			return
		case <-v.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// heap is the size of the heap, garbage included. It stops the world for some 10 µs;
// runtime/metrics would not, but its initialisation costs every start 0.1 ms.
func heap() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
