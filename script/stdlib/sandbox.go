package stdlib

import (
	"strconv"

	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
)

var sandboxModule = Module{Name: "sandbox", Functions: []Function{
	{registry.Function{Name: "container", Args: fragments, Returns: registry.Field{Kind: registry.Container}, Phase: registry.Loading, Collects: true,
		Doc:     "Makes the container. Fragments are tables of fields, merged from left to right by each field's rule and copied.",
		Example: `local c = sandbox.container { process = { args = { "true" } } }`, Aka: []string{"run", "new", "create", "define", "box"}}, container},
	{registry.Function{Name: "params", Args: paramsArgs, Returns: registry.Field{Kind: registry.Map, Doc: "The values, by name."}, Phase: registry.Loading, Collects: true,
		Doc:     "Declares what the user can set by flags of the command line. Once, in the main recipe, before the container.",
		Example: `local p = sandbox.params { target = { "./...", help = "packages" } }`, Aka: []string{"args", "flags", "options", "parameters", "inputs"}}, params},
	{registry.Function{Name: "env", Args: envArgs, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Loading,
		Doc: "A variable of the runner's environment, or the default.", Example: `sandbox.env("HOME", "/root")`, Aka: []string{"getenv", "environ"}}, env},
	{registry.Function{Name: "fact", Args: factArgs, Returns: registry.Field{Kind: registry.Printable, Doc: "cpus is a number."}, Phase: registry.Loading,
		Doc: "Something about this machine: os.id, os.version_id, arch, kernel, cpus.", Example: `sandbox.fact("os.id")`, Aka: []string{"facts", "host", "uname"}}, fact},
	{registry.Function{Name: "bind", Args: bindArgs, Returns: mount, Phase: registry.Loading, Collects: true,
		Doc: "A file or folder of this machine, read-only unless write is true.", Example: `sandbox.bind(".", "/src")`, Aka: []string{"mount", "volume", "bind_mount"}}, bind},
	{registry.Function{Name: "cache", Args: cacheArgs, Returns: mount, Phase: registry.Loading, Collects: true,
		Doc: "A writable folder that is kept between runs.", Example: `sandbox.cache("go-build", "/cache")`}, cache},
	{registry.Function{Name: "file", Args: fileArgs, Returns: mount, Phase: registry.Loading, Collects: true,
		Doc: "A file with a content.", Example: `sandbox.file { target = "/etc/motd", content = "hello\n" }`, Aka: []string{"write", "content", "inject"}}, file},
	{registry.Function{Name: "tmpfs", Args: tmpfsArgs, Returns: mount, Other: tmpfsRootArgs, Otherwise: rootfs, Phase: registry.Loading, Collects: true,
		Doc: "An empty file system in memory: mounted at a target, or, without one, as the root filesystem.", Example: `sandbox.tmpfs("/scratch", { size = "64M" })`, Aka: []string{"ramdisk", "memory"}}, tmpfs},
	{registry.Function{Name: "dir", Args: dirArgs, Returns: rootfs, Phase: registry.Loading, Collects: true,
		Doc: "A folder of this machine as the root filesystem, read-only unless write is true.", Example: `sandbox.dir("rootfs")`, Aka: []string{"folder", "directory", "rootfs", "chroot"}}, dir},
	{registry.Function{Name: "overlay", Args: overlayArgs, Returns: rootfs, Phase: registry.Loading, Collects: true,
		Doc: "Folders on top of one another as the root filesystem, the topmost first; writes go to upper, or are thrown away.", Example: `sandbox.overlay { lower = { "rootfs" } }`, Aka: []string{"overlayfs", "layers"}}, overlay},
	{registry.Function{Name: "proc", Args: targetArgs, Returns: mount, Phase: registry.Loading, Collects: true,
		Doc: "proc(5), at /proc by default.", Example: `sandbox.proc()`}, proc},
	{registry.Function{Name: "sysfs", Args: writableArgs, Returns: mount, Phase: registry.Loading, Collects: true,
		Doc: "sysfs(5), at /sys by default.", Example: `sandbox.sysfs()`, Aka: []string{"sys"}}, sysfs},
	{registry.Function{Name: "devpts", Args: targetArgs, Returns: mount, Phase: registry.Loading, Collects: true,
		Doc: "Pseudo-terminals of its own, at /dev/pts by default.", Example: `sandbox.devpts()`, Aka: []string{"pts"}}, devpts},
	{registry.Function{Name: "mqueue", Args: targetArgs, Returns: mount, Phase: registry.Loading, Collects: true,
		Doc: "POSIX message queues, at /dev/mqueue by default.", Example: `sandbox.mqueue()`}, mqueue},
	{registry.Function{Name: "cgroup", Args: writableArgs, Returns: mount, Phase: registry.Loading, Collects: true,
		Doc: "The container's own cgroup directory, at /sys/fs/cgroup by default.", Example: `sandbox.cgroup()`, Aka: []string{"cgroup2", "cgroups"}}, cgroup},
}}

var (
	mount  = registry.Field{Kind: registry.Mount}
	rootfs = registry.Field{Kind: registry.Rootfs, Lua: "sandbox.Rootfs"}
)

// Literals of another package cannot be used in this one's: the linker could not lay
// them out.
var fragments = []registry.Field{
	{Name: "fragment", Kind: registry.Table, Lua: "sandbox.Definition|false", Many: true, Doc: "Fields of the container; false is left out."},
}

var paramsArgs = []registry.Field{
	{Name: "params", Kind: registry.Table, Lua: "table<string, string|number|boolean|string[]|sandbox.params.params>", Of: ParamFields,
		Doc: "name = default, or name = { default, help =, choices =, type =, required = }."},
}

// ParamFields are the keys of a parameter's table, besides its default.
var ParamFields = []registry.Field{
	{Name: "help", Kind: registry.Text, Doc: "What it is for, shown by --help.", Example: `"packages to build"`, Aka: []string{"description", "doc", "usage"}},
	{Name: "choices", Kind: registry.Texts, Doc: "The values it can have.", Example: `{ "debug", "release" }`, Aka: []string{"choice", "values", "options", "enum"}},
	{Name: "type", Kind: registry.Choice, Choices: []string{"string", "number", "boolean", "list"}, Doc: "What it holds.", Example: `"list"`, Default: "that of the default"},
	{Name: "required", Kind: registry.Bool, Doc: "Whether it must be given.", Example: `true`, Default: "false"},
	{Name: "default", Kind: registry.Other, Item: true, Lua: "string|number|boolean|string[]", Doc: "Its default; or write it first.", Example: `"debug"`},
}

var envArgs = []registry.Field{
	{Name: "name", Kind: registry.Name, Doc: "The variable's."},
	{Name: "default", Kind: registry.Other, Lua: "string|false", Optional: true, Doc: "What it is when it is not set.", Default: "nil"},
}

var factArgs = []registry.Field{
	{Name: "name", Kind: registry.Name, Doc: "One of those above."},
}

var bindArgs = []registry.Field{
	{Name: "source", Kind: registry.HostPath, Doc: "On this machine; relative ones are below the project."},
	{Name: "target", Kind: registry.Path, Doc: "Absolute, in the container."},
	{Name: "options", Kind: registry.Options, Optional: true, Sub: bindOptions},
}

var cacheArgs = []registry.Field{
	{Name: "name", Kind: registry.Name, Doc: "Which cache; every recipe of this user that names it has the same."},
	{Name: "target", Kind: registry.Path, Doc: "Absolute, in the container."},
}

var fileArgs = []registry.Field{
	{Name: "options", Kind: registry.Options, Sub: fileOptions},
}

var tmpfsArgs = []registry.Field{
	{Name: "target", Kind: registry.Path, Doc: "Absolute, in the container."},
	{Name: "options", Kind: registry.Options, Optional: true, Sub: tmpfsOptions},
}

var tmpfsRootArgs = []registry.Field{
	{Name: "size", Kind: registry.Size, Optional: true, Doc: "Its most bytes.", Default: "half of the memory"},
}

var dirArgs = []registry.Field{
	{Name: "path", Kind: registry.HostPath, Doc: "A folder of this machine; relative ones are below the project."},
	{Name: "options", Kind: registry.Options, Optional: true, Sub: writeOptions},
}

var overlayArgs = []registry.Field{
	{Name: "options", Kind: registry.Options, Sub: overlayOptions},
}

var targetArgs = []registry.Field{
	{Name: "target", Kind: registry.Path, Optional: true, Doc: "Absolute, in the container."},
}

var writableArgs = []registry.Field{
	{Name: "target", Kind: registry.Path, Optional: true, Doc: "Absolute, in the container."},
	{Name: "options", Kind: registry.Options, Optional: true, Sub: writeOptions},
}

var writeOptions = []registry.Field{
	{Name: "write", Kind: registry.Bool, Doc: "Allow writing.", Example: "true", Default: "false", Aka: []string{"rw", "writable", "readwrite"}},
}

var bindOptions = []registry.Field{
	{Name: "write", Kind: registry.Bool, Doc: "Allow writing.", Example: "true", Default: "false", Aka: []string{"rw", "writable", "readwrite"}},
	{Name: "optional", Kind: registry.Bool, Doc: "Leave it out when the source does not exist.", Example: "true", Default: "false"},
	{Name: "recursive", Kind: registry.Bool, Doc: "Have the mounts below the source too.", Example: "false", Default: "true", Aka: []string{"rbind", "rec"}},
}

var fileOptions = []registry.Field{
	{Name: "target", Kind: registry.Path, Doc: "Where, absolute.", Example: `"/etc/motd"`, Aka: []string{"path", "dest", "destination"}},
	{Name: "content", Kind: registry.Text, Doc: "What is in it, at most 16 MiB.", Example: `"hello\n"`, Aka: []string{"text", "data", "contents"}},
	{Name: "mode", Kind: registry.Mode, Doc: "Its permissions.", Example: `"0755"`, Default: `"0644"`},
}

var tmpfsOptions = []registry.Field{
	{Name: "size", Kind: registry.Size, Doc: "Its most bytes.", Example: `"64M"`, Default: "half of the memory"},
	{Name: "mode", Kind: registry.Mode, Doc: "Permissions of its root.", Example: `"1777"`, Default: `"0755"`},
}

var overlayOptions = []registry.Field{
	{Name: "lower", Kind: registry.Texts, Lua: "string|string[]", Doc: "Folders, the topmost first.", Example: `{ "changes", "rootfs" }`, Aka: []string{"lowerdir", "lowers"}},
	{Name: "upper", Kind: registry.HostPath, Doc: "A folder that keeps what is written.", Example: `"upper"`, Default: "thrown away", Aka: []string{"upperdir"}},
	{Name: "size", Kind: registry.Size, Doc: "Most bytes of a throw-away upper layer.", Example: `"1G"`, Default: "half of the memory"},
}

func container(c *Call) int { return c.Container(c.L) }

func params(c *Call) int { return c.Params(c.L) }

func env(c *Call) int {
	name := c.text(1)
	if name == "" {
		c.fail("the name is empty")
	}
	switch def := c.L.Get(2); def.(type) {
	case lua.LString, lua.LBool, *lua.LNilType:
		if value, found := c.Inputs.Env(name); found {
			return c.push(lua.LString(value))
		}
		return c.push(def)
	default:
		c.fail("the default of a variable is a string, not %s", Describe(def))
	}
	return 0
}

func fact(c *Call) int {
	value, err := c.Inputs.Fact(c.text(1))
	if err != nil {
		c.raise(err)
	}
	if n, err := strconv.ParseUint(value, 10, 32); err == nil && c.text(1) == "cpus" {
		return c.push(lua.LNumber(n))
	}
	return c.push(lua.LString(value))
}
