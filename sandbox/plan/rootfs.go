package plan

import (
	"path"
	"strings"

	"sandbox/sandbox/definition"
)

// shown reports whether a top-level folder of the host is shown in a container. An
// allow-list: machines carry unexpected folders at the top.
func shown(name string) bool {
	switch name {
	case "usr", "bin", "sbin", "etc", "opt", "var", "nix", "gnu", "snap":
		return true
	}
	return strings.HasPrefix(name, "lib") && (len(name) == 3 || name == "lib32" || name == "lib64" || name == "libx32" || name == "libo32")
}

// shownVar reports whether a folder of /var/lib is shown in the overlay: what
// programs and package managers, rather than services, have there. All else of /var
// is private: data bases, spools, mail, logs, caches.
func shownVar(p string) bool {
	switch strings.TrimPrefix(p, "/var/lib/") {
	case "dpkg", "rpm", "pacman", "apk", "apt", "alternatives", "gems", "ghc", "python", "texmf", "tex-common",
		"dictionaries-common", "aspell", "ispell", "xml-core", "sgml-base", "emacsen-common", "ca-certificates-java", "snapd", "flatpak":
		return true
	}
	return false
}

// newRoot is everything that is mounted, in its order: what lies on something comes
// after it, what hides when all is there, and the pivot last.
func (c *compiler) newRoot() {
	c.rootfs()
	c.mountAll()
	c.pivot()
}

// rootfs makes the new root. Mounts are made private before: on most hosts / is
// shared, and what is attached here would appear there.
func (c *compiler) rootfs() {
	c.init(PrivateMounts{}, "")
	r := c.def.Rootfs
	switch r.Kind {
	case "", definition.RootfsHost:
		switch {
		case c.confined:
			c.skeleton()
			c.note("rootfs", "/usr and the other folders of this machine are read-only: an overlay of / cannot be mounted in a user namespace")
		case c.facts.RootDepth > 1:
			c.skeleton()
			c.note("rootfs", "/usr and the other folders of this machine are read-only: / is stacked on %d overlays already, and the kernel takes two", c.facts.RootDepth)
		default:
			c.overlayHost()
		}
	case definition.RootfsHostReadonly:
		c.skeleton()
	case definition.RootfsDir:
		c.init(RootDir{Path: r.Path, Write: r.Write}, "rootfs")
	case definition.RootfsOverlay:
		c.overlay()
	case definition.RootfsTmpfs:
		c.init(RootTmpfs{Size: r.Size}, "rootfs")
	}
}

func (c *compiler) overlay() {
	r := c.def.Rootfs
	if c.confined {
		c.note("rootfs", "files of owners that are not mapped stay read-only in the overlay")
	}
	if c.confined && r.Upper == "" && !c.facts.KernelAtLeast(6, 6) {
		// The throw-away layer is a tmpfs, which has no user.* attributes to say
		// that a new folder hides the lower one (overlayfs.rst, "whiteouts and opaque directories").
		c.note("rootfs", "a folder that is removed from the overlay cannot be made again (EIO), as tmpfs has user.* attributes since Linux 6.6: name an upper folder to have it")
	}
	c.init(RootOverlay{Lower: r.Lower, Upper: r.Upper, Size: r.Size, UserXattr: c.confined}, "rootfs")
}

// overlayHost is the host's / with a throw-away layer, in which everything that is
// not shown was made empty before it was mounted: nothing there can be unmounted.
func (c *compiler) overlayHost() {
	op := RootOverlay{Lower: []string{"/"}, Size: c.def.Rootfs.Size}
	var mounts []string
	for _, t := range c.facts.Top {
		switch p := "/" + t.Name; {
		case !shown(t.Name) && t.Dir:
			op.Hide = append(op.Hide, p)
		case !shown(t.Name):
			op.Whiteout = append(op.Whiteout, p)
		case t.Name == "var" && t.Dir:
			op.Hide = append(op.Hide, c.hiddenVar()...)
		}
		if shown(t.Name) {
			mounts = append(mounts, shownMounts(t)...)
		}
	}
	if home := c.hiddenHome(); home != "" && !covered(home, op.Hide) {
		op.Hide = append(op.Hide, home)
	}
	for _, s := range c.facts.Secrets {
		if covered(s, mounts) {
			c.secrets = append(c.secrets, s)
		} else {
			op.Whiteout = append(op.Whiteout, s)
		}
	}
	c.init(op, "rootfs")
	for _, m := range mounts {
		// An overlay does not cross into the mounts of its lower folders.
		c.init(Bind{Source: m, Target: m, Recursive: true, Suid: c.def.Process.NewPrivs}, "rootfs")
		c.note("rootfs", "%s is read-only: it is a mount of its own on this machine", m)
	}
}

// hiddenVar are the folders of /var that are made empty. Without a list of them it
// is all of /var.
func (c *compiler) hiddenVar() []string {
	var hidden []string
	listed := false
	for _, p := range c.facts.Var {
		listed = listed || p == "/var/lib"
		if p != "/var/lib" && !(strings.HasPrefix(p, "/var/lib/") && shownVar(p)) {
			hidden = append(hidden, p)
		}
	}
	if !listed {
		return []string{"/var"}
	}
	return hidden
}

// shownMounts are the mounts at or below a shown folder that are not below each other.
func shownMounts(t TopEntry) []string {
	var mounts []string
	for _, m := range t.Mounts {
		if t.Name == "var" && !shownVar(m) || covered(m, mounts) {
			continue
		}
		mounts = append(mounts, m)
	}
	return mounts
}

// covered reports whether p is one of the folders or below one.
func covered(p string, folders []string) bool {
	for _, f := range folders {
		if below(p, f) {
			return true
		}
	}
	return false
}

// below reports whether p is folder or lies in it.
func below(p, folder string) bool {
	return p == folder || folder == "/" || len(p) > len(folder) && p[len(folder)] == '/' && p[:len(folder)] == folder
}

// hiddenHome is the caller's home folder where it lies below a shown one. Those of
// system users, like /usr/sbin or /var/lib, are not homes.
func (c *compiler) hiddenHome() string {
	home := path.Clean("/" + c.facts.Home)
	parts := strings.Split(home[1:], "/")
	switch {
	case len(parts) < 2 || !shown(parts[0]):
		return ""
	case parts[0] == "usr" && !(parts[1] == "home" && len(parts) > 2):
		return ""
	case parts[0] == "var" && parts[1] == "lib" && (len(parts) < 3 || len(parts) == 3 && shownVar(home)):
		return ""
	case parts[0] != "usr" && parts[0] != "var" && parts[0] != "opt":
		return ""
	}
	return home
}

// skeleton is a tmpfs with the shown folders of the host bound to it: for where no
// overlay of / can be had, or none is wanted.
func (c *compiler) skeleton() {
	c.init(RootTmpfs{Size: c.def.Rootfs.Size}, "rootfs")
	for _, t := range c.facts.Top {
		switch p := "/" + t.Name; {
		case !shown(t.Name):
		case t.Link != "":
			c.init(MakeLink{Path: p, Target: t.Link}, "rootfs")
		case t.Name == "var" && t.Dir:
			c.skeletonVar()
		case t.Dir:
			c.init(Bind{Source: p, Target: p, Recursive: true, Suid: c.def.Process.NewPrivs}, "rootfs")
		}
	}
	c.init(MakeDir{Path: "/root", Mode: 0o700}, "rootfs")
	c.init(MakeDir{Path: "/home", Mode: 0o755}, "rootfs")
	for _, s := range c.facts.Secrets {
		if !below(s, "/var") {
			c.secrets = append(c.secrets, s)
		}
	}
	if home := c.hiddenHome(); home != "" && !below(home, "/var") {
		c.secrets = append(c.secrets, home)
	}
}

// skeletonVar is /var with what programs expect to be there.
func (c *compiler) skeletonVar() {
	for _, p := range c.facts.Var {
		if hasName(VarPaths(), p) {
			c.init(Bind{Source: p, Target: p, Recursive: true}, "rootfs")
		}
	}
	c.init(MakeLink{Path: "/var/tmp", Target: "/tmp"}, "rootfs")
	c.init(MakeLink{Path: "/var/run", Target: "/run"}, "rootfs")
	c.init(MakeLink{Path: "/var/lock", Target: "/run/lock"}, "rootfs")
}

// isHost reports whether the root filesystem is made from the host's.
func (c *compiler) isHost() bool {
	k := c.def.Rootfs.Kind
	return k == "" || k == definition.RootfsHost || k == definition.RootfsHostReadonly
}

// resolvConf makes the host's resolver configuration visible to a container on the
// host's network.
func (c *compiler) resolvConf() {
	f, r := c.facts, c.def.Rootfs
	const target = "/etc/resolv.conf"
	switch {
	case f.Resolv == "" || !hostNetwork(c.def) || c.taken(target):
	case c.isHost():
		// /etc/resolv.conf itself is shown with /etc; what it links to may not be.
		first, _, _ := strings.Cut(strings.TrimPrefix(f.Resolv, "/"), "/")
		if (!shown(first) || first == "var") && !c.taken(f.Resolv) {
			c.init(CopyHostFile{Source: f.Resolv, Path: f.Resolv}, "network")
		}
	case r.Kind == definition.RootfsTmpfs:
		c.init(CopyHostFile{Source: f.Resolv, Path: target}, "network")
	case r.Kind == definition.RootfsDir && !r.Write && !hasName(f.RootEntries, target):
		c.note("network", "the root filesystem has no %s to mount the host's on: names are not resolved", target)
	default:
		c.init(Bind{Source: f.Resolv, Target: target}, "network")
	}
}
