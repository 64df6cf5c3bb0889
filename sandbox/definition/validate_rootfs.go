package definition

import "strings"

// Validate returns what is wrong with the root filesystem.
func (r Rootfs) Validate() Problems {
	var ps Problems
	switch r.Kind {
	case "", RootfsHost, RootfsHostReadonly, RootfsTmpfs:
	case RootfsDir:
		if ps.absolute("rootfs", r.Path) && r.Path == "/" {
			ps.hint("rootfs", `write rootfs = "host" or "host-readonly"`, "the folder is this machine's /")
		}
	case RootfsOverlay:
		if len(r.Lower) == 0 {
			ps.add("rootfs", "an overlay has at least one lower folder")
		}
		if len(r.Lower) > 500 { // OVL_MAX_STACK (fs/overlayfs/params.h)
			ps.add("rootfs", "an overlay of %d lower folders; the kernel takes 500", len(r.Lower))
		}
		ps.overlay(r.Lower...)
		if r.Upper != "" {
			ps.overlay(r.Upper)
		}
	default:
		ps.add("rootfs", "there is no root filesystem of kind %s", clip(string(r.Kind)))
	}
	if r.Size < 0 {
		ps.add("rootfs", "the size %d is negative", int64(r.Size))
	}
	return ps
}

// overlay checks folders of an overlay.
func (ps *Problems) overlay(dirs ...string) {
	for _, dir := range dirs {
		ps.absolute("rootfs", dir)
	}
}

// validateMounts checks each mount, and that no target is mounted twice.
func validateMounts(mounts []Mount) Problems {
	var ps Problems
	targets := map[string]int{}
	for i := range mounts {
		path := Item("mounts", i+1)
		m := &mounts[i]
		ps = append(ps, m.validate(path)...)
		if before, twice := targets[m.Target]; twice {
			ps.add(path, "%s is mounted twice (first by mounts[%d])", clip(m.Target), before)
		} else {
			targets[m.Target] = i + 1
		}
	}
	return ps
}

// Validate returns what is wrong with the mount; paths start with "mount".
func (m Mount) Validate() Problems { return m.validate("mount") }

func (m Mount) validate(path string) Problems {
	var ps Problems
	if ps.absolute(path+".target", m.Target) {
		ps.target(path+".target", m)
	}
	switch m.Type {
	case MountBind:
		ps.absolute(path+".source", m.Source)
	case MountCache:
		ps.name(path+".source", m.Source)
	case MountFile:
		if len(m.Content) > maxContent {
			ps.hint(path+".content", "bind a file", "the content has %d bytes; 16 MiB at most", len(m.Content))
		}
	case MountTmpfs, MountProc, MountSysfs, MountDevpts, MountMqueue, MountCgroup:
	default:
		ps.add(path+".type", "there is no mount of type %s", clip(m.Type))
	}
	if m.Size < 0 {
		ps.add(path+".size", "the size %d is negative", int64(m.Size))
	}
	if m.Mode != nil && *m.Mode > 0o7777 {
		ps.add(path+".mode", "the mode %#o has more than permission bits", *m.Mode)
	}
	return ps
}

// target checks where a mount goes. What is laid over /proc hides the kernel's own
// files from programs that trust them (CVE-2019-16884, CVE-2025-31133).
func (ps *Problems) target(path string, m Mount) {
	switch {
	case m.Target == "/":
		ps.hint(path, "write rootfs = …", "the target is \"/\", the root filesystem")
	case below(m.Target, "/proc") && m.Type != MountProc:
		ps.hint(path, "sandbox.proc() mounts it", "nothing is mounted over %s", clip(m.Target))
	case m.Target == "/sys" && m.Type != MountSysfs:
		ps.hint(path, "sandbox.sysfs() mounts it", "nothing is mounted over \"/sys\"")
	}
}

func validateDevices(devices []Device) Problems {
	var ps Problems
	seen := map[string]bool{}
	for i, d := range devices {
		path := Item("devices", i+1)
		if ps.absolute(path, d.Path) && !strings.HasPrefix(d.Path, "/dev/") {
			ps.add(path, "the device %s is not below /dev", clip(d.Path))
		}
		if d.Source != "" && ps.absolute(path, d.Source) && !strings.HasPrefix(d.Source, "/dev/") {
			ps.add(path, "the host's device %s is not below /dev", clip(d.Source))
		}
		if seen[d.Path] {
			ps.add(path, "the device %s is named twice", clip(d.Path))
		}
		seen[d.Path] = true
	}
	return ps
}

func validateArtifacts(artifacts []Artifact) Problems {
	var ps Problems
	for i, a := range artifacts {
		path := Join("artifacts", a.Path)
		if ps.absolute(path, a.Path) {
			switch {
			case a.Path == "/":
				ps.add(path, "the whole root filesystem cannot be an artifact")
			case below(a.Path, "/proc") || below(a.Path, "/sys") || below(a.Path, "/dev"):
				ps.add(path, "%s is the kernel's", clip(a.Path))
			}
		}
		if ps.absolute(path, a.Target) && a.Target == "/" {
			ps.add(path, "the artifact would be copied over the host's /")
		}
		for _, other := range artifacts[:i] {
			if other.Target == a.Target && other.Path != a.Path {
				ps.add(path, "%s is copied to %s too", clip(other.Path), clip(a.Target))
			}
		}
	}
	return ps
}
