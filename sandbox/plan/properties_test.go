package plan_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
)

// checkPlan holds a plan against the rules of order, whatever it was made from.
func checkPlan(t testing.TB, def *definition.Definition, p *plan.Plan) {
	t.Helper()
	c := checker{t: t, def: def, p: p}
	c.ends()
	c.privileges()
	c.mounts()
	c.syncs()
	c.teardown()
	c.notes()
	if first, again := p.String(), p.String(); first != again {
		t.Error("printed twice, a plan differs")
	}
	if t.Failed() {
		t.Logf("the plan:\n%s", p)
	}
}

type checker struct {
	t   testing.TB
	def *definition.Definition
	p   *plan.Plan
}

// find returns the index of the first step with an op of type T, or -1.
func find[T plan.Op](c checker) int {
	for i, s := range c.p.Steps {
		if _, ok := s.Op.(T); ok {
			return i
		}
	}
	return -1
}

// last returns the index of the last step with an op of type T, or -1.
func last[T plan.Op](c checker) int {
	for i := len(c.p.Steps) - 1; i >= 0; i-- {
		if _, ok := c.p.Steps[i].Op.(T); ok {
			return i
		}
	}
	return -1
}

// before demands an order of two steps that are both there.
func (c checker) before(what string, a, b int) {
	c.t.Helper()
	if a >= 0 && b >= 0 && a >= b {
		c.t.Errorf("%s: %q comes after %q", what, c.p.Steps[a].Op, c.p.Steps[b].Op)
	}
}

func (c checker) ends() {
	c.t.Helper()
	for _, s := range c.p.Steps[:find[plan.Reserve](c)] {
		switch op := s.Op.(type) {
		case plan.MakeCache:
		case plan.Spawn:
			if op.IntoCgroup {
				c.t.Error("init is in a cgroup that no state remembers")
			}
		default:
			c.t.Errorf("%q is made before the state that remembers it", op)
		}
	}
	c.before("the state remembers the cgroup", find[plan.Reserve](c), find[plan.CreateCgroup](c))
	c.before("there is a cgroup to give", find[plan.CreateCgroup](c), find[plan.GiveCgroup](c))
	spawn, exec := find[plan.Spawn](c), find[plan.Exec](c)
	if len(c.def.Steps) > 0 {
		if exec >= 0 || find[plan.AwaitExec](c) >= 0 || find[plan.Supervise](c) >= 0 {
			c.t.Error("a payload besides the steps")
		}
		exec = find[plan.Leave](c)
	}
	for i, s := range c.p.Steps {
		if s.Side == plan.Init && (i < spawn || i > exec) {
			c.t.Errorf("init does %q outside of its life", s.Op)
		}
	}
	if len(c.def.Steps) > 0 {
		c.steps(exec)
	} else if find[plan.AwaitExec](c) != exec+1 || find[plan.Supervise](c) < exec {
		c.t.Error("execve is not awaited, or not supervised")
	}
	c.joined()
	if find[plan.Exec](c) != last[plan.Exec](c) {
		c.t.Error("two payloads")
	}
}

// steps run in order, once the container is there and watched.
func (c checker) steps(leave int) {
	c.t.Helper()
	if find[plan.AwaitInit](c) != leave+1 {
		c.t.Error("the container is not awaited")
	}
	watch, next := find[plan.Watch](c), 0
	for i, s := range c.p.Steps {
		if op, ok := s.Op.(plan.RunStep); ok {
			if next++; op.Number != next || i < watch {
				c.t.Errorf("%q is out of order, or not watched", op)
			}
		}
	}
	if next != len(c.def.Steps) || watch < 0 {
		c.t.Errorf("%d steps of %d", next, len(c.def.Steps))
	}
}

// joined: what joins finds the namespaces kept, and ends while its files are there.
func (c checker) joined() {
	c.t.Helper()
	keep, end := find[plan.KeepNamespaces](c), find[plan.EndAll](c)
	if c.def.Joined() != (keep >= 0) || c.def.Joined() != (end >= 0) {
		c.t.Fatal("namespaces are not kept for what joins, or kept for nothing")
	}
	if !c.def.Joined() {
		return
	}
	c.before("what is not there cannot be kept", find[plan.ClonePayload](c), keep)
	c.before("nothing of the recipe has run", keep, find[plan.StartService](c))
	c.before("closed to services", find[plan.Hide](c), find[plan.StartService](c))
	c.before("services are there for the steps", last[plan.StartService](c), find[plan.RunStep](c))
	c.before("services are there for the payload", last[plan.StartService](c), find[plan.Exec](c))
	c.before("the steps need the services", last[plan.RunStep](c), find[plan.StopServices](c))
	c.before("the payload needs the services", find[plan.Supervise](c), find[plan.StopServices](c))
	c.before("services are asked before they are killed", find[plan.StopServices](c), end)
	c.before("artifacts are complete", end, find[plan.CopyArtifact](c))
	names := c.p.Steps[keep].Op.(plan.KeepNamespaces).Names
	for i, name := range names {
		if first := find[plan.UnshareUser](c) >= 0; name == "user" && (first && i != 0 || !first && i != len(names)-1) {
			c.t.Errorf("the user namespace is entered out of order: %s", names)
		}
	}
}

func (c checker) privileges() {
	c.t.Helper()
	if len(c.def.Steps) > 0 {
		return // each step gives them up: checkExec
	}
	exec, filter, closed := find[plan.Exec](c), find[plan.LoadFilter](c), find[plan.CloseFDs](c)
	if c.def.Seccomp.Mode != definition.SeccompNone && filter != exec-1 {
		c.t.Error("the filter is not the last thing before execve")
	}
	if closed < 0 {
		c.t.Error("descriptors stay open")
	}
	c.before("the filter need not allow close_range", closed, filter)
	nnp := find[plan.NoNewPrivs](c)
	if (nnp >= 0) == c.def.Process.NewPrivs {
		c.t.Error("no_new_privs is not as the recipe says")
	}
	c.before("the filter needs no_new_privs", nnp, filter)
	user, caps, bound := find[plan.SetUser](c), find[plan.SetCaps](c), find[plan.BoundCaps](c)
	if user < 0 || caps < 0 || bound < 0 {
		c.t.Fatal("privileges are kept")
	}
	c.before("the bounding set needs CAP_SETPCAP", bound, user)
	c.before("setresuid clears capabilities", user, caps)
	c.before("the payload's folder is looked up as the payload", user, find[plan.SetCwd](c))
	c.before("a new user namespace has the bounding set full again", find[plan.ClonePayload](c), bound)
	for _, user := range []int{find[plan.BindCgroup](c), find[plan.ClonePayload](c)} {
		c.before("the cgroup is there when it is needed", find[plan.AwaitCgroup](c), user)
	}
	c.before("init receives in the order of its program", find[plan.EnterNet](c), find[plan.AwaitCgroup](c))
	c.before("init receives in the order of its program", find[plan.AwaitCgroup](c), find[plan.Sync](c))
	if (find[plan.AwaitCgroup](c) < 0) != (find[plan.GiveCgroup](c) < 0) {
		c.t.Error("the cgroup is given and not awaited, or awaited and not given")
	}
	c.before("a new user namespace has the bounding set full again", last[plan.UnshareUser](c), bound)
	// A user namespace before the mounts is an ordinary user's; root's is the last.
	for i, s := range c.p.Steps {
		clone, ok := s.Op.(plan.ClonePayload)
		if ok && clone.UID != nil {
			c.before("root's mounts belong to the outer user namespace", find[plan.Pivot](c), i)
		}
	}
	if find[plan.CloneInit](c) < 0 {
		c.before("root's mounts belong to the outer user namespace", find[plan.Pivot](c), find[plan.UnshareUser](c))
	}
}

// mounts: none after the pivot, and what hides comes when all is there.
func (c checker) mounts() {
	c.t.Helper()
	pivot, own := find[plan.Pivot](c), c.def.Namespaces.Mount != definition.NamespaceHost
	if own != (pivot >= 0) || own != (find[plan.PrivateMounts](c) >= 0) {
		c.t.Fatal("no root of its own, or one in the host's mount namespace")
	}
	var hidden []string
	for i, s := range c.p.Steps {
		mount := true
		switch op := s.Op.(type) {
		case plan.Mask:
			hidden = append(hidden, op.Path)
		case plan.ReadonlyPath:
			hidden = append(hidden, op.Path)
		case plan.ReadonlyRoot:
			hidden = append(hidden, "/")
		case plan.RootDir, plan.RootOverlay, plan.RootTmpfs, plan.Bind, plan.BindFile, plan.MountFS, plan.BindCgroup, plan.MakeDevice,
			plan.MakeDir, plan.MakeLink, plan.MakeFile, plan.CopyHostFile, plan.SetSysctl:
			target := reflect.ValueOf(op).FieldByName("Target")
			for _, p := range hidden {
				if !target.IsValid() || overlap(target.String(), p) {
					c.t.Errorf("%q comes after %s was masked or made read-only", s.Op, p)
				}
			}
		default:
			mount = false
		}
		if _, sysctl := s.Op.(plan.SetSysctl); mount && !own && !sysctl {
			c.t.Errorf("%q would be seen by the host", s.Op)
		} else if mount && own && (i > pivot || i < find[plan.PrivateMounts](c)) {
			c.t.Errorf("%q comes after the pivot, or where the host would see it", s.Op)
		}
	}
	cgroup := -1
	for i, s := range c.p.Steps {
		if u, ok := s.Op.(plan.Unshare); ok && u.Namespaces[0] == "cgroup" {
			cgroup = i
		}
	}
	c.before("the cgroup namespace's root is the cgroup at that time", last[plan.JoinCgroup](c), cgroup)
}

// overlap reports whether one path is, or lies in, the other.
func overlap(a, b string) bool {
	within := func(p, folder string) bool {
		return p == folder || strings.HasPrefix(p, strings.TrimSuffix(folder, "/")+"/")
	}
	return within(a, b) || within(b, a)
}

// syncs: a host step between init's steps is behind the sync that parks init.
func (c checker) syncs() {
	c.t.Helper()
	c.before("what init is given", find[plan.EnterNet](c), find[plan.AwaitCgroup](c))
	at, spawned := "", false
	for _, s := range c.p.Steps {
		if s.Side == plan.Init {
			at = ""
		}
		want := ""
		switch op := s.Op.(type) {
		case plan.Spawn:
			spawned = true
		case plan.Sync:
			at = op.Point
		case plan.WriteMaps:
			want = "map"
		case plan.ResolveUser:
			want = "user"
		case plan.HoldRoot:
			want = "prestart"
		case plan.RunHooks:
			if op.Stage == definition.StagePrestart {
				want = "prestart"
			}
		case plan.KeepNamespaces:
			want = "join"
		case plan.StartService:
			want = "services"
		}
		if want != "" && (at != want || !spawned) {
			c.t.Errorf("%q while init is at %q", s.Op, at)
		}
	}
}

// teardown undoes whatever the steps made.
func (c checker) teardown() {
	c.t.Helper()
	undo := map[reflect.Type]int{}
	for i, s := range c.p.Teardown {
		undo[reflect.TypeOf(s.Op)] = i + 1
	}
	for _, pair := range []struct{ made, undone plan.Op }{
		{plan.Reserve{}, plan.RemoveState{}}, {plan.Spawn{}, plan.KillAll{}}, {plan.CreateCgroup{}, plan.RemoveCgroup{}}, {plan.HoldRoot{}, plan.Release{}},
	} {
		for _, s := range c.p.Steps {
			if reflect.TypeOf(s.Op) == reflect.TypeOf(pair.made) && undo[reflect.TypeOf(pair.undone)] == 0 {
				c.t.Errorf("%q is never undone", s.Op)
			}
		}
	}
	if undo[reflect.TypeOf(plan.KillAll{})] != 1 || undo[reflect.TypeOf(plan.RemoveState{})] != len(c.p.Teardown) {
		c.t.Error("processes do not go first, or the state not last")
	}
	stop := len(c.def.HooksOf(definition.StagePoststop)) > 0
	if at := undo[reflect.TypeOf(plan.RunHooks{})]; stop != (at > 0) || stop && at != len(c.p.Teardown)-1 {
		c.t.Error("poststop hooks do not run between the teardown and the end of the state")
	}
}

// notes: a branch that degrades has a conditional note of its own.
func (c checker) notes() {
	c.t.Helper()
	used := map[int]bool{}
	for _, s := range c.p.Steps {
		n := 0
		switch op := s.Op.(type) {
		case plan.MountFS:
			n = op.Note
			if op.Type == "devpts" && !op.Dev {
				c.t.Error("no terminal of a devpts with nodev can be opened")
			}
			if op.Else != "" && n == 0 {
				c.t.Errorf("%q degrades without a note", op)
			}
		case plan.Bind:
			n = op.Optional
		}
		if n == 0 {
			continue
		}
		if n < 1 || n > len(c.p.Notes) || !c.p.Notes[n-1].Conditional {
			c.t.Errorf("%q has the note %d, which is none or not conditional", s.Op, n)
		}
		used[n] = true
	}
	for i, n := range c.p.Notes {
		if n.Conditional && !used[i+1] {
			c.t.Errorf("nothing can make the note %q true", n.Text)
		}
		if n.Text == "" {
			c.t.Errorf("note %d is empty", i+1)
		}
	}
}

// TestEverywhere compiles the whole corpus for every host, with and without the
// golden text: the rules hold for each plan.
func TestEverywhere(t *testing.T) {
	made, refused := 0, 0
	for _, path := range corpus(t) {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c := load(t, archive)
		if c.err != nil {
			continue
		}
		for _, host := range hosts(t) {
			p, err := plan.Compile(c.def, host)
			if err != nil {
				refused++
				continue
			}
			made++
			checkPlan(t, c.def, p)
			checkExec(t, c.def, host)
		}
	}
	if made < 50 || refused < 10 {
		t.Errorf("%d plans and %d refusals", made, refused)
	}
}

// checkExec: a further process has init steps alone, the joins first.
func checkExec(t testing.TB, def *definition.Definition, host plan.Facts) {
	t.Helper()
	host.Resolved = &plan.Resolved{UID: 0, GID: 0}
	p, err := plan.CompileExec(def, host, definition.ExecRequest{Args: []string{"true"}})
	checkJoin(t, p, err)
	for i := range def.Steps {
		p, err := plan.CompileStep(def, host, i+1)
		checkJoin(t, p, err)
	}
	for i, s := range def.Services {
		p, err := plan.CompileService(def, host, i+1)
		checkJoin(t, p, err)
		if s.Ready.TCP == 0 && s.Ready.File == "" {
			continue
		}
		if p := plan.CompileReady(def, i+1); len(p.Steps) != 2 || p.Steps[0].Field == "" {
			t.Errorf("to find out whether %s is ready:\n%s", s.Name, p)
		}
	}
}

func checkJoin(t testing.TB, p *plan.Plan, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("exec: %v", err)
		return
	}
	joined := false
	for _, s := range p.Steps {
		if _, join := s.Op.(plan.JoinCgroup); join && joined || s.Side != plan.Init {
			t.Errorf("exec: %q is no init step, or a join behind others", s.Op)
		} else if !join {
			joined = true
		}
	}
	if _, ok := p.Steps[len(p.Steps)-1].Op.(plan.Exec); !ok || len(p.Notes)+len(p.Teardown) > 0 {
		t.Errorf("exec: it does not end in execve, or has notes or a teardown:\n%s", p)
	}
}
