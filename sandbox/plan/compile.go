package plan

import (
	"fmt"
	"slices"
	"strings"

	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
)

// compiler turns one definition into a plan. It has three phases: decide (which
// namespaces, ids, cgroup and privileges there will be), lay out the steps in
// their order, and the teardown. Problems are collected in all of them.
type compiler struct {
	def      *definition.Definition
	facts    *Facts
	plan     *Plan
	problems definition.Problems

	own     owned
	ids     idMaps
	user    user
	caps    SetCaps
	bound   []string
	setting cgroups.Setting
	// confined says that mounts are made in a user namespace: an ordinary user's
	// own, or the one that the caller is in already.
	confined bool
	terminal bool
	term     bool // what is run has the runner's terminal, which is not its own
	awaited  bool // the cgroup
	entered  bool // the net namespace
	// targets of the recipe's mounts, in the order they are mounted.
	mounts []placed
	// secrets to mask, because they could not be left out.
	secrets []string
}

// owned says which namespaces are the container's own.
type owned struct{ mount, pid, net, ipc, uts, cgroup, user, time bool }

// Compile turns a definition into the steps that make, run and remove its
// container on a host of these facts. It is pure. The error is
// definition.Problems: everything that is wrong, with origins.
func Compile(def *definition.Definition, facts Facts) (*Plan, error) {
	c := newCompiler(def, &facts)
	c.decide()
	c.hostSetup()
	c.enter()
	if c.own.mount {
		c.newRoot()
	} else {
		c.enterNet()
		c.sysctls()
	}
	c.network()
	c.becomePayload()
	c.aftermath()
	c.teardown()
	return c.result()
}

func newCompiler(def *definition.Definition, facts *Facts) *compiler {
	return &compiler{def: def, facts: facts, plan: &Plan{Steps: make([]Step, 0, 72), Teardown: make([]Step, 0, 5)}}
}

func (c *compiler) result() (*Plan, error) {
	if len(c.problems) > 0 {
		return nil, c.problems.At(c.def.Origins)
	}
	return c.plan, nil
}

// decide looks at everything that more than one step depends on.
func (c *compiler) decide() {
	c.checkKernel()
	c.confined = !c.facts.Root || c.mappedIDs() != allIDs
	c.decideNamespaces()
	c.decideUser()
	c.decideIDs()
	c.decideCaps()
	c.decideSeccomp()
	c.decideCgroup()
	p := c.def.Process
	c.terminal = len(c.def.Steps) == 0 && (p.Terminal == definition.TerminalYes || mayHaveTerminal(p) && c.facts.StdinTerminal)
	c.placeMounts()
	if !c.own.mount {
		c.hostFiles()
	}
}

// checkKernel refuses kernels without mount_setattr(2): read-only recursive binds
// could not be made in one step, and never from inside a user namespace.
func (c *compiler) checkKernel() {
	if k := c.facts.Kernel; !c.facts.KernelAtLeast(5, 12) {
		c.problem("", "use Linux 5.12 or newer", "Linux %d.%d has no mount_setattr(2)", k[0], k[1])
	}
}

func (c *compiler) decideNamespaces() {
	n := c.def.Namespaces
	isNew := func(m definition.NamespaceMode) bool { return m != definition.NamespaceHost }
	c.own = owned{mount: !hostMount(c.def), pid: isNew(n.PID), net: !hostNetwork(c.def), ipc: isNew(n.IPC), uts: isNew(n.UTS),
		cgroup: isNew(n.Cgroup), user: isNew(n.User), time: n.Time == definition.NamespaceNew}
	// Linux 6.1 moves a process into its time namespace on execve; before, only its children.
	if k := c.facts.Kernel; c.own.time && c.def.Process.NoInit && !c.facts.KernelAtLeast(6, 1) {
		c.problem("namespaces.time", "leave out init = false, or use Linux 6.1 or newer",
			"a payload that is PID 1 itself does not enter a new time namespace on Linux %d.%d", k[0], k[1])
	}
	if c.def.Process.NoInit {
		c.note("process.init", "the payload is PID 1 itself: signals that it has no handler for are ignored, and a hostile one can outlive a killed runner")
	}
}

// decideSeccomp: under no_new_privs the filter is loaded last. Without, loading
// needs CAP_SYS_ADMIN, and a filter loaded before capset would have to allow the
// set-up's own calls (seccomp(2)).
func (c *compiler) decideSeccomp() {
	if c.def.Process.NewPrivs && c.def.Seccomp.Mode != definition.SeccompNone && !hasName(c.caps.Effective, "SYS_ADMIN") {
		c.problem("seccomp", `leave out no_new_privs = false, or say seccomp = "none", or keep the capability SYS_ADMIN`,
			"without no_new_privs a filter can only be loaded with the capability SYS_ADMIN")
	}
}

func (c *compiler) decideCgroup() {
	var missing []cgroups.Missing
	c.setting, missing = cgroups.Resolve(c.facts.Cgroup, c.def.Limits)
	if c.def.Joined() {
		// Out of memory, the kernel is to kill the largest process, not the step together
		// with all services and init: steps may follow that are to run after a failure.
		c.setting.Writes = slices.DeleteFunc(c.setting.Writes, func(w cgroups.Write) bool { return w.File == "memory.oom.group" })
	}
	none := len(c.setting.Dirs) == 0
	var names []string
	for _, m := range missing {
		field := "limits." + m.Limit
		names = append(names, m.Limit)
		switch {
		case !c.def.Limits.BestEffort:
			c.problem(field, m.Hint, "it needs the %s controller: %s", m.Controller, m.Reason)
		case !none: // without any cgroup there is one reason for all, below
			c.note(field, "%s", m)
		}
	}
	switch {
	case c.setting.Note == "":
	case none && len(names) > 0:
		c.note("limits", "%s: not enforced: %s", c.setting.Note, strings.Join(names, ", "))
	case c.def.Limits.Cgroup():
		c.note("limits", "%s", c.setting.Note)
	case none && !c.own.pid:
		c.note("namespaces.pid", "%s, and no pid namespace: a process that leaves the session can outlive the container", c.setting.Note)
	}
}

// hostSetup is what the supervisor does before and while init works. What can outlive
// the supervisor comes after the state, so that another runner finds and removes it.
// An init that needs no cgroup at once is not of that kind: it dies with the
// supervisor, and builds the root while state and cgroup are made.
func (c *compiler) hostSetup() {
	spawn := Spawn{IntoCgroup: c.inUnified() && !c.apart()}
	if c.facts.Root {
		spawn.Namespaces = c.namespaces(false) // the net namespace comes later
	}
	early := c.apart() && len(c.setting.Dirs) == 1 && !c.setting.Leaf // a leaf is made for the runner alone
	if !early {
		c.host(Reserve{}, "")
	}
	for i := range c.def.Mounts {
		if m := &c.def.Mounts[i]; m.Type == definition.MountCache {
			c.host(MakeCache{Name: m.Source, Path: c.cachePath(m.Source)}, mountField(i))
		}
	}
	if early {
		c.host(spawn, "")
		c.host(Reserve{}, "")
		c.cgroup()
	} else {
		c.cgroup()
		c.host(spawn, "")
	}
	if c.apart() {
		c.host(GiveCgroup{}, "")
	}
}

func (c *compiler) cgroup() {
	if len(c.setting.Dirs) == 0 {
		return
	}
	c.host(CreateCgroup{Hierarchies: hierarchies(c.setting), Setting: c.setting}, "")
	// Limits are there before the first process is.
	for _, w := range c.setting.Writes {
		c.host(SetLimit{Controller: w.Controller, File: w.File, Value: w.Value}, "limits."+w.Limit)
	}
}

// awaitCgroup stands before the first step that needs the cgroup to be there, and
// before the first sync point.
func (c *compiler) awaitCgroup() {
	if c.apart() && !c.awaited {
		c.awaited = true
		c.enterNet() // what is given to init comes in this order
		c.init(AwaitCgroup{}, "")
	}
}

// inUnified reports whether the container has a v2 cgroup.
func (c *compiler) inUnified() bool {
	return len(c.setting.Dirs) > 0 && c.setting.Dirs[0].Version == 2
}

// apart reports whether init stays in the runner's v2 cgroup and the payload alone
// is born into the container's. Then init may be started before the cgroup is known
// or made, does not count against its limits, and outlives an out-of-memory kill to
// tell of it. An ordinary user's init could not open that door from inside its user
// namespace.
func (c *compiler) apart() bool {
	return c.inUnified() && c.facts.Root && !c.def.Process.NoInit
}

func hierarchies(s cgroups.Setting) []string {
	names := make([]string, len(s.Dirs))
	for i, d := range s.Dirs {
		names[i] = "unified"
		if d.Version == 1 {
			names[i] = strings.Join(d.Controllers, "+")
		}
	}
	return names
}

// namespaces are those that init is cloned into.
func (c *compiler) namespaces(net bool) []string {
	names := make([]string, 0, 6)
	for _, n := range [...]struct {
		own  bool
		name string
	}{{c.own.mount, "mount"}, {c.own.pid, "pid"}, {c.own.net && net, "net"}, {c.own.ipc, "ipc"}, {c.own.uts, "uts"}} {
		if n.own {
			names = append(names, n.name)
		}
	}
	return names
}

// enter brings init into its cgroups and namespaces.
func (c *compiler) enter() {
	if c.facts.Root {
		c.init(DieWithSupervisor{}, "")
		c.joinCgroups()
	} else {
		// While it is still the caller's in the host's user namespace.
		c.joinCgroups()
		c.enterUserFirst()
		// The clone and the change of ids clear it (prctl(2)), so not before.
		c.init(DieWithSupervisor{}, "")
	}
	if c.own.cgroup && !c.apart() {
		// Its root is the cgroup that the process is in at this moment, so after the joins.
		c.init(Unshare{Namespaces: []string{"cgroup"}}, "")
	}
	if c.own.uts {
		c.init(SetHostname{Name: c.hostname()}, set("hostname", c.def.Hostname != ""))
	}
}

// network comes late: to bring lo up waits for the kernel's one lock of all network
// configuration, 0.5 ms while another container's namespace is being taken down,
// and what was started ahead has begun with it long before.
func (c *compiler) network() {
	if c.own.net {
		c.init(Loopback{}, "")
	}
}

// joinCgroups: the v2 cgroup is one that a process is born in.
func (c *compiler) joinCgroups() {
	for _, d := range c.setting.Dirs {
		if d.Version == 1 && len(d.Controllers) > 0 {
			c.init(JoinCgroup{Controller: d.Controllers[0]}, "")
		}
	}
}

// maxHostname is __NEW_UTS_LEN.
const maxHostname = 64

func (c *compiler) hostname() string {
	name := c.def.Hostname
	if name == "" {
		name = c.def.Name
	}
	if name == "" {
		name = "sandbox"
	}
	return name[:min(len(name), maxHostname)]
}

func (c *compiler) host(op Op, field string) { c.add(Host, op, field) }
func (c *compiler) init(op Op, field string) { c.add(Init, op, field) }

// set is the field of a step when the recipe set it: a default has no origin.
func set(field string, given bool) string {
	if given {
		return field
	}
	return ""
}

func (c *compiler) add(side Side, op Op, field string) {
	c.plan.Steps = append(c.plan.Steps, Step{Side: side, Op: op, Field: field, Origin: c.origin(field)})
}

// origin is where the recipe set a field or what encloses it; the whole container's
// place says nothing of a field that was left out.
func (c *compiler) origin(field string) definition.Origin {
	at, _ := c.def.Origins.Given(field)
	return at
}

func (c *compiler) problem(path, hint, format string, args ...any) {
	c.problems = append(c.problems, definition.Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// note adds a note that holds from the start.
func (c *compiler) note(field, format string, args ...any) {
	c.plan.Notes = append(c.plan.Notes, Note{Text: fmt.Sprintf(format, args...), Origin: c.origin(field)})
}

// conditional adds a note that init sends when it takes a branch, and returns its number.
func (c *compiler) conditional(field, format string, args ...any) int {
	c.note(field, format, args...)
	c.plan.Notes[len(c.plan.Notes)-1].Conditional = true
	return len(c.plan.Notes)
}

func hasName(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}
