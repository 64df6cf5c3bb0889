// Command bench compares how long a container takes from the command line to its
// end: this project's runner, crun, runc, bwrap, unshare and a bare Go program, all
// with /bin/true of the same busybox root filesystem, all interleaved in one run.
//
// It needs root, a busybox that is static, and the peers in PATH or in the folder
// PEERS; a peer that is missing is left out. It works in a private mount namespace
// in which /sys/fs/cgroup is cgroup v2, also where the host is hybrid. Medians,
// minima and ratios are printed and written as JSON. It measures and never judges:
// its exit status does not depend on a time.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

type settings struct {
	rounds  int
	count   int // containers of the throughput runs
	runner  string
	output  string
	peers   string
	scratch string
	peak    string // the program that prints a command's peak memory
}

func main() {
	var s settings
	flag.IntVar(&s.rounds, "rounds", 100, "rounds of the interleaved run")
	flag.IntVar(&s.count, "count", 200, "containers of each throughput run")
	flag.StringVar(&s.runner, "runner", "bin/sandbox", "the runner's binary")
	flag.StringVar(&s.output, "o", "bench.json", "where the JSON goes")
	flag.StringVar(&s.peers, "peers", os.Getenv("PEERS"), "folder of the peers, searched before PATH")
	flag.Parse()
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(s settings) error {
	if os.Geteuid() != 0 {
		return errors.New("root is needed, for a private mount namespace and for the peers")
	}
	if os.Getenv("BENCH_INSIDE") == "" {
		return enterNamespace()
	}
	if err := mountCgroup2(); err != nil {
		return err
	}
	runner, err := filepath.Abs(s.runner)
	if err != nil {
		return err
	}
	s.runner = runner
	if s.scratch, err = os.MkdirTemp("/dev/shm", "bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(s.scratch)
	runners, err := prepare(&s)
	if err != nil {
		return err
	}
	report, err := measure(s, runners)
	if err != nil {
		return err
	}
	report.print(os.Stdout)
	return report.write(s.output)
}

// enterNamespace runs this program again in its own mount namespace.
func enterNamespace() error {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), "BENCH_INSIDE=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL}
	return cmd.Run()
}

// mountCgroup2 puts cgroup v2 where every runner looks for it. A peer measured on a
// hybrid host would pay for eight v1 hierarchies.
func mountCgroup2() error {
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs("/sys/fs/cgroup", &fs); err == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
		return nil
	}
	if err := unix.Mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, ""); err != nil {
		return fmt.Errorf("mount cgroup2 on /sys/fs/cgroup: %w", err)
	}
	return nil
}
