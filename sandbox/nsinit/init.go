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
	// Filter is the payload's seccomp filter, struct sock_filter by struct
	// sock_filter; set before LoadFilter is lowered.
	Filter []byte
	// Tasks are the tasks files, open for writing, of the v1 cgroups to join, by
	// controller; set before JoinCgroup is lowered.
	Tasks map[string]*os.File
	// CgroupDir is the path of the container's cgroup folder in the unified hierarchy, or "";
	// set before BindCgroup is lowered.
	CgroupDir string
	// Mount is what package mount keeps between its steps.
	Mount any

	files []*os.File

	release Mem // the pipe that tells the payload of its maps; 0 when not to be awaited
	cgroup  Mem // a descriptor of the cgroup, once AwaitCgroup is done
	user    Mem // the answer to PointUser: kind, uid, gid, count, groups
	oom     Mem // when joining: the length and text of oom_score_adj
	scratch Mem // scratchSize bytes that no step relies on after its end

	pdeathsig bool // PDEATHSIG was asked for: what clears it sets it again
	keeper    bool // a process other than the payload stays as its init
	stays     bool // the keeper outlives the payload
	joined    bool // the container existed before
	filtered  bool // a filter has been loaded
	terminal  bool // stdin is a terminal of the container
}

const (
	scratchSize = 4096
	// maxGroups is how many supplementary groups the answer to PointUser can hold.
	maxGroups = 64
)

// NewInit returns an empty init.
func NewInit() *Init {
	p := NewProgram()
	in := &Init{Program: p, Root: p.NewWord(-1), Proc: p.NewWord(-1), Null: p.NewWord(-1)}
	in.user, in.scratch = p.Space(4*(4+maxGroups)), p.Space(scratchSize)
	return in
}

// Pass gives a descriptor of the supervisor to init; the operand is its number
// there. The file must stay open until Start has returned.
func (in *Init) Pass(f *os.File) Arg {
	in.files = append(in.files, f)
	return Imm(FirstFD + len(in.files) - 1)
}
