// Package definition holds the nouns of the project: what a container should
// be (Definition), what its hooks are told and may do (HookCall, Host), and how
// it ended (Result).
//
// A Definition is plain data: JSON-able, without functions, file descriptors or
// facts of the host. Every field remembers its origin in the recipe. Validate
// stands beside each type, returns all problems at once and touches nothing.
//
// The package builds on any operating system and imports nothing of the project.
package definition

// Definition is what one container should be. The JSON keys are the words a
// recipe uses; zero values mean "the default", which Compile fills in.
type Definition struct {
	// Name becomes the container's id prefix: letters, digits, "_", "-" and ".", at most 64 bytes.
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	// Project is the absolute folder that relative host paths of the recipe are below.
	Project string  `json:"project,omitempty"`
	Rootfs  Rootfs  `json:"rootfs"`
	Mounts  []Mount `json:"mounts,omitempty"`
	Process Process `json:"process"`
	// Steps run one after another, instead of Process.Args.
	Steps []Step `json:"steps,omitempty"`
	// Services run beside the payload or the steps; started in this order.
	Services   []Service    `json:"services,omitempty"`
	Limits     Limits       `json:"limits"`
	Network    NetworkMode  `json:"network,omitempty"`
	Namespaces Namespaces   `json:"namespaces"`
	IDMap      IDMap        `json:"idmap"`
	Caps       Capabilities `json:"caps"`
	Seccomp    Seccomp      `json:"seccomp"`
	Rlimits    []Rlimit     `json:"rlimits,omitempty"`
	Devices    []Device     `json:"devices,omitempty"`
	Sysctl     []Sysctl     `json:"sysctl,omitempty"`
	Hostname   string       `json:"hostname,omitempty"`
	// MaskedPaths are hidden in the container; nil means the default list, empty means none.
	MaskedPaths []string `json:"masked_paths"`
	// ReadonlyPaths are made read-only in the container; nil means the default list, empty means none.
	ReadonlyPaths []string   `json:"readonly_paths"`
	Artifacts     []Artifact `json:"artifacts,omitempty"`
	Hooks         []HookRef  `json:"hooks,omitempty"`

	// Origins says where the recipe set each field.
	Origins Origins `json:"origins,omitempty"`
}

// NetworkMode is what the container sees of the network: "none" (a new network
// namespace with only lo, up) or "host" (the host's own). Empty means "none".
type NetworkMode string

// The network modes.
const (
	NetworkNone NetworkMode = "none"
	NetworkHost NetworkMode = "host"
)

// Artifact is a file or folder copied out of the container when its payload has
// ended, before teardown.
type Artifact struct {
	// Path is absolute, in the container.
	Path string `json:"path"`
	// Target is an absolute host path; a folder's content lands in it.
	Target string `json:"target"`
}

// Device makes a device node of the host appear in the container.
type Device struct {
	// Path is the node in the container, below /dev.
	Path string `json:"path"`
	// Source is the node on the host; empty means the same as Path.
	Source string `json:"source,omitempty"`
}

// Sysctl is one kernel parameter, set in the container's own namespaces before
// the payload starts.
type Sysctl struct {
	// Name is in the dotted form, as sysctl(8) prints it.
	Name  string `json:"name"`
	Value string `json:"value"`
}
