package registry

// Stage is a set of stages, in the order of a container's life.
type Stage uint8

// The stages of hooks.
const (
	Prestart Stage = 1 << iota
	Poststart
	Collect
	Poststop
	AnyStage = Prestart | Poststart | Collect | Poststop
)

// StageInfo describes one stage.
type StageInfo struct {
	Name  string
	Stage Stage
	// When the hooks of the stage run.
	When string
	// Failure says what an error in a hook does, and Rest whether the hooks after it run.
	Failure, Rest string
	Deadline      string // by default
	Aka           []string
}

// Stages are the stages, in the order of a container's life.
var Stages = [...]StageInfo{
	{Name: "prestart", Stage: Prestart, When: "All is set up: namespaces, cgroup, mounts, network, the new root. The payload is not started, and privileges are not given up yet.",
		Failure: "The run fails before the payload runs.", Rest: "not run", Deadline: "10s", Aka: []string{"prepare", "createruntime", "createcontainer", "startcontainer", "before", "setup"}},
	{Name: "poststart", Stage: Poststart, When: "The payload has been started, and runs beside the hooks.",
		Failure: "The payload is killed.", Rest: "not run", Deadline: "10s", Aka: []string{"started", "healthcheck"}},
	{Name: "collect", Stage: Collect, When: "The payload has ended and nothing of it runs any more; its files are still there.",
		Failure: "The verdict is \"failed\".", Rest: "run", Deadline: "10s", Aka: []string{"after", "judge", "finish"}},
	{Name: "poststop", Stage: Poststop, When: "All is torn down. The hooks run in reverse order, whatever happened before.",
		Failure: "A warning in the Result.", Rest: "run", Deadline: "30s", Aka: []string{"cleanup", "teardown", "report", "stopped"}},
}

// ParseStage returns the stage with a name, or 0.
func ParseStage(name string) Stage {
	for i := range Stages {
		if Stages[i].Name == name {
			return Stages[i].Stage
		}
	}
	return 0
}

// String lists the stages of a set: "prestart, poststart".
func (s Stage) String() string {
	text := ""
	for i := range Stages {
		if s&Stages[i].Stage != 0 {
			if text != "" {
				text += ", "
			}
			text += Stages[i].Name
		}
	}
	return text
}
