package definition

import "strconv"

// Join returns the path of a key below a field: "limits.memory"; a key that is no
// word is put in brackets: `artifacts["/out"]`.
func Join(path, key string) string {
	switch {
	case !isWord(key):
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

// Item returns the path of a list's item, from 1: "mounts[2]".
func Item(path string, index int) string {
	return path + "[" + strconv.Itoa(index) + "]"
}

func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
