package nsinit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Program is a list of system calls for the machine, with the memory they work
// on. Operands are immediates, addresses of memory or words of memory; a result
// may be stored in a word; an errno may jump. There are four pseudo-calls: jump
// (a call whose result is its first operand: also Set and Raise), test, count and
// next, which leaves the program for the next one that the supervisor sends.
// EINTR is retried by the machine, and the errno of the last failed call that
// jumped is kept in the memory's first word.
//
// The encoded form, little-endian, is read by machine/machine.c:
//
//	head    magic size ops relocs memory, u32 each, 12 bytes of padding
//	ops     72 bytes each: nr u32, other next err1 err2 u16, kinds 6×u8, note u16, store u32, args 6×u64
//	relocs  at to, u32 each: the word of memory at `at` becomes the address of `to`
//	memory
//
// Methods never fail; the first mistake is kept and returned by Encode.
type Program struct {
	ops     []op
	relocs  []reloc
	memory  []byte
	labels  []int32 // position of each label, -1 while unbound
	steps   []stepStart
	err     error
	encoded [][]byte
}

// op is a call as the machine reads it, but that Encode is still to put the calls in
// the place of the labels. There are hundreds: to encode them elsewhere would touch
// as much new memory again, 1.2 µs for each page.
type op struct {
	nr          uint32
	other, next uint16 // labels, 0 for none
	err1, err2  uint16
	kinds       [6]uint8
	note        uint16
	store       uint32
	args        [6]uint64
}

var _ [opSize]byte = [unsafe.Sizeof(op{})]byte{}

type reloc struct{ at, to Mem }

// stepStart is the first call of a step of the plan.
type stepStart struct{ call, step int }

// Mem is an offset in the program's memory.
type Mem uint32

// Label is a place in the program to jump to; the zero Label is no place.
type Label int

// Arg is an operand.
type Arg struct {
	kind  uint8
	value uint64
}

const (
	kindImm = iota
	kindAddr
	kindWord
	kindLong
)

// Imm is a value known now.
func Imm[T ~int | ~int32 | ~uint32 | ~int64 | ~uint64 | ~uintptr](v T) Arg {
	return Arg{kindImm, uint64(v)}
}

// Addr is the address of memory.
func Addr(m Mem) Arg { return Arg{kindAddr, uint64(m)} }

// Word is the 32-bit word at m when the call is made, sign-extended: a file
// descriptor or a process id that an earlier call stored.
func Word(m Mem) Arg { return Arg{kindWord, uint64(m)} }

// Long is the 64-bit word at m when the call is made.
func Long(m Mem) Arg { return Arg{kindLong, uint64(m)} }

const (
	opJump  = 0xfffffff0
	opTest  = 0xfffffff1
	opCount = 0xfffffff2
	opNext  = 0xfffffff3

	none    = 0xffff
	noStore = 0xffffffff

	magic      = 0x31786273
	headSize   = 32
	opSize     = 72
	relocSize  = 8
	maxOps     = none - 1
	maxLabels  = 0xffff
	maxProgram = 64 << 20
)

// NewProgram returns an empty program, with room for that of a usual container.
func NewProgram() *Program {
	return &Program{ops: make([]op, 0, 800), labels: make([]int32, 0, 800), relocs: make([]reloc, 0, 64), memory: make([]byte, 8, 16<<10)}
}

// Errno is the errno of the last call that failed and went on at its Else.
func (p *Program) Errno() Arg { return Word(0) }

// Err returns the first mistake made so far.
func (p *Program) Err() error { return p.err }

// Fail records a mistake made by the program's author; the first is kept.
func (p *Program) Fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// Step says that the calls from here on belong to a step of the plan, by its
// index; a failure is reported with it.
func (p *Program) Step(index int) { p.steps = append(p.steps, stepStart{len(p.ops), index}) }

// align pads the memory to 8 bytes, and returns where the next byte goes.
func (p *Program) align() Mem {
	p.memory = append(p.memory, make([]byte, -len(p.memory)&7)...)
	return Mem(len(p.memory))
}

// Bytes puts b into memory, aligned to 8 bytes.
func (p *Program) Bytes(b []byte) Mem {
	at := p.align()
	p.memory = append(p.memory, b...)
	return at
}

// Space reserves n zero bytes of memory, aligned to 8 bytes.
func (p *Program) Space(n int) Mem {
	at := p.align()
	p.memory = append(p.memory, make([]byte, n)...)
	return at
}

// NewWord reserves a word, with its initial value.
func (p *Program) NewWord(v int32) Mem {
	at := p.align()
	p.memory = binary.LittleEndian.AppendUint64(p.memory, uint64(uint32(v)))
	return at
}

// String puts a NUL-terminated string into memory. A NUL within would truncate
// it silently, so that is a mistake.
func (p *Program) String(s string) Mem {
	if strings.IndexByte(s, 0) >= 0 {
		p.Fail("a NUL byte in %q", s)
	}
	at := p.align()
	p.memory = append(append(p.memory, s...), 0)
	return at
}

// Str is the address of a NUL-terminated string.
func (p *Program) Str(s string) Arg { return Addr(p.String(s)) }

// Strings puts a NULL-terminated vector of strings into memory, as execve wants it.
func (p *Program) Strings(list []string) Mem {
	vector := p.Space(8 * (len(list) + 1))
	for i, s := range list {
		p.Pointer(vector+Mem(8*i), p.String(s))
	}
	return vector
}

// Pointer makes the 8 bytes at `at` hold the address of `to` when the program runs.
func (p *Program) Pointer(at, to Mem) { p.relocs = append(p.relocs, reloc{at, to}) }

// Iovec puts a one-entry struct iovec for memory of n bytes into memory.
func (p *Program) Iovec(m Mem, n int) Mem {
	at := p.Bytes(binary.LittleEndian.AppendUint64(make([]byte, 8), uint64(n)))
	p.Pointer(at, m)
	return at
}

// Instr is a call just added; its methods refine it.
type Instr struct {
	p *Program
	i int
}

// Call adds a system call.
func (p *Program) Call(nr uintptr, args ...Arg) Instr {
	if len(args) > 6 {
		p.Fail("system call %d with %d arguments", nr, len(args))
		args = args[:6]
	}
	p.ops = append(p.ops, op{nr: uint32(nr), err1: none, err2: none, store: noStore})
	o := &p.ops[len(p.ops)-1]
	for i, a := range args {
		o.kinds[i], o.args[i] = a.kind, a.value
	}
	return Instr{p, len(p.ops) - 1}
}

// Store keeps the call's result in a word.
func (c Instr) Store(m Mem) Instr {
	c.p.ops[c.i].store = uint32(m)
	return c
}

// Then says where to go on when the call succeeded.
func (c Instr) Then(l Label) Instr {
	c.p.ops[c.i].next = uint16(l)
	return c
}

// Else says where to go on when the call failed with one of at most two errnos,
// or, without any, however it failed.
func (c Instr) Else(l Label, errnos ...unix.Errno) Instr {
	o := &c.p.ops[c.i]
	o.other = uint16(l)
	switch len(errnos) {
	case 0:
		o.err1, o.err2 = none, none
	case 1:
		o.err1, o.err2 = uint16(errnos[0]), uint16(errnos[0])
	case 2:
		o.err1, o.err2 = uint16(errnos[0]), uint16(errnos[1])
	default:
		c.p.Fail("system call %d with %d errnos", o.nr, len(errnos))
	}
	return c
}

// Ignore goes on with the next call when this one failed with one of the errnos.
func (c Instr) Ignore(errnos ...unix.Errno) Instr {
	l := c.p.NewLabel()
	c.p.labels[l-1] = int32(c.i + 1)
	return c.Else(l, errnos...)
}

// Note sends a note's number (1 to 65535) when Else is taken: that branch
// degrades something, and the Result must say so.
func (c Instr) Note(number int) Instr {
	if number < 1 || number > 0xffff {
		c.p.Fail("note number %d", number)
	}
	c.p.ops[c.i].note = uint16(number)
	return c
}

// NewLabel returns a label, to be bound later.
func (p *Program) NewLabel() Label {
	if len(p.labels) == maxLabels {
		p.Fail("more than %d labels", maxLabels)
		p.labels = p.labels[:0] // the program is not going to be encoded
	}
	p.labels = append(p.labels, -1)
	return Label(len(p.labels))
}

// Bind puts the label before the next call.
func (p *Program) Bind(l Label) {
	switch {
	case l < 1 || int(l) > len(p.labels):
		p.Fail("label %d of another program", l)
	case p.labels[l-1] >= 0:
		p.Fail("label %d bound twice", l)
	default:
		p.labels[l-1] = int32(len(p.ops))
	}
}

// Jump goes on at the label.
func (p *Program) Jump(l Label) { p.Call(opJump).Then(l) }

// Set stores a value from 0 to 2³¹-1 in a word.
func (p *Program) Set(m Mem, v Arg) { p.Call(opJump, v).Store(m) }

// Raise fails with the errno, as if a call had.
func (p *Program) Raise(errno unix.Errno) Instr { return p.Call(opJump, Imm(-int64(errno))) }

// TestElse goes on with the next call when a & mask == want, and else at the label.
func (p *Program) TestElse(a, mask, want Arg, l Label) {
	c := p.Call(opTest, a, mask, want)
	next := p.NewLabel()
	p.Bind(next)
	c.Then(next).Else(l)
}

// CountElse decrements the word and goes on at again while it is positive, and
// else with the next call.
func (p *Program) CountElse(word Mem, again Label) {
	c := p.Call(opCount, Addr(word))
	next := p.NewLabel()
	p.Bind(next)
	c.Then(again).Else(next)
}

// Next waits for another program, with its files, and runs that: nothing of this
// one is needed any more but what it made of the process.
func (p *Program) Next() { p.Call(opNext) }

// Exit ends the process.
func (p *Program) Exit(code int) { p.Call(unix.SYS_EXIT_GROUP, Imm(code)) }

// Len is the number of calls so far.
func (p *Program) Len() int { return len(p.ops) }

// StepOf returns the plan step of a call, by the index that a failure reports,
// or -1.
func (p *Program) StepOf(call int) int {
	if call < 0 || call >= len(p.ops) {
		return -1
	}
	step := -1
	for _, s := range p.steps {
		if s.call <= call {
			step = s.step
		}
	}
	return step
}

// Encode returns the program as the machine reads it, in pieces. Nothing can be
// added to it any more.
func (p *Program) Encode() ([][]byte, error) {
	if p.encoded != nil {
		return p.encoded, nil
	}
	if p.err != nil {
		return nil, fmt.Errorf("encode init program: %w", p.err)
	}
	if len(p.ops) == 0 || len(p.ops) > maxOps {
		return nil, fmt.Errorf("encode init program: %d calls, want 1 to %d", len(p.ops), maxOps)
	}
	start := headSize + opSize*len(p.ops) + relocSize*len(p.relocs)
	size := start + len(p.memory)
	if size > maxProgram {
		return nil, fmt.Errorf("encode init program: %d bytes, at most %d", size, maxProgram)
	}
	for i := range p.ops {
		if err := p.complete(&p.ops[i]); err != nil {
			return nil, fmt.Errorf("encode init program: call %d: %w", i, err)
		}
	}
	for _, r := range p.relocs {
		if int(r.at)+8 > len(p.memory) || int(r.to) > len(p.memory) || int(r.at) < 8 {
			return nil, errors.New("encode init program: a pointer outside of memory")
		}
	}
	head := u32s(magic, uint32(size), uint32(len(p.ops)), uint32(len(p.relocs)), uint32(start), 0, 0, 0)
	p.encoded = [][]byte{head, bytesOf(p.ops), bytesOf(p.relocs), p.memory}
	return p.encoded, nil
}

// bytesOf is the memory of a list: its structs are laid out as the machine's, which
// knows only little-endian processors.
func bytesOf[T op | reloc](list []T) []byte {
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(list))), len(list)*int(unsafe.Sizeof(one)))
}

// complete puts the calls in the place of an op's labels, and verifies that it keeps
// to the program's memory.
func (p *Program) complete(o *op) error {
	other, err := p.target(o.other, none)
	if err != nil {
		return err
	}
	next, err := p.target(o.next, 0)
	if err != nil {
		return err
	}
	o.other, o.next = other, next
	if o.store != noStore && int(o.store)+4 > len(p.memory) {
		return errors.New("a result stored outside of memory")
	}
	for i, v := range o.args {
		kind := o.kinds[i]
		if kind == kindImm {
			continue
		}
		size := uint64(0)
		switch {
		case o.nr == opCount, kind == kindWord: // the address of a count is written to
			size = 4
		case kind == kindLong:
			size = 8
		}
		if v+size > uint64(len(p.memory)) {
			return errors.New("an operand outside of memory")
		}
	}
	return nil
}

// target is the index a label stands for; 0 cannot be jumped to, as it means
// "the next call" to the machine.
func (p *Program) target(label, unset uint16) (uint16, error) {
	switch l := int(label); {
	case l == 0:
		return unset, nil
	case l > len(p.labels):
		return 0, fmt.Errorf("label %d of another program", l)
	case p.labels[l-1] < 0:
		return 0, fmt.Errorf("label %d is not bound", l)
	case p.labels[l-1] == 0:
		return 0, errors.New("a jump to the first call")
	default:
		return uint16(p.labels[l-1]), nil
	}
}
