package registry

// Member is a field or method of ctx.
type Member struct {
	// Function is the method. Of a field it has the name and the texts, and Returns
	// is what the field holds.
	Function
	// Method is false for a field.
	Method bool
	Stages Stage
}

// Context is what ctx has, and when.
var Context = []Member{
	{Function{Name: "id", Returns: Field{Kind: Text}, Doc: "The container's id.", Example: `ctx:log("this is %s", ctx.id)`}, false, AnyStage},
	{Function{Name: "name", Returns: Field{Kind: Text}, Doc: "The container's name.", Example: `ctx:log("%s begins", ctx.name)`}, false, AnyStage},
	{Function{Name: "stage", Returns: Field{Kind: Choice, Choices: []string{"prestart", "poststart", "collect", "poststop"}},
		Doc: "The stage that runs.", Example: `if ctx.stage == "collect" then ctx:log("collecting") end`}, false, AnyStage},
	{Function{Name: "pid", Returns: Field{Kind: Count}, Doc: "The payload's process id on the host; 0 while there is none.", Example: `ctx.data.pid = ctx.pid`}, false, AnyStage},
	{Function{Name: "cgroup", Returns: Field{Kind: Text}, Doc: "The container's cgroup path on the host, or \"\".", Example: `ctx:log("see %s", ctx.cgroup)`}, false, AnyStage},
	{Function{Name: "netns", Returns: Field{Kind: Text}, Doc: "A path that names the container's network namespace, or \"\".", Example: `ctx:log("see %s", ctx.netns)`,
		Aka: []string{"net"}}, false, AnyStage},
	{Function{Name: "data", Returns: Field{Kind: Map}, Doc: "A table of JSON values, at most 1 MiB, kept from hook to hook; saved when a hook returns.", Example: `ctx.data.seen = (ctx.data.seen or 0) + 1`,
		Aka: []string{"state", "vars"}}, false, AnyStage},
	{Function{Name: "result", Returns: Field{Kind: Table, Sub: result}, Doc: "How it ended.", Example: `if ctx.result.verdict == "oom" then ctx:log("peak %s", ctx.result.peak.memory) end`,
		Aka: []string{"status", "exit_code"}}, false, Collect | Poststop},
	{Function{Name: "time", Returns: Field{Kind: Number, Doc: "Seconds."}, Doc: "The time since the recipe was loaded, monotonic.", Example: `ctx.data.began = ctx:time()`,
		Aka: []string{"clock", "now"}}, true, AnyStage},
	{Function{Name: "log", Args: formatArgs, Doc: "Writes one line for the user; format is that of string.format.", Example: `ctx:log("pid %d", ctx.pid)`,
		Aka: []string{"print", "printf", "warn"}}, true, AnyStage},
	{Function{Name: "fail", Args: formatArgs, Doc: "Ends the hook, and makes the verdict \"failed\" with this reason and line. A format alone is not looked into.", Example: `ctx:fail("wrong answer")`,
		Aka: []string{"error", "abort"}}, true, Poststart | Collect},
	{Function{Name: "stats", Returns: Field{Kind: Table, Sub: stats}, Doc: "What the container uses now.", Example: `ctx:log("%d processes", ctx:stats().pids or 0)`}, true, Poststart | Collect},
	{Function{Name: "exec", Args: execArgs, Returns: Field{Kind: Table, Sub: execResult}, Doc: "Runs a further process in the container and waits for it.",
		Example: `local r = ctx:exec { "pg_isready" } assert(r.code == 0, r.stderr)`, Aka: []string{"run", "spawn", "execute"}}, true, Poststart},
	{Function{Name: "read", Args: []Field{{Name: "path", Kind: Path, Doc: "Absolute, in the container."}}, Returns: Field{Kind: Text}, Doc: "The content of a file in the container, at most 16 MiB.",
		Example: `local answer = ctx:read("/out/answer")`, Aka: []string{"cat", "open"}}, true, Prestart | Poststart | Collect},
	{Function{Name: "write", Args: writeArgs, Doc: "Writes a file in the container.", Example: `ctx:write("/etc/motd", "hello")`}, true, Prestart | Poststart},
	{Function{Name: "copy_in", Args: []Field{{Name: "source", Kind: HostPath, Doc: "A file or folder below the project."}, {Name: "target", Kind: Path, Doc: "Absolute, in the container."}},
		Doc: "Copies a file or folder below the project into the container.", Example: `ctx:copy_in("testdata", "/data")`, Aka: []string{"copyin", "cp", "copy", "add"}}, true, Prestart | Poststart},
	{Function{Name: "copy_out", Args: []Field{{Name: "source", Kind: Path, Doc: "Absolute, in the container."}, {Name: "target", Kind: HostPath, Doc: "A name below the project."}},
		Doc: "Copies a file or folder of the container to below the project.", Example: `ctx:copy_out("/var/log", "logs")`, Aka: []string{"copyout"}}, true, Poststart | Collect},
	{Function{Name: "signal", Args: []Field{{Name: "name", Kind: Name, Doc: "With or without SIG."}}, Doc: "Sends the payload a signal.", Example: `ctx:signal("HUP")`,
		Aka: []string{"kill", "stop"}}, true, Poststart},
	{Function{Name: "pause", Doc: "Freezes all the processes.", Example: `ctx:pause()`, Aka: []string{"freeze"}}, true, Poststart},
	{Function{Name: "resume", Doc: "Lets them go on.", Example: `ctx:resume()`, Aka: []string{"unpause", "thaw"}}, true, Poststart},
	{Function{Name: "update", Args: []Field{{Name: "limits", Kind: Table, Lua: "sandbox.Definition.limits", Doc: "As in a definition."}},
		Doc: "Changes memory, swap, pids, cpus and cpu_weight of the running container.", Example: `ctx:update { memory = "2G" }`}, true, Poststart},
}

var formatArgs = []Field{
	{Name: "format", Kind: Printable, Doc: "As for string.format."},
	{Name: "value", Kind: Any, Optional: true, Many: true, Doc: "One for each directive."},
}

var writeArgs = []Field{
	{Name: "path", Kind: Path, Doc: "Absolute, in the container."},
	{Name: "content", Kind: Printable, Doc: "What will be in it."},
	{Name: "mode", Kind: Mode, Optional: true, Default: `"0644"`, Doc: "Its permissions."},
}

var execArgs = []Field{
	{Name: "args", Kind: Command, Doc: "The program and its arguments; a string is run by /bin/sh -c."},
	{Name: "options", Kind: Options, Optional: true, Sub: ExecOptions, Doc: "What differs from the payload."},
}

// ExecOptions are the options of ctx:exec.
var ExecOptions = []Field{
	{Name: "env", Kind: Words, Doc: "Variables, on top of the payload's.", Example: `{ LANG = "C" }`},
	{Name: "cwd", Kind: Path, Doc: "The working directory.", Example: `"/src"`, Default: "the payload's"},
	{Name: "stdin", Kind: Text, Doc: "What it reads.", Example: `"yes\n"`, Default: "nothing", Aka: []string{"input"}},
}

var execResult = []Field{
	{Name: "code", Kind: Count, Doc: "The exit code."},
	{Name: "signal", Kind: Text, Doc: "The signal that ended it, like \"KILL\", or \"\"."},
	{Name: "stdout", Kind: Text, Doc: "What it wrote; beyond 1 MiB it is cut, with a mark."},
	{Name: "stderr", Kind: Text, Doc: "The same of its errors."},
}

var stats = []Field{
	{Name: "memory", Kind: Count, Optional: true, Doc: "Bytes."},
	{Name: "memory_peak", Kind: Count, Optional: true, Doc: "Most bytes so far."},
	{Name: "pids", Kind: Count, Optional: true, Doc: "Processes and threads."},
	{Name: "cpu", Kind: Number, Doc: "Seconds of processor time."},
	{Name: "wall", Kind: Number, Doc: "Seconds since the payload's start."},
}

var result = []Field{
	{Name: "verdict", Kind: Choice, Choices: []string{"exited", "signaled", "oom", "timeout", "failed", "killed"}, Doc: "How it ended, in a word."},
	{Name: "exit_code", Kind: Count, Doc: "What the runner exits with: the payload's own, 128 + signal, 124 for a limit."},
	{Name: "signal", Kind: Text, Doc: "The signal that ended the payload, like \"SEGV\", or \"\"."},
	{Name: "limit", Kind: Text, Doc: "The limit that ended it, like \"wall\", or \"\"."},
	{Name: "limit_value", Kind: Text, Doc: "That limit, in words."},
	{Name: "reason", Kind: Text, Doc: "What ctx:fail was given, or \"\"."},
	{Name: "error", Kind: Text, Doc: "What stopped the run before the payload ran, or \"\"."},
	{Name: "started", Kind: Bool, Doc: "Whether the payload ran at all."},
	{Name: "wall", Kind: Number, Doc: "Seconds it ran."},
	{Name: "cpu", Kind: Number, Doc: "Seconds of processor time."},
	{Name: "oom_kills", Kind: Count, Doc: "Processes that were killed for memory."},
	{Name: "peak", Kind: Table, Sub: peak, Doc: "The most it used at once."},
	{Name: "step", Kind: Text, Doc: "The step whose end this is, the first that failed, or \"\"."},
	{Name: "steps", Kind: Other, Lua: "sandbox.Context.result.steps[]", Of: stepRun, Doc: "How each step ended, in their order."},
}

var stepRun = []Field{
	{Name: "name", Kind: Text, Doc: "The step's name."},
	{Name: "verdict", Kind: Choice, Choices: []string{"exited", "signaled", "oom", "timeout", "failed", "killed", "skipped"}, Doc: "How it ended, in a word."},
	{Name: "exit_code", Kind: Count, Doc: "As that of the result, of this step alone."},
	{Name: "signal", Kind: Text, Doc: "The signal that ended it, or \"\"."},
	{Name: "limit", Kind: Text, Doc: "The limit that ended it, or \"\"."},
	{Name: "wall", Kind: Number, Doc: "Seconds it ran."},
	{Name: "cpu", Kind: Number, Doc: "Seconds of processor time of the step and all that it waited for."},
}

var peak = []Field{
	{Name: "memory", Kind: Text, Doc: "Like \"812M\", or \"unknown\"."},
	{Name: "memory_bytes", Kind: Count, Doc: "The same in bytes, or 0."},
	{Name: "pids", Kind: Count, Doc: "Processes and threads, or 0."},
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
