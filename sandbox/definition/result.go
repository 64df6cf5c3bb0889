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
	// Limit names the limit that ended the payload: "wall", "memory", …
	Limit string `json:"limit,omitempty"`
	// LimitValue is that limit, in words, and whose it was.
	LimitValue string `json:"limit_value,omitempty"`
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
	CPU       Duration   `json:"cpu"`
	Peak      Peak       `json:"peak"`
	OOMKills  int64      `json:"oom_kills,omitempty"`
	Hooks     []HookRun  `json:"hooks,omitempty"`
	Warnings  []string   `json:"warnings,omitempty"`
	Notes     []string   `json:"notes,omitempty"`
	Artifacts []Artifact `json:"artifacts,omitempty"`
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
