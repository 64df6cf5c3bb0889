package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
	"sandbox/sandbox/mount"
	"sandbox/sandbox/plan"
)

// host performs a step of the host side.
func (c *container) host(s *plan.Step) error {
	switch op := s.Op.(type) {
	case plan.Reserve:
		return c.reserve()
	case plan.MakeCache:
		return makeCache(op.Path)
	case plan.CreateCgroup:
		return c.createCgroup(op)
	case plan.SetLimit:
		return nil // written with the cgroup, in the same order
	case plan.Spawn:
		return c.spawn(op)
	case plan.GiveCgroup:
		return c.giveCgroup()
	case plan.WriteMaps:
		return c.writeMaps(op)
	case plan.ResolveUser:
		return c.resolveUser(op)
	case plan.HoldRoot:
		return c.holdRoot(op)
	case plan.AwaitExec:
		return c.awaitExec()
	case plan.RunHooks:
		return c.stage(op.Stage)
	case plan.Supervise:
		return c.supervise()
	case plan.CopyArtifact:
		return c.copyArtifact(op)
	}
	return c.joined(s)
}

// joined performs a step of the host side on what joins the container.
func (c *container) joined(s *plan.Step) error {
	switch op := s.Op.(type) {
	case plan.KeepNamespaces:
		return c.keepNamespaces(op)
	case plan.StartService:
		return c.startService(op)
	case plan.AwaitInit:
		c.listen()
		return c.awaitExec()
	case plan.Watch:
		c.monitor.setAlarms()
		return nil
	case plan.RunStep:
		c.runStep(op)
		return nil
	case plan.StopServices:
		c.stopServices()
		return nil
	case plan.EndAll:
		return c.endAll()
	}
	return fmt.Errorf("no host step is called %T", s.Op)
}

// reserve writes down what is going to exist, before it does.
func (c *container) reserve() error {
	record := stateRecord{Version: 1, ID: c.id, Name: c.def.Name, UID: os.Geteuid(), Supervisor: os.Getpid(),
		Created: c.created, Status: statusCreating, Poststop: c.def.HooksOf(definition.StagePoststop)}
	record.Cgroup = c.cgroupRecord()
	var recipe []byte
	if len(record.Poststop) > 0 {
		recipe = c.Record
	}
	var err error
	c.state, err = reserve(c.Facts.StateDir, record, recipe)
	return err
}

// cgroupRecord is what the container's cgroups are going to be, or nil.
func (c *container) cgroupRecord() *cgroups.Record {
	for i := range c.plan.Steps {
		if op, ok := c.plan.Steps[i].Op.(plan.CreateCgroup); ok {
			r := op.Setting.Record(c.id)
			return &r
		}
	}
	return nil
}

// makeCache makes a cache's folder, private to the user.
func makeCache(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("make the cache folder: %w", err)
	}
	return nil
}

func (c *container) createCgroup(op plan.CreateCgroup) error {
	if op.Setting.Leaf && c.Launcher != nil {
		c.Launcher.Discard() // the runner moves, and has to be alone
	}
	group, err := cgroups.Create(op.Setting, c.id)
	if err != nil {
		return err
	}
	c.group = group
	skipped, err := group.Apply()
	for _, w := range skipped {
		c.note(fmt.Sprintf("this kernel has no %s; the limit %s works without it", w.File, w.Limit))
	}
	var limit *cgroups.LimitError
	if errors.As(err, &limit) {
		field := "limits." + limit.Limit
		return &Error{Doing: "set the limit " + limit.Limit, Field: field, Origin: c.def.Origins.Of(field), Cause: err, Hint: limit.Hint}
	}
	return err
}

// holdRoot opens the container's root and mount namespace while init is parked:
// its mounts then outlive its processes, until Release.
func (c *container) holdRoot(op plan.HoldRoot) error {
	root, err := c.openRoot(c.child.PID())
	c.root = root
	if err == nil && op.HostFiles {
		root.RefuseLinks()
	}
	if err != nil || c.def.Project == "" {
		return err
	}
	err = root.Trust(c.def.Project)
	for _, a := range c.def.Artifacts {
		if err == nil && !strings.HasPrefix(a.Target, c.def.Project+"/") {
			err = root.Trust(filepath.Dir(a.Target))
		}
	}
	return err
}

// openRoot opens the root that a process of the container has.
func (c *container) openRoot(pid int) (*mount.Root, error) {
	if c.def.Namespaces.Mount == definition.NamespaceHost {
		return mount.OpenHost()
	}
	return mount.OpenRoot(pid)
}

// stage runs the hooks of a stage.
func (c *container) stage(stage definition.Stage) error {
	switch stage {
	case definition.StageCollect:
		if c.monitor == nil {
			return nil
		}
		ctx, cancel := c.afterwards()
		defer cancel()
		return c.runHooks(ctx, stage)
	case definition.StagePoststop:
		return nil // tearDown calls them
	}
	return c.runHooks(c.ctx, stage)
}

// awaitExec waits for the payload's execve; from then on the payload is watched,
// and what other supervisors left is swept.
func (c *container) awaitExec() error {
	if err := c.child.AwaitExec(c.ctx); err != nil {
		return c.initError(err)
	}
	c.startMonitor()
	c.mu.Lock()
	c.running = c.monitor
	c.mu.Unlock()
	if c.stdio.full() {
		c.overflow()
	}
	c.state.record.Status, c.state.record.PID = statusRunning, c.child.PID()
	if len(c.def.Hooks) > 0 {
		c.warn(c.state.save())
	}
	sweep(c.Facts.StateDir, func() {
		// What takes its time must not keep this payload from its limits and signals.
		c.listen()
		go c.monitor.wait()
	}, c.Revive, c.log)
	return nil
}

func (c *container) log(line string) {
	if c.Options.Log != nil {
		c.Options.Log(line)
	}
}

// supervise waits for the payload's end, and judges it.
func (c *container) supervise() error {
	c.monitor.wait()
	if c.def.Joined() {
		return nil // services are to end first
	}
	c.killRest()
	c.stdio.drain(time.Second)
	c.judge()
	return nil
}

// killRest ends what the payload left behind: with a pid namespace of its own
// there is nothing, as init has ended.
func (c *container) killRest() { c.warn(c.killCgroup()) }

func (c *container) killCgroup() error {
	if c.group == nil || c.endsWithInit() {
		return nil
	}
	defer c.listenLater()()
	ctx, cancel := background(10 * time.Second)
	defer cancel()
	return c.group.Kill(ctx)
}

// copyArtifact copies one artifact out. A missing one fails a run that was
// successful, and is a warning otherwise.
func (c *container) copyArtifact(op plan.CopyArtifact) error {
	defer c.listenLater()()
	err := c.root.CopyOut(op.Path, op.Target)
	var leftOut *mount.LeftOutError
	if errors.As(err, &leftOut) {
		c.warn(fmt.Errorf("%s: %w", op, err)) // a device, a link out of the artifact: the rest was copied
		err = nil
	}
	if err == nil {
		c.result.Artifacts = append(c.result.Artifacts, definition.Artifact{Path: op.Path, Target: op.Target})
		return nil
	}
	if c.result.Verdict != definition.VerdictExited || c.result.ExitCode != 0 {
		c.warn(fmt.Errorf("%s: %w", op, err))
		return nil
	}
	return err
}

// note adds what was degraded to the result.
func (c *container) note(text string) {
	c.result.Notes = append(c.result.Notes, text)
}

// cgroupPath is the container's cgroup on the host: the v2 one when there is one.
func (c *container) cgroupPath() string {
	if c.group == nil {
		return ""
	}
	if paths := c.group.Paths(); len(paths) > 0 {
		return paths[0]
	}
	return ""
}

// usage is what the cgroup counts now.
func (c *container) usage() definition.Stats {
	var s definition.Stats
	if c.group != nil {
		s = c.group.Stats()
	}
	if s.CPU == 0 && c.child != nil {
		s.CPU = definition.Duration(treeTime(c.child.PID()))
	}
	return s
}

// endsWithInit reports whether init's end was that of every process of the
// container: of its pid namespace, unless a hook has others started.
func (c *container) endsWithInit() bool {
	return len(c.def.Hooks) == 0 && slices.Contains(c.ownNamespaces(), "pid") && c.child != nil && c.child.Ended()
}

// final is what the cgroup counted, once nobody is left in it.
type final struct {
	stats definition.Stats
	peak  definition.Peak
	oom   cgroups.OOM
}

func (c *container) readFinal() final {
	return final{c.usage(), c.group.Peak(), c.group.OOM()}
}

// reported reads what the cgroup counted while init, whose payload has ended, takes
// down the namespaces: unless others are left, it is final.
func (c *container) reported() {
	if c.group != nil && c.group.Empty() {
		f := c.readFinal()
		c.final = &f
	}
}
