package plan

// hostFiles says what a container in the host's mount namespace is open to. It is
// what the recipe asks for, and not degraded here; but who runs the recipe of
// someone else reads it in the plan and in the result.
func (c *compiler) hostFiles() {
	const field = "namespaces.mount"
	uid, known := c.hostUID()
	switch {
	case known && uid == 0:
		// The kernel's own files ask for the uid alone (/proc/sysrq-trigger,
		// kernel.core_pattern), with no regard to user namespaces and capabilities.
		c.note(field, "the payload is root on this machine's own files: it can change every one of them, devices and kernel parameters too, and so undo whatever else the recipe keeps it from")
	case known:
		c.note(field, "the payload works on this machine's own files: it reads and changes whatever uid %d may, and reaches every service that has a socket there; nothing is hidden, read-only or thrown away", uid)
	default:
		c.note(field, "the payload works on this machine's own files: it reads and changes whatever its user may, and reaches every service that has a socket there; nothing is hidden, read-only or thrown away")
	}
	numbers := ""
	if c.own.pid {
		numbers = ", the payload's under other numbers than its pid namespace gives them"
	}
	c.note(field, "/proc, /sys and /dev are this machine's: they show all of its processes%s, its network devices, and not the limits of the container", numbers)
	if c.holds() {
		c.note(field, "hooks read and write this machine's files with the rights of uid %d, the runner's", c.facts.UID)
	}
	if known && uid != 0 && uid == c.facts.UID && c.def.Limits.Cgroup() && len(c.setting.Dirs) > 0 {
		c.note("limits", "the payload can lift the limits of its cgroup, whose files belong to uid %d: they bound mistakes, not malice", uid)
	}
}
