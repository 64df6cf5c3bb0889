package stdlib

import (
	"strconv"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
)

var sandboxModule = Module{Name: "sandbox", Functions: []Function{
	{registry.Function{Name: "container", Args: "fragment, …", Returns: "container",
		Doc:     "Makes the container. Fragments are tables of fields, merged from left to right by each field's rule and copied.",
		Example: `local c = sandbox.container { process = { args = { "true" } } }`}, container},
	{registry.Function{Name: "params", Args: "table", Returns: "table",
		Doc:     "Declares what the user can set by flags of the command line: name = default, or name = { default, help =, choices =, type =, required = }. Once, in the main recipe, before the container.",
		Example: `local p = sandbox.params { target = { "./...", help = "packages" } }`}, params},
	{registry.Function{Name: "env", Args: "name, [default]", Returns: "string",
		Doc: "A variable of the runner's environment, or the default.", Example: `sandbox.env("HOME", "/root")`}, env},
	{registry.Function{Name: "fact", Args: "name", Returns: "string or number",
		Doc: "Something about this machine: os.id, os.version_id, arch, kernel, cpus.", Example: `sandbox.fact("os.id")`}, fact},
	{registry.Function{Name: "bind", Args: "source, target, [options]", Options: bindOptions, Returns: "mount",
		Doc: "A file or folder of this machine, read-only unless write is true.", Example: `sandbox.bind(".", "/src")`}, bind},
	{registry.Function{Name: "cache", Args: "name, target", Returns: "mount",
		Doc: "A writable folder that is kept between runs.", Example: `sandbox.cache("go-build", "/cache")`}, cache},
	{registry.Function{Name: "file", Args: "{ target =, content =, mode = }", Options: fileOptions, Returns: "mount",
		Doc: "A file with a content.", Example: `sandbox.file { target = "/etc/motd", content = "hello\n" }`}, file},
	{registry.Function{Name: "tmpfs", Args: "[size] or target, [options]", Options: tmpfsOptions, Returns: "rootfs or mount",
		Doc: "An empty file system in memory: as the root filesystem, or mounted at a target.", Example: `sandbox.tmpfs("/scratch", { size = "64M" })`}, tmpfs},
	{registry.Function{Name: "dir", Args: "path, [options]", Options: writeOptions, Returns: "rootfs",
		Doc: "A folder of this machine as the root filesystem, read-only unless write is true.", Example: `sandbox.dir("rootfs")`}, dir},
	{registry.Function{Name: "overlay", Args: "{ lower =, upper =, size = }", Options: overlayOptions, Returns: "rootfs",
		Doc: "Folders on top of one another as the root filesystem, the topmost first; writes go to upper, or are thrown away.", Example: `sandbox.overlay { lower = { "rootfs" } }`}, overlay},
	{registry.Function{Name: "proc", Args: "[target]", Returns: "mount", Doc: "proc(5), at /proc by default.", Example: `sandbox.proc()`}, proc},
	{registry.Function{Name: "sysfs", Args: "[target], [options]", Options: writeOptions, Returns: "mount", Doc: "sysfs(5), at /sys by default.", Example: `sandbox.sysfs()`}, sysfs},
	{registry.Function{Name: "devpts", Args: "[target]", Returns: "mount", Doc: "Pseudo-terminals of its own, at /dev/pts by default.", Example: `sandbox.devpts()`}, devpts},
	{registry.Function{Name: "mqueue", Args: "[target]", Returns: "mount", Doc: "POSIX message queues, at /dev/mqueue by default.", Example: `sandbox.mqueue()`}, mqueue},
	{registry.Function{Name: "cgroup", Args: "[target], [options]", Options: writeOptions, Returns: "mount", Doc: "The container's own cgroup directory, at /sys/fs/cgroup by default.", Example: `sandbox.cgroup()`}, cgroup},
}}

var writeOptions = []registry.Field{
	{Name: "write", Kind: registry.Bool, Doc: "Allow writing.", Default: "false", Aka: []string{"rw", "writable", "readwrite"}},
}

var bindOptions = []registry.Field{
	{Name: "write", Kind: registry.Bool, Doc: "Allow writing.", Default: "false", Aka: []string{"rw", "writable", "readwrite"}},
	{Name: "optional", Kind: registry.Bool, Doc: "Leave it out when the source does not exist.", Default: "false"},
	{Name: "recursive", Kind: registry.Bool, Doc: "Have the mounts below the source too.", Default: "true", Aka: []string{"rbind", "rec"}},
}

var fileOptions = []registry.Field{
	{Name: "target", Kind: registry.Text, Doc: "Where, absolute.", Aka: []string{"path", "dest", "destination"}},
	{Name: "content", Kind: registry.Text, Doc: "What is in it, at most 16 MiB.", Aka: []string{"text", "data", "contents"}},
	{Name: "mode", Kind: registry.Mode, Doc: "Its permissions.", Default: `"0644"`},
}

var tmpfsOptions = []registry.Field{
	{Name: "size", Kind: registry.Size, Doc: "Its most bytes.", Default: "half of the memory"},
	{Name: "mode", Kind: registry.Mode, Doc: "Permissions of its root.", Default: `"0755"`},
}

var overlayOptions = []registry.Field{
	{Name: "lower", Kind: registry.Texts, Doc: "Folders, the topmost first.", Aka: []string{"lowerdir", "lowers"}},
	{Name: "upper", Kind: registry.Text, Doc: "A folder that keeps what is written.", Default: "thrown away", Aka: []string{"upperdir"}},
	{Name: "size", Kind: registry.Size, Doc: "Most bytes of a throw-away upper layer.", Default: "half of the memory"},
}

func container(l *Load, L *lua.LState) int { return l.Container(L) }

func params(l *Load, L *lua.LState) int { return l.Params(L) }

func env(l *Load, L *lua.LState) int {
	name, ok := L.Get(1).(lua.LString)
	if !ok || name == "" {
		L.RaiseError("sandbox.env wants the name of a variable, as in sandbox.env(\"HOME\", default)")
	}
	switch def := L.Get(2); def.(type) {
	case lua.LString, lua.LBool, *lua.LNilType:
		if value, found := l.Inputs.Env(string(name)); found {
			L.Push(lua.LString(value))
		} else {
			L.Push(def)
		}
	default:
		L.RaiseError("sandbox.env: the default of a variable is a string, not a %s", def.Type().String())
	}
	return 1
}

func fact(l *Load, L *lua.LState) int {
	name, ok := L.Get(1).(lua.LString)
	if !ok {
		L.RaiseError("sandbox.fact wants a name, as in sandbox.fact(\"os.id\")")
	}
	value, err := l.Inputs.Fact(string(name))
	if err != nil {
		l.VM.Raise(L, err)
	}
	if n, err := strconv.ParseUint(value, 10, 32); err == nil && name == "cpus" {
		L.Push(lua.LNumber(n))
	} else {
		L.Push(lua.LString(value))
	}
	return 1
}
