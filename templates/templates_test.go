package templates

import (
	"slices"
	"strings"
	"testing"
)

// TestTemplates: each has what every project needs, and nothing that is not text.
func TestTemplates(t *testing.T) {
	names := Names()
	if !slices.Equal(names, []string{"c", "go", "minimal", "node", "python"}) {
		t.Errorf("there are %v", names)
	}
	for _, name := range names {
		tmpl, err := Find(name)
		if err != nil {
			t.Fatal(err)
		}
		if tmpl.About == "" || strings.Contains(tmpl.About, "\n") {
			t.Errorf("%s is about %q", name, tmpl.About)
		}
		var has []string
		for _, f := range tmpl.For("shop", true) {
			if f.Name == "" || f.Text == "" || !strings.HasSuffix(f.Text, "\n") || strings.Contains(f.Text, "{{") {
				t.Errorf("%s: %q is %q", name, f.Name, f.Text)
			}
			if !f.Sample {
				has = append(has, f.Name)
			}
		}
		if want := []string{"build.lua", "sandbox.toml", "README.md", ".gitignore"}; !slices.Equal(has, want) {
			t.Errorf("%s has %v, wanted %v", name, has, want)
		}
		if plain := tmpl.For("shop", false); len(plain) != len(has) {
			t.Errorf("%s without its sample has %d files", name, len(plain))
		}
	}
	if _, err := Find("cobol"); err == nil {
		t.Error("there is a template for cobol")
	}
}
