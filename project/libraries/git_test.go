package libraries

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakeGit puts a shell script in the place of git.
func fakeGit(t *testing.T, script string) git {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "git"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return git{t.TempDir()}
}

func TestGitEnvironment(t *testing.T) {
	for name, value := range map[string]string{"GIT_DIR": "x", "GIT_EXEC_PATH": "x", "GIT_SSH_COMMAND": "x", "GIT_CONFIG_COUNT": "1", "GIT_ASKPASS": "x",
		"LD_PRELOAD": "", "SECRET": "x", "LC_ALL": "de_DE.UTF-8", "HOME": "/home/me", "https_proxy": "http://proxy"} {
		t.Setenv(name, value)
	}
	out, err := fakeGit(t, `env; echo "args: $*"; cat`).run(context.Background(), []byte("in"), "fetch", "--", "x")
	if err != nil {
		t.Fatal(err)
	}
	got := "\n" + string(out)
	for _, line := range []string{"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS=", "GIT_ALLOW_PROTOCOL=file:http:https:ssh", "LC_ALL=C", "HOME=/home/me", "https_proxy=http://proxy",
		"GIT_SSH_COMMAND=ssh -oBatchMode=yes"} {
		if !strings.Contains(got, "\n"+line+"\n") {
			t.Errorf("%s is missing", line)
		}
	}
	for _, name := range []string{"GIT_DIR", "GIT_EXEC_PATH", "GIT_CONFIG_COUNT", "SECRET", "LD_PRELOAD"} {
		if strings.Contains(got, "\n"+name+"=") {
			t.Errorf("%s reaches git", name)
		}
	}
	if !strings.Contains(got, "core.hooksPath=/dev/null") || !strings.HasSuffix(got, "fetch -- x\nin") {
		t.Errorf("git is called otherwise: %s", got[strings.Index(got, "args:"):])
	}
}

func TestGitErrors(t *testing.T) {
	for _, tc := range []struct{ script, want, hint string }{
		{"echo 'fatal: one' >&2; echo 'error: two' >&2; exit 128", "git fetch: one\ntwo", ""},
		{"exit 3", "git fetch: exit status 3", ""},
		{"echo 'fatal: could not read Username: terminal prompts disabled' >&2; exit 128", "could not read Username", "credential helper"},
		{"dd if=/dev/zero of=pack bs=1 count=1 seek=300M; case $? in 0) ;; *) echo died of signal 25 >&2; exit 1 ;; esac", "signal 25", "more than 256 MiB"},
	} {
		_, err := fakeGit(t, tc.script).run(context.Background(), nil, "fetch")
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.script, err)
			continue
		}
		var h *hinted
		if errors.As(err, &h) != (tc.hint != "") || tc.hint != "" && !strings.Contains(h.hint, tc.hint) {
			t.Errorf("%s: the hint of %#v", tc.script, err)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := (git{t.TempDir()}).run(context.Background(), nil, "fetch"); err == nil || !strings.Contains(err.Error(), "git is not installed") {
		t.Errorf("without git: %v", err)
	}
}

// TestGitHangs: one that never ends is ended with the caller's context.
func TestGitHangs(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := fakeGit(t, "exec sleep 1000").run(ctx, nil, "fetch"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestLimited(t *testing.T) {
	l := limited{most: 4}
	for _, s := range []string{"ab", "cd", "", "ef"} {
		if n, err := l.Write([]byte(s)); n != len(s) || err != nil {
			t.Error(n, err)
		}
	}
	if l.text() != "abcd" || !l.full {
		t.Errorf("%q, %v", l.text(), l.full)
	}
}

func TestChoose(t *testing.T) {
	commit := strings.Repeat("c", 40)
	f := refs{head: "h", branches: map[string]string{"main": "m", "v1": "b", "-x": "x"}, tags: map[string]string{"v1.0.0": "1", "v1.1.0": "2", "nightly": "n", "v2.0.0-rc.1": "r"}}
	for wanted, want := range map[string]string{"": "v1.1.0 2", "v1": "v1.1.0 2", "v1.0": "v1.0.0 1", "1.0.0": "v1.0.0 1", "nightly": "nightly n", "main": "main m",
		"v2.0.0-rc.1": "v2.0.0-rc.1 r", commit: commit + " " + commit} {
		if ref, id, err := f.choose(wanted); err != nil || ref+" "+id != want {
			t.Errorf("%q is %s %s, %v; wanted %s", wanted, ref, id, err, want)
		}
	}
	for _, tc := range []struct {
		refs refs
		want string
	}{
		{f, "the newest release is v1.1.0"}, {refs{branches: map[string]string{"b": "", "a": ""}}, "branches are a, b"}, {refs{}, "empty"},
	} {
		var h *hinted
		if _, _, err := tc.refs.choose("v9"); !errors.As(err, &h) || !strings.Contains(h.hint, tc.want) {
			t.Errorf("%v, wanted %s", err, tc.want)
		}
	}
	if ref, id, err := (&refs{head: "h"}).choose(""); err != nil || ref != "HEAD" || id != "h" {
		t.Error(ref, id, err)
	}
}

func TestParseBlobs(t *testing.T) {
	entries := []entry{{name: "a", size: 2, id: "1"}, {name: "b", size: 0, id: "2"}}
	got, err := parseBlobs(entries, []byte("1 blob 2\nx\n\n2 blob 0\n\n"))
	if err != nil || len(got) != 2 || string(got[0].text) != "x\n" || len(got[1].text) != 0 {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"", "1 missing\n", "1 blob 3\nxyz\n2 blob 0\n\n", "1 blob 2\nx\n\n", "1 blob 2\nx", "1 tree 2\nx\n\n2 blob 0\n\n"} {
		if _, err := parseBlobs(entries, []byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
