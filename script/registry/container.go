package registry

// Methods are the methods of a container, besides its fields, which can be read.
var Methods = []Function{
	{Name: "extend", Args: fragments, Returns: Field{Kind: Container, Doc: "A new one; the old one is unchanged."}, Phase: Loading,
		Doc:     "Makes another container: this one's fields with those of the fragments over them, and this one's hooks.",
		Example: `c = c:extend { limits = { memory = "2G" } }`, Aka: []string{"with", "merge", "override", "inherit"}},
	{Name: "prestart", Args: hookArgs, Returns: itself, Other: labelAndHook, Otherwise: itself, Phase: Loading, Doc: "Registers a hook of the stage prestart.",
		Example: `c:prestart("seed", function(ctx) ctx:write("/etc/motd", "hello") end)`},
	{Name: "poststart", Args: hookArgs, Returns: itself, Other: labelAndHook, Otherwise: itself, Phase: Loading, Doc: "Registers a hook of the stage poststart.",
		Example: `c:poststart("health", { deadline = "20s" }, function(ctx) ctx:exec { "pg_isready" } end)`},
	{Name: "collect", Args: hookArgs, Returns: itself, Other: labelAndHook, Otherwise: itself, Phase: Loading, Doc: "Registers a hook of the stage collect.",
		Example: `c:collect("judge", function(ctx) if ctx:read("/out/answer") ~= "42" then ctx:fail("wrong answer") end end)`},
	{Name: "poststop", Args: hookArgs, Returns: itself, Other: labelAndHook, Otherwise: itself, Phase: Loading, Doc: "Registers a hook of the stage poststop.",
		Example: `c:poststop("report", function(ctx) ctx:log("%s", ctx.result.verdict) end)`},
}

var fragments = []Field{
	{Name: "fragment", Kind: Table, Lua: "sandbox.Definition|false", Many: true, Doc: "Fields of the container; false is left out."},
}

var itself = Field{Kind: Container, Doc: "The same container."}

var hookArgs = []Field{
	{Name: "label", Kind: Name, Doc: "Names the hook in messages and in the Result."},
	{Name: "options", Kind: Options, Optional: true, Sub: HookOptions, Doc: "May be left out."},
	{Name: "hook", Kind: Func, Lua: "fun(ctx: sandbox.Context)", Doc: "What is called."},
}

var labelAndHook = []Field{
	{Name: "label", Kind: Name, Doc: "Names the hook in messages and in the Result."},
	{Name: "hook", Kind: Func, Lua: "fun(ctx: sandbox.Context)", Doc: "What is called."},
}

// HookOptions are the options of a hook.
var HookOptions = []Field{
	{Name: "deadline", Kind: Time, Doc: "How long one call may take.", Example: `"20s"`, Default: "\"10s\", poststop \"30s\"", Aka: []string{"timeout", "wall", "limit"}},
}
