package plan

import "sandbox/sandbox/definition"

// Wants says which facts a definition asks for, so that no others are read: the
// whole start of a container takes less than two milliseconds.
type Wants struct {
	// Limits asks which cgroup controllers there are, not only where the cgroup is.
	Limits bool `json:"limits,omitempty"`
	// Maps asks for the subordinate ids, if the caller is an ordinary user.
	Maps bool `json:"maps,omitempty"`
	// HostRootfs asks for Top, Secrets, Home, and those of VarPaths that exist.
	HostRootfs bool `json:"host_rootfs,omitempty"`
	// HostMounts asks for the mounts of Top, RootDepth, and all of Var.
	HostMounts bool `json:"host_mounts,omitempty"`
	// Resolv asks what /etc/resolv.conf is.
	Resolv bool `json:"resolv,omitempty"`
	// RootDir asks which of RootTargets exist in this folder; "" for none.
	RootDir string `json:"root_dir,omitempty"`
	// Terminal asks whether stdin is a terminal, and which.
	Terminal bool `json:"terminal,omitempty"`
	// Cache asks for CacheDir.
	Cache bool `json:"cache,omitempty"`
	// Devices are nodes of the host whose numbers are asked for.
	Devices []string `json:"devices,omitempty"`
	// Rlimits are resource limits of the caller that are asked for, by name.
	Rlimits []string `json:"rlimits,omitempty"`
	// Own reports whether a process is one that the caller started for this run, and
	// that does not count as another in its cgroup; nil for none.
	Own func(pid int) bool `json:"-"`
}

// WantsOf returns the facts that Compile will look at.
func WantsOf(def *definition.Definition) Wants {
	w := Wants{
		Limits:   def.Limits.Cgroup(),
		Maps:     def.Namespaces.User != definition.NamespaceHost,
		Resolv:   hostNetwork(def) && !hostMount(def),
		Terminal: mayHaveTerminal(def.Process),
	}
	switch kind := def.Rootfs.Kind; {
	case hostMount(def): // nothing is mounted
	case kind == "" || kind == definition.RootfsHost:
		w.HostRootfs, w.HostMounts = true, true
	case kind == definition.RootfsHostReadonly:
		w.HostRootfs = true
	case kind == definition.RootfsDir:
		w.RootDir = def.Rootfs.Path
	}
	for _, m := range def.Mounts {
		w.Cache = w.Cache || m.Type == definition.MountCache
	}
	for _, d := range def.Devices {
		w.Devices = append(w.Devices, deviceSource(d))
	}
	for _, r := range def.Rlimits {
		w.Rlimits = append(w.Rlimits, r.Name)
	}
	return w
}

// RootTargets are paths that the default mounts need in a root filesystem that
// cannot be written to.
func RootTargets() []string {
	return []string{"/proc", "/dev", "/sys", "/tmp", "/etc/resolv.conf"}
}

// VarPaths are folders of /var that programs read while they run.
func VarPaths() []string {
	return []string{"/var/lib/dpkg", "/var/lib/rpm", "/var/lib/pacman", "/var/lib/gems", "/var/lib/ghc", "/var/lib/texmf",
		"/var/lib/aspell", "/var/lib/snapd", "/var/lib/flatpak"}
}

// SecretPaths are files and folders of the host that hold keys or passwords and
// lie below folders that are shown in a container. "*" at the end stands for any
// rest of the name.
func SecretPaths() []string {
	return []string{
		"/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/security/opasswd", "/etc/sudoers", "/etc/sudoers.d",
		"/etc/ssh/ssh_host_*", "/etc/ssl/private", "/etc/pki/tls/private", "/etc/letsencrypt",
		"/etc/krb5.keytab", "/etc/crypttab", "/etc/cryptsetup-keys.d", "/etc/credstore", "/etc/credstore.encrypted",
		"/etc/NetworkManager/system-connections", "/etc/netplan", "/etc/wpa_supplicant", "/etc/wireguard", "/etc/openvpn",
		"/etc/ipsec.secrets", "/etc/ipsec.d", "/etc/swanctl", "/etc/ppp", "/etc/iwd",
		"/etc/apt/auth.conf", "/etc/apt/auth.conf.d", "/etc/docker", "/etc/containers/auth.json", "/etc/kubernetes", "/etc/rancher",
		"/etc/mysql/debian.cnf", "/etc/postfix/sasl", "/etc/exim4/passwd.client", "/etc/cups", "/etc/samba",
		"/etc/vault.d", "/etc/salt", "/etc/puppet", "/etc/puppetlabs", "/etc/chef", "/etc/pve", "/etc/cloud",
		"/usr/local/etc/ssh",
	}
}

// hostNetwork reports whether the container shares the host's network.
func hostNetwork(def *definition.Definition) bool {
	return def.Network == definition.NetworkHost || def.Namespaces.Net == definition.NamespaceHost
}

// hostMount reports whether the container shares the host's mount namespace.
func hostMount(def *definition.Definition) bool {
	return def.Namespaces.Mount == definition.NamespaceHost
}

// mayHaveTerminal is false where the recipe says so, or names files instead.
func mayHaveTerminal(p definition.Process) bool {
	switch p.Terminal {
	case definition.TerminalYes:
		return true
	case definition.TerminalNo:
		return false
	}
	return p.Stdin == "" && p.Stdout == "" && p.Stderr == ""
}

func deviceSource(d definition.Device) string {
	if d.Source != "" {
		return d.Source
	}
	return d.Path
}
