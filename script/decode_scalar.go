package script

import (
	"strconv"

	"sandbox/sandbox/definition"
	"sandbox/script/luaval"
	"sandbox/script/registry"
)

// flag reads true or false, and nothing that Lua takes for one of them.
func (d *decoder) flag(path string, v *luaval.Value, def bool) bool {
	if v.Kind == luaval.Bool {
		return v.Bool
	}
	hint := ""
	switch {
	case v.Kind == luaval.Number && v.Number == 1 || v.Kind == luaval.String && (v.Text == "true" || v.Text == "yes" || v.Text == "on"):
		hint = "write true"
	case v.Kind == luaval.Number && v.Number == 0 || v.Kind == luaval.String && (v.Text == "false" || v.Text == "no" || v.Text == "off"):
		hint = "write false"
	}
	d.wanted(path, v, registry.Bool.String(), hint)
	return def
}

// integer reads a whole number that is not below least.
func (d *decoder) integer(path string, v *luaval.Value, least int64) int64 {
	n, ok := v.Integer()
	switch {
	case ok && n < least:
		d.problem(path, v, "the number "+luaval.NumberText(v.Number)+" is below "+strconv.FormatInt(least, 10), "")
		return least
	case ok:
		return n
	case v.Kind == luaval.String:
		hint := ""
		if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
			hint = "write " + strconv.FormatInt(n, 10) + " without quotes"
		}
		d.wanted(path, v, registry.Count.String(), hint)
	default:
		d.wanted(path, v, registry.Count.String(), "")
	}
	return least
}

// number reads a positive number.
func (d *decoder) number(path string, v *luaval.Value) float64 {
	switch {
	case v.Kind != luaval.Number:
		hint := ""
		if n, err := strconv.ParseFloat(v.Text, 64); v.Kind == luaval.String && err == nil {
			hint = "write " + luaval.NumberText(n) + " without quotes"
		}
		d.wanted(path, v, registry.Number.String(), hint)
	case v.Number <= 0:
		d.problem(path, v, "the number "+luaval.NumberText(v.Number)+" is not above 0", "false means no limit")
	default:
		return v.Number
	}
	return 0
}

func (d *decoder) positive(path string, v *luaval.Value, n int64) {
	if n <= 0 && v.Kind != luaval.Nothing {
		d.problem(path, v, "0 would mean no limit", "false removes a limit")
	}
}

func (d *decoder) mode(path string, v *luaval.Value) *uint32 {
	if v.Kind == luaval.Nothing {
		return nil
	}
	mode, err := luaval.Mode(v)
	if err != nil {
		d.problem(path, v, err.Error(), "")
		return nil
	}
	return &mode
}

func (d *decoder) size(path string, v *luaval.Value) *definition.Bytes {
	if v.Kind == luaval.Nothing {
		return nil
	}
	size, err := luaval.Size(v)
	if err != nil {
		d.problem(path, v, err.Error(), "")
		return nil
	}
	return &size
}

// time reads a length of time above 0.
func (d *decoder) time(path string, v *luaval.Value) definition.Duration {
	if v.Kind == luaval.Nothing {
		return 0
	}
	t, err := luaval.Time(v)
	if err != nil {
		d.problem(path, v, err.Error(), "")
		return 0
	}
	d.positive(path, v, int64(t))
	return t
}
