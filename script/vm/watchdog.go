package vm

import (
	"fmt"
	"runtime"
	"runtime/metrics"
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
	tick := time.NewTicker(time.Millisecond)
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

func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
