package registry

import "testing"

// walk visits all fields with their paths.
func walk(fields []Field, prefix string, visit func(string, *Field)) {
	for i := range fields {
		visit(prefix+fields[i].Name, &fields[i])
		walk(fields[i].Sub, prefix+fields[i].Name+".", visit)
	}
}

func TestFieldsAreDescribed(t *testing.T) {
	words := map[string]string{}
	walk(Definition, "", func(path string, f *Field) {
		if f.Later == "" && (f.Doc == "" || f.Kind != Table && f.Example == "" && f.Name != "description") {
			t.Errorf("%s has no description or no example", path)
		}
		for _, word := range f.Aka {
			if Find(Definition, word) != nil {
				t.Errorf("%s: %q is a field itself", path, word)
			}
			if other := words[word]; other != "" && word != "groups" && word != "gids" {
				t.Errorf("%q is both %s and %s", word, other, path)
			}
			words[word] = path
		}
	})
}

func TestAka(t *testing.T) {
	for word, want := range map[string]string{"volumes": "mounts", "command": "process.args", "image": "rootfs",
		"mem_limit": "limits.memory", "timeout": "limits.wall", "cap_add": "caps", "ulimits": "rlimits", "nonsense": ""} {
		if got := Aka(Definition, "", word); got != want {
			t.Errorf("%s means %q, wanted %q", word, got, want)
		}
	}
	for word, want := range map[string]string{"args": "process.args", "env": "process.env", "cwd": "process.cwd", "user": "process.user", "memory": "limits.memory", "x": ""} {
		if got := Elsewhere(word); got != want {
			t.Errorf("%s is at %q, wanted %q", word, got, want)
		}
	}
}

func TestStageNames(t *testing.T) {
	if got := (Prestart | Collect).String(); got != "prestart, collect" {
		t.Error(got)
	}
	if ParseStage("collect") != Collect || ParseStage("x") != 0 {
		t.Error("stages are misread")
	}
}
