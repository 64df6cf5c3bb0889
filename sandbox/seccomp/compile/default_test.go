//go:build cgo

package compile

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/seccomp"
)

func embedded(t testing.TB, arch string) []byte {
	t.Helper()
	bpf, err := seccomp.Default(arch)
	if err != nil {
		t.Fatal(err)
	}
	return bpf
}

// TestEmbeddedFilters compares what is checked in with a fresh compile: byte for
// byte with the libseccomp it was made by, by meaning with another.
func TestEmbeddedFilters(t *testing.T) {
	policy, err := DefaultPolicy()
	if err != nil {
		t.Fatal(err)
	}
	for _, arch := range Arches {
		bpf, info := embedded(t, arch), mustArch(t, arch)
		if err := seccomp.Check(bpf); err != nil {
			t.Fatal(err)
		}
		fresh, err := Default(arch)
		if err != nil {
			t.Fatal(err)
		}
		// Debian 12's 2.5.4 carries the calls up to futex_requeue.
		same := Version() == "2.5.4" && info.inLib[456] && !info.inLib[457]
		if same && !bytes.Equal(bpf, fresh) {
			t.Errorf("%s: the embedded filter is stale: run go generate ./sandbox/seccomp", arch)
		}
		for _, program := range [][]instruction{mustDecode(t, bpf), mustDecode(t, fresh)} {
			for _, d := range probes(info) {
				if got, want := mustRun(t, program, d), expect(t, policy, arch, d); got != want {
					t.Fatalf("%s: %+v: %s, want %s", arch, d, retName(got), retName(want))
				}
			}
		}
	}
}

// probes are all numbers with arguments around those of the default policy.
func probes(info *archInfo) []data {
	values := []uint64{0, 1, 8, 38, 40, 0x80, 0x5412, 0x541c, 0x20000, 0x20008, 0x20009, 0x40000, 0x7e020000,
		0x10000000, 0x40000000, 0xffffffff, 1 << 32, 1<<63 | 0x5412, 7<<32 | 40, 1<<32 | 0x20008, ^uint64(0)}
	var out []data
	for nr := range uint32(600) {
		for _, v := range values {
			out = append(out, data{nr: nr, arch: info.audit, args: [6]uint64{v, v, v}})
		}
		out = append(out, data{nr: nr, arch: audit386}, data{nr: nr | 0x40000000, arch: info.audit})
	}
	return append(out, data{nr: ^uint32(0), arch: info.audit}, data{nr: 100000, arch: info.audit})
}

// TestDefaultDecidesEveryCall: no call that the policy can know is left to the
// default by oversight.
func TestDefaultDecidesEveryCall(t *testing.T) {
	policy, err := DefaultPolicy()
	if err != nil {
		t.Fatal(err)
	}
	for _, arch := range Arches {
		for nr, name := range mustArch(t, arch).names {
			if nr <= PolicyLevel && !named(policy, name) {
				t.Errorf("%s: %s (%d) is not in default.policy", arch, name, nr)
			}
		}
	}
}

func TestDefaultPolicy(t *testing.T) {
	const eperm, enosys = retErrno | uint32(unix.EPERM), retErrno | uint32(unix.ENOSYS)
	const noFamily, garbage = retErrno | uint32(unix.EAFNOSUPPORT), uint64(0xdead) << 32
	type args = []uint64
	tests := []struct {
		name string
		args args
		want uint32
	}{
		{"read", nil, retAllow},
		{"execve", nil, retAllow},
		{"mseal", nil, retAllow},
		{"ptrace", nil, retAllow},
		{"clone3", nil, enosys},
		{"clone", args{uint64(unix.SIGCHLD)}, retAllow},
		{"clone", args{unix.CLONE_VM | unix.CLONE_THREAD | unix.CLONE_SIGHAND | garbage}, retAllow},
		{"clone", args{unix.CLONE_NEWNS}, eperm},
		{"clone", args{unix.CLONE_NEWCGROUP | uint64(unix.SIGCHLD)}, eperm},
		{"clone", args{unix.CLONE_NEWUTS | garbage}, eperm},
		{"clone", args{unix.CLONE_NEWIPC}, eperm},
		{"clone", args{unix.CLONE_NEWUSER | unix.CLONE_VM}, eperm},
		{"clone", args{unix.CLONE_NEWPID}, eperm},
		{"clone", args{unix.CLONE_NEWNET}, eperm},
		{"personality", args{0}, retAllow},
		{"personality", args{8}, retAllow},
		{"personality", args{0x20000}, retAllow},
		{"personality", args{0x20008}, retAllow},
		{"personality", args{0xffffffff}, retAllow},
		{"personality", args{^uint64(0)}, retAllow},
		{"personality", args{0x40000}, eperm}, // ADDR_NO_RANDOMIZE
		{"personality", args{0x400000 | garbage}, eperm},
		{"ioctl", args{1, unix.TIOCGWINSZ}, retAllow},
		{"ioctl", args{1, unix.TIOCSTI}, eperm},
		{"ioctl", args{1, unix.TIOCSTI | garbage}, eperm},
		{"ioctl", args{1, unix.TIOCSTI | 1<<63}, eperm},
		{"ioctl", args{1, unix.TIOCLINUX | garbage}, eperm},
		{"ioctl", args{unix.TIOCSTI, unix.TCGETS}, retAllow},
		{"socket", args{unix.AF_INET}, retAllow},
		{"socket", args{unix.AF_PACKET}, retAllow},
		{"socket", args{unix.AF_ALG}, noFamily},
		{"socket", args{unix.AF_VSOCK}, noFamily},
		{"socket", args{unix.AF_VSOCK | garbage}, noFamily},
	}
	for _, arch := range Arches {
		program := mustDecode(t, embedded(t, arch))
		for _, test := range tests {
			if got := mustRun(t, program, on(t, arch, test.name, test.args...)); got != test.want {
				t.Errorf("%s: %s%#x: %s, want %s", arch, test.name, test.args, retName(got), retName(test.want))
			}
		}
	}
}

func TestDefaultDenies(t *testing.T) {
	denied := []string{
		"mount", "umount2", "pivot_root", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
		"setns", "unshare", "open_by_handle_at", "quotactl", "quotactl_fd", "acct", "settimeofday", "clock_settime",
		"keyctl", "add_key", "request_key", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
		"io_uring_register", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "kexec_load", "kexec_file_load",
		"init_module", "finit_module", "delete_module", "reboot", "swapon", "swapoff", "syslog", "fanotify_init", "lookup_dcookie",
	}
	for _, arch := range Arches {
		program, audit := mustDecode(t, embedded(t, arch)), mustArch(t, arch).audit
		for _, name := range denied {
			if got := mustRun(t, program, on(t, arch, name)); got != retErrno|uint32(unix.EPERM) {
				t.Errorf("%s: %s: %s, want EPERM", arch, name, retName(got))
			}
		}
		for _, nr := range []uint32{PolicyLevel + 1, 400, 5000} {
			if got := mustRun(t, program, data{nr: nr, arch: audit}); got != retErrno|uint32(unix.ENOSYS) {
				t.Errorf("%s: call %d: %s, want ENOSYS", arch, nr, retName(got))
			}
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"\ndefault":                     `2: default takes one action`,
		"allow read if":                 `1: condition "": want argN OP VALUE or argN & MASK == VALUE`,
		"allow read if a0 == 1":         `1: condition "a0 == 1": want argN OP VALUE or argN & MASK == VALUE`,
		"allow read if arg0 == x":       `1: condition "arg0 == x": want argN OP VALUE or argN & MASK == VALUE`,
		"allow read if arg0 & 1 != 1":   `1: condition "arg0 & 1 != 1": want argN OP VALUE or argN & MASK == VALUE`,
		"allow read if argx == 1":       `1: condition "argx == 1": want argN OP VALUE or argN & MASK == VALUE`,
		"allow read if arg0 == 1 arg1":  `1: "arg1" after a condition, want "and"`,
		"allow read if arg0 == 1 and":   `1: condition "": want argN OP VALUE or argN & MASK == VALUE`,
		"allow read if arg0 & z == 0 x": `1: condition "arg0 & z == 0 x": want argN OP VALUE or argN & MASK == VALUE`,
	} {
		if _, err := parsePolicy(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
