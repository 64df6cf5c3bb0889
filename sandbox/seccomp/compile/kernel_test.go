//go:build cgo

package compile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelCase is handed to a copy of the test program, which loads the filter and
// makes one call.
type kernelCase struct {
	Filter []byte
	Nr     uintptr
	Args   [6]uintptr
	// Exec is a program to execute instead of making a call.
	Exec string
}

const kernelCaseEnv = "SECCOMP_KERNEL_CASE"

func TestMain(m *testing.M) {
	if text := os.Getenv(kernelCaseEnv); text != "" {
		makeCall(text)
	}
	os.Exit(m.Run())
}

// makeCall prints the errno of the call, 0 for success.
func makeCall(text string) {
	var c kernelCase
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	runtime.LockOSThread()
	if err := load(c.Filter); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	if c.Exec != "" {
		fmt.Println(unix.Exec(c.Exec, []string{c.Exec}, nil))
		os.Exit(1)
	}
	r, _, errno := unix.RawSyscall6(c.Nr, c.Args[0], c.Args[1], c.Args[2], c.Args[3], c.Args[4], c.Args[5])
	if c.Nr == unix.SYS_CLONE && errno == 0 && r == 0 {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	fmt.Print(int(errno))
	os.Exit(0)
}

// load puts a filter on the calling thread.
func load(bpf []byte) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	program := unix.SockFprog{Len: uint16(len(bpf) / 8), Filter: (*unix.SockFilter)(unsafe.Pointer(&bpf[0]))}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(bpf)
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}

// observe returns the errno the kernel answered with, or the signal.
func observe(t *testing.T, c kernelCase) (unix.Errno, unix.Signal) {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), kernelCaseEnv+"="+string(text))
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
			return 0, status.Signal()
		}
		if bytes.Contains(exit.Stderr, []byte("SIGSYS: bad system call")) {
			return 0, unix.SIGSYS // caught by Go's runtime, which a kill cannot be
		}
	}
	var errno int
	if _, scanErr := fmt.Sscan(string(out), &errno); err != nil || scanErr != nil {
		t.Fatalf("%+v: %v: %s", c.Nr, err, out)
	}
	return unix.Errno(errno), 0
}

// TestKernel loads filters into this kernel and looks at what it does.
func TestKernel(t *testing.T) {
	if !slices.Contains(Arches, runtime.GOARCH) {
		t.Skipf("no filters for %s", runtime.GOARCH)
	}
	const garbage = 1 << 40
	filters := map[string][]byte{"": embedded(t, runtime.GOARCH)}
	tests := []struct {
		policy string // empty means the default policy, as embedded
		nr     uintptr
		args   [6]uintptr
		errno  unix.Errno
		signal unix.Signal
	}{
		{"", unix.SYS_GETPID, [6]uintptr{}, 0, 0},
		{"", unix.SYS_UNSHARE, [6]uintptr{}, unix.EPERM, 0},
		{"", unix.SYS_CLONE, [6]uintptr{uintptr(unix.SIGCHLD)}, 0, 0},
		{"", unix.SYS_CLONE, [6]uintptr{unix.CLONE_NEWUSER | uintptr(unix.SIGCHLD)}, unix.EPERM, 0},
		{"", unix.SYS_CLONE3, [6]uintptr{}, unix.ENOSYS, 0},
		{"", PolicyLevel + 1, [6]uintptr{}, unix.ENOSYS, 0},
		{"", unix.SYS_IOCTL, [6]uintptr{0, unix.TIOCSTI | garbage}, unix.EPERM, 0},
		{"", unix.SYS_SOCKET, [6]uintptr{unix.AF_VSOCK | garbage, unix.SOCK_STREAM}, unix.EAFNOSUPPORT, 0},
		{"", unix.SYS_PERSONALITY, [6]uintptr{0x40000}, unix.EPERM, 0},
		{"", unix.SYS_PERSONALITY, [6]uintptr{0xffffffff}, 0, 0},
		{"default allow\nkill getppid", unix.SYS_GETPPID, [6]uintptr{}, 0, unix.SIGSYS},
		{"default allow\nkill getppid", unix.SYS_GETUID, [6]uintptr{}, 0, 0},
		{"default allow\ntrap getppid", unix.SYS_GETPPID, [6]uintptr{}, 0, unix.SIGSYS},
		{"default allow\nlog getppid", unix.SYS_GETPPID, [6]uintptr{}, 0, 0},
		{"default allow\nerrno=EXDEV close if arg0 > 0x100000000 and arg0 <= 0x200007776", unix.SYS_CLOSE, [6]uintptr{0x200007776}, unix.EXDEV, 0},
		{"default allow\nerrno=EXDEV close if arg0 > 0x100000000 and arg0 <= 0x200007776", unix.SYS_CLOSE, [6]uintptr{0x200007777}, unix.EBADF, 0},
	}
	for _, test := range tests {
		bpf := filters[test.policy]
		if bpf == nil {
			var err error
			if bpf, err = Compile(mustParse(t, test.policy), runtime.GOARCH); err != nil {
				t.Fatal(err)
			}
		}
		errno, signal := observe(t, kernelCase{Filter: bpf, Nr: test.nr, Args: test.args})
		if errno != test.errno || signal != test.signal {
			t.Errorf("%q: call %d %#x: errno %d, signal %d, want %d, %d", test.policy, test.nr, test.args, errno, signal, test.errno, test.signal)
		}
	}
}

// TestKernelForeign enters the kernel of an x86-64 by its two other doors.
func TestKernelForeign(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skipf("%s has no x32 and no int 0x80", runtime.GOARCH)
	}
	filter := embedded(t, "amd64")
	errno, signal := observe(t, kernelCase{Filter: filter, Nr: 0x40000000 | unix.SYS_GETPID})
	if signal != unix.SIGSYS {
		t.Errorf("x32 getpid: errno %d, signal %d, want SIGSYS", errno, signal)
	}
	program := filepath.Join(t.TempDir(), "int80")
	if err := os.WriteFile(program, int80(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command(program).Run(); err != nil {
		if status, _ := os.ReadFile("/proc/self/status"); bytes.Contains(status, []byte("\nSeccomp:\t2\n")) && strings.Contains(err.Error(), "bad system call") {
			t.Skip("missing: a kernel without a filter, as in a container of ours")
		}
		// Without it int 0x80 is a general protection fault. The sysctl comes with
		// CONFIG_IA32_EMULATION, which the command line may turn off again.
		_, missing := os.Stat("/proc/sys/abi/vsyscall32")
		line, _ := os.ReadFile("/proc/cmdline")
		if !strings.Contains(err.Error(), "segmentation fault") || missing == nil && !bytes.Contains(line, []byte("ia32_emulation=")) {
			t.Fatalf("int 0x80 without a filter: %v", err)
		}
		t.Skip("missing: IA32 emulation in the kernel")
	}
	if errno, signal = observe(t, kernelCase{Filter: filter, Exec: program}); signal != unix.SIGSYS {
		t.Errorf("i386 getpid: errno %d, signal %d, want SIGSYS", errno, signal)
	}
}

// int80 is a 64-bit program that calls getpid as an i386 one would, and exits with 0.
func int80() []byte {
	code := []byte{
		0xb8, 20, 0, 0, 0, // mov $20, %eax: getpid of i386
		0xcd, 0x80, // int $0x80
		0xb8, 60, 0, 0, 0, // mov $60, %eax: exit of x86-64
		0x31, 0xff, // xor %edi, %edi
		0x0f, 0x05, // syscall
	}
	const base, headers = 0x400000, 64 + 56
	var b bytes.Buffer
	b.WriteString("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	for _, field := range []any{
		// Elf64_Ehdr: executable, x86-64, entry, program headers at 64, no sections.
		uint16(2), uint16(62), uint32(1), uint64(base + headers), uint64(64), uint64(0),
		uint32(0), uint16(64), uint16(56), uint16(1), uint16(0), uint16(0), uint16(0),
		// Elf64_Phdr: the whole file, readable and executable.
		uint32(1), uint32(5), uint64(0), uint64(base), uint64(base),
		uint64(headers + len(code)), uint64(headers + len(code)), uint64(0x1000),
	} {
		if err := binary.Write(&b, binary.LittleEndian, field); err != nil {
			panic(err)
		}
	}
	b.Write(code)
	return b.Bytes()
}

// BenchmarkLoad is the least and the median time seccomp(2) takes for the default filter, on a thread of
// its own that ends afterwards, and the filter's length.
func BenchmarkLoad(b *testing.B) {
	bpf := embedded(b, runtime.GOARCH)
	times := make([]time.Duration, 0, b.N)
	for b.Loop() {
		done := make(chan error)
		go func() {
			runtime.LockOSThread() // never unlocked: the thread ends, and the filter with it
			start := time.Now()
			err := load(bpf)
			times = append(times, time.Since(start))
			done <- err
		}()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[0].Nanoseconds())/1000, "load-min-µs")
	b.ReportMetric(float64(times[len(times)/2].Nanoseconds())/1000, "load-median-µs")
	b.ReportMetric(float64(len(bpf)/8), "instructions")
}

// BenchmarkCompile is the time libseccomp and linking take for the default policy.
func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Default(runtime.GOARCH); err != nil {
			b.Fatal(err)
		}
	}
}
