// Package registry says what a recipe can say: the fields of a definition, the
// functions of each module, what hooks may do at which stage, and the words that
// people try from other tools. Documentation, editor stubs, completion, decoding
// and error messages come from it.
//
// Everything is a package-level literal that the linker lays out: no init task, no
// map, no reflection. Function calls, maps and references between literals that
// would need one are to be kept out.
package registry

// Kind is what values a field or an argument takes.
type Kind uint8

// The kinds, with the Lua values they take.
const (
	Text    Kind = iota // a string
	Bool                // true or false, nothing else
	Count               // a whole number
	Number              // a number, fractions allowed
	Size                // "512M", or a whole number of bytes
	Time                // "90s", "1h30m"
	Mode                // an octal string, "022"
	Texts               // a list of strings
	Command             // a list of strings, or one string for /bin/sh -c
	Words               // a table from names to strings
	Table               // a table with the fields of Sub
	Mounts              // a list of what sandbox.bind and its like return
	Rootfs              // "host", "host-readonly", or what a builder returns
	Choice              // one of a few words
	Other               // described by Doc alone
)

// kinds words each kind for errors and documentation.
var kinds = [...]string{
	Text: "a string", Bool: "true or false", Count: "a whole number", Number: "a number",
	Size: "a size like \"512M\"", Time: "a time like \"90s\"", Mode: "an octal string like \"022\"",
	Texts: "a list of strings", Command: "a list of strings, or one string for /bin/sh -c",
	Words: "a table of strings", Table: "a table", Mounts: "a list of mounts",
	Rootfs: "\"host\", \"host-readonly\" or a builder's value", Choice: "a word", Other: "a value",
}

// String returns what is wanted, with its article: "a size like \"512M\"".
func (k Kind) String() string { return kinds[k] }

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

// Field is one field of a definition.
type Field struct {
	// Name is the word in Lua; it is the JSON key unless JSON says otherwise.
	Name string
	// JSON is the path in the JSON form where Lua says the opposite, as init and
	// no_init; usually empty.
	JSON string
	Kind Kind
	// Doc is one or two sentences, with units.
	Doc     string
	Example string // Lua, as it would stand after the name and "="
	Default string // in words or Lua
	Merge   Merge
	// Strict makes a value of nil here, and below, an error: it would lift a limit.
	Strict bool
	// Aka are words that people try for this field, wherever they put them.
	Aka []string
	// Later is set for reserved names, and says so.
	Later string
	Sub   []Field
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
