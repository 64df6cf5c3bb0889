package script

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/registry"
	"sandbox/script/stdlib"
)

// decoder makes a Definition of a merged tree, and notes what it cannot use.
type decoder struct {
	problems *definition.Problems
	origins  definition.Origins
	project  string
}

func (d *decoder) problem(path string, v *luaval.Value, message, hint string) {
	*d.problems = append(*d.problems, definition.Problem{Path: path, Message: message, Hint: hint, Origin: v.Origin})
}

// wanted is the problem of a value of the wrong kind. What could not be read at
// all has been reported.
func (d *decoder) wanted(path string, v *luaval.Value, what, hint string) {
	if v.Kind != luaval.Nothing {
		d.problem(path, v, "wanted "+what+", found "+v.Describe(), hint)
	}
}

// note remembers where a field was written.
func (d *decoder) note(path string, v *luaval.Value) {
	if !v.Origin.IsZero() {
		d.origins[path] = v.Origin
	}
}

func (d *decoder) definition(tree *luaval.Value) definition.Definition {
	def := definition.Definition{Project: d.project}
	for i := range tree.Fields {
		name, v := tree.Fields[i].Name, &tree.Fields[i].Value
		d.note(name, v)
		switch name {
		case "name":
			def.Name = d.text(name, v)
		case "description":
			def.Description = d.text(name, v)
		case "rootfs":
			def.Rootfs = d.rootfs(name, v)
		case "mounts":
			def.Mounts = d.mounts(name, v)
		case "process":
			def.Process = d.process(name, v)
		case "steps":
			def.Steps = d.steps(name, v)
		case "services":
			def.Services = d.services(name, v)
		case "limits":
			def.Limits = d.limits(name, v)
		case "network":
			def.Network = definition.NetworkMode(d.choice(name, v, "none", "host"))
		case "namespaces":
			def.Namespaces = d.namespaces(name, v)
		case "hostname":
			def.Hostname = d.text(name, v)
		case "masked_paths":
			def.MaskedPaths = d.paths(name, v)
		case "readonly_paths":
			def.ReadonlyPaths = d.paths(name, v)
		case "artifacts":
			def.Artifacts = d.artifacts(name, v)
		default:
			d.privileges(name, v, &def)
		}
	}
	return def
}

// privileges decodes the fields that say what the payload may do.
func (d *decoder) privileges(name string, v *luaval.Value, def *definition.Definition) {
	switch name {
	case "idmap":
		def.IDMap = d.idmap(name, v)
	case "caps":
		def.Caps = d.caps(name, v)
	case "seccomp":
		def.Seccomp = d.seccomp(name, v)
	case "rlimits":
		def.Rlimits = d.rlimits(name, v)
	case "devices":
		def.Devices = d.devices(name, v)
	case "sysctl":
		def.Sysctl = d.sysctl(name, v)
	}
}

func (d *decoder) rootfs(path string, v *luaval.Value) definition.Rootfs {
	const hint = "\"host\", \"host-readonly\", sandbox.dir(path), sandbox.overlay { … } or sandbox.tmpfs(size)"
	switch v.Kind {
	case luaval.String:
		kind := definition.RootfsKind(v.Text)
		if kind == definition.RootfsHost || kind == definition.RootfsHostReadonly {
			return definition.Rootfs{Kind: kind}
		}
		if strings.Contains(v.Text, "/") && !strings.Contains(v.Text, ":") {
			d.problem(path, v, strconv.Quote(v.Text)+" is no root filesystem", "write sandbox.dir("+strconv.Quote(v.Text)+")")
			return definition.Rootfs{}
		}
		d.problem(path, v, strconv.Quote(v.Text)+" is no root filesystem", hint)
		return definition.Rootfs{}
	case luaval.Opaque:
		if r, ok := v.Go.(*stdlib.Rootfs); ok {
			return r.Rootfs
		}
	}
	d.wanted(path, v, "a root filesystem", hint)
	return definition.Rootfs{}
}

func (d *decoder) mounts(path string, v *luaval.Value) []definition.Mount {
	var mounts []definition.Mount
	for i := range v.Items {
		m, ok := v.Items[i].Go.(*stdlib.Mount)
		if !ok || m.Bad {
			continue
		}
		mounts = append(mounts, m.Mount)
		at := definition.Item(path, len(mounts))
		d.note(at, &v.Items[i])
		if m.Origin.Line > 0 {
			d.origins[at] = m.Origin
		}
	}
	return mounts
}

func (d *decoder) process(path string, v *luaval.Value) definition.Process {
	var p definition.Process
	for i := range v.Fields {
		name, v := v.Fields[i].Name, &v.Fields[i].Value
		at := definition.Join(path, name)
		d.note(at, v)
		switch name {
		case "args":
			p.Args = d.args(at, v)
		case "cwd":
			p.Cwd = stdlib.Inside(d.text(at, v))
		case "env":
			p.Env = d.env(at, v)
		case "user":
			p.User = d.user(at, v)
		case "groups":
			p.Groups = d.texts(at, v)
		case "umask":
			p.Umask = d.mode(at, v)
		case "terminal":
			p.Terminal = d.terminal(at, v)
		case "init":
			p.NoInit = !d.flag(at, v, true)
		case "no_new_privs":
			p.NewPrivs = !d.flag(at, v, true)
		case "stdin":
			p.Stdin = d.stream(at, v)
		case "stdout":
			p.Stdout = d.stream(at, v)
		case "stderr":
			p.Stderr = d.stream(at, v)
		case "oom_score_adj":
			n := int(d.integer(at, v, -1<<31))
			p.OOMScoreAdj = &n
		}
	}
	return p
}

// args reads a command: a list, or a string for a shell.
func (d *decoder) args(path string, v *luaval.Value) []string {
	if v.Kind == luaval.String && strings.TrimSpace(v.Text) == "" {
		d.problem(path, v, "the command is empty", "name the program to run")
		return nil
	}
	if v.Kind == luaval.String {
		return []string{"/bin/sh", "-c", v.Text}
	}
	if v.IsEmpty() {
		d.problem(path, v, "the list is empty", "name the program to run")
		return nil
	}
	return d.texts(path, v)
}

func (d *decoder) env(path string, v *luaval.Value) []definition.EnvVar {
	var env []definition.EnvVar
	for i := range v.Fields {
		f := &v.Fields[i]
		at := definition.Join(path, f.Name)
		d.note(at, &f.Value)
		env = append(env, definition.EnvVar{Name: f.Name, Value: d.word(at, &f.Value)})
	}
	sort.SliceStable(env, func(i, j int) bool { return env[i].Name < env[j].Name })
	return env
}

// user is a name, or numbers; a whole number alone is a uid.
func (d *decoder) user(path string, v *luaval.Value) string { return d.word(path, v) }

func (d *decoder) terminal(path string, v *luaval.Value) definition.Terminal {
	switch {
	case v.Kind == luaval.Bool && v.Bool:
		return definition.TerminalYes
	case v.Kind == luaval.Bool:
		return definition.TerminalNo
	case v.Kind == luaval.String && v.Text == "auto":
		return definition.TerminalAuto
	}
	d.wanted(path, v, "true, false or \"auto\"", "")
	return ""
}

// stream is a host file, or a word.
func (d *decoder) stream(path string, v *luaval.Value) string {
	name := d.text(path, v)
	if v.Kind != luaval.String || name == "none" || name == "stdout" && path == "process.stderr" {
		return name
	}
	return d.host(path, v, name)
}

func (d *decoder) host(path string, v *luaval.Value, name string) string {
	full, problem, hint := stdlib.HostPath(d.project, name)
	if problem != "" {
		d.problem(path, v, strconv.Quote(name)+": "+problem, hint)
	}
	return full
}

func (d *decoder) limits(path string, v *luaval.Value) definition.Limits {
	var l definition.Limits
	for i := range v.Fields {
		name, v := v.Fields[i].Name, &v.Fields[i].Value
		at := definition.Join(path, name)
		d.note(at, v)
		switch name {
		case "memory":
			l.Memory = d.size(at, v)
		case "swap":
			l.Swap = d.size(at, v)
		case "pids":
			n := d.integer(at, v, 0)
			l.Pids = &n
		case "cpus":
			l.CPUs = d.number(at, v)
		case "cpu_weight":
			l.CPUWeight = d.integer(at, v, 1)
		case "cpu_time":
			l.CPUTime = d.time(at, v)
		case "wall":
			l.Wall = d.time(at, v)
		case "idle":
			l.Idle = d.time(at, v)
		case "output":
			if size := d.size(at, v); size != nil {
				l.Output = *size
				d.positive(at, v, int64(*size))
			}
		case "best_effort":
			l.BestEffort = d.flag(at, v, false)
		}
	}
	return l
}

func (d *decoder) namespaces(path string, v *luaval.Value) definition.Namespaces {
	var n definition.Namespaces
	for i := range v.Fields {
		name, v := v.Fields[i].Name, &v.Fields[i].Value
		at := definition.Join(path, name)
		d.note(at, v)
		mode := definition.NamespaceMode(d.choice(at, v, "new", "host"))
		switch name {
		case "mount":
			n.Mount = mode
		case "pid":
			n.PID = mode
		case "net":
			n.Net = mode
		case "ipc":
			n.IPC = mode
		case "uts":
			n.UTS = mode
		case "cgroup":
			n.Cgroup = mode
		case "user":
			n.User = mode
		case "time":
			n.Time = mode
		}
	}
	return n
}

func (d *decoder) artifacts(path string, v *luaval.Value) []definition.Artifact {
	var all []definition.Artifact
	for i := range v.Fields {
		f := &v.Fields[i]
		at := definition.Join(path, f.Name)
		d.note(at, &f.Value)
		target := d.text(at, &f.Value)
		if f.Value.Kind == luaval.String {
			target = d.host(at, &f.Value, target)
		}
		all = append(all, definition.Artifact{Path: stdlib.Inside(f.Name), Target: target})
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Path < all[j].Path })
	return all
}

func (d *decoder) devices(path string, v *luaval.Value) []definition.Device {
	var all []definition.Device
	for i := range v.Items {
		source, target, both := strings.Cut(v.Items[i].Text, ":")
		if !both {
			source, target = "", source
		}
		all = append(all, definition.Device{Path: target, Source: source})
		d.note(definition.Item(path, len(all)), &v.Items[i])
	}
	return all
}

func (d *decoder) sysctl(path string, v *luaval.Value) []definition.Sysctl {
	var all []definition.Sysctl
	for i := range v.Fields {
		f := &v.Fields[i]
		at := definition.Join(path, f.Name)
		d.note(at, &f.Value)
		all = append(all, definition.Sysctl{Name: f.Name, Value: d.word(at, &f.Value)})
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// choice reads one of a few words.
func (d *decoder) choice(path string, v *luaval.Value, words ...string) string {
	if v.Kind == luaval.String && slices.Contains(words, v.Text) {
		return v.Text
	}
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	list := strings.Join(quoted, ", ")
	if i := strings.LastIndex(list, ", "); i >= 0 {
		list = list[:i] + " or " + list[i+2:]
	}
	d.wanted(path, v, list, "")
	return ""
}

func (d *decoder) text(path string, v *luaval.Value) string {
	if v.Kind != luaval.String {
		d.wanted(path, v, registry.Text.String(), "")
	}
	return v.Text
}

// texts reads a list of strings; never nil.
func (d *decoder) texts(path string, v *luaval.Value) []string {
	all := []string{}
	switch {
	case v.Kind == luaval.List:
	case v.IsEmpty():
	case v.Kind == luaval.String:
		d.wanted(path, v, registry.Texts.String(), "write { "+strconv.Quote(v.Text)+" }")
	default:
		d.wanted(path, v, registry.Texts.String(), "")
	}
	for i := range v.Items {
		at := definition.Item(path, i+1)
		d.note(at, &v.Items[i])
		all = append(all, d.word(at, &v.Items[i]))
	}
	return all
}

// paths reads a list of paths in the container.
func (d *decoder) paths(path string, v *luaval.Value) []string {
	all := d.texts(path, v)
	for i := range all {
		all[i] = stdlib.Inside(all[i])
	}
	return all
}

// word reads a string or a whole number, as a string.
func (d *decoder) word(path string, v *luaval.Value) string {
	if v.Kind == luaval.Number {
		if _, ok := v.Integer(); ok {
			return luaval.NumberText(v.Number)
		}
		d.wanted(path, v, "a string or a whole number", "put it in quotes")
		return ""
	}
	if v.Kind == luaval.Bool {
		d.wanted(path, v, "a string or a whole number", "write \""+strconv.FormatBool(v.Bool)+"\" with quotes")
		return ""
	}
	return d.text(path, v)
}
