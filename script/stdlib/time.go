package stdlib

import (
	"math"
	"time"

	lua "github.com/yuin/gopher-lua"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/registry"
)

// timeModule is about times and sizes as they are written. The clock is there for
// hooks alone: a load must give the same whenever it is done.
var timeModule = Module{Name: "time", Functions: []Function{
	{registry.Function{Name: "parse_duration", Args: durationText, Returns: registry.Field{Kind: registry.Number, Doc: "Seconds."}, Phase: registry.Always,
		Doc: "A length of time in seconds.", Example: `time.parse_duration("1h30m")`, Gives: `5400`, Aka: []string{"duration", "seconds", "to_seconds"}}, parseDuration},
	{registry.Function{Name: "format_duration", Args: secondsArg, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "Seconds as a length of time, to be read by people or as a limit.", Example: `time.format_duration(5400)`, Gives: `"1h30m"`, Aka: []string{"human", "pretty"}}, formatDuration},
	{registry.Function{Name: "parse_size", Args: sizeText, Returns: registry.Field{Kind: registry.Count, Doc: "Bytes."}, Phase: registry.Always,
		Doc: "A size in bytes; K, M, G, T and P are powers of 1024.", Example: `time.parse_size("1.5K")`, Gives: `1536`, Aka: []string{"bytes", "size", "to_bytes"}}, parseSize},
	{registry.Function{Name: "format_size", Args: bytesArg, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "Bytes as a size, in the largest unit that says it exactly.", Example: `time.format_size(512 * 1024 * 1024)`, Gives: `"512M"`, Aka: []string{"human_size"}}, formatSize},
	{registry.Function{Name: "parse", Args: dateText, Returns: registry.Field{Kind: registry.Number, Doc: "Seconds since 1970, UTC."}, Phase: registry.Always,
		Doc: "A date and time of day, as in RFC 3339.", Example: `time.parse("2026-01-31T12:00:00Z")`, Gives: `1769860800`, Aka: []string{"strptime", "parse_date", "from_iso"}}, parseTime},
	{registry.Function{Name: "format", Args: momentArg, Returns: registry.Field{Kind: registry.Text}, Phase: registry.Always,
		Doc: "A moment as date and time of day, in UTC, as in RFC 3339.", Example: `time.format(1769860800)`, Gives: `"2026-01-31T12:00:00Z"`, Aka: []string{"strftime", "date", "iso", "format_date"}}, formatTime},
	{registry.Function{Name: "now", Returns: registry.Field{Kind: registry.Number, Doc: "Seconds since 1970, UTC."}, Phase: registry.InHooks,
		Doc: "The time of day; ctx:time() measures better.", Example: `time.now()`, Aka: []string{"time", "clock", "unix", "today"}}, now},
}}

var durationText = []registry.Field{
	{Name: "duration", Kind: registry.Time, Doc: "Numbers with ms, s, m or h."},
}

var secondsArg = []registry.Field{
	{Name: "seconds", Kind: registry.Number, Doc: "From 0 to 100 years."},
}

var sizeText = []registry.Field{
	{Name: "size", Kind: registry.Size, Doc: "A number with K, M, G, T or P, or bytes."},
}

var bytesArg = []registry.Field{
	{Name: "bytes", Kind: registry.Count, Doc: "Not negative."},
}

var dateText = []registry.Field{
	{Name: "date", Kind: registry.Text, Doc: "With a time zone, or a date alone, which begins in UTC."},
}

var momentArg = []registry.Field{
	{Name: "seconds", Kind: registry.Number, Doc: "Since 1970, UTC."},
}

// value is an argument without its VM.
func (c *Call) value(n int) *luaval.Value {
	if s, ok := c.L.Get(n).(lua.LString); ok {
		return &luaval.Value{Kind: luaval.String, Text: string(s)}
	}
	return &luaval.Value{Kind: luaval.Number, Number: c.number(n)}
}

func parseDuration(c *Call) int {
	d, err := luaval.Time(c.value(1))
	if err != nil {
		c.fail("%s", err)
	}
	return c.push(lua.LNumber(time.Duration(d).Seconds()))
}

func formatDuration(c *Call) int {
	s := c.number(1)
	if s < 0 || s > 100*365*24*3600 {
		c.fail("%s seconds are not between 0 and 100 years", luaval.NumberText(s))
	}
	d := time.Duration(math.Round(s * float64(time.Second)))
	return c.push(lua.LString(definition.Duration(d).String()))
}

func parseSize(c *Call) int {
	size, err := luaval.Size(c.value(1))
	switch {
	case err != nil:
		c.fail("%s", err)
	case size >= 1<<53:
		c.fail("the size %s is too large for a number of Lua", quote(clip(c.printed(1))))
	}
	return c.push(lua.LNumber(size))
}

func formatSize(c *Call) int {
	n := c.number(1)
	if n < 0 {
		c.fail("the size %s is negative", luaval.NumberText(n))
	}
	return c.push(lua.LString(definition.Bytes(n).String()))
}

func parseTime(c *Call) int {
	t, err := time.Parse(time.RFC3339, c.text(1))
	if err != nil {
		t, err = time.Parse(time.DateOnly, c.text(1))
	}
	if err != nil {
		c.fail("%s is no date like \"2026-01-31\" or \"2026-01-31T12:00:00Z\"", quote(clip(c.text(1))))
	}
	return c.push(lua.LNumber(float64(t.Unix()) + float64(t.Nanosecond())/1e9))
}

func formatTime(c *Call) int {
	s := c.number(1)
	const first, end = -62167219200, 253402300800 // the years 0 to 9999
	if s < first || s >= end {
		c.fail("%s seconds are not in the years 0 to 9999", luaval.NumberText(s))
	}
	whole := math.Floor(s)
	// Lua's numbers hold moments of today to a microsecond and no better.
	micros := int64(math.Round((s - whole) * 1e6))
	t := time.Unix(int64(whole), micros*1000).UTC()
	return c.push(lua.LString(t.Format(time.RFC3339Nano)))
}

func now(c *Call) int {
	return c.push(lua.LNumber(float64(time.Now().UnixMicro()) / 1e6))
}
