package seccomp

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sandbox/sandbox/definition"
)

var testPolicy = definition.Seccomp{Mode: definition.SeccompPolicy, Policy: &definition.Policy{
	Default: definition.ActionErrno,
	Rules: []definition.PolicyRule{{Names: []string{"read"}, Action: definition.ActionAllow,
		Args: []definition.PolicyArg{{Op: ">", Value: 1 << 63}}}},
}}

// buildKit builds the real sandbox-kit.
func buildKit(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), kitName)
	cmd := exec.Command("go", "build", "-o", path, "sandbox/cmd/sandbox-kit")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build sandbox-kit: %v\n%s", err, out)
	}
	return path
}

// TestRealKit compiles through the program itself; what the filters mean is tested
// in package compile.
func TestRealKit(t *testing.T) {
	kit := buildKit(t)
	cache := filepath.Join(t.TempDir(), "a", "cache")
	filters := map[string][]byte{}
	for _, arch := range []string{"amd64", "arm64"} {
		bpf, err := Filter(testPolicy, Options{Arch: arch, CacheDir: cache, Kit: kit})
		if err != nil {
			t.Fatal(err)
		}
		filters[arch] = bpf
		again, err := Filter(testPolicy, Options{Arch: arch, CacheDir: cache, Kit: kit})
		if err != nil || !bytes.Equal(bpf, again) {
			t.Errorf("%s: from the cache: %d bytes, %v", arch, len(again), err)
		}
	}
	if bytes.Equal(filters["amd64"], filters["arm64"]) {
		t.Error("both architectures have the same filter")
	}
	if entries, err := os.ReadDir(cache); err != nil || len(entries) != 2 {
		t.Errorf("cache: %v, %v", entries, err)
	}

	bad := testPolicy
	bad.Policy = &definition.Policy{Default: "errno", Rules: []definition.PolicyRule{{Names: []string{"read", "wirte"}, Action: "allow"}, {Action: "deny"}}}
	_, err := Filter(bad, Options{Arch: "amd64", CacheDir: cache, Kit: kit})
	var problems definition.Problems
	want := `seccomp.policy.rules[1].names[2]: unknown system call "wirte" (did you mean "write"?)
seccomp.policy.rules[2].action: unknown action "deny" (allow, errno, kill, log or trap)
seccomp.policy.rules[2].names: no system call is named`
	if !errors.As(err, &problems) || problems.Error() != want {
		t.Errorf("problems:\n%v\nwant\n%s", err, want)
	}

	_, err = Filter(testPolicy, Options{Arch: "mips", Kit: kit})
	if err == nil || !strings.Contains(err.Error(), `sandbox-kit: seccomp filter for architecture "mips": unknown`) {
		t.Errorf("mips: %v", err)
	}
}

// fakeKit is a script that counts its runs and answers in its own way.
func fakeKit(t testing.TB, script string) (path string, runs func() int) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, kitName)
	log := filepath.Join(dir, "runs")
	text := "#!/bin/sh\ncat >/dev/null\necho run >>'" + log + "'\n" + script + "\n"
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path, func() int {
		content, _ := os.ReadFile(log)
		return strings.Count(string(content), "run\n")
	}
}

// goodAnswer prints one instruction, SECCOMP_RET_ALLOW.
const goodAnswer = `printf '\006\000\000\000\000\000\377\177'`

func TestKitFailures(t *testing.T) {
	for script, want := range map[string]string{
		"echo no libseccomp here >&2; exit 1": "exit status 1: no libseccomp here",
		"printf 1234567":                      "7 bytes are not a multiple of 8; hint: it may be of another version",
		"exit 0":                              "it is empty",
		"echo '[]'; exit 3":                   "it refused without a reason",
		"echo nonsense; exit 3":               "it refused without a reason",
		"kill -9 $$":                          "signal: killed",
	} {
		kit, _ := fakeKit(t, script)
		cache := filepath.Join(t.TempDir(), "cache")
		_, err := Filter(testPolicy, Options{Arch: "amd64", CacheDir: cache, Kit: kit})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "compile seccomp policy by "+kit) {
			t.Errorf("%s: %v, want %s", script, err, want)
		}
		if entries, _ := os.ReadDir(cache); len(entries) != 0 {
			t.Errorf("%s: left %v in the cache", script, entries)
		}
	}
}

func TestKitMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for kit, where := range map[string]string{"": "neither beside the runner nor in PATH", "/nowhere/kit": "not at /nowhere/kit", "/": "not at /"} {
		_, err := Filter(testPolicy, Options{Arch: "amd64", Kit: kit})
		if err == nil || !strings.Contains(err.Error(), where+"; hint: install it") {
			t.Errorf("kit %q: %v", kit, err)
		}
	}
}

// TestKitInPath: without a path given, and nothing beside the test program.
func TestKitInPath(t *testing.T) {
	kit, runs := fakeKit(t, goodAnswer)
	t.Setenv("PATH", filepath.Dir(kit)+":"+os.Getenv("PATH"))
	bpf, err := Filter(testPolicy, Options{Arch: runtime.GOARCH})
	if err != nil || !bytes.Equal(bpf, ret) || runs() != 1 {
		t.Errorf("%x, %v, %d runs", bpf, err, runs())
	}
}
