package project

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/semver"

	"sandbox/script/vm"
)

// Manifest is a library.toml.
type Manifest struct {
	Name string
	// Version is MAJOR.MINOR.PATCH.
	Version string
	// Sandbox is the oldest release that the library works with; empty means any.
	Sandbox string
	// Description and License may be empty.
	Description, License string
	// Params are what its functions can be given, for those who read about it.
	Params []LibraryParam
	// Needs are what it reaches beyond the project, in the form of grants.
	Needs []Grant
}

// LibraryParam is one thing that a library's functions can be given.
type LibraryParam struct {
	Name, Help, Default string
}

var (
	manifestKeys = []string{"name", "version", "sandbox", "description", "license", "params", "needs"}
	paramKeys    = []string{"help", "default"}
)

// ParseManifest reads a library.toml; shown is its name in messages.
func ParseManifest(shown string, text []byte) (*Manifest, error) {
	r := reader{file: shown}
	m := &Manifest{}
	doc := r.parse(text, "")
	broken := len(r.problems) > 0
	for _, key := range doc.fields {
		switch at, v := key.name, &key.value; at {
		case "name":
			m.Name = r.libraryName(at, v)
		case "version":
			m.Version = r.semver(at, v)
		case "sandbox":
			m.Sandbox = r.minimum(at, v)
		case "description":
			m.Description = r.shown(at, v)
		case "license":
			m.License = r.shown(at, v)
		case "params":
			m.Params = r.params(at, v)
		case "needs":
			m.Needs = r.grants(at, v)
		default:
			r.unknown(&key, "", manifestKeys)
		}
	}
	for _, name := range [...]string{"name", "version"} {
		if !broken && doc.find(name) == nil {
			r.problem(0, "", "there is no "+name, "write "+name+" = \""+map[string]string{"name": "greet", "version": "1.0.0"}[name]+"\"")
		}
	}
	return m, r.err()
}

// Runs tells whether this release is new enough for the library.
func (m *Manifest) Runs() bool { return runs(m.Sandbox) }

func runs(minimum string) bool { return minimum == "" || !newer(minimum, Release) }

func (r *reader) libraryName(at string, v *value) string {
	text := r.text(at, v)
	if text != "" && !IsName(text) {
		r.problem(v.line, at, strconv.Quote(text)+" is no name of a library", "use small letters, digits, - and _, beginning with a letter")
	}
	return text
}

func (r *reader) semver(at string, v *value) string {
	text := r.text(at, v)
	if text != "" && !IsSemver(text) {
		hint := "write three numbers, like \"1.0.0\""
		if c := semver.Canonical("v" + strings.TrimPrefix(text, "v")); c != "" {
			hint = "write " + strconv.Quote(c[1:])
		}
		r.problem(v.line, at, strconv.Quote(text)+" is no version", hint)
	}
	return text
}

func (r *reader) minimum(at string, v *value) string {
	text := r.text(at, v)
	if text != "" && (!semver.IsValid("v"+text) || !isText(text)) {
		bare := strings.TrimLeft(text, ">=v ")
		hint := "write the oldest release that it works with, like \"" + Release + "\""
		if semver.IsValid("v" + bare) {
			hint = "write " + strconv.Quote(bare) + ": it is the oldest that will do"
		}
		r.problem(v.line, at, strconv.Quote(text)+" is no version", hint)
	}
	return text
}

// shown is a text of one line for people.
func (r *reader) shown(at string, v *value) string {
	return vm.Printable(strings.TrimSpace(r.text(at, v)))
}

func (r *reader) params(at string, v *value) []LibraryParam {
	var all []LibraryParam
	for _, f := range r.table(at, v, "params.name = { help = \"…\" }").fields {
		p := LibraryParam{Name: vm.Printable(f.name)}
		within := at + "." + f.name
		for _, key := range r.table(within, &f.value, "{ help = \"…\", default = \"…\" }").fields {
			switch key.name {
			case "help":
				p.Help = r.shown(within+".help", &key.value)
			case "default":
				p.Default = vm.Printable(key.value.text)
			default:
				r.unknown(&key, within, paramKeys)
			}
		}
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b LibraryParam) int { return strings.Compare(a.Name, b.Name) })
	return all
}
