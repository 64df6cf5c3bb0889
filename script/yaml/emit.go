package yaml

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// KeyFits tells whether a text is short enough to be written as a key.
func KeyFits(key string) bool { return len(quote(key)) <= maxKey }

// Encode writes a document of nil, bool, int64, float64, string, []any and
// map[string]any, with sorted keys, which fit. Strings are valid UTF-8. What an older reader
// could take for something else is quoted.
func Encode(document any) string {
	e := &emitter{}
	e.value(document, 0, false)
	return e.out.String()
}

type emitter struct{ out strings.Builder }

// value writes a value after its key, its dash or nothing, with its line end.
func (e *emitter) value(value any, indent int, afterKey bool) {
	switch x := value.(type) {
	case []any:
		if len(x) > 0 {
			e.list(x, indent, afterKey)
			return
		}
	case map[string]any:
		if len(x) > 0 {
			e.table(x, indent, afterKey)
			return
		}
	case string:
		if literal(x) {
			e.block(x, indent)
			return
		}
	}
	if afterKey {
		e.out.WriteByte(' ')
	}
	e.out.WriteString(scalar(value))
	e.out.WriteByte('\n')
}

// list writes items; the first stands where the writer is, unless after a key.
func (e *emitter) list(items []any, indent int, afterKey bool) {
	for i, item := range items {
		e.begin(i == 0, indent, afterKey)
		e.out.WriteString("-")
		if text, ok := item.(string); ok && literal(text) {
			e.block(text, indent+2)
			continue
		}
		e.out.WriteByte(' ')
		e.value(item, indent+2, false)
	}
}

func (e *emitter) table(t map[string]any, indent int, afterKey bool) {
	keys := make([]string, 0, len(t))
	for key := range t {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for i, key := range keys {
		e.begin(i == 0, indent, afterKey)
		e.out.WriteString(quote(key) + ":")
		e.value(t[key], indent+2, true)
	}
}

// begin goes to where an item or a key is to stand.
func (e *emitter) begin(first bool, indent int, afterKey bool) {
	if first && afterKey {
		e.out.WriteByte('\n')
	}
	if !first || afterKey {
		e.out.WriteString(strings.Repeat(" ", indent))
	}
}

// literal tells whether a text is to be written as a block of lines.
func literal(s string) bool {
	if !strings.Contains(strings.TrimRight(s, "\n"), "\n") || s[0] == ' ' || s[0] == '\n' || s[0] == '\t' {
		return false
	}
	for _, r := range s {
		if !readable(r) {
			return false
		}
	}
	return true
}

// block writes lines after |, indented.
func (e *emitter) block(s string, indent int) {
	body := strings.TrimRight(s, "\n")
	chomp := "+"
	switch len(s) - len(body) {
	case 0:
		chomp = "-"
	case 1:
		chomp = ""
	}
	// At the top a text is indented, too.
	indent = max(indent, 2)
	e.out.WriteString(" |" + chomp + "\n")
	for line := range strings.SplitSeq(body, "\n") {
		if line != "" {
			e.out.WriteString(strings.Repeat(" ", indent) + line)
		}
		e.out.WriteByte('\n')
	}
	e.out.WriteString(strings.Repeat("\n", max(0, len(s)-len(body)-1)))
}

func scalar(value any) string {
	switch x := value.(type) {
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return float(x)
	case string:
		return quote(x)
	case []any:
		return "[]"
	case map[string]any:
		return "{}"
	}
	return "null"
}

func float(f float64) string {
	switch {
	case math.IsNaN(f):
		return ".nan"
	case math.IsInf(f, 1):
		return ".inf"
	case math.IsInf(f, -1):
		return "-.inf"
	}
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

// quote writes a text on one line, in quotes where it needs them.
func quote(s string) string {
	if plain(s) {
		return s
	}
	return doubleQuoted(s)
}

// words are texts that some readers take for no string.
var words = [...]string{"null", "true", "false", "yes", "no", "on", "off", "y", "n"}

// plain tells whether a text needs no quotes, for any reader.
func plain(s string) bool {
	const first = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/"
	const more = first + "0123456789.-+@,=()~^;$%!"
	if s == "" || s[len(s)-1] == ' ' {
		return false
	}
	if strings.IndexByte(first, s[0]) < 0 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ':
		case c == ':' && i+1 < len(s) && s[i+1] != ' ':
		case strings.IndexByte(more, c) < 0:
			return false
		}
	}
	return !slices.ContainsFunc(words[:], func(w string) bool { return strings.EqualFold(s, w) })
}

// doubleQuoted writes a text in double quotes, with escapes that JSON has too where
// there are such.
func doubleQuoted(s string) string {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, len(s)+2)
	out = append(out, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r == '\n':
			out = append(out, `\n`...)
		case r == '\t':
			out = append(out, `\t`...)
		case readable(r):
			out = append(out, string(r)...)
		default:
			out = append(out, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		}
	}
	return string(append(out, '"'))
}
