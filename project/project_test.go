package project

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTakes(t *testing.T) {
	for _, tc := range []struct {
		wanted, ref string
		want        bool
	}{
		{"", "v1.0.0", true}, {"", "main", true}, {"main", "main", true}, {"main", "v1.0.0", false},
		{"v1", "v1", true}, {"v1", "v1.4.0", true}, {"v1", "v10.0.0", false}, {"1.4", "v1.4.2", true}, {"v1.4", "1.4.2", true},
		{"v1.4.0", "v1.4.0", true}, {"v1.4.0", "v1.4.1", false}, {"v1", "main", false}, {"release/v1", "v1.0.0", false},
	} {
		if got := Takes(tc.wanted, tc.ref); got != tc.want {
			t.Errorf("%q takes %q: %v", tc.wanted, tc.ref, got)
		}
	}
}

func TestNewestTag(t *testing.T) {
	tags := []string{"nightly", "v0.9.0", "v1.10.0", "v1.9.0", "v2.0.0-rc.1", "v2.0.0-rc.2", "3.0.0-beta"}
	for wanted, want := range map[string]string{"": "v1.10.0", "v1": "v1.10.0", "1.9": "v1.9.0", "v0": "v0.9.0", "v2": "",
		"v2.0.0-rc.1": "v2.0.0-rc.1", "nightly": "nightly", "v3": "", "3.0.0-beta": "3.0.0-beta"} {
		if got := NewestTag(tags, wanted); got != want {
			t.Errorf("the newest of %q is %q, wanted %q", wanted, got, want)
		}
	}
}

func TestIsVersion(t *testing.T) {
	for _, s := range []string{"v1", "v1.2.0", "main", "release/1.0", "v1.0.0-rc.1+5", strings.Repeat("a", 40)} {
		if !IsVersion(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{"", "-x", "--upload-pack=x", "a b", "a..b", "a:b", "a~1", "HEAD^", "a\nb", "/a", "a/", ".a", "a/.b", "a.lock", "@{u}", "@", "a\\b", "\x1b[m"} {
		if IsVersion(s) {
			t.Errorf("%q is taken", s)
		}
	}
}

// TestDigest compares with what the documentation says to type.
func TestDigest(t *testing.T) {
	dir := t.TempDir()
	var sums Sums
	for _, name := range []string{"LICENSE", "a-b.lua", "a/b.lua", "a0.lua", "init.lua", "library.toml"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("return "+name), 0o600); err != nil {
			t.Fatal(err)
		}
		sums = append(sums, SumOf(name, []byte("return "+name)))
	}
	for _, tool := range []string{"sh", "find", "sort", "xargs", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("missing: %v", err)
		}
	}
	cmd := exec.Command("sh", "-c", `find . -type f -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum`)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := "sha256:" + strings.Fields(string(out))[0]; sums.Digest() != want {
		t.Errorf("the digest is %s, and that of the shell %s", sums.Digest(), want)
	}
	if sums.Find("a/b.lua") != sums[2].SHA256 || sums.Find("b.lua") != "" {
		t.Error("files are not found by their names")
	}
}

func TestCheckNames(t *testing.T) {
	for _, names := range [][]string{{"init.lua", "sub/a.lua", "sub/b.lua"}, {"a/a", "b"}, {"é.lua"}} {
		if name, problem := CheckNames(names); problem != "" {
			t.Errorf("%q: %s: %s", names, name, problem)
		}
	}
	for _, tc := range []struct {
		names []string
		want  string
	}{
		{[]string{"../x.lua"}, "leads elsewhere"}, {[]string{"a/../../x"}, "leads elsewhere"}, {[]string{"/etc/x"}, "leads elsewhere"},
		{[]string{"a//b"}, "leads elsewhere"}, {[]string{"a/"}, "leads elsewhere"}, {[]string{"./a"}, "leads elsewhere"}, {[]string{""}, "empty"},
		{[]string{".git/hooks/x"}, "git"}, {[]string{"a/.GIT"}, "git"}, {[]string{"a\nb"}, "cannot be shown"}, {[]string{"a\x1b[m"}, "cannot be shown"},
		{[]string{"a\\b"}, "not all"}, {[]string{"c:x"}, "not all"}, {[]string{"\xff"}, "cannot be shown"}, {[]string{"a\u202eb"}, "cannot be shown"},
		{[]string{"Init.lua", "init.lua"}, "same as Init.lua"}, {[]string{"A/x", "a/y"}, "same as A"}, {[]string{"a/b", "A"}, "same as a"},
		{[]string{strings.Repeat("x", 201)}, "longer"}, {[]string{"a."}, "dot"}, {make([]string, MaxFiles+1), "at most"},
	} {
		if _, problem := CheckNames(tc.names); !strings.Contains(problem, tc.want) {
			t.Errorf("%.40q: %q, wanted %s", tc.names, problem, tc.want)
		}
	}
}

func TestParseURL(t *testing.T) {
	for text, remote := range map[string]bool{"https://example.org/a.git": true, "ssh://git@example.org:22/a": true, "file:///a": true,
		"git@example.org:a/b.git": true, "host:a": true, "./a:b": false, "libs/greet": false, "/srv/a": false, "../a": false, "greet": false} {
		got, problem, _ := ParseURL(text)
		if got != remote || remote != (problem == "") {
			t.Errorf("%s: remote %v, %s", text, got, problem)
		}
	}
}

func TestSplitVersion(t *testing.T) {
	for text, want := range map[string][2]string{"https://me@example.org/a.git@v1": {"https://me@example.org/a.git", "v1"}, "git@example.org:a/b.git": {"git@example.org:a/b.git", ""},
		"git@example.org:a.git@release/1": {"git@example.org:a.git", "release/1"}, "https://me@host": {"https://me@host", ""}, "greet@v2": {"greet", "v2"},
		"greet": {"greet", ""}, "file:///a@": {"file:///a", ""}, "": {"", ""}} {
		if source, version := SplitVersion(text); source != want[0] || version != want[1] {
			t.Errorf("%s is %s and %s", text, source, version)
		}
	}
}

// TestEdit changes one library and nothing else.
func TestEdit(t *testing.T) {
	pg := Source{Name: "pg", Git: "https://example.org/pg.git", Version: "v2"}
	greet := Source{Name: "greet", Path: `libs/"greet"`}
	for _, tc := range []struct{ name, text, with, without string }{
		{"empty", "", "[libraries]\npg = { git = \"https://example.org/pg.git\", version = \"v2\" }\n", ""},
		{"first", "name = \"x\" # mine", "name = \"x\" # mine\n\n[libraries]\npg = { git = \"https://example.org/pg.git\", version = \"v2\" }\n", "name = \"x\" # mine"},
		{"one more", "[libraries]\n# a\na = \"a\"\n", "[libraries]\n# a\na = \"a\"\npg = { git = \"https://example.org/pg.git\", version = \"v2\" }\n", "[libraries]\n# a\na = \"a\"\n"},
		{"replaced", "[libraries]\npg = \"x\"\nb = \"b\"\n", "[libraries]\npg = { git = \"https://example.org/pg.git\", version = \"v2\" }\nb = \"b\"\n", "[libraries]\nb = \"b\"\n"},
		{"long", "[libraries]\npg = {\n  path = \"x\", # why\n}\nb = \"b\"\n", "[libraries]\npg = { git = \"https://example.org/pg.git\", version = \"v2\" }\nb = \"b\"\n", "[libraries]\nb = \"b\"\n"},
		{"dotted", "libraries.pg = \"x\"\nname = \"n\"\n", "libraries.pg = { git = \"https://example.org/pg.git\", version = \"v2\" }\nname = \"n\"\n", "name = \"n\"\n"},
		{"table", "[libraries.pg]\npath = \"x\"\n[libraries.b]\npath = \"b\"\n", "[libraries.pg]\ngit = \"https://example.org/pg.git\"\nversion = \"v2\"\n[libraries.b]\npath = \"b\"\n", "[libraries.b]\npath = \"b\"\n"},
		{"beside a table", "[libraries.b]\npath = \"b\"\n", "[libraries.b]\npath = \"b\"\n\n[libraries]\npg = { git = \"https://example.org/pg.git\", version = \"v2\" }\n", "[libraries.b]\npath = \"b\"\n"},
	} {
		if got, ok := WithLibrary([]byte(tc.text), pg); !ok || string(got) != tc.with {
			t.Errorf("%s: with: %v\n%s", tc.name, ok, got)
		}
		if got, ok := WithoutLibrary([]byte(tc.text), "pg"); !ok || string(got) != tc.without {
			t.Errorf("%s: without: %v\n%s", tc.name, ok, got)
		}
		if got, ok := WithLibrary([]byte(tc.text), greet); !ok || !strings.Contains(string(got), `"libs/\"greet\""`) {
			t.Errorf("%s: a folder: %v\n%s", tc.name, ok, got)
		}
	}
	for _, text := range []string{"libraries = { pg = \"x\", b = \"b\" }\n", "name = [\n"} {
		if got, ok := WithLibrary([]byte(text), pg); ok {
			t.Errorf("%s is edited to %s", text, got)
		}
	}
}

func TestLockPutRemove(t *testing.T) {
	var l Lock
	for _, name := range []string{"b", "a", "c", "b"} {
		l.Put(Locked{Name: name, Version: fmt.Sprint(len(l.Libraries))})
	}
	l.Remove("c")
	names := []string{}
	for i := range l.Libraries {
		names = append(names, l.Libraries[i].ID())
	}
	if !slices.Equal(names, []string{"a@1", "b@3"}) || l.Find("a") == nil || l.Find("c") != nil {
		t.Error(names)
	}
}

// FuzzParse reads arbitrary text as each of the files: what is taken can be written
// again, and what is said of the rest can be shown on a terminal.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		_, text2, _ := strings.Cut(string(text), " --\n")
		source, _, _ := strings.Cut(text2, "-- want --")
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err1 := ParseFile("f", []byte(text))
		_, err2 := ParseManifest("f", []byte(text))
		lock, err3 := ParseLock("f", []byte(text))
		for _, err := range []error{err1, err2, err3} {
			if err == nil {
				continue
			}
			for _, c := range strings.ReplaceAll(err.Error(), "\n", "") {
				if c < 0x20 || c == 0x7f {
					t.Errorf("a control character in %q", err)
				}
			}
		}
		if err1 == nil {
			for i := range file.Libraries {
				s := file.Libraries[i]
				if edited, ok := WithoutLibrary([]byte(text), s.Name); ok {
					if again, err := ParseFile("f", edited); err != nil || again.Library(s.Name) != nil {
						t.Errorf("%q without %s is %q: %v", text, s.Name, edited, err)
					}
				}
			}
		}
		if err3 == nil {
			again, err := ParseLock("f", lock.Format())
			if err != nil || string(again.Format()) != string(lock.Format()) {
				t.Errorf("%q is written as %q: %v", text, lock.Format(), err)
			}
		}
	})
}
