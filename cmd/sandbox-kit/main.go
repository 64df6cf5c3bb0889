//go:build cgo

// Command sandbox-kit is the companion of sandbox for what is heavy or needs cgo.
// It is installed beside the runner, which executes it when a definition asks for
// something that only the kit can do: today, compiling a system call policy.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/seccomp"
	"sandbox/sandbox/seccomp/compile"
)

// maxPolicy bounds what is read; the largest policy that still compiles is below 1 MiB.
const maxPolicy = 4 << 20

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout))
}

// run returns the exit status: 0, 1 for a failure, seccomp.ExitProblems for a
// policy that is wrong.
func run(args []string, stdin io.Reader, stdout io.Writer) int {
	root := &cobra.Command{
		Use:           "sandbox-kit",
		Short:         "The companion of sandbox: compiles system call policies",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(seccompCommand(stdin, stdout), versionCommand(stdout))
	root.SetArgs(args)
	root.SetOut(stdout)
	err := root.Execute()
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "sandbox-kit: %v\n", err)
	var problems definition.Problems
	if !errors.As(err, &problems) {
		return 1
	}
	if err := json.NewEncoder(stdout).Encode(problems); err != nil {
		return 1
	}
	return seccomp.ExitProblems
}

func seccompCommand(stdin io.Reader, stdout io.Writer) *cobra.Command {
	var arch, output string
	group := &cobra.Command{Use: "seccomp", Short: "System call filters"}
	compilePolicy := &cobra.Command{
		Use:   "compile",
		Short: "Compile a policy, read as JSON from standard input, into BPF",
		Long: "Compile a policy, read as JSON from standard input, into BPF.\n" +
			"When the policy is at fault, the exit status is 3 and the output a JSON list of problems.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			policy, err := readPolicy(stdin)
			if err != nil {
				return err
			}
			bpf, err := compile.Compile(policy, arch)
			if err != nil {
				return err
			}
			return write(stdout, output, bpf)
		},
	}
	defaultPolicy := &cobra.Command{
		Use:   "default",
		Short: "Compile the default policy into BPF",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			bpf, err := compile.Default(arch)
			if err != nil {
				return err
			}
			return write(stdout, output, bpf)
		},
	}
	group.PersistentFlags().StringVar(&arch, "arch", runtime.GOARCH, "architecture: amd64 or arm64")
	group.PersistentFlags().StringVarP(&output, "output", "o", "", "write the BPF to this file instead of standard output")
	group.AddCommand(compilePolicy, defaultPolicy)
	return group
}

func versionCommand(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of sandbox-kit and libseccomp",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			version := "(devel)"
			if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
				version = info.Main.Version
			}
			_, err := fmt.Fprintf(stdout, "sandbox-kit %s\nlibseccomp %s\npolicy level %d\n", version, compile.Version(), compile.PolicyLevel)
			return err
		},
	}
}

func readPolicy(stdin io.Reader) (*definition.Policy, error) {
	decoder := json.NewDecoder(io.LimitReader(stdin, maxPolicy))
	decoder.DisallowUnknownFields()
	policy := &definition.Policy{}
	if err := decoder.Decode(policy); err != nil {
		return nil, fmt.Errorf("read policy from standard input: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("read policy from standard input: more than one JSON value")
	}
	return policy, nil
}

func write(stdout io.Writer, output string, bpf []byte) error {
	if output != "" {
		return os.WriteFile(output, bpf, 0o644)
	}
	_, err := stdout.Write(bpf)
	return err
}
