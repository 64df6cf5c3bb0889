package docs

import (
	"slices"
	"strings"

	"sandbox/script/registry"
	"sandbox/script/vm"
)

// Names lists what can be looked up.
func Names() []string {
	var names []string
	for _, t := range Topics() {
		names = append(names, t.Name)
	}
	return names
}

// Find returns the topics that a word means: by its name; by its last part, when no
// name is the word; or by a word that people try for it, which tried tells. near is
// the nearest name when there is none.
func Find(word string) (found []Topic, tried bool, near string) {
	all := Topics()
	word = strings.TrimSuffix(strings.TrimSpace(word), "()")
	pick := func(match func(*Topic) bool) []Topic {
		var some []Topic
		for i := range all {
			if match(&all[i]) {
				some = append(some, all[i])
			}
		}
		return some
	}
	if found = pick(func(t *Topic) bool { return same(t.Name, word) }); found != nil {
		return found, false, ""
	}
	if found = pick(func(t *Topic) bool { return last(t.Name) == word }); found != nil {
		return found, false, ""
	}
	if found = pick(func(t *Topic) bool {
		return slices.Contains(t.Aka, word) || slices.Contains(t.Aka, last(word)) && parent(t.Name) == parent(word)
	}); found != nil {
		return found, true, ""
	}
	names := Names()
	if near = vm.Suggest(word, names); near == "" {
		for _, name := range names {
			if vm.Suggest(last(word), []string{last(name)}) != "" && (near == "" || parent(name) == parent(word)) {
				near = name
			}
		}
	}
	return nil, false, near
}

// Later says what a name is reserved for, or "".
func Later(name string) string {
	if f := registry.Find(registry.Definition, name); f != nil {
		return f.Later
	}
	if m := registry.FindModule(name); m != nil {
		return m.Later
	}
	return ""
}

// Others are the names of further topics whose last part is a word, beside those that
// were found.
func Others(word string, found []Topic) []string {
	var others []string
	for _, t := range Topics() {
		if last(t.Name) == last(word) && !slices.ContainsFunc(found, func(f Topic) bool { return f.Name == t.Name }) {
			others = append(others, t.Name)
		}
	}
	return others
}

// same compares names; ctx.log is ctx:log, and container.extend is c:extend.
func same(name, word string) bool {
	if head, tail, ok := strings.Cut(word, "."); ok && (head == "container" || head == "c") && registry.Find(registry.Definition, tail) == nil {
		word = "c:" + tail
	}
	return strings.ReplaceAll(name, ":", ".") == strings.ReplaceAll(word, ":", ".")
}

func last(name string) string { return name[strings.LastIndexAny(name, ".:")+1:] }

func parent(name string) string { return name[:max(0, strings.LastIndexAny(name, ".:"))] }
