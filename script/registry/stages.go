package registry

// Stage is a set of stages, in the order of a container's life.
type Stage uint8

// The stages of hooks.
const (
	Prestart Stage = 1 << iota
	Poststart
	Collect
	Poststop
	AnyStage = Prestart | Poststart | Collect | Poststop
)

var stageNames = [...]string{"prestart", "poststart", "collect", "poststop"}

// ParseStage returns the stage with a name, or 0.
func ParseStage(name string) Stage {
	for i, n := range stageNames {
		if n == name {
			return 1 << i
		}
	}
	return 0
}

// String lists the stages of a set: "prestart, poststart".
func (s Stage) String() string {
	text := ""
	for i, n := range stageNames {
		if s&(1<<i) != 0 {
			if text != "" {
				text += ", "
			}
			text += n
		}
	}
	return text
}

// Member is a field or method of ctx.
type Member struct {
	Name string
	// Method is false for a field.
	Method bool
	Stages Stage
	// Args are as they are written: "path, content, [mode]".
	Args    string
	Returns string
	Doc     string
	Example string
	// Aka are words that people try for it.
	Aka []string
}

// Context is what ctx has, and when.
var Context = []Member{
	{Name: "id", Stages: AnyStage, Doc: "The container's id."},
	{Name: "name", Stages: AnyStage, Doc: "The container's name."},
	{Name: "stage", Stages: AnyStage, Doc: "The stage that runs."},
	{Name: "pid", Stages: AnyStage, Doc: "The payload's process id on the host; 0 while there is none."},
	{Name: "cgroup", Stages: AnyStage, Doc: "The container's cgroup path on the host, or \"\"."},
	{Name: "netns", Stages: AnyStage, Doc: "A path that names the container's network namespace, or \"\".", Aka: []string{"net"}},
	{Name: "data", Stages: AnyStage, Doc: "A table of JSON values, at most 1 MiB, kept from hook to hook; saved when a hook returns.", Example: "ctx.data.pid = ctx.pid", Aka: []string{"state", "vars"}},
	{Name: "result", Stages: Collect | Poststop, Doc: "How it ended: verdict, exit_code, signal, limit, wall, cpu, peak.memory, peak.pids, steps, …", Example: "ctx.result.verdict", Aka: []string{"status", "exit_code"}},
	{Name: "time", Method: true, Stages: AnyStage, Returns: "number", Doc: "Seconds since the recipe was loaded, monotonic.", Aka: []string{"clock", "now"}},
	{Name: "log", Method: true, Stages: AnyStage, Args: "format, …", Doc: "Writes one line for the user; format is that of string.format.", Example: `ctx:log("pid %d", ctx.pid)`, Aka: []string{"print", "printf", "warn"}},
	{Name: "fail", Method: true, Stages: Poststart | Collect, Args: "format, …", Doc: "Ends the hook, and makes the verdict \"failed\" with this reason and line.", Example: `ctx:fail("wrong answer")`, Aka: []string{"error", "abort"}},
	{Name: "stats", Method: true, Stages: Poststart | Collect, Returns: "table", Doc: "What the container uses now: memory, memory_peak, pids, cpu and wall (seconds)."},
	{Name: "exec", Method: true, Stages: Poststart, Args: "args, [{ env =, cwd =, stdin = }]", Returns: "{ code, signal, stdout, stderr }", Doc: "Runs a further process in the container and waits for it.", Example: `ctx:exec { "pg_isready" }`, Aka: []string{"run", "spawn", "execute"}},
	{Name: "read", Method: true, Stages: Prestart | Poststart | Collect, Args: "path", Returns: "string", Doc: "The content of a file in the container.", Example: `ctx:read("/out/answer")`, Aka: []string{"cat", "open"}},
	{Name: "write", Method: true, Stages: Prestart | Poststart, Args: "path, content, [mode]", Doc: "Writes a file in the container; mode is an octal string, \"0644\" by default.", Example: `ctx:write("/etc/motd", "hello")`},
	{Name: "copy_in", Method: true, Stages: Prestart | Poststart, Args: "source, target", Doc: "Copies a file or folder below the project into the container.", Aka: []string{"copyin", "cp", "copy", "add"}},
	{Name: "copy_out", Method: true, Stages: Poststart | Collect, Args: "source, target", Doc: "Copies a file or folder of the container to below the project.", Aka: []string{"copyout"}},
	{Name: "signal", Method: true, Stages: Poststart, Args: "name", Doc: "Sends the payload a signal.", Example: `ctx:signal("HUP")`, Aka: []string{"kill", "stop"}},
	{Name: "pause", Method: true, Stages: Poststart, Doc: "Freezes all the processes.", Aka: []string{"freeze"}},
	{Name: "resume", Method: true, Stages: Poststart, Doc: "Lets them go on.", Aka: []string{"unpause", "thaw"}},
	{Name: "update", Method: true, Stages: Poststart, Args: "limits", Doc: "Changes memory, swap, pids, cpus and cpu_weight of the running container.", Example: `ctx:update { memory = "2G" }`},
}

// FindMember returns the member of ctx with a name, or nil.
func FindMember(name string) *Member {
	for i := range Context {
		if Context[i].Name == name {
			return &Context[i]
		}
	}
	return nil
}

// MemberAka returns the member of ctx that people mean by a word, or "".
func MemberAka(word string) string {
	for i := range Context {
		for _, a := range Context[i].Aka {
			if a == word {
				return Context[i].Name
			}
		}
	}
	return ""
}

// Module is what require gives for a reserved name.
type Module struct {
	Name string
	Doc  string
}

// Function is a function of a module. Functions of modules run while the recipe is
// loaded, and nowhere else.
type Function struct {
	Name string
	// Args are as they are written: "source, target, [options]".
	Args string
	// Options are the keys of the table given last.
	Options []Field
	Returns string
	Doc     string
	Example string
}

// Runner is the names of the runner's own flags, which a recipe's parameters cannot
// take.
var Runner = []string{"json", "quiet", "keep", "result", "help", "id", "project", "set", "each", "jobs", "logs", "verbose", "version", "no-color", "color", "h", "q", "v"}

// Reserved is the names of modules: those that exist, and those to come.
var Reserved = []Module{
	{Name: "sandbox", Doc: "Containers, their parts, parameters and declared inputs."},
	{Name: "fs", Doc: "Files below the project, read while the recipe is loaded."},
	{Name: "path"}, {Name: "json"}, {Name: "yaml"}, {Name: "toml"}, {Name: "strings"}, {Name: "tables"},
	{Name: "time"}, {Name: "hash"}, {Name: "base64"}, {Name: "template"}, {Name: "semver"}, {Name: "url"},
	{Name: "log"}, {Name: "test"},
}

// FindModule returns the reserved module with a name, or nil.
func FindModule(name string) *Module {
	for i := range Reserved {
		if Reserved[i].Name == name {
			return &Reserved[i]
		}
	}
	return nil
}
