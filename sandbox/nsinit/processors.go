package nsinit

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// processors are those that this process may run on: all of them, the one that the
// calling thread is on at this moment, and the others.
//
// Left alone, the kernel wakes the thread that starts a machine on the processor of
// the thread that asked for it, and the machine on that of the thread that is making
// its net namespace. Each then waits for the other, and with two processors one of
// them is idle all the while.
type processors struct{ all, here, others unix.CPUSet }

// findProcessors reports false where there is no other processor.
func findProcessors() (p processors, ok bool) {
	var cpu uint32
	if _, _, errno := unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&cpu)), 0, 0); errno != 0 {
		return p, false
	}
	if err := unix.SchedGetaffinity(0, &p.all); err != nil {
		return p, false
	}
	p.here.Set(int(cpu))
	p.others = p.all
	p.others.Clear(int(cpu))
	return p, p.others.Count() > 0
}

// settle keeps a machine, which has nothing to do yet, to the processor of who is
// going to give it its program.
func (c *Child) settle(p *processors) error { return unix.SchedSetaffinity(c.pid, &p.here) }

// unsettle has a program begin with the freedom that every process of this one has.
func (in *Init) unsettle(p *processors) {
	all := unsafe.Slice((*byte)(unsafe.Pointer(&p.all)), unsafe.Sizeof(p.all))
	in.Call(unix.SYS_SCHED_SETAFFINITY, Imm(0), Imm(len(all)), Addr(in.Bytes(all)))
}
