package registry

// Definition is the fields of what sandbox.container takes.
var Definition = []Field{
	{Name: "name", Kind: Text, Doc: "The container's name, which its id starts with: letters, digits, _, - and ., at most 64 bytes.",
		Example: `"go-build"`, Default: "the recipe's file name", Aka: []string{"id", "container_name"}},
	{Name: "description", Kind: Text, Doc: "What the container is for, in a sentence.", Example: `"builds the project"`, Aka: []string{"summary", "about"}},
	{Name: "rootfs", Kind: Rootfs, Lua: `"host"|"host-readonly"|sandbox.Rootfs`, Doc: "The root filesystem. \"host\" is this machine's /, whose changes are thrown away; \"host-readonly\" cannot be changed; or sandbox.dir, sandbox.overlay, sandbox.tmpfs.",
		Example: `"host"`, Default: `"host"`, Aka: []string{"image", "root", "from", "base", "chroot"}},
	{Name: "mounts", Kind: Mounts, Merge: ByTarget, Doc: "What is mounted in the container besides the default mounts. { [\"/target\"] = false } removes one. Without limits.memory the default /tmp takes a quarter of this machine's memory at most (half with a root that is not in memory), /dev/shm a tenth, /run a twentieth; sandbox.tmpfs(target, { size = }) takes the place of one.",
		Example: `{ sandbox.bind(".", "/src") }`, Aka: []string{"volumes", "volume", "binds", "bind", "mount"}},
	{Name: "process", Kind: Table, Merge: ByKey, Doc: "The payload.", Example: `{ args = { "make" } }`, Sub: process},
	{Name: "steps", Kind: Other, Lua: "sandbox.Definition.steps[]", Of: Step, Doc: "Several programs that run one after another in the same container, instead of process.args: a list of { name =, args =, env =, cwd =, wall =, when = }. The first that fails stops the rest, but those with when. The other fields of process are their common base. What a step leaves running goes on until the container ends.",
		Example: `{ { name = "vet", args = { "go", "vet", "./..." } }, { name = "test", args = { "go", "test", "./..." }, wall = "5m" } }`,
		Aka:     []string{"commands", "jobs", "stages", "pipeline", "scripts"}},
	{Name: "services", Kind: Other, Lua: "sandbox.Definition.services[]", Of: Service, Doc: "Programs that run beside the payload or the steps and share lo with them: a list of { name =, args =, env =, cwd =, ready =, ready_within =, stop = }. They are started in order, each waited for, and ended in reverse when the payload or the last step has ended. Their output goes to logs, whose last lines are shown when the run fails; --keep keeps them.",
		Example: `{ { name = "db", args = { "postgres", "-D", "/db" }, ready = { tcp = 5432 } } }`,
		Aka:     []string{"service", "sidecars", "daemons", "background", "depends_on"}},
	{Name: "limits", Kind: Table, Merge: ByKey, Strict: true, Doc: "What the payload may use.", Example: `{ memory = "1G", pids = 512 }`, Sub: limits,
		Aka: []string{"resources", "ulimit"}},
	{Name: "network", Kind: Choice, Choices: []string{"none", "host"}, Strict: true, Doc: "\"none\": a network of its own with only lo, up; \"host\": this machine's network.",
		Example: `"none"`, Default: `"none"`, Aka: []string{"net", "network_mode", "networks"}},
	{Name: "namespaces", Kind: Table, Merge: ByKey, Doc: "Where each namespace comes from: \"new\" or \"host\".", Example: `{ pid = "host" }`, Sub: namespaces,
		Aka: []string{"ns", "unshare"}},
	{Name: "idmap", Kind: Table, Doc: "The user namespace's mapping, ranges of { container, host, size }.", Sub: idmap,
		Example: `{ uid = { { container = 0, host = 100000, size = 65536 } } }`, Default: "identity for root, else the subordinate ranges or the single id",
		Aka: []string{"uidmap", "uid_map", "userns", "userns_mode"}},
	{Name: "caps", Kind: Other, Lua: "string[]|sandbox.Definition.caps", Strict: true, Doc: "The payload's capabilities, by names without CAP_: a list for the bounding, effective and permitted sets, or a table of lists by set.",
		Example: `{ "CHOWN", "NET_BIND_SERVICE" }`, Default: "a small set", Sub: caps, Aka: []string{"cap_add", "capabilities", "cap_drop", "cap"}},
	{Name: "seccomp", Kind: Other, Lua: `"default"|"none"|sandbox.Definition.seccomp`, Of: Policy, Strict: true, Doc: "The system call filter: \"default\", \"none\", or a policy { default =, errno =, rules = { { \"call\", …, action =, errno =, args = { { index =, op =, value =, mask = } } } } }.",
		Example: `"default"`, Default: `"default"`, Aka: []string{"security_opt", "syscalls"}},
	{Name: "rlimits", Kind: Words, Lua: "table<string, integer|\"unlimited\"|(integer|\"unlimited\")[]|false>", Merge: ByKey, Doc: "Resource limits of each process (setrlimit(2)), by lower-case names: a number or \"unlimited\" for both, or { soft, hard }.",
		Example: `{ nofile = 1024, core = { 0, "unlimited" } }`, Aka: []string{"ulimits"}},
	{Name: "devices", Kind: Texts, Lua: "string[]|table<string, false>", Merge: ByTarget, Doc: "Device nodes of this machine to have in the container, besides null, zero, full, random, urandom and tty. \"/dev/a:/dev/b\" has the host's a as b.",
		Example: `{ "/dev/fuse" }`, Aka: []string{"device"}},
	{Name: "sysctl", Kind: Words, Merge: ByKey, Doc: "Kernel parameters of the container's own namespaces.",
		Example: `{ ["net.ipv4.ip_unprivileged_port_start"] = 0 }`, Aka: []string{"sysctls"}},
	{Name: "hostname", Kind: Text, Doc: "The host name inside.", Example: `"build"`, Default: "the container's name", Aka: []string{"host_name", "domainname"}},
	{Name: "masked_paths", Kind: Texts, Doc: "Paths that are hidden; {} hides none.", Example: `{ "/proc/kcore" }`, Default: "the kernel's interfaces that leak or harm",
		Aka: []string{"masked", "hidden", "hide"}},
	{Name: "readonly_paths", Kind: Texts, Doc: "Paths that cannot be written; {} names none.", Example: `{ "/proc/sys" }`, Default: "the writable parts of /proc",
		Aka: []string{"readonly", "read_only"}},
	{Name: "artifacts", Kind: Words, Merge: ByKey, Doc: "What is copied out when the payload has ended: paths inside to host paths, relative ones below the project.",
		Example: `{ ["/out"] = "dist" }`, Aka: []string{"outputs", "output_dir", "out"}},
}

var process = []Field{
	{Name: "args", Kind: Command, Doc: "The program and its arguments, looked up in the payload's PATH; a string is run by /bin/sh -c.",
		Example: `{ "go", "build" }`, Aka: []string{"command", "cmd", "entrypoint", "argv", "exec", "run", "script"}},
	{Name: "cwd", Kind: Text, Doc: "The working directory, absolute, in the container.", Example: `"/src"`, Default: `"/"`,
		Aka: []string{"workdir", "working_dir", "dir", "chdir"}},
	{Name: "env", Kind: Words, Merge: ByKey, Doc: "Environment variables, on top of a small base set (PATH, HOME, LANG), which can be changed but not removed; nothing of the runner's own environment gets in. false removes what an earlier fragment named.",
		Example: `{ GOFLAGS = "-mod=vendor" }`, Aka: []string{"environment", "envs", "env_vars"}},
	{Name: "user", Kind: Text, Lua: "string|integer", Doc: "\"uid\", \"uid:gid\", \"name\" or \"name:group\", names resolved in the rootfs.", Example: `"1000:1000"`, Default: `"0"`,
		Aka: []string{"uid", "run_as"}},
	{Name: "groups", Kind: Texts, Doc: "Supplementary groups, numbers or names.", Example: `{ "audio" }`, Aka: []string{"group_add", "gids"}},
	{Name: "umask", Kind: Mode, Doc: "The file mode creation mask.", Example: `"022"`, Default: `"022"`},
	{Name: "terminal", Kind: Choice, Choices: []string{"auto"}, Lua: `boolean|"auto"`, Doc: "Whether the payload gets a terminal of its own: true, false, or \"auto\", when the runner's stdin is one.", Example: `"auto"`, Default: `"auto"`,
		Aka: []string{"tty", "stdin_open", "interactive", "pty"}},
	{Name: "init", JSON: "no_init", Kind: Bool, Doc: "Whether a small init is PID 1 and reaps; false makes the payload PID 1.", Example: `false`, Default: `true`},
	{Name: "no_new_privs", JSON: "new_privs", Kind: Bool, Doc: "Whether set-user-ID programs and file capabilities gain nothing.", Example: `false`, Default: `true`},
	{Name: "stdin", Kind: Text, Doc: "A host file to read, or \"none\".", Example: `"none"`, Default: "the runner's own"},
	{Name: "stdout", Kind: Text, Doc: "A host file to write, or \"none\".", Example: `"build.log"`, Default: "the runner's own"},
	{Name: "stderr", Kind: Text, Doc: "A host file to write, \"none\", or \"stdout\".", Example: `"stdout"`, Default: "the runner's own"},
	{Name: "oom_score_adj", Kind: Count, Doc: "How likely the kernel ends it when memory is short, -1000..1000.", Example: `500`, Default: "the runner's own"},
}

// Step is the fields of one of steps.
var Step = []Field{
	{Name: "name", Kind: Text, Doc: "Tells it from the other steps: letters, digits, _, - and ., at most 64 bytes.", Example: `"test"`, Aka: []string{"id", "label", "title"}},
	{Name: "args", Kind: Command, Doc: "The program and its arguments, looked up in PATH; a string is run by /bin/sh -c.", Example: `{ "go", "test", "./..." }`,
		Aka: []string{"command", "cmd", "run", "script", "exec", "argv", "entrypoint"}},
	{Name: "env", Kind: Words, Doc: "Environment variables, on top of process.env.", Example: `{ CGO_ENABLED = 0 }`, Aka: []string{"environment", "envs", "env_vars"}},
	{Name: "cwd", Kind: Text, Doc: "The working directory, absolute, in the container.", Example: `"/src"`, Default: "process.cwd", Aka: []string{"workdir", "working_dir", "dir", "chdir"}},
	{Name: "wall", Kind: Time, Doc: "Time from the step's start. Then its process group gets TERM, and five seconds later its session KILL; a process that has left the session lives until the container ends.", Example: `"5m"`,
		Aka: []string{"timeout", "time", "time_limit", "deadline", "limits"}},
	{Name: "when", Kind: Choice, Choices: []string{"always", "failure"}, Doc: "\"always\", or \"failure\": when a step before it has failed.", Example: `"always"`, Default: "when all steps before it have succeeded",
		Aka: []string{"if", "on", "condition", "always"}},
}

// Service is the fields of one of services.
var Service = []Field{
	{Name: "name", Kind: Text, Doc: "Tells it from the other services, and names its log: letters, digits, _, - and ., at most 64 bytes.", Example: `"db"`, Aka: []string{"id", "label", "container_name"}},
	{Name: "args", Kind: Command, Doc: "The program and its arguments, looked up in PATH; a string is run by /bin/sh -c. It stays in the foreground.", Example: `{ "postgres", "-D", "/db" }`,
		Aka: []string{"command", "cmd", "run", "script", "exec", "argv", "entrypoint"}},
	{Name: "env", Kind: Words, Doc: "Environment variables, on top of process.env.", Example: `{ PGDATA = "/db" }`, Aka: []string{"environment", "envs", "env_vars"}},
	{Name: "cwd", Kind: Text, Doc: "The working directory, absolute, in the container.", Example: `"/db"`, Default: "process.cwd", Aka: []string{"workdir", "working_dir", "dir", "chdir"}},
	{Name: "ready", Kind: Other, Lua: "sandbox.Definition.services.ready", Of: Ready, Doc: "When it can be used: { tcp = port } that accepts connections on lo, { file = path } that exists, or { command = args } that returns 0.", Example: `{ tcp = 5432 }`,
		Default: "once it has been started", Aka: []string{"healthcheck", "health", "wait", "wait_for", "readiness", "probe"}},
	{Name: "ready_within", Kind: Time, Doc: "How long that may take.", Example: `"1m"`, Default: `"30s"`, Aka: []string{"timeout", "start_period", "start_timeout"}},
	{Name: "stop", Kind: Text, Doc: "The signal that asks it to end; five seconds later it is killed.", Example: `"INT"`, Default: `"TERM"`, Aka: []string{"stop_signal", "signal"}},
}

// Ready is the fields of a service's ready.
var Ready = []Field{
	{Name: "tcp", Kind: Count, Doc: "A port of lo.", Example: `5432`, Aka: []string{"port", "socket", "ports"}},
	{Name: "file", Kind: Text, Doc: "A path in the container, of a file, a folder or a socket.", Example: `"/run/db.sock"`, Aka: []string{"path", "unix", "exists"}},
	{Name: "command", Kind: Command, Doc: "A program, tried again until it returns 0.", Example: `{ "pg_isready" }`, Aka: []string{"cmd", "test", "exec", "args", "run"}},
}

var limits = []Field{
	{Name: "memory", Kind: Size, Strict: true, Doc: "Memory of all the processes and their files in page cache and tmpfs.", Example: `"1G"`, Aka: []string{"mem", "mem_limit", "ram", "memory_limit"}},
	{Name: "swap", Kind: Size, Strict: true, Doc: "Swap alone, without memory.", Example: `"256M"`, Default: "0 when memory is set", Aka: []string{"memswap_limit", "memory_swap"}},
	{Name: "pids", Kind: Count, Strict: true, Doc: "Processes and threads at once.", Example: `512`, Aka: []string{"pids_limit", "nproc", "processes", "tasks"}},
	{Name: "cpus", Kind: Number, Strict: true, Doc: "Processor time per time: 1.5 is one and a half processors.", Example: `2`, Aka: []string{"cpu", "cores", "cpu_quota", "cpu_count"}},
	{Name: "cpu_weight", Kind: Count, Strict: true, Doc: "Share among neighbours when processors are short, 1..10000.", Example: `50`, Default: `100`, Aka: []string{"cpu_shares", "nice"}},
	{Name: "cpu_time", Kind: Time, Strict: true, Doc: "Processor time of all the processes together.", Example: `"90s"`},
	{Name: "wall", Kind: Time, Strict: true, Doc: "Time from the payload's start.", Example: `"2m"`, Aka: []string{"timeout", "time", "wall_time", "time_limit", "deadline", "runtime"}},
	{Name: "idle", Kind: Time, Strict: true, Doc: "Longest time without output.", Example: `"30s"`, Aka: []string{"idle_timeout"}},
	{Name: "output", Kind: Size, Strict: true, Doc: "Bytes of stdout and stderr together.", Example: `"64M"`, Aka: []string{"log_size", "max_output"}},
	{Name: "best_effort", Kind: Bool, Strict: true, Doc: "Turns a limit that this host cannot enforce into a note.", Example: `true`, Default: `false`},
}

var newOrHost = []string{"new", "host"}

var namespaces = []Field{
	{Name: "mount", Kind: Choice, Choices: newOrHost, Doc: "Mount points. \"host\" leaves the payload on this machine's own files, as far as its user reaches: no root, mounts, devices or masks of its own, nothing thrown away, and no artifacts. Hooks follow no link there.", Example: `"new"`, Default: `"new"`, Aka: []string{"mnt"}},
	{Name: "pid", Kind: Choice, Choices: newOrHost, Doc: "Process ids.", Example: `"host"`, Default: `"new"`, Aka: []string{"pid_mode"}},
	{Name: "net", Kind: Choice, Choices: newOrHost, Doc: "Network devices, ports, routes; see network.", Example: `"new"`, Default: `"new"`},
	{Name: "ipc", Kind: Choice, Choices: newOrHost, Doc: "System V IPC and POSIX message queues.", Example: `"new"`, Default: `"new"`, Aka: []string{"ipc_mode"}},
	{Name: "uts", Kind: Choice, Choices: newOrHost, Doc: "Host name.", Example: `"host"`, Default: `"new"`},
	{Name: "cgroup", Kind: Choice, Choices: newOrHost, Doc: "The cgroup root directory.", Example: `"new"`, Default: `"new"`, Aka: []string{"cgroupns"}},
	{Name: "user", Kind: Choice, Choices: newOrHost, Doc: "User and group ids, and capabilities.", Example: `"new"`, Default: `"new"`},
	{Name: "time", Kind: Choice, Choices: newOrHost, Doc: "Monotonic and boot-time clocks.", Example: `"new"`, Default: `"host"`},
}

var idmap = []Field{
	{Name: "uid", Kind: Other, Lua: "sandbox.Definition.idmap.uid[]", Of: IDRange, Doc: "Ranges of user ids.", Example: `{ { container = 0, host = 100000, size = 65536 } }`, Aka: []string{"uids", "users"}},
	{Name: "gid", Kind: Other, Lua: "sandbox.Definition.idmap.gid[]", Of: IDRange, Doc: "Ranges of group ids.", Example: `{ { container = 0, host = 100000, size = 65536 } }`, Aka: []string{"groups", "gids"}},
}

// IDRange is the fields of one range of idmap.uid and idmap.gid.
var IDRange = []Field{
	{Name: "container", Kind: Count, Doc: "First id inside.", Example: `0`, Aka: []string{"inside", "containerID", "container_id"}},
	{Name: "host", Kind: Count, Doc: "First id outside.", Example: `100000`, Aka: []string{"outside", "hostID", "host_id"}},
	{Name: "size", Kind: Count, Doc: "How many ids.", Example: `65536`, Aka: []string{"count", "length"}},
}

var caps = []Field{
	{Name: "bounding", Kind: Texts, Strict: true, Doc: "What can be had at all.", Example: `{}`},
	{Name: "effective", Kind: Texts, Strict: true, Doc: "What is checked.", Example: `{ "CHOWN" }`},
	{Name: "permitted", Kind: Texts, Strict: true, Doc: "What can be made effective.", Example: `{ "CHOWN" }`},
	{Name: "inheritable", Kind: Texts, Strict: true, Doc: "What file capabilities can pass on.", Example: `{}`},
	{Name: "ambient", Kind: Texts, Strict: true, Doc: "What is kept across execve by programs without file capabilities.", Example: `{}`},
}

var actions = []string{"allow", "errno", "kill", "log", "trap"}

// Policy is the fields of a seccomp policy.
var Policy = []Field{
	{Name: "default", Kind: Choice, Choices: actions, Strict: true, Doc: "The action for a call that no rule names.", Example: `"errno"`, Aka: []string{"defaultAction", "default_action"}},
	{Name: "errno", Kind: Text, Strict: true, Doc: "The error of the default action \"errno\", by name.", Example: `"EPERM"`, Default: `"EPERM"`, Aka: []string{"defaultErrnoRet"}},
	{Name: "rules", Kind: Other, Lua: "sandbox.Definition.seccomp.rules[]", Of: PolicyRule, Strict: true, Doc: "What happens to some calls; the first rule that holds decides.",
		Example: `{ { "read", "write", "exit_group", action = "allow" } }`, Aka: []string{"syscalls"}},
}

// PolicyRule is the fields of one rule, besides the names of calls.
var PolicyRule = []Field{
	{Name: "action", Kind: Choice, Choices: actions, Strict: true, Doc: "What happens to the calls.", Example: `"allow"`},
	{Name: "errno", Kind: Text, Strict: true, Doc: "The error of the action \"errno\", by name.", Example: `"EPERM"`, Default: `"EPERM"`, Aka: []string{"errnoRet"}},
	{Name: "args", Kind: Other, Lua: "sandbox.Definition.seccomp.rules.args[]", Of: PolicyArg, Strict: true, Doc: "Comparisons of arguments; all must hold.",
		Example: `{ { index = 0, op = "==", value = 1 } }`, Aka: []string{"arguments"}},
	{Name: "names", Kind: Texts, Item: true, Strict: true, Doc: "The calls; or write them as items of the rule.", Example: `{ "read", "write" }`, Aka: []string{"name", "calls", "syscalls"}},
}

// PolicyArg is the fields of one comparison.
var PolicyArg = []Field{
	{Name: "index", Kind: Count, Strict: true, Doc: "Which argument, 0..5.", Example: `0`, Aka: []string{"arg"}},
	{Name: "op", Kind: Choice, Choices: []string{"==", "!=", "<", "<=", ">", ">=", "masked"}, Strict: true, Doc: "How they are compared; masked is argument & mask == value.", Example: `"=="`},
	{Name: "value", Kind: Other, Lua: "string|integer", Strict: true, Doc: "A whole number up to 2^53, or a string of one up to 2^64-1, hexadecimal after 0x.", Example: `"0x10000000"`},
	{Name: "mask", Kind: Other, Lua: "string|integer", Strict: true, Doc: "What of the argument counts, for masked.", Example: `"0xff"`, Aka: []string{"valueTwo"}},
}
