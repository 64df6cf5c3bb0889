package vm

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Format is string.format (Lua 5.1 manual 5.4), strict: an unknown directive, a
// missing or left-over argument, one of the wrong type, a fraction for an integer
// directive, or a width or precision above 99 is an error. show turns the arguments
// of %s into text; nil means Text, which prints no addresses.
func Format(format string, args []lua.LValue, show func(lua.LValue) string) (string, error) {
	if show == nil {
		show = Text
	}
	f := formatter{format: format, args: args, show: show}
	for f.at < len(format) {
		percent := strings.IndexByte(format[f.at:], '%')
		if percent < 0 {
			f.out = append(f.out, format[f.at:]...)
			break
		}
		f.out = append(f.out, format[f.at:f.at+percent]...)
		f.at += percent + 1
		if err := f.directive(); err != nil {
			return "", err
		}
		if len(f.out) > MaxString {
			return "", errors.New("string longer than 16 MiB")
		}
	}
	if f.used < len(args) {
		return "", fmt.Errorf("format %q has %d directives and %d arguments", clip(format), f.used, len(args))
	}
	return string(f.out), nil
}

type formatter struct {
	format string
	at     int // after the %
	args   []lua.LValue
	used   int
	show   func(lua.LValue) string
	out    []byte
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}

// directive writes one directive, at being after its %.
func (f *formatter) directive() error {
	start := f.at
	for f.at < len(f.format) && strings.IndexByte("-+ #0", f.format[f.at]) >= 0 && f.at-start < 5 {
		f.at++
	}
	f.digits()
	if f.at < len(f.format) && f.format[f.at] == '.' {
		f.at++
		f.digits()
	}
	if f.at >= len(f.format) {
		return fmt.Errorf("format %q ends in the middle of a directive", clip(f.format))
	}
	spec, verb := f.format[start:f.at], f.format[f.at]
	f.at++
	if verb == '%' && spec == "" {
		f.out = append(f.out, '%')
		return nil
	}
	if strings.IndexByte("cdiouxXeEfgGqs", verb) < 0 {
		return fmt.Errorf("format %q: unknown directive \"%%%s%c\" (widths and precisions have at most two digits; write %%%% for a percent sign)", clip(f.format), spec, verb)
	}
	if f.used >= len(f.args) {
		return fmt.Errorf("format %q: no argument for directive %d (%%%s%c)", clip(f.format), f.used+1, spec, verb)
	}
	value := f.args[f.used]
	f.used++
	return f.write(spec, verb, value)
}

// digits passes at most two digits.
func (f *formatter) digits() {
	for n := 0; n < 2 && f.at < len(f.format) && f.format[f.at] >= '0' && f.format[f.at] <= '9'; n++ {
		f.at++
	}
}

func (f *formatter) write(spec string, verb byte, value lua.LValue) error {
	switch verb {
	case 's':
		s := f.show(value)
		if len(s) > MaxString {
			return errors.New("string longer than 16 MiB")
		}
		f.out = fmt.Appendf(f.out, "%"+strings.ReplaceAll(spec, "#", "")+"s", s)
		return nil
	case 'q':
		s, ok := value.(lua.LString)
		if !ok {
			return f.wrong("a string", verb, value)
		}
		f.out = appendQuoted(f.out, string(s))
		return nil
	}
	n, ok := value.(lua.LNumber)
	if s, isString := value.(lua.LString); isString {
		var parsed float64
		parsed, ok = parseNumber(string(s), 10)
		n = lua.LNumber(parsed)
	}
	if !ok {
		return f.wrong("a number", verb, value)
	}
	if strings.IndexByte("eEfgG", verb) >= 0 {
		f.out = appendFloat(f.out, spec, verb, float64(n))
		return nil
	}
	return f.integer(spec, verb, float64(n))
}

func (f *formatter) integer(spec string, verb byte, n float64) error {
	if n != math.Trunc(n) || math.Abs(n) >= 1<<63 {
		return fmt.Errorf("argument %d of format: %%%c needs an integer, got %s", f.used, verb, numberText(n))
	}
	switch verb {
	case 'c':
		if n < 0 || n > 255 {
			return fmt.Errorf("argument %d of format: %%c needs a byte, got %s", f.used, numberText(n))
		}
		f.out = append(f.out, byte(n))
	case 'd', 'i':
		f.out = fmt.Appendf(f.out, "%"+spec+"d", int64(n))
	case 'u':
		f.out = fmt.Appendf(f.out, "%"+spec+"d", uint64(int64(n)))
	default:
		f.out = fmt.Appendf(f.out, "%"+spec+string(verb), uint64(int64(n)))
	}
	return nil
}

func (f *formatter) wrong(want string, verb byte, value lua.LValue) error {
	return fmt.Errorf("argument %d of format: %%%c needs %s, got a %s value", f.used, verb, want, value.Type().String())
}

// appendFloat writes infinities and NaN as C does.
func appendFloat(out []byte, spec string, verb byte, n float64) []byte {
	if !math.IsInf(n, 0) && !math.IsNaN(n) {
		if verb == 'g' || verb == 'G' {
			// Without a precision C takes 6, Go as many digits as needed.
			if !strings.Contains(spec, ".") {
				spec += ".6"
			}
		}
		return fmt.Appendf(out, "%"+spec+string(verb), n)
	}
	text := "nan"
	if math.IsInf(n, 1) {
		text = "inf"
	} else if math.IsInf(n, -1) {
		text = "-inf"
	}
	if verb < 'a' {
		text = strings.ToUpper(text)
	}
	width, _, _ := strings.Cut(strings.Trim(spec, "+ #0"), ".")
	return fmt.Appendf(out, "%"+width+"s", text)
}

// formatG is C's "%.<digits>g".
func formatG(f float64, digits int) string {
	return string(appendFloat(nil, "."+strconv.Itoa(digits), 'g', f))
}

// appendQuoted writes a string that Lua reads back.
func appendQuoted(out []byte, s string) []byte {
	out = append(out, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\', '\n':
			out = append(out, '\\', c)
		case '\r':
			out = append(out, `\r`...)
		case 0:
			out = append(out, `\000`...)
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}

func strFormat(v *VM, L *lua.LState) int {
	s, err := Format(checkString(L, 1), arguments(L, 2), func(value lua.LValue) string { return v.toString(L, value) })
	if err != nil {
		v.Raise(L, err)
	}
	L.Push(lua.LString(s))
	return 1
}
