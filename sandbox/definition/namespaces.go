package definition

// NamespaceMode says where a namespace comes from. Empty means the default:
// new for all but time, which is the host's.
type NamespaceMode string

// The namespace modes.
const (
	NamespaceNew  NamespaceMode = "new"
	NamespaceHost NamespaceMode = "host"
)

// Namespaces of the container (namespaces(7)).
type Namespaces struct {
	// Mount "host" leaves the payload on the host's own files, without a root, mounts
	// and masks of its own.
	Mount  NamespaceMode `json:"mount,omitempty"`
	PID    NamespaceMode `json:"pid,omitempty"`
	Net    NamespaceMode `json:"net,omitempty"`
	IPC    NamespaceMode `json:"ipc,omitempty"`
	UTS    NamespaceMode `json:"uts,omitempty"`
	Cgroup NamespaceMode `json:"cgroup,omitempty"`
	User   NamespaceMode `json:"user,omitempty"`
	Time   NamespaceMode `json:"time,omitempty"`
}

// IDMap is the container's user namespace mapping. Nil lists mean the default:
// identity for root; for an ordinary user the subordinate ranges when there are
// any, else the single id.
type IDMap struct {
	UID []IDRange `json:"uid,omitempty"`
	GID []IDRange `json:"gid,omitempty"`
}

// IDRange maps Size ids from Container on to those from Host on.
type IDRange struct {
	Container uint32 `json:"container"`
	Host      uint32 `json:"host"`
	Size      uint32 `json:"size"`
}
