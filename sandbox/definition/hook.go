package definition

import (
	"context"
	"time"
)

// Stage is a moment in the life of a container at which hooks run.
type Stage string

// The stages, in the order of a container's life.
const (
	StagePrestart  Stage = "prestart"  // all is set up, the payload is not started
	StagePoststart Stage = "poststart" // execve has succeeded
	StageCollect   Stage = "collect"   // the payload has ended, its files are still there
	StagePoststop  Stage = "poststop"  // after teardown
)

// HookRef names a hook function that a recipe registered; the function itself
// stays in the recipe's VM.
type HookRef struct {
	// ID counts from 1 in the order of registration.
	ID    int    `json:"id"`
	Stage Stage  `json:"stage"`
	Label string `json:"label"`
	// Deadline bounds one call; 0 means 10 s, or 30 s for poststop.
	Deadline Duration `json:"deadline,omitempty"`
	Origin   Origin   `json:"origin"`
}

// Timeout is the hook's deadline with its default filled in.
func (h HookRef) Timeout() time.Duration {
	switch {
	case h.Deadline > 0:
		return time.Duration(h.Deadline)
	case h.Stage == StagePoststop:
		return 30 * time.Second
	}
	return 10 * time.Second
}

// HooksOf returns the hooks of a stage in the order they run: as registered,
// poststop in reverse.
func (d *Definition) HooksOf(stage Stage) []HookRef {
	var hooks []HookRef
	for _, h := range d.Hooks {
		if h.Stage == stage {
			hooks = append(hooks, h)
		}
	}
	if stage == StagePoststop {
		for i, j := 0, len(hooks)-1; i < j; i, j = i+1, j-1 {
			hooks[i], hooks[j] = hooks[j], hooks[i]
		}
	}
	return hooks
}

// HookCall is one call of a hook.
type HookCall struct {
	Hook HookRef
	// Host is the container as the hook may touch it.
	Host Host
	// Result is set from collect on.
	Result *Result
}

// HookOutcome is how a call ended.
type HookOutcome struct {
	// Err is nil when the function returned; a raised error, a deadline or a
	// wrong return value otherwise. It carries the recipe's file and line.
	Err error
	// Failed is set when the hook called ctx:fail, with the reason and its line.
	Failed *Failure
}

// Failure is a reason given by a recipe for calling a run failed.
type Failure struct {
	Reason string `json:"reason"`
	Hook   string `json:"hook,omitempty"`
	Origin Origin `json:"origin"`
	// Hint says what to do; may be empty.
	Hint string `json:"hint,omitempty"`
}

// Hooks calls the functions of a recipe. It is implemented by script and used by
// the engine, which calls it from one goroutine at a time. The context is
// cancelled at the hook's deadline or when the container must end.
type Hooks interface {
	Call(ctx context.Context, call HookCall) HookOutcome
	// Data returns ctx.data as JSON, as the last returned hook left it; nil when unset.
	Data() []byte
}

// Host is a container as its hooks may touch it. It is implemented by the engine
// and used by script. Paths are absolute, in the container, and resolved inside
// its root. A method that the container's state does not allow returns an error
// that says so; every method fails once ctx is done.
type Host interface {
	ID() string
	// PID is the payload's process id on the host; 0 before poststart.
	PID() int
	// Cgroup is the container's cgroup path on the host, or "".
	Cgroup() string
	// NetNS is a path that names the container's network namespace, or "".
	NetNS() string
	Read(ctx context.Context, path string) ([]byte, error)
	Write(ctx context.Context, path string, content []byte, mode uint32) error
	// CopyIn copies a host file or folder below the project into the container.
	CopyIn(ctx context.Context, source, target string) error
	// CopyOut copies a file or folder of the container to the host.
	CopyOut(ctx context.Context, source, target string) error
	Exec(ctx context.Context, request ExecRequest) (ExecResult, error)
	// Signal sends a signal, by name ("TERM"), to the payload.
	Signal(ctx context.Context, signal string) error
	Pause(ctx context.Context) error
	Resume(ctx context.Context) error
	// Update changes limits of the running container; nil and zero fields stay.
	Update(ctx context.Context, limits Limits) error
	Stats(ctx context.Context) (Stats, error)
	// Log writes one line for the user.
	Log(line string)
}

// ExecRequest is a further process in a running container, with the payload's
// user, capabilities, filter and environment unless it says otherwise.
type ExecRequest struct {
	Args []string
	Env  []EnvVar
	Cwd  string
	// Stdin is what the process reads.
	Stdin []byte
}

// ExecResult is how it ended. Output beyond 1 MiB each is cut, with a mark.
type ExecResult struct {
	Code   int    `json:"code"`
	Signal string `json:"signal,omitempty"`
	Stdout []byte `json:"stdout"`
	Stderr []byte `json:"stderr"`
}

// Stats is what the container uses now. A nil field could not be read here.
type Stats struct {
	Memory     *Bytes   `json:"memory,omitempty"`
	MemoryPeak *Bytes   `json:"memory_peak,omitempty"`
	Pids       *int64   `json:"pids,omitempty"`
	CPU        Duration `json:"cpu"`
	Wall       Duration `json:"wall"`
}
