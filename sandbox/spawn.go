package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/mount"
	"sandbox/sandbox/network"
	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// spawn encodes the init side of the plan and starts init on it.
func (c *container) spawn(op plan.Spawn) error {
	in, closeFiles, err := c.encode(c.plan.Steps)
	defer closeFiles()
	if err != nil {
		return err
	}
	if c.stdio, err = c.openStdio(); err != nil {
		return err
	}
	if len(c.def.Steps) == 0 { // which get them one after another
		defer c.stdio.closeOpened()
	}
	spawn := nsinit.Spawn{Namespaces: op.Namespaces, Net: slices.ContainsFunc(c.plan.Steps, entersNet), Stdin: c.stdio.in, Stdout: c.stdio.out, Stderr: c.stdio.err}
	if op.IntoCgroup {
		if spawn.Cgroup, err = c.birthplace(); err != nil {
			return err
		}
		defer spawn.Cgroup.Close()
	}
	if c.child, err = c.Launcher.Start(in, spawn); err != nil {
		return err
	}
	c.child.Refused, c.child.Reported = c.refused, c.reported
	c.child.Lasting, c.child.Until = c.listen, c.created.Add(patience)
	return nil
}

func entersNet(s plan.Step) bool { _, ok := s.Op.(plan.EnterNet); return ok }

// refused finds out why execve failed, while the payload's process is parked.
func (c *container) refused() {
	// The payload's process first: init is not dumpable by now, so that its /proc
	// files are closed to an ordinary user.
	pid, err := c.child.PayloadPID()
	if err != nil {
		pid = c.child.PID()
	}
	root, err := c.openRoot(pid)
	if err != nil {
		if root, err = c.openRoot(c.child.PID()); err != nil {
			return // the errno alone has to do
		}
	}
	defer root.Close()
	for i := range c.plan.Steps {
		if op, ok := c.plan.Steps[i].Op.(plan.Exec); ok {
			c.diagnosis = diagnose(root, op.Args, op.Env, c.def.Process.Cwd)
		}
	}
}

// encode makes init's program from the init steps. The function closes what was
// opened for init, once it has been started.
func (c *container) encode(steps []plan.Step) (*nsinit.Init, func(), error) {
	if c.Launcher == nil {
		c.Launcher, c.ownLauncher = nsinit.NewLauncher(), true
	}
	in := c.Launcher.NewInit()
	closeFiles, err := c.equip(in, steps)
	if err != nil {
		return nil, closeFiles, err
	}
	return in, closeFiles, lowerAll(in, steps, 0)
}

// encodeExec makes the program of a further process in the running container.
func (c *container) encodeExec(p *plan.Plan) (*nsinit.Init, func(), error) {
	in := nsinit.NewInit()
	closeFiles, err := c.equip(in, p.Steps)
	if err != nil {
		return nil, closeFiles, err
	}
	how := nsinit.Join{Kept: c.kept}
	closeAll := closeFiles
	if c.kept == nil {
		if how.PIDFD, err = c.payloadFile(); err != nil {
			return nil, closeFiles, err
		}
		closeAll = func() { closeFiles(); how.PIDFD.Close() }
		how.Namespaces = c.ownNamespaces()
	}
	join := joinIndex(p.Steps)
	if err := lowerAll(in, p.Steps[:join], 0); err != nil {
		return nil, closeAll, err
	}
	in.JoinContainer(how)
	return in, closeAll, lowerAll(in, p.Steps[join:], join)
}

// payloadFile is a pidfd of the payload.
func (c *container) payloadFile() (*os.File, error) {
	pid, err := c.child.PayloadPID()
	if err != nil {
		return nil, err
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("open the payload's process: %w", err)
	}
	return os.NewFile(uintptr(fd), "payload"), nil
}

// equip gives init what its steps refer to: the tasks files of v1 cgroups, the
// cgroup's folder and the seccomp filter.
func (c *container) equip(in *nsinit.Init, steps []plan.Step) (closeFiles func(), err error) {
	in.Tasks = map[string]*os.File{}
	closeFiles = func() {
		for _, f := range in.Tasks {
			f.Close() // one file may stand under several controllers
		}
	}
	if c.group != nil {
		tasks, err := c.group.TasksFiles()
		if err != nil {
			return closeFiles, err
		}
		for _, dir := range c.group.Record().Dirs {
			if dir.Version != 1 {
				continue
			}
			f := os.NewFile(uintptr(tasks[0]), dir.Parent)
			for _, controller := range dir.Controllers {
				in.Tasks[controller] = f
			}
			tasks = tasks[1:]
		}
	}
	if record := c.cgroupRecord(); record != nil && record.Dirs[0].Version == 2 {
		in.CgroupDir = record.Paths()[0]
	}
	in.Filter, err = c.filter(steps)
	return closeFiles, err
}

// giveCgroup hands init the cgroup that its payload is born in.
func (c *container) giveCgroup() error {
	folder, err := c.birthplace()
	if err != nil {
		return err
	}
	defer folder.Close()
	return c.child.GiveCgroup(folder)
}

// birthplace opens the v2 cgroup that processes are born in, or returns nil.
func (c *container) birthplace() (*os.File, error) {
	if c.group.FD() < 0 {
		return nil, nil
	}
	fd, err := unix.FcntlInt(uintptr(c.group.FD()), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the cgroup: %w", err)
	}
	return os.NewFile(uintptr(fd), "cgroup"), nil
}

// joinIndex is where a further process enters the container: after the cgroups,
// whose files cannot be reached from inside.
func joinIndex(steps []plan.Step) int {
	for i := range steps {
		if _, ok := steps[i].Op.(plan.JoinCgroup); !ok {
			return i
		}
	}
	return len(steps)
}

// ownNamespaces are those of the running container that are not the supervisor's.
func (c *container) ownNamespaces() []string {
	var own []string
	for _, s := range c.plan.Steps {
		switch op := s.Op.(type) {
		case plan.Spawn:
			own = append(own, op.Namespaces...)
		case plan.CloneInit:
			own = append(own, op.Namespaces...)
		case plan.Unshare:
			own = append(own, op.Namespaces...)
		case plan.EnterNet:
			own = append(own, "net")
		case plan.UnshareUser:
			own = append(own, "user")
		case plan.ClonePayload:
			if op.UID != nil {
				own = append(own, "user")
			}
		}
	}
	return own
}

// lowerAll adds the calls of the init steps to init's program; the first is the
// plan's step of number base.
func lowerAll(in *nsinit.Init, steps []plan.Step, base int) error {
	for i := range steps {
		if steps[i].Side != plan.Init {
			continue
		}
		in.Step(base + i)
		if err := lower(in, steps[i].Op); err != nil {
			return stepError(&steps[i], err)
		}
	}
	return nil
}

// lower adds a step's calls to init's program, by the package of its subject.
func lower(in *nsinit.Init, op plan.Op) error {
	for _, subject := range []func(*nsinit.Init, plan.Op) (bool, error){(*nsinit.Init).Lower, mount.Lower, network.Lower} {
		if done, err := subject(in, op); done || err != nil {
			return err
		}
	}
	return fmt.Errorf("no init step is called %T", op)
}

// filter is the BPF of the plan's seccomp step, if it has one.
func (c *container) filter(steps []plan.Step) ([]byte, error) {
	for i := range steps {
		if op, ok := steps[i].Op.(plan.LoadFilter); ok {
			bpf, err := c.Filter(op.Seccomp)
			if err != nil {
				return nil, stepError(&steps[i], err)
			}
			return bpf, nil
		}
	}
	return nil, nil
}

// writeMaps writes the user namespace's maps of the parked init.
func (c *container) writeMaps(op plan.WriteMaps) error {
	pid := c.child.PID()
	if op.Helpers {
		if err := helperMap("newuidmap", pid, op.UID); err != nil {
			return err
		}
		return helperMap("newgidmap", pid, op.GID)
	}
	dir := "/proc/" + strconv.Itoa(pid)
	if op.DenySetgroups {
		if err := os.WriteFile(dir+"/setgroups", []byte("deny"), 0); err != nil {
			return fmt.Errorf("deny setgroups: %w", err)
		}
	}
	if err := os.WriteFile(dir+"/uid_map", []byte(mapText(op.UID)), 0); err != nil {
		return fmt.Errorf("write uid map: %w", err)
	}
	if err := os.WriteFile(dir+"/gid_map", []byte(mapText(op.GID)), 0); err != nil {
		return fmt.Errorf("write gid map: %w", err)
	}
	return nil
}

func mapText(ranges []definition.IDRange) string {
	var text []byte
	for _, r := range ranges {
		text = fmt.Appendf(text, "%d %d %d\n", r.Container, r.Host, r.Size)
	}
	return string(text)
}

// helperMap runs newuidmap(1) or newgidmap(1), which are set-user-ID and check
// /etc/subuid and /etc/subgid.
func helperMap(name string, pid int, ranges []definition.IDRange) error {
	args := []string{strconv.Itoa(pid)}
	for _, r := range ranges {
		for _, n := range []uint32{r.Container, r.Host, r.Size} {
			args = append(args, strconv.FormatUint(uint64(n), 10))
		}
	}
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return &helperError{fmt.Errorf("%s: %w: %s", name, err, out)}
	}
	return nil
}

type helperError struct{ error }

func (e *helperError) Unwrap() error { return e.error }
func (e *helperError) Hint() string {
	return "the ranges in /etc/subuid and /etc/subgid must cover the map: usermod --add-subuids, --add-subgids"
}

// resolveUser looks the payload's user up in the rootfs, and answers init with the
// numbers.
func (c *container) resolveUser(op plan.ResolveUser) error {
	root, err := c.openRoot(c.child.PID())
	if err != nil {
		return err
	}
	defer root.Close()
	user, err := root.LookupUser(op.User, op.Groups)
	if err != nil {
		return err
	}
	c.Facts.Resolved = &plan.Resolved{UID: user.UID, GID: user.GID, Groups: user.Groups} // for CompileExec
	c.answer = append([]uint32{user.UID, user.GID, uint32(len(user.Groups))}, user.Groups...)
	return nil
}
