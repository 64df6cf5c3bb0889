package libraries

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Bounds of one command of git.
const (
	gitTime   = 5 * time.Minute
	gitOutput = 64 << 20  // of what it prints, in bytes
	gitFile   = 256 << 20 // of a file that it writes, such as the pack of a repository
)

// git runs the installed git in a folder.
type git struct{ dir string }

// gitOptions stand before every command: whatever the user's own settings say, no hook
// and no other program of his is run, and nothing but the one repository is fetched.
var gitOptions = []string{
	"-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.askPass=",
	"-c", "protocol.ext.allow=never", "-c", "submodule.recurse=false", "-c", "fetch.recurseSubmodules=false",
	"-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "advice.detachedHead=false",
	"-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60", // a server that says nothing more
}

// gitKeeps are the variables that git gets from the environment: where its programs are,
// whose settings and keys it uses, how it reaches the network. None begins with GIT_:
// those of a git that runs us, in a hook, mean another repository.
var gitKeeps = []string{"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}

func gitEnvironment() []string {
	env := []string{
		"LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS=", "GIT_SSH_COMMAND=ssh -oBatchMode=yes", // nobody is asked
		"GIT_ALLOW_PROTOCOL=file:http:https:ssh", "GIT_NO_REPLACE_OBJECTS=1", "GIT_OPTIONAL_LOCKS=0",
	}
	for _, name := range gitKeeps {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// run returns what a command prints.
func (g git) run(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return nil, &hinted{"git is not installed: " + err.Error(), "install git, or use a library that is a folder"}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, gitTime, fmt.Errorf("git took longer than %s", gitTime))
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append(gitOptions[:len(gitOptions):len(gitOptions)], args...)...)
	cmd.Dir, cmd.Env = g.dir, gitEnvironment()
	// git ends its own children when it is asked to end.
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(unix.SIGTERM) }, 2*time.Second
	cmd.Stdin = bytes.NewReader(stdin)
	out, said := &limited{most: gitOutput}, &limited{most: 64 << 10}
	cmd.Stdout, cmd.Stderr = out, said
	if err := start(cmd); err != nil {
		return nil, err
	}
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case out.full:
		return nil, fmt.Errorf("git %s prints more than %s", args[0], mebibytes(gitOutput))
	case err != nil:
		return nil, gitError(args[0], said.text(), err)
	}
	return out.Bytes(), nil
}

// start starts a command whose files are bounded. The limit is inherited, so that it
// holds before the command's first instruction; meanwhile this process has it as well.
func start(cmd *exec.Cmd) error {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	during := unix.Rlimit{Cur: min(before.Cur, gitFile), Max: before.Max}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &during); err != nil {
		return err
	}
	return errors.Join(cmd.Start(), unix.Setrlimit(unix.RLIMIT_FSIZE, &before))
}

// gitError words what git said.
func gitError(command, said string, err error) error {
	var lines []string
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		for _, prefix := range [...]string{"fatal: ", "error: ", "remote: "} {
			line = strings.TrimPrefix(line, prefix)
		}
		if line != "" && len(lines) < 5 {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		lines = append(lines, err.Error())
	}
	message := "git " + command + ": " + strings.Join(lines, "\n")
	switch {
	case strings.Contains(said, "signal 25"): // SIGXFSZ
		return &hinted{message, "the repository has more than " + mebibytes(gitFile) + "; a library has its own, or is a folder"}
	case strings.Contains(said, "terminal prompts disabled"):
		return &hinted{message, "the repository is missing, or is private: git asks for no password here, a credential helper or ssh can give it"}
	case strings.Contains(said, "Host key verification failed"):
		return &hinted{message, "connect once with ssh, and compare the key"}
	}
	return errors.New(message)
}

// limited keeps the beginning of what is written to it.
type limited struct {
	bytes.Buffer
	most int
	full bool
}

func (l *limited) Write(b []byte) (int, error) {
	if room := l.most - l.Len(); len(b) > room {
		l.full = true
		l.Buffer.Write(b[:room])
		return len(b), nil
	}
	return l.Buffer.Write(b)
}

func (l *limited) text() string { return l.String() }
