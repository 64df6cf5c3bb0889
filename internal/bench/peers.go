package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// contender is one way to run /bin/true.
type contender struct {
	name string
	// argv is the command; n makes ids unique where the runner needs one.
	argv func(n int) []string
	// version is what the program calls itself.
	version string
	// throughput says that it takes part in the throughput runs.
	throughput bool
}

// Names that the report looks for.
const (
	ours     = "sandbox"
	oursHook = "sandbox, one hook"
	oursPlan = "sandbox plan go"
)

// prepare makes the root filesystem, the recipes and the bundle, and lists who runs.
func prepare(s *settings) ([]contender, error) {
	rootfs := filepath.Join(s.scratch, "rootfs")
	if err := makeRootfs(rootfs); err != nil {
		return nil, err
	}
	plain, hooked, err := makeRecipes(s.scratch, rootfs)
	if err != nil {
		return nil, err
	}
	bundle := filepath.Join(s.scratch, "bundle")
	if err := makeBundle(bundle, rootfs); err != nil {
		return nil, err
	}
	bare, err := compile(s.scratch, "hello", hello)
	if err != nil {
		return nil, err
	}
	if s.peak, err = compile(s.scratch, "peak", peak); err != nil {
		return nil, err
	}
	all := []contender{
		{name: ours, argv: fixed(s.runner, "run", "--quiet", plain), version: first(s.runner, "version"), throughput: true},
		{name: oursHook, argv: fixed(s.runner, "run", "--quiet", hooked)},
		{name: oursPlan, argv: fixed(s.runner, "plan", "go")},
		{name: "go hello", argv: fixed(bare)},
	}
	for _, name := range []string{"crun", "runc"} {
		if path := s.find(name); path != "" {
			state := filepath.Join(s.scratch, name)
			all = append(all, contender{name: name, version: first(path, "--version"), throughput: name == "crun",
				argv: func(n int) []string {
					return []string{path, "--root", state, "run", "--bundle", bundle, fmt.Sprintf("bench%d", n)}
				}})
		}
	}
	if path := s.find("bwrap"); path != "" {
		all = append(all, contender{name: "bwrap", version: first(path, "--version"), throughput: true, argv: fixed(bwrap(path, rootfs)...)})
	}
	if path := s.find("unshare"); path != "" {
		all = append(all, contender{name: "unshare", version: first(path, "--version"),
			argv: fixed(path, "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork", rootfs+"/bin/true")})
	}
	return all, nil
}

func (s *settings) find(name string) string {
	if s.peers != "" {
		if path := filepath.Join(s.peers, name); exec.Command(path, "--version").Run() == nil {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

func fixed(argv ...string) func(int) []string { return func(int) []string { return argv } }

// first is the first line of what a program prints.
func first(argv ...string) string {
	out, err := exec.Command(argv[0], argv[1:]...).Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// bwrap has the same namespaces and the same folders; it knows no cgroup, no masked
// paths and no filter of its own.
func bwrap(path, rootfs string) []string {
	return []string{path, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup",
		"--ro-bind", rootfs, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/run",
		"--die-with-parent", "--new-session", "--clearenv", "--setenv", "PATH", "/bin", "/bin/true"}
}

func makeRootfs(dir string) error {
	for _, d := range []string{"bin", "proc", "sys", "dev", "tmp", "run", "etc"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return fmt.Errorf("busybox-static is needed: %w", err)
	}
	text, err := os.ReadFile(busybox)
	if err != nil {
		return err
	}
	if err := os.WriteFile(dir+"/bin/busybox", text, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"true", "sh"} {
		if err := os.Link(dir+"/bin/busybox", dir+"/bin/"+name); err != nil {
			return err
		}
	}
	return os.WriteFile(dir+"/etc/passwd", []byte("root:x:0:0:root:/:/bin/sh\n"), 0o644)
}

func makeRecipes(dir, rootfs string) (plain, hooked string, err error) {
	const recipe = `local sandbox = require "sandbox"
local c = sandbox.container {
  name    = "bench",
  rootfs  = sandbox.dir(%q),
  process = { args = { "/bin/true" }, env = { PATH = "/bin" } },
}
%sreturn c
`
	plain, hooked = filepath.Join(dir, "true.lua"), filepath.Join(dir, "hook.lua")
	if err := os.WriteFile(plain, fmt.Appendf(nil, recipe, rootfs, ""), 0o644); err != nil {
		return "", "", err
	}
	hook := "c:prestart(\"nothing\", function(ctx) end)\n"
	return plain, hooked, os.WriteFile(hooked, fmt.Appendf(nil, recipe, rootfs, hook), 0o644)
}

// makeBundle writes the OCI bundle that asks for the same isolation, as far as the
// runtime specification has words for it. It has no seccomp section: compiling one
// would cost the peer several milliseconds.
func makeBundle(dir, rootfs string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	caps := []string{"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
		"CAP_SETUID", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT"}
	type object = map[string]any
	mount := func(target, kind, source string, options ...string) object {
		return object{"destination": target, "type": kind, "source": source, "options": options}
	}
	config := object{
		"ociVersion": "1.0.2",
		"root":       object{"path": rootfs, "readonly": true},
		"hostname":   "bench",
		"process": object{
			"args": []string{"/bin/true"}, "cwd": "/", "env": []string{"PATH=/bin"}, "noNewPrivileges": true,
			"user":         object{"uid": 0, "gid": 0},
			"capabilities": object{"bounding": caps, "effective": caps, "permitted": caps},
		},
		"mounts": []object{
			mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
			mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
			mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
			mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
			mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
			mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
			mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"),
			mount("/tmp", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=1777"),
			mount("/run", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=755"),
		},
		"linux": object{
			"namespaces": []object{{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"}},
			"resources":  object{"devices": []object{{"allow": false, "access": "rwm"}}},
			"maskedPaths": []string{"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
				"/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"},
			"readonlyPaths": []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
		},
	}
	text, err := json.MarshalIndent(config, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.json"), text, 0o644)
}

// hello is the floor of any Go program.
const hello = "package main\n\nfunc main() {}\n"

// peak runs a command and prints its peak resident set in KiB. It is a program of
// its own because a process counts the memory of the one that forked it, until it
// executes another program, into its peak: this one has next to none.
const peak = `package main

import (
	"os"
	"syscall"
)

func main() {
	null, _ := syscall.Open("/dev/null", syscall.O_RDWR, 0)
	pid, err := syscall.ForkExec(os.Args[1], os.Args[1:], &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{uintptr(null), uintptr(null), 2}})
	if err != nil {
		panic(err)
	}
	var status syscall.WaitStatus
	var usage syscall.Rusage
	if _, err := syscall.Wait4(pid, &status, 0, &usage); err != nil || status.ExitStatus() != 0 {
		syscall.Exit(1)
	}
	println(usage.Maxrss)
}
`

// compile builds one of the programs above.
func compile(dir, name, text string) (string, error) {
	source, binary := filepath.Join(dir, name+".go"), filepath.Join(dir, name)
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", binary, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return binary, nil
}
