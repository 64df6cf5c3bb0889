package definition

// Terminal says whether the payload gets a terminal of its own.
type Terminal string

// The terminal modes. Empty means TerminalAuto.
const (
	TerminalAuto Terminal = "auto" // when stdin is a terminal and not redirected
	TerminalYes  Terminal = "yes"
	TerminalNo   Terminal = "no"
)

// Process is the payload: the user's program in the container.
type Process struct {
	// Args is the argument vector; Args[0] is looked up in the payload's PATH.
	Args []string `json:"args,omitempty"`
	// Cwd is absolute, in the container; empty means "/".
	Cwd string `json:"cwd,omitempty"`
	// Env is what the recipe names, on top of the base set.
	Env []EnvVar `json:"env,omitempty"`
	// User is "uid", "uid:gid", "name" or "name:group", resolved in the rootfs; empty means 0.
	User string `json:"user,omitempty"`
	// Groups are supplementary groups, numbers or names.
	Groups []string `json:"groups,omitempty"`
	// Umask of the payload; nil means 022.
	Umask    *uint32  `json:"umask,omitempty"`
	Terminal Terminal `json:"terminal,omitempty"`
	// NoInit makes the payload PID 1 itself ("init = false").
	NoInit bool `json:"no_init,omitempty"`
	// Stdin, Stdout and Stderr are absolute host paths, "none" for /dev/null, or
	// empty to pass the runner's own through. Stderr may be "stdout".
	Stdin  string `json:"stdin,omitempty"`
	Stdout string `json:"stdout,omitempty"`
	Stderr string `json:"stderr,omitempty"`
	// NewPrivs allows set-user-ID programs and file capabilities to gain
	// privileges ("no_new_privs = false").
	NewPrivs bool `json:"new_privs,omitempty"`
	// OOMScoreAdj is -1000..1000; nil leaves the runner's.
	OOMScoreAdj *int `json:"oom_score_adj,omitempty"`
}

// EnvVar is one variable of the payload's environment.
type EnvVar struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
}

// Rlimit is one resource limit (setrlimit(2)). Infinity is RlimitInfinity.
type Rlimit struct {
	// Name is lower case without "RLIMIT_": "nofile", "core", …
	Name string `json:"name"`
	Soft uint64 `json:"soft"`
	Hard uint64 `json:"hard"`
}

// RlimitInfinity is RLIM_INFINITY.
const RlimitInfinity = ^uint64(0)

// Capabilities are the payload's capability sets (capabilities(7)), by names
// without "CAP_". A nil set means its default; an empty set is empty.
type Capabilities struct {
	Bounding    []string `json:"bounding"`
	Effective   []string `json:"effective"`
	Permitted   []string `json:"permitted"`
	Inheritable []string `json:"inheritable"`
	Ambient     []string `json:"ambient"`
}
