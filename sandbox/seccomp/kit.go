package seccomp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"sandbox/sandbox/definition"
)

const (
	kitName = "sandbox-kit"
	// kitTimeout is far above what the largest policy takes, about a second.
	kitTimeout = 30 * time.Second
	// cacheFormat changes when the meaning of a policy does.
	cacheFormat = "sandbox seccomp 1"
)

// ExitProblems is the status sandbox-kit exits with when the policy is at fault;
// its standard output is then a JSON list of definition.Problem.
const ExitProblems = 3

// compiled returns the filter of a policy from the cache, or compiles it.
func compiled(policy *definition.Policy, options Options) ([]byte, error) {
	text, err := json.Marshal(policy)
	if err != nil {
		return nil, fmt.Errorf("seccomp policy: %w", err)
	}
	kit, err := findKit(options.Kit)
	if err != nil {
		return nil, err
	}
	if options.CacheDir == "" {
		return runKit(kit.path, text, options.Arch)
	}
	store, err := openCache(options.CacheDir)
	if err != nil {
		return nil, err
	}
	defer store.close()
	key := cacheKey(text, kit.identity, options.Arch)
	if bpf, ok := store.load(key); ok {
		return bpf, nil
	}
	bpf, err := runKit(kit.path, text, options.Arch)
	if err != nil {
		return nil, err
	}
	// A cache that cannot be written, on a full disk for one, only costs time.
	_ = store.save(key, bpf)
	return bpf, nil
}

// cacheKey is the digest of all that the filter follows from.
func cacheKey(policy []byte, kit, arch string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s", cacheFormat, kit, arch, policy))
	return hex.EncodeToString(sum[:])
}

// kitFile is sandbox-kit as it was found.
type kitFile struct {
	path string
	// identity changes whenever the file does: asking the program for its version
	// would cost as much as compiling.
	identity string
}

func findKit(path string) (kitFile, error) {
	candidates := []string{path}
	if path == "" {
		candidates = candidates[:0]
		if self, err := os.Executable(); err == nil {
			candidates = append(candidates, filepath.Join(filepath.Dir(self), kitName))
		}
		if found, err := exec.LookPath(kitName); err == nil {
			candidates = append(candidates, found)
		}
	}
	for _, candidate := range candidates {
		info, err := os.Stat(candidate)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		stat := info.Sys().(*syscall.Stat_t)
		return kitFile{candidate, fmt.Sprintf("%d:%d:%d:%d", stat.Dev, stat.Ino, info.Size(), info.ModTime().UnixNano())}, nil
	}
	where := "neither beside the runner nor in PATH"
	if path != "" {
		where = "not at " + path
	}
	return kitFile{}, fmt.Errorf("compile seccomp policy: %s is %s; hint: install it beside the runner, or use seccomp = \"default\"", kitName, where)
}

// runKit compiles a policy, given as JSON.
func runKit(kit string, policy []byte, arch string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), kitTimeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, kit, "seccomp", "compile", "--arch", arch)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(policy), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == ExitProblems {
		return nil, kitProblems(kit, stdout.Bytes())
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("no answer within %s", kitTimeout)
	}
	if err != nil {
		return nil, fmt.Errorf("compile seccomp policy by %s: %w%s", kit, err, lastWords(stderr.String()))
	}
	if err := Check(stdout.Bytes()); err != nil {
		return nil, fmt.Errorf("compile seccomp policy by %s: %w; hint: it may be of another version", kit, err)
	}
	return stdout.Bytes(), nil
}

func kitProblems(kit string, text []byte) error {
	var problems definition.Problems
	if err := json.Unmarshal(text, &problems); err != nil || len(problems) == 0 {
		return fmt.Errorf("compile seccomp policy by %s: it refused without a reason; hint: it may be of another version", kit)
	}
	for i, p := range problems {
		problems[i].Path = strings.TrimSuffix("seccomp.policy."+p.Path, ".")
	}
	return problems
}

// lastWords is what a failed program said, after a colon.
func lastWords(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > 400 {
		text = text[len(text)-400:]
	}
	if text == "" {
		return ""
	}
	return ": " + text
}
