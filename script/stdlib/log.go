package stdlib

import (
	lua "github.com/yuin/gopher-lua"

	"sandbox/script/registry"
	"sandbox/script/vm"
)

// logModule tells the user something, and where in the recipe.
var logModule = Module{Name: "log", Functions: []Function{
	{registry.Function{Name: "info", Args: logArgs, Phase: registry.Always,
		Doc: "Tells the user a line, with the recipe's line that says it; format is that of string.format.", Example: `log.info("building %s", "./...")`, Aka: []string{"print", "log", "notice"}}, logInfo},
	{registry.Function{Name: "warn", Args: logArgs, Phase: registry.Always,
		Doc: "The same, marked as a warning.", Example: `log.warn("there is no vendor folder")`, Aka: []string{"warning", "error"}}, logWarn},
	{registry.Function{Name: "debug", Args: logArgs, Phase: registry.Always,
		Doc: "The same, told only when the environment variable SANDBOX_DEBUG is set.", Example: `log.debug("%d files", 3)`, Aka: []string{"trace", "verbose"}}, logDebug},
}}

var logArgs = []registry.Field{
	{Name: "format", Kind: registry.Printable, Doc: "As for string.format; alone it is not looked into."},
	{Name: "value", Kind: registry.Any, Optional: true, Many: true, Doc: "One for each directive."},
}

func logInfo(c *Call) int { return c.say("") }

func logWarn(c *Call) int { return c.say("warning: ") }

func logDebug(c *Call) int {
	if c.Debug {
		return c.say("debug: ")
	}
	c.line()
	return 0
}

func (c *Call) say(mark string) int {
	c.VM.Say(c.Origin().String() + ": " + mark + c.line())
	return 0
}

// line is the format with its values.
func (c *Call) line() string {
	if c.L.GetTop() == 1 {
		return c.printed(1)
	}
	var values []lua.LValue
	for n := 2; n <= c.L.GetTop(); n++ {
		values = append(values, c.L.Get(n))
	}
	line, err := vm.Format(c.printed(1), values, nil)
	if err != nil {
		c.fail("%s", err)
	}
	return line
}
