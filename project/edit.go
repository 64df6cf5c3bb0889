package project

import (
	"bytes"
	"slices"
	"strings"
)

// String writes the source as the value of a key of sandbox.toml.
func (s *Source) String() string {
	if s.Git == "" {
		return Quote(s.Path)
	}
	text := "{ git = " + Quote(s.Git)
	if s.Version != "" {
		text += ", version = " + Quote(s.Version)
	}
	return text + " }"
}

// WithLibrary returns the text of a sandbox.toml with a library added or replaced; all
// else stays as its author wrote it. It is false where the text is written in a way
// that has to be edited by hand.
func WithLibrary(text []byte, s Source) ([]byte, bool) {
	line := s.Name + " = " + s.String()
	if start := lineOf(text, s.Name); start > 0 {
		replaced := []string{line, "[libraries." + s.Name + "]\n" + keysOf(&s), "libraries." + line}
		return edit(text, start, replaced, func(f *File) bool { return same(f, text, s.Name, &s) })
	}
	end := bytes.Count(text, []byte("\n")) + 1
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		text = append(slices.Clip(text), '\n')
		end++
	}
	gap := ""
	if len(bytes.TrimSpace(text)) > 0 {
		gap = "\n"
	}
	added := []string{line, gap + "[libraries]\n" + line, gap + "[libraries." + s.Name + "]\n" + keysOf(&s)}
	return edit(text, end, added, func(f *File) bool { return same(f, text, s.Name, &s) })
}

// WithoutLibrary returns the text of a sandbox.toml without a library.
func WithoutLibrary(text []byte, name string) ([]byte, bool) {
	start := lineOf(text, name)
	if start == 0 {
		return text, true
	}
	return edit(text, start, nil, func(f *File) bool { return same(f, text, name, nil) })
}

func keysOf(s *Source) string {
	if s.Git == "" {
		return "path = " + Quote(s.Path)
	}
	text := "git = " + Quote(s.Git)
	if s.Version != "" {
		text += "\nversion = " + Quote(s.Version)
	}
	return text
}

// edit puts one of several texts in the place of the lines that begin at start, and
// takes the first result that is what is wanted: no rule about where a key ends, or
// which table a line belongs to, can go wrong then.
func edit(text []byte, start int, instead []string, wanted func(*File) bool) ([]byte, bool) {
	lines := strings.SplitAfter(string(text), "\n")
	before := strings.Join(lines[:min(start-1, len(lines))], "")
	if len(instead) == 0 {
		instead = []string{""}
	}
	const most = 20 // lines that one library may take
	for taken := 0; taken <= most; taken++ {
		after := strings.Join(lines[min(start-1+taken, len(lines)):], "")
		for _, with := range instead {
			if with != "" {
				with += "\n"
			}
			edited := []byte(before + with + after)
			if f, err := ParseFile("", edited); err == nil && wanted(f) {
				return edited, true
			}
		}
	}
	return nil, false
}

// same tells whether a file is what text says, but for one library: nil for none.
func same(f *File, text []byte, name string, s *Source) bool {
	old, err := ParseFile("", text)
	if err != nil || f.Name != old.Name || f.Recipe != old.Recipe || len(f.Grants) != len(old.Grants) {
		return false
	}
	want := map[string]string{}
	for i := range old.Libraries {
		want[old.Libraries[i].Name] = old.Libraries[i].String()
	}
	delete(want, name)
	if s != nil {
		want[name] = s.String()
	}
	for i := range f.Libraries {
		if want[f.Libraries[i].Name] != f.Libraries[i].String() {
			return false
		}
	}
	return len(want) == len(f.Libraries)
}

// lineOf is the line of a library in a sandbox.toml; 0 when it is not there.
func lineOf(text []byte, name string) int {
	f, err := ParseFile("", text)
	if err != nil {
		return 0
	}
	if s := f.Library(name); s != nil {
		return s.Line
	}
	return 0
}
