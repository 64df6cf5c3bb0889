package definition

import (
	"math"
	"strings"
	"testing"
)

func bytesOf(n int64) *Bytes    { b := Bytes(n); return &b }
func count(n int64) *int64      { return &n }
func bits(n uint32) *uint32     { return &n }
func adj(n int) *int            { return &n }
func good() *Definition         { return &Definition{Name: "n", Process: Process{Args: []string{"true"}}} }
func args(a ...string) *Process { return &Process{Args: a} }

// changes are each one change of a good definition, and its problem, "path:
// message"; "" for none.
var changes = []struct {
	change func(*Definition)
	want   string
}{
	{func(d *Definition) {}, ""},
	{func(d *Definition) { d.Name = "a b" }, `name: "a b" is no name`},
	{func(d *Definition) { d.Name = "-a" }, `name: the name "-a" starts with '-'`},
	{func(d *Definition) { d.Name = strings.Repeat("x", 65) }, "name: the name has 65 bytes"},
	{func(d *Definition) { d.Process = Process{} }, "process.args: no program is named"},
	{func(d *Definition) { d.Process = *args("a", "b\x00") }, `process.args[2]: the string "b\x00" has a NUL byte`},
	{func(d *Definition) { d.Process = *args("a", strings.Repeat("x", 128<<10)) }, "process.args[2]: the string has 131072 bytes"},
	{func(d *Definition) { d.Process = *args("a", strings.Repeat("x", 128<<10-1)) }, ""},
	{func(d *Definition) { d.Process.Cwd = "a" }, `process.cwd: the path "a" is not absolute`},
	{func(d *Definition) { d.Process.Env = []EnvVar{{"A=", ""}} }, `process.env["A="]: the name "A="`},
	{func(d *Definition) { d.Process.Env = []EnvVar{{"", ""}} }, "process.env: a variable's name is empty"},
	{func(d *Definition) { d.Process.User = "1:" }, "process.user: a user or group is empty"},
	{func(d *Definition) { d.Process.User = "4294967295" }, "process.user: the id"},
	{func(d *Definition) { d.Process.User = "4294967294:audio" }, ""},
	{func(d *Definition) { d.Process.User = "-1" }, "process.user: the id \"-1\" is negative"},
	{func(d *Definition) { d.Process.Groups = []string{"a:b"} }, "process.groups[1]:"},
	{func(d *Definition) { d.Process.Umask = bits(0o1000) }, "process.umask: 01000 is not between"},
	{func(d *Definition) { d.Process.Umask = bits(0o777) }, ""},
	{func(d *Definition) { d.Process.Terminal = "x" }, "process.terminal:"},
	{func(d *Definition) { d.Process.Terminal, d.Process.Stdin = TerminalYes, "none" }, "process.terminal: a terminal contradicts"},
	{func(d *Definition) { d.Process.Stdin = "stdout" }, "process.stdin:"},
	{func(d *Definition) { d.Process.Stderr = "stdout" }, ""},
	{func(d *Definition) { d.Process.OOMScoreAdj = adj(-1001) }, "process.oom_score_adj:"},
	{func(d *Definition) { d.Rootfs = Rootfs{Kind: RootfsDir} }, "rootfs: the path is empty"},
	{func(d *Definition) { d.Rootfs = Rootfs{Kind: RootfsDir, Path: "/"} }, "rootfs: the folder is this machine's /"},
	{func(d *Definition) { d.Rootfs = Rootfs{Kind: RootfsOverlay} }, "rootfs: an overlay has at least one"},
	{func(d *Definition) { d.Rootfs = Rootfs{Kind: "zfs"} }, "rootfs: there is no root filesystem of kind"},
	{func(d *Definition) { d.Rootfs = Rootfs{Kind: RootfsTmpfs, Size: -1} }, "rootfs: the size -1 is negative"},
	{func(d *Definition) { d.Mounts = []Mount{{Type: "nfs", Target: "/x"}} }, `mounts[1].type: there is no mount of type "nfs"`},
	{func(d *Definition) { d.Mounts = []Mount{{Type: MountTmpfs, Target: "/" + strings.Repeat("x", 5000)}} }, "mounts[1].target: the path has 5001 bytes"},
	{func(d *Definition) {
		d.Mounts = []Mount{{Type: MountTmpfs, Target: "/x"}, {Type: MountTmpfs, Target: "/x"}}
	}, `mounts[2]: "/x" is mounted twice (first by mounts[1])`},
	{func(d *Definition) { d.Mounts = []Mount{{Type: MountTmpfs, Target: "/proc/x"}} }, "mounts[1].target: nothing is mounted over"},
	{func(d *Definition) { d.Mounts = []Mount{{Type: MountProc, Target: "/proc"}} }, ""},
	{func(d *Definition) { d.Mounts = []Mount{{Type: MountTmpfs, Target: "/x", Mode: bits(0o10000)}} }, "mounts[1].mode:"},
	{func(d *Definition) { d.Limits.Memory = bytesOf(1<<20 - 1) }, "limits.memory:"},
	{func(d *Definition) { d.Limits.Memory = bytesOf(1 << 20) }, ""},
	{func(d *Definition) { d.Limits.Swap = bytesOf(1) }, "limits.swap: a limit of swap needs one of memory"},
	{func(d *Definition) { d.Limits.Pids = count(0) }, "limits.pids: 0 is not between"},
	{func(d *Definition) { d.Limits.Pids = count(1) }, "limits.pids: 1 process is not enough"},
	{func(d *Definition) { d.Limits.Pids, d.Process.NoInit = count(1), true }, ""},
	{func(d *Definition) { d.Limits.CPUs = math.NaN() }, "limits.cpus: NaN"},
	{func(d *Definition) { d.Limits.CPUs = 0.01 }, ""},
	{func(d *Definition) { d.Limits.CPUWeight = 10001 }, "limits.cpu_weight:"},
	{func(d *Definition) { d.Limits.Wall = -1 }, "limits.wall: the time -1ns is negative"},
	{func(d *Definition) { d.Network = "bridge" }, "network: there is no network mode"},
	{func(d *Definition) { d.Network, d.Namespaces.Net = "host", "new" }, "namespaces.net: a new network namespace contradicts"},
	{func(d *Definition) { d.Namespaces.Net = "host" }, "namespaces.net: the host's network namespace contradicts"},
	{func(d *Definition) { d.Network, d.Namespaces.Net = "host", "host" }, ""},
	{func(d *Definition) { d.Namespaces.PID = "x" }, "namespaces.pid: there is no mode"},
	{hostMount(func(d *Definition) {}), ""},
	{hostMount(func(d *Definition) { d.Rootfs.Kind = RootfsHost }), "rootfs: in the host's mount namespace"},
	{hostMount(func(d *Definition) { d.Mounts = []Mount{{Type: MountTmpfs, Target: "/x"}} }), `mounts[1]: the mount at "/x" would be the host's`},
	{hostMount(func(d *Definition) { d.Devices = []Device{{Path: "/dev/fuse"}} }), "devices: all of the host's /dev is there"},
	{hostMount(func(d *Definition) { d.MaskedPaths = []string{"/a"} }), "masked_paths: nothing can be hidden"},
	{hostMount(func(d *Definition) { d.ReadonlyPaths = []string{"/a"} }), "readonly_paths: nothing can be made read-only"},
	{hostMount(func(d *Definition) { d.MaskedPaths, d.ReadonlyPaths = []string{}, []string{} }), ""},
	{hostMount(func(d *Definition) { d.Artifacts = []Artifact{{"/out", "/x"}} }), `artifacts["/out"]: in the host's mount namespace`},
	{func(d *Definition) { d.IDMap.UID = []IDRange{{0, 0, 10}, {9, 100, 1}} }, "idmap.uid[2]: the ids inside overlap"},
	{func(d *Definition) { d.IDMap.GID = []IDRange{{0, 0, 10}, {10, 9, 1}} }, "idmap.gid[2]: the host's ids overlap"},
	{func(d *Definition) { d.IDMap.UID = []IDRange{{0, 4294967290, 10}} }, "idmap.uid[1]: the range goes beyond"},
	{func(d *Definition) { d.IDMap.UID = []IDRange{{0, 0, math.MaxUint32}} }, ""},
	{func(d *Definition) { d.Caps.Bounding = []string{"SYS_ADMIN", "cap_chown"} }, "caps.bounding[2]: there is no capability"},
	{func(d *Definition) { d.Caps = Capabilities{Permitted: []string{}, Effective: []string{"KILL"}} }, "caps.effective: KILL is not in the permitted set"},
	{func(d *Definition) { d.Rlimits = []Rlimit{{"files", 1, 1}} }, "rlimits.files: there is no resource limit"},
	{func(d *Definition) { d.Rlimits = []Rlimit{{"core", 2, 1}} }, "rlimits.core: the soft limit 2 is above the hard limit 1"},
	{func(d *Definition) { d.Rlimits = []Rlimit{{"core", 0, RlimitInfinity}} }, ""},
	{func(d *Definition) { d.Devices = []Device{{Path: "/etc/x"}} }, "devices[1]: the device"},
	{func(d *Definition) { d.Sysctl = []Sysctl{{"vm.swappiness", "1"}} }, `sysctl["vm.swappiness"]: it belongs to no namespace`},
	{func(d *Definition) { d.Sysctl, d.Network = []Sysctl{{"net.core.somaxconn", "1"}}, "host" }, `sysctl["net.core.somaxconn"]: it would change the host's network`},
	{func(d *Definition) { d.Sysctl = []Sysctl{{"net/../x", "1"}} }, `sysctl["net/../x"]: "net/../x" is no parameter`},
	{func(d *Definition) { d.Sysctl = []Sysctl{{"kernel.shmmax", "1"}, {"net.ipv4.ip_forward", "1"}} }, ""},
	{func(d *Definition) { d.Hostname = "a b" }, "hostname: \"a b\" is no host name"},
	{func(d *Definition) { d.Hostname, d.Namespaces.UTS = "a", "host" }, "hostname: the host's name would change"},
	{func(d *Definition) { d.MaskedPaths = []string{"/a", "/"} }, `masked_paths[2]: the path is "/"`},
	{func(d *Definition) { d.Artifacts = []Artifact{{"/", "/x"}} }, `artifacts["/"]: the whole root`},
	{func(d *Definition) { d.Artifacts = []Artifact{{"/a", "/x"}, {"/b", "/x"}} }, `artifacts["/b"]: "/a" is copied to`},
	{func(d *Definition) { d.Hooks = []HookRef{{Stage: StagePrestart}} }, "hooks[1]: the hook's label is empty"},
	{func(d *Definition) { d.Hooks = []HookRef{{Stage: "x", Label: "a"}} }, "hooks[1]: there is no stage"},
	{func(d *Definition) { d.Seccomp = Seccomp{Mode: SeccompPolicy} }, "seccomp: the policy is missing"},
	{policy(Policy{Default: "deny"}), "seccomp.default: there is no action"},
	{policy(Policy{Default: "errno", Errno: "ENOPE"}), "seccomp.errno: there is no error"},
	{policy(Policy{Default: "errno", Errno: "EPERM EPIPE"}), "seccomp.errno: there is no error"},
	{policy(Policy{Default: "allow", Errno: "EPERM"}), "seccomp.errno: an error goes with"},
	{policy(Policy{Default: "allow", Rules: []PolicyRule{{Action: "kill"}}}), "seccomp.rules[1]: the rule names no system call"},
	{policy(Policy{Default: "allow", Rules: []PolicyRule{{Names: []string{"a b"}, Action: "kill"}}}), "seccomp.rules[1]: \"a b\" is no name"},
	{policy(Policy{Default: "allow", Rules: []PolicyRule{rule(PolicyArg{Index: 6, Op: "=="})}}), "seccomp.rules[1].args[1].index:"},
	{policy(Policy{Default: "allow", Rules: []PolicyRule{rule(PolicyArg{Op: "="})}}), "seccomp.rules[1].args[1].op:"},
	{policy(Policy{Default: "allow", Rules: []PolicyRule{rule(PolicyArg{Op: "masked", Value: 3, Mask: 1})}}), "seccomp.rules[1].args[1]: the rule never holds"},
	{policy(Policy{Default: "errno", Errno: "EXDEV", Rules: []PolicyRule{rule(PolicyArg{Op: "masked", Value: 1, Mask: 3})}}), ""},
}

func TestValidate(t *testing.T) {
	for _, tc := range changes {
		d := good()
		tc.change(d)
		ps := d.Validate()
		switch {
		case tc.want == "" && len(ps) > 0:
			t.Errorf("unexpected: %v", ps)
		case tc.want != "" && (len(ps) != 1 || !strings.HasPrefix(ps[0].Error(), tc.want)):
			t.Errorf("got %q, wanted %s", ps.Error(), tc.want)
		}
	}
}

func hostMount(change func(*Definition)) func(*Definition) {
	return func(d *Definition) {
		d.Namespaces.Mount = NamespaceHost
		change(d)
	}
}

func policy(p Policy) func(*Definition) {
	return func(d *Definition) { d.Seccomp = Seccomp{Mode: SeccompPolicy, Policy: &p} }
}

func rule(a PolicyArg) PolicyRule {
	return PolicyRule{Names: []string{"read"}, Action: "kill", Args: []PolicyArg{a}}
}

func TestValidateOrigins(t *testing.T) {
	d := good()
	d.Limits.Memory = bytesOf(1)
	d.Origins = Origins{"limits": {File: "b.lua", Line: 7}}
	want := `b.lua:7: limits.memory: 1 is too little (a number is bytes: write "1M")`
	if got := d.Validate().Error(); got != want {
		t.Errorf("got %s, wanted %s", got, want)
	}
}

func TestCapabilityNames(t *testing.T) {
	for name, number := range map[string]int{"CHOWN": 0, "SYS_ADMIN": 21, "CHECKPOINT_RESTORE": 40, "chown": -1} {
		if got := CapabilityNumber(name); got != number {
			t.Errorf("%s is %d, wanted %d", name, got, number)
		}
	}
}
