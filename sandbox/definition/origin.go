package definition

import "strconv"

// Origin is the place in a recipe that set a field.
type Origin struct {
	// File is the recipe's name as the user gave it.
	File string `json:"file"`
	// Line counts from 1; 0 means that only the file is known.
	Line int `json:"line,omitempty"`
	// Via is the line in a library behind it, as "file:line"; may be empty.
	Via string `json:"via,omitempty"`
}

// IsZero reports whether nothing is known.
func (o Origin) IsZero() bool { return o.File == "" }

// String returns "file:line", "file:line (via lib.lua:3)", "file", or "".
func (o Origin) String() string {
	s := o.File
	if o.Line > 0 {
		s += ":" + strconv.Itoa(o.Line)
	}
	if o.Via != "" {
		s += " (via " + o.Via + ")"
	}
	return s
}

// Origins maps a field path ("limits.memory", "mounts[2].source",
// "process.args[1]"; list items count from 1, as in Lua) to its origin.
type Origins map[string]Origin

// Of returns the origin of a field path, or else that of the nearest enclosing
// field that has one: "mounts[2].source" falls back to "mounts[2]", then "mounts".
func (o Origins) Of(path string) Origin {
	if at, ok := o.Given(path); ok {
		return at
	}
	return o[""]
}

// Given is Of for what was written in the container's table: false where neither
// the field nor one that encloses it was.
func (o Origins) Given(path string) (Origin, bool) {
	for path != "" {
		if at, ok := o[path]; ok {
			return at, true
		}
		path = parent(path)
	}
	return Origin{}, false
}

func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}
