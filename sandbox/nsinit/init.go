package nsinit

import "os"

// Init is the init side of a plan while it is encoded: the program, the words
// that its parts share, and the descriptors it needs from the supervisor. The
// packages of a subject (mount, network, cgroups and this one) add their steps.
type Init struct {
	*Program
	// Root holds the new root's descriptor (O_PATH) from the root step on; -1 before.
	Root Mem
	// Proc holds a descriptor of the container's own procfs mount; -1 without one.
	Proc Mem
	// Null holds a descriptor (O_PATH) of the container's null device; -1 before.
	Null Mem

	files []*os.File
}

// NewInit returns an empty init.
func NewInit() *Init {
	p := NewProgram()
	return &Init{Program: p, Root: p.NewWord(-1), Proc: p.NewWord(-1), Null: p.NewWord(-1)}
}

// Pass gives a descriptor of the supervisor to init; the operand is its number
// there. The file must stay open until Launch has returned.
func (in *Init) Pass(f *os.File) Arg {
	in.files = append(in.files, f)
	return Imm(FirstFD + len(in.files) - 1)
}
