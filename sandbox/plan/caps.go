package plan

import "sandbox/sandbox/definition"

const capSysResource = 24

// DefaultCapabilities are those of a payload with uid 0: enough to own files, to
// change user and to serve on a low port. Another user has none.
func DefaultCapabilities() []string {
	return []string{"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "NET_BIND_SERVICE"}
}

// decideCaps fills in the sets that the recipe leaves out. execve gives uid 0 all
// of the bounding set, so that this one follows the others; the inheritable set is
// empty unless asked for (CVE-2022-29162), but ambient needs it.
func (c *compiler) decideCaps() {
	d := c.def.Caps
	bounding := c.knownCaps("caps.bounding", d.Bounding)
	effective := c.knownCaps("caps.effective", d.Effective)
	permitted := c.knownCaps("caps.permitted", d.Permitted)
	inheritable := c.knownCaps("caps.inheritable", d.Inheritable)
	ambient := c.knownCaps("caps.ambient", d.Ambient)
	if inheritable == nil {
		inheritable = ambient
	}
	if bounding == nil {
		switch {
		case permitted != nil:
			bounding = permitted
		case effective != nil:
			bounding = effective
		case c.isRoot():
			bounding = c.available(DefaultCapabilities())
		}
		bounding = union(bounding, inheritable, ambient)
	}
	if permitted == nil {
		permitted = union(effective, ambient)
		if c.isRoot() && effective == nil {
			permitted = union(bounding, ambient)
		}
	}
	if effective == nil {
		effective = ambient
		if c.isRoot() {
			effective = permitted
		}
	}
	c.bound = bounding
	c.caps = SetCaps{Effective: effective, Permitted: permitted, Inheritable: inheritable, Ambient: ambient}
	for _, subset := range [...]struct {
		name        string
		small, big  []string
		consequence string
	}{
		{"caps.effective", effective, permitted, "permitted"}, {"caps.permitted", permitted, bounding, "bounding"},
		{"caps.ambient", ambient, permitted, "permitted"}, {"caps.ambient", ambient, inheritable, "inheritable"},
	} {
		for _, name := range subset.small {
			if !hasName(subset.big, name) {
				c.problem(subset.name, "add it to caps."+subset.consequence+" as well", "%s is not in the %s set (capabilities(7))", name, subset.consequence)
			}
		}
	}
}

func (c *compiler) capsGiven() bool {
	d := c.def.Caps
	return d.Bounding != nil || d.Effective != nil || d.Permitted != nil || d.Inheritable != nil || d.Ambient != nil
}

// knownCaps returns the names in the order of their numbers. nil stays nil.
func (c *compiler) knownCaps(field string, names []string) []string {
	if names == nil {
		return nil
	}
	set := make([]bool, len(definition.CapabilityNames))
	for _, name := range names {
		n := definition.CapabilityNumber(name)
		switch {
		case n < 0: // told by Validate
		case n > c.facts.LastCap && c.facts.LastCap > 0:
			c.problem(field, "leave it out", "this kernel does not know %s", name)
		case !c.own.user && c.facts.Capabilities&(1<<n) == 0:
			c.problem(field, "leave it out, or run the runner with it", "the runner itself does not have %s", name)
		default:
			set[n] = true
		}
	}
	list := make([]string, 0, len(names))
	for n, in := range set {
		if in {
			list = append(list, definition.CapabilityNames[n])
		}
	}
	return list
}

// available leaves out what the runner cannot give: without a user namespace of
// the container's own only what it has itself.
func (c *compiler) available(names []string) []string {
	if c.own.user {
		return names
	}
	var have []string
	for _, name := range names {
		if c.facts.Capabilities&(1<<definition.CapabilityNumber(name)) != 0 {
			have = append(have, name)
		}
	}
	return have
}

func union(lists ...[]string) []string {
	all := []string{}
	for _, list := range lists {
		for _, name := range list {
			if !hasName(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}
