package docs

import (
	"strings"
	"unicode/utf8"
)

// width is how long lines of texts are.
const width = 96

// Text writes a topic for a terminal.
func (t *Topic) Text() string {
	var b strings.Builder
	b.WriteString(t.Title + "\n\n")
	b.WriteString(wrap(t.Doc, "  ", width))
	if len(t.Facts) > 0 {
		b.WriteString("\n")
		writePairs(&b, t.Facts)
	}
	if len(t.Rows) > 0 {
		writeRows(&b, t.List, t.Rows)
	}
	if len(t.Results) > 0 {
		writeRows(&b, "what it returns", t.Results)
	}
	if t.Example != "" {
		b.WriteString("\n  for example:\n    " + strings.ReplaceAll(t.Example, "\n", "\n    ") + "\n")
	}
	if t.Gives != "" {
		b.WriteString("    --> " + t.Gives + "\n")
	}
	return b.String()
}

// writePairs writes pairs in two columns.
func writePairs(b *strings.Builder, pairs [][2]string) {
	wide := 0
	for _, p := range pairs {
		wide = max(wide, utf8.RuneCountInString(p[0]))
	}
	for _, p := range pairs {
		text := wrap(p[1], strings.Repeat(" ", wide+4), width)
		b.WriteString("  " + p[0] + strings.Repeat(" ", wide-utf8.RuneCountInString(p[0])+2) + strings.TrimLeft(text, " "))
	}
}

// writeRows writes arguments and fields: the name, the kind, and what it is.
func writeRows(b *strings.Builder, what string, rows []Row) {
	b.WriteString("\n  " + what + ":\n")
	var pairs [][2]string
	for _, r := range rows {
		text := r.Doc
		if r.Kind != "" {
			text = strings.TrimSpace(r.Kind + ". " + r.Doc)
		}
		pairs = append(pairs, [2]string{"  " + r.Name, text})
	}
	writePairs(b, pairs)
}

// List writes all topics but the inner ones, by group.
func List() string {
	var b strings.Builder
	topics := Topics()
	for _, group := range Groups() {
		b.WriteString(group + "\n")
		var pairs [][2]string
		for _, t := range topics {
			if t.Group == group && !t.Inner {
				pairs = append(pairs, [2]string{t.Name, first(t.Doc)})
			}
		}
		writePairs(&b, pairs)
		b.WriteString("\n")
	}
	return b.String()
}

// first is the first sentence of a text.
func first(text string) string {
	for i := range len(text) - 1 {
		// A capital follows: that of an abbreviation is followed by none.
		if text[i] == '.' && text[i+1] == ' ' && i+2 < len(text) && text[i+2] >= 'A' && text[i+2] <= 'Z' {
			return text[:i+1]
		}
	}
	return text
}

// wrap breaks a text into indented lines.
func wrap(text, indent string, width int) string {
	var b strings.Builder
	line := indent
	for _, word := range strings.Fields(text) {
		if line != indent && utf8.RuneCountInString(line)+utf8.RuneCountInString(word) >= width {
			b.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return b.String() + line + "\n"
}
