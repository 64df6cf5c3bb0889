package registry

// Kind is what values a field takes, or an argument, or what a function returns.
type Kind uint8

// The kinds, with the Lua values they stand for.
const (
	Nothing   Kind = iota // not described; of what is returned: nothing
	Text                  // a string
	Path                  // a string that names a file or folder
	HostPath              // a string that names a file or folder of this machine
	Name                  // a string that names something else
	Printable             // a string or a number
	Bool                  // true or false, nothing else
	Count                 // a whole number
	Number                // a number, fractions allowed
	Size                  // "512M", or a whole number of bytes
	Time                  // "90s", "1h30m"
	Mode                  // an octal string, "022"
	Texts                 // a list of strings
	Command               // a list of strings, or one string for /bin/sh -c
	Words                 // a table from names to strings
	Table                 // a table with the fields of Sub
	Options               // the same, as the argument of a function
	Mounts                // a list of what sandbox.bind and its like return
	Mount                 // what sandbox.bind and its like return
	Rootfs                // "host", "host-readonly", or what a builder returns
	Container             // what sandbox.container returns
	Choice                // one of a few words
	List                  // a list of anything
	Map                   // any table
	Func                  // a function
	Pairs                 // what stands after "in" in a for loop
	Any                   // any value
	Other                 // described by Doc and Lua alone
)

// kinds words each kind for errors and documentation, and for editors: the type of
// a LuaLS annotation.
var kinds = [...]struct{ words, lua string }{
	Nothing:   {"nothing", "nil"},
	Text:      {"a string", "string"},
	Path:      {"a path", "string"},
	HostPath:  {"a host path", "string"},
	Name:      {"a name", "string"},
	Printable: {"a string or a number", "string|number"},
	Bool:      {"true or false", "boolean"},
	Count:     {"a whole number", "integer"},
	Number:    {"a number", "number"},
	Size:      {"a size like \"512M\"", "string|integer"},
	Time:      {"a time like \"90s\"", "string"},
	Mode:      {"an octal string like \"022\"", "string"},
	Texts:     {"a list of strings", "string[]"},
	Command:   {"a list of strings, or one string for /bin/sh -c", "string|string[]"},
	Words:     {"a table of strings", "table<string, string|number|false>"},
	Table:     {"a table", "table"},
	Options:   {"a table of options", "table"},
	Mounts:    {"a list of mounts", "(sandbox.Mount|false)[]|table<string, false>"},
	Mount:     {"a mount", "sandbox.Mount"},
	Rootfs:    {"\"host\", \"host-readonly\" or a builder's value", "sandbox.Rootfs"},
	Container: {"a container", "sandbox.Container"},
	Choice:    {"a word", "string"},
	List:      {"a list", "any[]"},
	Map:       {"a table", "table"},
	Func:      {"a function", "function"},
	Pairs:     {"an iterator", "fun(): any, any"},
	Any:       {"a value", "any"},
	Other:     {"a value", "any"},
}

// String returns what is wanted, with its article: "a size like \"512M\"".
func (k Kind) String() string { return kinds[k].words }

// LuaType returns the type of a field as editors are told it, but for those that
// have fields of their own: they are classes.
func (f *Field) LuaType() string {
	if f.Lua != "" {
		return f.Lua
	}
	if f.Kind != Choice || len(f.Choices) == 0 {
		return kinds[f.Kind].lua
	}
	text := ""
	for i, c := range f.Choices {
		if i > 0 {
			text += "|"
		}
		text += "\"" + c + "\""
	}
	return text
}
