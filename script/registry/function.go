package registry

// Phase is a set of times at which a function can be called.
type Phase uint8

// The phases.
const (
	Loading Phase = 1 << iota // while the recipe is loaded
	InHooks                   // by hooks
	Always  = Loading | InHooks
)

// String words a phase: "while loading".
func (p Phase) String() string {
	return [...]string{Loading: "while loading", InHooks: "in hooks", Always: "while loading and in hooks"}[p]
}

// Function is a function of a module, or a method.
type Function struct {
	Name string
	Args []Field
	// Other are the arguments of another way to call it, and Otherwise what that returns.
	Other     []Field
	Otherwise Field
	// Returns has a Kind, a Doc and perhaps fields; Nothing when there is no result.
	Returns Field
	Phase   Phase
	// Collects is set when wrong arguments are noted beside all other problems, and
	// do not end the load.
	Collects bool
	Doc      string
	// Example is Lua: an expression, or a statement. The modules are there by name.
	Example string
	// Gives is what an example that is an expression evaluates to, as Lua.
	Gives string
	// Aka are words that people try for it.
	Aka []string
}

// Module is what require gives for a reserved name.
type Module struct {
	Name string
	Doc  string
	// Later is set for a name that is reserved and not there yet.
	Later string
	Aka   []string
}

// Reserved is the names of modules: those that exist, and those to come.
var Reserved = []Module{
	{Name: "sandbox", Doc: "Containers, their parts, parameters and declared inputs."},
	{Name: "fs", Doc: "Files below the project, read while the recipe is loaded.", Aka: []string{"io", "file", "files", "os"}},
	{Name: "path", Doc: "Arithmetic on paths with slashes; no file is looked at.", Aka: []string{"filepath"}}, {Name: "json", Doc: "JSON texts, read and written.", Aka: []string{"cjson", "dkjson"}}, {Name: "yaml", Doc: "YAML texts, read and written.", Aka: []string{"yml", "lyaml"}}, {Name: "toml", Doc: "TOML texts, read and written.", Aka: []string{"ini", "cfg"}},
	{Name: "strings", Doc: "Texts, without patterns; what Lua's own string library has not.", Aka: []string{"str", "text"}}, {Name: "tables", Doc: "Tables made of tables; what is given is not changed.", Aka: []string{"table", "list", "lists"}}, {Name: "time", Doc: "Lengths of time, sizes and dates as they are written; the clock, in hooks.", Aka: []string{"duration", "size", "date", "clock"}}, {Name: "hash", Doc: "Hashes of texts; fs.hash is of files.", Aka: []string{"crypto", "sha256", "checksum"}},
	{Name: "base64", Doc: "Any bytes as text, and back.", Aka: []string{"b64"}}, {Name: "template", Doc: "Texts with gaps, filled in; no code.", Aka: []string{"templates", "mustache", "envsubst"}}, {Name: "semver", Doc: "Versions: which comes first, and which are in a range.", Aka: []string{"version", "versions"}}, {Name: "url", Doc: "URLs and their queries.", Aka: []string{"urls", "uri", "urllib"}},
	{Name: "log", Doc: "Lines for the user, with the recipe's line that says them.", Aka: []string{"logging", "console"}}, {Name: "test", Doc: "Tests of recipes.", Later: "tests of recipes"},
}

// FindModule returns the reserved module with a name, or nil.
func FindModule(name string) *Module {
	for i := range Reserved {
		if Reserved[i].Name == name {
			return &Reserved[i]
		}
	}
	return nil
}

// Runner is the names of the runner's own flags, which a recipe's parameters cannot
// take.
var Runner = []string{"json", "quiet", "keep", "result", "help", "id", "project", "set", "each", "jobs", "logs", "allow", "verbose", "version", "no-color", "color", "h", "q", "v"}

// Chosen tells whether a word is one of a field's choices.
func Chosen(f *Field, word string) bool {
	for _, c := range f.Choices {
		if c == word {
			return true
		}
	}
	return false
}
