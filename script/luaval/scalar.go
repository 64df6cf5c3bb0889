package luaval

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"sandbox/sandbox/definition"
)

// Mode reads permission bits: an octal string of at most four digits. Lua has no
// octal numbers: 022 is twenty-two.
func Mode(v *Value) (uint32, error) {
	if v.Kind == Number {
		if n, ok := v.Integer(); ok && n >= 0 && n <= 7777 {
			return 0, fmt.Errorf("wanted an octal string, found %s; write \"0%d\" with quotes, Lua has no octal numbers", v.Describe(), n)
		}
	}
	if v.Kind != String {
		return 0, errors.New("wanted an octal string like \"022\", found " + v.Describe())
	}
	mode, err := strconv.ParseUint(v.Text, 8, 32)
	if err != nil || mode > 0o7777 || len(v.Text) > 5 {
		return 0, fmt.Errorf("%s is no octal mode like \"0644\"", strconv.Quote(v.Text))
	}
	return uint32(mode), nil
}

// Size reads bytes: "512M", or a whole number.
func Size(v *Value) (definition.Bytes, error) {
	switch v.Kind {
	case String:
		size, err := definition.ParseBytes(v.Text)
		if _, digits := strconv.ParseUint(v.Text, 10, 64); err == nil && digits == nil {
			return 0, fmt.Errorf("the size %q has no unit; write %s for bytes, or \"%sM\"", v.Text, v.Text, v.Text)
		}
		return size, err
	case Number:
		n, ok := v.Integer()
		switch {
		case !ok:
			return 0, errors.New("wanted a size like \"512M\" or a whole number of bytes, found " + v.Describe())
		case n < 0:
			return 0, fmt.Errorf("the size %d is negative", n)
		}
		return definition.Bytes(n), nil
	}
	return 0, errors.New("wanted a size like \"512M\", found " + v.Describe())
}

// Time reads a length of time with a unit: "90s".
func Time(v *Value) (definition.Duration, error) {
	switch v.Kind {
	case String:
		d, err := definition.ParseDuration(v.Text)
		if err == nil && d > definition.Duration(100*365*24*time.Hour) {
			return 0, fmt.Errorf("the time %q is more than 100 years", v.Text)
		}
		return d, err
	case Number:
		return 0, fmt.Errorf("a time needs a unit; write \"%ss\"", NumberText(v.Number))
	}
	return 0, errors.New("wanted a time like \"90s\", found " + v.Describe())
}
