// Package registry says what a recipe can say: the fields of a definition, the
// functions of each module, what hooks may do at which stage, and the words that
// people try from other tools. Documentation, editor stubs, completion, the checks
// of arguments, decoding and error messages come from it.
//
// Everything is a package-level literal that the linker lays out: no init task, no
// map, no reflection. Function calls, maps and references between literals that
// would need one are to be kept out.
package registry

// Merge says how a field of a later fragment meets the same field of an earlier one.
// In all of them false removes what was there (or is the value, where the field
// takes true or false).
type Merge uint8

// The merge rules.
const (
	Replace  Merge = iota // the later one
	ByKey                 // tables key by key
	ByTarget              // lists, the later item with the same target in the earlier one's place
)

// String names the rule for documentation.
func (m Merge) String() string {
	return [...]string{Replace: "replaced", ByKey: "merged key by key", ByTarget: "merged by target"}[m]
}

// Field is one field of a definition, a key of a table of options, or an argument.
type Field struct {
	// Name is the word in Lua; it is the JSON key unless JSON says otherwise.
	Name string
	// JSON is the path in the JSON form where Lua says the opposite, as init and
	// no_init; usually empty.
	JSON string
	Kind Kind
	// Choices are the words of a Choice.
	Choices []string
	// Lua is the type that editors are told, where Kind does not say it all.
	Lua string
	// Doc is one or two sentences, with units.
	Doc     string
	Example string // Lua, as it would stand after the name and "="
	Default string // in words or Lua
	Merge   Merge
	// Strict makes a value of nil here, and below, an error: it would lift a limit.
	Strict bool
	// Optional arguments may be left out.
	Optional bool
	// Item is set when what belongs to the field may stand in the table without a name.
	Item bool
	// Many is set for a last argument that may be given several times.
	Many bool
	// Aka are words that people try for this field, wherever they put them.
	Aka []string
	// Later is set for reserved names, and says so.
	Later string
	Sub   []Field
	// Of are the fields of each item of a list, or of one of several forms.
	Of []Field
}

// Find returns the field with a name, or nil.
func Find(fields []Field, name string) *Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

// Names lists the names of fields, but those that are reserved.
func Names(fields []Field) []string {
	names := make([]string, 0, len(fields))
	for i := range fields {
		if fields[i].Later == "" {
			names = append(names, fields[i].Name)
		}
	}
	return names
}

// Aka returns the path of the field that people mean by a word, or "". prefix is
// the path of fields, ending in "." unless empty.
func Aka(fields []Field, prefix, word string) string {
	for i := range fields {
		f := &fields[i]
		for _, a := range f.Aka {
			if a == word {
				return prefix + f.Name
			}
		}
		if found := Aka(f.Sub, prefix+f.Name+".", word); found != "" {
			return found
		}
	}
	return ""
}

// Elsewhere returns the path of the field called word that is not among fields but
// in another table of the definition, or "".
func Elsewhere(word string) string {
	if Find(Definition, word) != nil {
		return word
	}
	for i := range Definition {
		if Find(Definition[i].Sub, word) != nil {
			return Definition[i].Name + "." + word
		}
	}
	return ""
}
