package definition

// Limits bound what the payload may use. Zero or nil means no limit.
type Limits struct {
	Memory *Bytes `json:"memory,omitempty"`
	// Swap is the swap alone, without memory; nil means 0 when Memory is set.
	Swap *Bytes `json:"swap,omitempty"`
	Pids *int64 `json:"pids,omitempty"`
	// CPUs is processor time per time: 1.5 is one and a half processors.
	CPUs float64 `json:"cpus,omitempty"`
	// CPUWeight is 1..10000, as in cgroup v2; 100 is the kernel's default.
	CPUWeight int64 `json:"cpu_weight,omitempty"`
	// CPUTime is the processor time that all the processes may use together.
	CPUTime Duration `json:"cpu_time,omitempty"`
	Wall    Duration `json:"wall,omitempty"`
	// Idle is the longest time without output.
	Idle Duration `json:"idle,omitempty"`
	// Output bounds stdout and stderr together, in bytes.
	Output Bytes `json:"output,omitempty"`
	// BestEffort turns a limit that this host cannot enforce into a note.
	BestEffort bool `json:"best_effort,omitempty"`
}

// Cgroup reports whether any limit needs a cgroup.
func (l Limits) Cgroup() bool {
	return l.Memory != nil || l.Swap != nil || l.Pids != nil || l.CPUs != 0 || l.CPUWeight != 0
}
