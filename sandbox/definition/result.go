package definition

import "time"

// Verdict is how a run ended, in one word.
type Verdict string

// The verdicts.
const (
	VerdictExited   Verdict = "exited"   // the payload returned; ExitCode is its own
	VerdictSignaled Verdict = "signaled" // a signal that was not ours ended it
	VerdictOOM      Verdict = "oom"      // the kernel killed it for memory
	VerdictTimeout  Verdict = "timeout"  // a limit of time or output ended it; Limit names which
	VerdictFailed   Verdict = "failed"   // a hook failed, or set-up did
	VerdictKilled   Verdict = "killed"   // the user or the runner ended it
	VerdictSkipped  Verdict = "skipped"  // a step that did not run
)

// Result is how a container ended. It is the authority: exit codes can be
// ambiguous, the Result is not.
type Result struct {
	ID      string  `json:"id"`
	Name    string  `json:"name,omitempty"`
	Verdict Verdict `json:"verdict"`
	// ExitCode is what the runner exits with: the payload's own, 128+signal, 124
	// for a limit of time, 125 to 127 when the payload did not run.
	ExitCode int `json:"exit_code"`
	// Signal is the name of the signal that ended the payload, like "SEGV".
	Signal string `json:"signal,omitempty"`
	// Limit names the limit that ended the payload: "wall", "memory", …, or a step's
	// own: "steps[2].wall".
	Limit string `json:"limit,omitempty"`
	// LimitValue is that limit, in words, and whose it was.
	LimitValue string `json:"limit_value,omitempty"`
	// Step names the step, the first that failed, whose end this is.
	Step string `json:"step,omitempty"`
	// Failure is why Verdict is "failed".
	Failure *Failure `json:"failure,omitempty"`
	// Error is the whole text of what stopped a run before its payload ran.
	Error string `json:"error,omitempty"`
	// Started is false when the payload never ran.
	Started   bool      `json:"started"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Wall      Duration  `json:"wall"`
	// CPU is user plus system time of all the processes.
	CPU       Duration     `json:"cpu"`
	Peak      Peak         `json:"peak"`
	OOMKills  int64        `json:"oom_kills,omitempty"`
	Steps     []StepRun    `json:"steps,omitempty"`
	Services  []ServiceRun `json:"services,omitempty"`
	Hooks     []HookRun    `json:"hooks,omitempty"`
	Warnings  []string     `json:"warnings,omitempty"`
	Notes     []string     `json:"notes,omitempty"`
	Artifacts []Artifact   `json:"artifacts,omitempty"`
	// Log is what hooks logged.
	Log []string `json:"log,omitempty"`
	// Data is ctx.data, as JSON.
	Data JSON `json:"data,omitempty"`
}

// Peak is the most a container used at once. A nil field could not be read here.
type Peak struct {
	Memory *Bytes `json:"memory,omitempty"`
	Pids   *int64 `json:"pids,omitempty"`
}

// StepRun is how one step ended.
type StepRun struct {
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	// ExitCode is as that of a Result, of this step alone; 0 of one that was skipped.
	ExitCode int    `json:"exit_code"`
	Signal   string `json:"signal,omitempty"`
	// Limit names the limit that ended it, as that of a Result.
	Limit      string `json:"limit,omitempty"`
	LimitValue string `json:"limit_value,omitempty"`
	// Error is the whole text of what kept it from running.
	Error     string    `json:"error,omitempty"`
	StartedAt time.Time `json:"started_at,omitzero"`
	Wall      Duration  `json:"wall"`
	// CPU is user plus system time of the step and of all that it waited for.
	CPU      Duration `json:"cpu"`
	OOMKills int64    `json:"oom_kills,omitempty"`
}

// Failed reports whether the step ran, or should have, and did not succeed.
func (s StepRun) Failed() bool {
	return s.Verdict != VerdictSkipped && (s.Verdict != VerdictExited || s.ExitCode != 0)
}

// ServiceRun is the life of one service.
type ServiceRun struct {
	Name      string    `json:"name"`
	StartedAt time.Time `json:"started_at"`
	// Ready is the time from its start until it was ready; 0 when it never was.
	Ready   Duration  `json:"ready"`
	EndedAt time.Time `json:"ended_at"`
	// ExitCode is its own, or 128+signal.
	ExitCode int    `json:"exit_code"`
	Signal   string `json:"signal,omitempty"`
	// Early says that it ended before it was asked to.
	Early bool `json:"early,omitempty"`
	// LastLines are the end of its output, when it or the run did not end well.
	LastLines []string `json:"last_lines,omitempty"`
	// Log is the file that has its output, when the state is kept.
	Log string `json:"log,omitempty"`
}

// HookRun is one hook that ran.
type HookRun struct {
	Stage Stage    `json:"stage"`
	Label string   `json:"label"`
	Wall  Duration `json:"wall"`
	Error string   `json:"error,omitempty"`
}

// JSON is a JSON text, kept as it is.
type JSON []byte

// MarshalJSON implements json.Marshaler.
func (j JSON) MarshalJSON() ([]byte, error) {
	if len(j) == 0 {
		return []byte("null"), nil
	}
	return j, nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (j *JSON) UnmarshalJSON(b []byte) error {
	*j = append((*j)[:0], b...)
	return nil
}
