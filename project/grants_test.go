package project

import "testing"

func TestCovers(t *testing.T) {
	for _, test := range []struct {
		grant, kind, value string
		want               bool
	}{
		{"read=/srv", "read", "/srv/x", true}, {"read=/srv", "read", "/srv", true}, {"read=/srv", "read", "/srvx", false},
		{"read=/srv", "write", "/srv/x", false}, {"write=/srv", "read", "/srv/x", true}, {"write=./out", "write", "/p/out/a", true},
		{"read=./", "read", "/p/a", true}, {"read=/", "read", "/etc", true}, {"write=out", "write", "/p/outer", false},
		{"host=net", "host", "net", true}, {"host=net", "host", "pid", false}, {"exec=git", "exec", "git", true}, {"net=a.org", "host", "net", false},
	} {
		g, err := ParseGrant(test.grant)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.Covers(test.kind, test.value, "/p"); got != test.want {
			t.Errorf("%s covers %s=%s: %v", test.grant, test.kind, test.value, got)
		}
	}
	if _, err := ParseGrant("host=pit"); err == nil || err.Error() == "" {
		t.Error("a namespace that is none")
	}
}
