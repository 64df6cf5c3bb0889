package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"sandbox/sandbox"
	"sandbox/sandbox/definition"
	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
	"sandbox/sandbox/probe"
	"sandbox/sandbox/seccomp"
	"sandbox/script"
)

func runFlags() []flag {
	return []flag{
		{name: "result", value: "FILE", help: "write the Result to FILE, as JSON"},
		{name: "json", help: "print the Result on stderr as one line of JSON, instead of the summary"},
		{name: "quiet", help: "print no summary of a run that went well, and no notes (-q)"},
		{name: "keep", help: "keep the state folder, with the Result, after the end"},
		{name: "id", value: "ID", help: "name the container; an id in use is an error"},
		allowFlag,
		{name: "each", value: "NAME=A,B", help: "run the recipe for each value of a param; several of them for each combination", many: true},
		{name: "jobs", value: "N", help: "how many of them run at once (default: as many as processors)"},
		{name: "logs", value: "DIR", help: "keep what each of them writes in a file in DIR"},
	}
}

func (a *app) runCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run [RECIPE] [flags of the recipe] [-- command…]",
		Short: "Run a recipe",
		Long: "Run the container that a recipe defines, and exit with its payload's exit code.\n" +
			"RECIPE is a Lua file, or the name of an embedded recipe; without one, the project's is\n" +
			"run, which sandbox.toml names. A command after -- is run in the place of the recipe's\n" +
			"process.args.\n\n" +
			"stdin, stdout and stderr are the payload's; what sandbox says goes to stderr, after it.\n" +
			"Exit codes: the payload's own; 128 + signal; 124 a limit of time or output; 1 a hook\n" +
			"called the run failed; 125 set-up or a hook failed; 126 the payload is not executable;\n" +
			"127 it was not found. The Result (--result) tells them from a payload's own.\n\n" +
			"With --each the recipe is run once for each value, in parallel and without stdin; the\n" +
			"output goes to logs, whose end is shown when a run fails; --result and --json have a\n" +
			"list; the exit code is 1 when any of them failed.\n\n" + flagHelp(runFlags()),
		DisableFlagParsing: true,
		ValidArgsFunction:  completeRecipe(runFlags()),
		RunE:               func(_ *cobra.Command, args []string) error { return a.run(args) },
	}
}

// run is the whole of `sandbox run`; it returns the exit code as an error.
func (a *app) run(args []string) error {
	line, err := parseArguments(args, runFlags())
	switch {
	case err != nil:
		return a.fail(err)
	case line.has("help"):
		return a.help(line, "run")
	}
	if err := line.orDefault("run"); err != nil {
		return a.fail(err)
	}
	if len(line.lists["each"]) > 0 || line.has("jobs") || line.has("logs") {
		return a.each(line)
	}
	a.ui.quiet = line.has("quiet")
	r := &running{app: a, line: line}
	if err := r.openResult(); err != nil {
		return a.fail(err)
	}
	result, err := r.live()
	return r.report(result, err)
}

// fail prints why a run failed before its payload ran.
func (a *app) fail(err error) error {
	a.ui.failure(err)
	return codeError(exitFailed)
}

// running is one `sandbox run`.
type running struct {
	*app
	line   *arguments
	result *os.File // of --result, opened first: a run must not be for nothing
	def    *definition.Definition
}

func (r *running) openResult() error {
	path := r.line.own["result"]
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	r.result = f
	return err
}

// live loads the recipe and runs its container.
func (r *running) live() (*definition.Result, error) {
	launcher := nsinit.NewLauncher() // never closed: what it has ends with the process, 0.2 ms sooner
	if os.Geteuid() == 0 {
		launcher.Ahead(nsinit.Spawn{Namespaces: []string{"mount", "pid", "ipc", "uts"}, Net: true,
			Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
		calmMonitor()
	}
	growStack(0)
	recipe, err := r.load(r.line)
	if err != nil {
		return nil, err
	}
	defer recipe.Close()
	r.def = definitionOf(recipe)
	if err := checkGrants(recipe, r.line); err != nil {
		return nil, err
	}
	wants := plan.WantsOf(r.def)
	wants.Own = launcher.Started
	facts, err := probe.Probe(wants)
	if err != nil {
		return nil, err
	}
	p, err := plan.Compile(r.def, facts)
	if err != nil {
		return nil, err
	}
	record, err := r.record(recipe)
	if err != nil {
		return nil, err
	}
	return sandbox.Run(context.Background(), sandbox.Options{
		Definition: r.def, Plan: p, Facts: facts, ID: r.line.own["id"], Hooks: recipe, Record: record,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Signals: catchSignals, Log: r.ui.log, Progress: r.progress(),
		Filter: func(s definition.Seccomp) ([]byte, error) {
			return seccomp.Filter(s, seccomp.Options{Arch: facts.Arch, CacheDir: filepath.Join(facts.CacheDir, "seccomp")})
		},
		Launcher: launcher, Revive: r.revive, Keep: r.line.has("keep"),
	})
}

// progress says how steps end while others are to come; nil when nobody is to hear it.
func (r *running) progress() func(sandbox.Progress) {
	if r.ui.quiet || r.line.has("json") || !r.def.Joined() {
		return nil
	}
	return r.ui.progress
}

// catchSignals asks for the signals that a user or a supervisor sends.
func catchSignals() (<-chan os.Signal, func()) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH)
	// Not signal.Stop: the process is about to end, and giving each signal back costs
	// a hand-off to the runtime's signal thread.
	return signals, func() {}
}

// record is what a later command needs to call the hooks that this one could not.
func (r *running) record(recipe *script.Recipe) ([]byte, error) {
	if len(r.def.HooksOf(definition.StagePoststop)) == 0 {
		return nil, nil
	}
	return recipe.Record()
}

// revive loads the hooks of a container whose supervisor died.
func (r *running) revive(record []byte) (definition.Hooks, error) {
	return script.Revive(context.Background(), record, r.ui.log)
}

// report says how the run ended, writes the Result, and returns the exit code.
func (r *running) report(result *definition.Result, err error) error {
	if result == nil {
		result = &definition.Result{Verdict: definition.VerdictFailed, ExitCode: exitFailed}
	}
	if err != nil && result.Error == "" {
		result.Error = err.Error()
	}
	if err != nil {
		r.ui.failure(err)
	}
	switch {
	case r.line.has("json"):
		text, e := json.Marshal(result)
		err = errors.Join(err, e)
		r.ui.say(string(text))
	case err == nil:
		r.ui.summary(result, r.def.Origins)
		r.ui.services(result)
	default:
		r.ui.services(result)
	}
	if r.result != nil {
		if e := writeResult(r.result, result); e != nil {
			return r.fail(e)
		}
	}
	if result.ExitCode == 0 {
		return nil
	}
	return codeError(result.ExitCode)
}

func writeResult(f *os.File, result *definition.Result) error {
	text, err := json.MarshalIndent(result, "", "  ")
	if err == nil {
		_, err = f.Write(append(text, '\n'))
	}
	return errors.Join(err, f.Close())
}
