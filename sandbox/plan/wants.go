package plan

import "sandbox/sandbox/definition"

// Wants says which facts a definition's plan depends on beyond those that cost
// nothing, so that a run reads only these.
type Wants struct {
	// Limits: the cgroup layout in full.
	Limits bool
	// HostRootfs: the entries of / and its mounts.
	HostRootfs bool
	// Resolv: where /etc/resolv.conf leads.
	Resolv bool
	// Maps: the subordinate ids and their helpers, for an ordinary user.
	Maps bool
	// Terminal: whether stdin is one.
	Terminal bool
}

// WantsOf returns what Compile will look at.
func WantsOf(def *definition.Definition) Wants {
	var w Wants
	w.Limits = def.Limits.Cgroup()
	switch def.Rootfs.Kind {
	case "", definition.RootfsHost, definition.RootfsHostReadonly:
		w.HostRootfs = true
	}
	w.Resolv = w.HostRootfs && def.Network == definition.NetworkHost
	w.Maps = true
	w.Terminal = def.Process.Terminal != definition.TerminalNo && def.Process.Stdin == ""
	return w
}

// SecretPaths are the files and folders below the shown folders of / that a
// container of the host's files never sees, when they exist. A final "*" matches
// any rest of the name.
func SecretPaths() []string {
	return append([]string{"/etc/shadow*", "/etc/gshadow*", "/etc/sudoers", "/etc/ssh/ssh_host_*", "/etc/krb5.keytab",
		"/etc/machine-id", "/etc/security/opasswd"}, hiddenBelow[:]...)
}
