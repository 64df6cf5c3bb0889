//go:build cgo

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/seccomp"
)

func TestCompile(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		var out bytes.Buffer
		in := strings.NewReader(`{"default":"errno","rules":[{"names":["read"],"action":"allow"}]}` + "\n")
		if status := run([]string{"seccomp", "compile", "--arch", arch}, in, &out); status != 0 {
			t.Fatalf("status %d", status)
		}
		if err := seccomp.Check(out.Bytes()); err != nil {
			t.Error(err)
		}
	}
}

func TestDefaultToFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "filter")
	var out bytes.Buffer
	if status := run([]string{"seccomp", "default", "--arch", "arm64", "--output", file}, nil, &out); status != 0 || out.Len() != 0 {
		t.Fatalf("status %d, output %q", status, out.String())
	}
	bpf, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := seccomp.Check(bpf); err != nil {
		t.Error(err)
	}
}

func TestProblemsAsJSON(t *testing.T) {
	var out bytes.Buffer
	status := run([]string{"seccomp", "compile"}, strings.NewReader(`{"default":"errno","rules":[{"names":["opne"],"action":"allow"}]}`), &out)
	var problems definition.Problems
	if err := json.Unmarshal(out.Bytes(), &problems); err != nil || status != seccomp.ExitProblems {
		t.Fatalf("status %d, %v: %s", status, err, out.String())
	}
	if want := `rules[1].names[1]: unknown system call "opne" (did you mean "open"?)`; problems.Error() != want {
		t.Errorf("%s, want %s", problems, want)
	}
}

func TestBadInput(t *testing.T) {
	for _, input := range []string{"", "{", "[]", `{"default":"allow"} {}`, `{"defualt":"allow"}`, `{"default":1}`, `{"default":"allow","rules":[{"args":[{"value":-1}]}]}`} {
		var out bytes.Buffer
		if status := run([]string{"seccomp", "compile"}, strings.NewReader(input), &out); status != 1 || out.Len() != 0 {
			t.Errorf("%q: status %d, output %q", input, status, out.String())
		}
	}
	for _, args := range [][]string{{"nonsense"}, {"seccomp", "default", "--arch", "mips"}, {"seccomp", "default", "more"}, {"version", "--frob"}} {
		var out bytes.Buffer
		if status := run(args, strings.NewReader(""), &out); status != 1 {
			t.Errorf("%q: status %d", args, status)
		}
	}
}

func TestVersion(t *testing.T) {
	var out bytes.Buffer
	if status := run([]string{"version"}, nil, &out); status != 0 || !strings.Contains(out.String(), "\nlibseccomp 2.") {
		t.Errorf("status %d: %s", status, out.String())
	}
}
