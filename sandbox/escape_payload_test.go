package sandbox_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// attack is what a hostile payload tries. It returns "" when it failed, and else
// what it got.
type attack struct {
	name string
	// unfiltered attacks have to fail without a seccomp filter too.
	unfiltered bool
	try        func() string
}

var attacks = []attack{
	{"init's environment, root, folder, memory and descriptors", true, reachInit},
	{"CVE-2016-9962: ptrace of init, its memory, its descriptors", true, traceInit},
	{"CVE-2019-5736: another program through /proc/N/exe", true, openPrograms},
	{"CVE-2024-21626: a folder among the descriptors", true, inheritedFolders},
	{"CVE-2022-29162: inheritable and further capabilities", true, capabilities},
	{"umount of masks and of the root", true, unmount},
	{"remount of what is read-only", true, remount},
	{"mount, by either interface", true, mountAnything},
	{"device nodes", true, makeDevices},
	{"devices of the host in /dev", true, foreignDevices},
	{"parameters of the kernel", true, writeKernel},
	{"modules, kexec, reboot, clocks, swap, ports", true, administer},
	{"calls of the kernel's wide surface", false, wideCalls},
	{"other namespaces", true, joinNamespaces},
	{"new namespaces", false, newNamespaces},
	{"signals to init", true, killInit},
	{"other cgroups", true, leaveCgroup},
	{"the host's abstract sockets", true, abstractSockets},
	{"the terminal of the runner", true, openTerminal},
	{"masks in a user namespace below", true, nestedNamespaces},
}

// payload is what the test binary does as the payload of a container: it prints
// what the attack of that name got.
func payload(name string) {
	switch name {
	case "nested":
		fmt.Print(unmaskNested())
		return
	case "serve":
		serve()
		return
	case "watch":
		watchJoiners()
		return
	}
	for _, a := range attacks {
		if a.name == name {
			fmt.Print(a.try())
			return
		}
	}
	fmt.Printf("there is no attack %q", name)
}

// opened returns the first path that can be opened.
func opened(flags int, paths ...string) string {
	for _, p := range paths {
		if fd, err := unix.Open(p, flags|unix.O_CLOEXEC|unix.O_NONBLOCK, 0); err == nil {
			unix.Close(fd)
			return "opened " + p
		}
	}
	return ""
}

func reachInit() string {
	if got := opened(unix.O_RDONLY, "/proc/1/environ", "/proc/1/root/", "/proc/1/cwd/", "/proc/1/exe", "/proc/1/fd/0", "/proc/1/fd/3",
		"/proc/1/fdinfo/3", "/proc/1/maps", "/proc/1/mem", "/proc/1/auxv", "/proc/1/task/1/environ"); got != "" {
		return got
	}
	return opened(unix.O_RDWR, "/proc/1/mem")
}

func traceInit() string {
	const seize = 0x4206 // PTRACE_SEIZE
	if _, _, errno := unix.Syscall6(unix.SYS_PTRACE, seize, 1, 0, 0, 0, 0); errno == 0 {
		return "init was traced"
	}
	b := make([]byte, 8)
	local := []unix.Iovec{{Base: &b[0], Len: 8}}
	if _, err := unix.ProcessVMReadv(1, local, []unix.RemoteIovec{{Base: 0x400000, Len: 8}}, 0); err != unix.EPERM && err != unix.ENOSYS {
		return fmt.Sprint("process_vm_readv of init: ", err)
	}
	pidfd, err := unix.PidfdOpen(1, 0)
	if err != nil {
		return ""
	}
	for fd := range 16 {
		if _, err := unix.PidfdGetfd(pidfd, fd, 0); err == nil {
			return fmt.Sprint("took descriptor ", fd, " of init")
		}
	}
	return ""
}

func openPrograms() string {
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && to != "/attack" {
			return l + " is " + to
		}
		if got := opened(unix.O_WRONLY, l); got != "" {
			return got
		}
	}
	return opened(unix.O_WRONLY, "/attack")
}

func inheritedFolders() string {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		to, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && (strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "/proc/") && unix.Chdir("/proc/self/fd/"+e.Name()) == nil ||
			strings.Contains(to, "memfd:") || strings.HasPrefix(to, "socket:")) {
			return e.Name() + " is " + to
		}
	}
	if dir, err := os.Getwd(); err != nil || strings.HasPrefix(dir, "(unreachable)") {
		return fmt.Sprint("the folder is ", dir, err)
	}
	return ""
}

func capabilities() string {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err.Error()
	}
	// DefaultCapabilities, by number.
	allowed := uint64(1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER | 1<<unix.CAP_FSETID | 1<<unix.CAP_KILL |
		1<<unix.CAP_SETGID | 1<<unix.CAP_SETUID | 1<<unix.CAP_NET_BIND_SERVICE)
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		set, err := strconv.ParseUint(value, 16, 64)
		switch {
		case name == "CapInh" && (err != nil || set != 0), name == "CapAmb" && (err != nil || set != 0),
			slices.Contains([]string{"CapPrm", "CapEff", "CapBnd"}, name) && (err != nil || set&^allowed != 0):
			return line
		}
	}
	return ""
}

func unmount() string {
	for _, p := range []string{"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sys", "/proc/sysrq-trigger", "/sys/firmware", "/sys",
		"/proc", "/dev/null", "/dev", "/tmp", "/run", "/etc/shadow", "/attack", "/"} {
		if unix.Unmount(p, unix.MNT_DETACH) == nil {
			return "unmounted " + p
		}
	}
	return ""
}

func remount() string {
	for _, p := range []string{"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/sys", "/attack", "/etc", "/"} {
		if unix.Mount("", p, "", unix.MS_REMOUNT|unix.MS_BIND, "") == nil {
			return "remounted " + p
		}
		if unix.MountSetattr(unix.AT_FDCWD, p, 0, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}) == nil {
			return "set attributes of " + p
		}
	}
	return ""
}

func mountAnything() string {
	os.Mkdir("/tmp/m", 0o755)
	for _, fs := range []string{"tmpfs", "proc", "sysfs", "cgroup2", "devtmpfs", "debugfs", "overlay", "binfmt_misc"} {
		if unix.Mount(fs, "/tmp/m", fs, 0, "") == nil {
			return "mounted a " + fs
		}
		if fd, err := unix.Fsopen(fs, 0); err == nil {
			return fmt.Sprint("opened a ", fs, " as ", fd)
		}
	}
	if unix.Mount("/", "/tmp/m", "", unix.MS_BIND, "") == nil || unix.Mount("/proc/kcore", "/tmp/m", "", unix.MS_MOVE, "") == nil {
		return "bound or moved a mount"
	}
	if _, err := unix.OpenTree(unix.AT_FDCWD, "/", unix.OPEN_TREE_CLONE|unix.AT_RECURSIVE); err == nil {
		return "cloned the tree"
	}
	if unix.PivotRoot("/tmp", "/tmp") == nil || unix.Chroot("/tmp") == nil {
		return "changed the root"
	}
	return ""
}

func makeDevices() string {
	for _, n := range []struct{ kind, major, minor uint32 }{{unix.S_IFCHR, 1, 1}, {unix.S_IFCHR, 1, 3}, {unix.S_IFCHR, 10, 200}, {unix.S_IFBLK, 8, 0}, {unix.S_IFBLK, 7, 0}} {
		for _, dir := range []string{"/tmp", "/dev", "/dev/shm", "/run", "/root"} {
			if unix.Mknod(dir+"/node", n.kind|0o666, int(unix.Mkdev(n.major, n.minor))) == nil {
				return fmt.Sprintf("made %d:%d in %s", n.major, n.minor, dir)
			}
		}
	}
	return ""
}

func foreignDevices() string {
	got := ""
	filepath.WalkDir("/dev", func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type()&fs.ModeDevice != 0 && !strings.HasPrefix(path, "/dev/pts/") &&
			!slices.Contains([]string{"null", "zero", "full", "random", "urandom", "tty"}, e.Name()) {
			got = "there is a " + path
		}
		return nil
	})
	return got
}

// writeKernel looks for any file of the kernel's that can be opened for writing.
func writeKernel() string {
	for _, p := range []string{"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger",
		"/proc/sys/kernel/domainname", "/sys/kernel/uevent_helper", "/sys/power/state"} {
		if got := opened(unix.O_WRONLY, p); got != "" {
			return got
		}
	}
	// Triggers of pressure are for anyone, and end with the descriptor; files of no
	// effect without a capability in the host's user namespace, which is never there.
	harmless := []string{"/proc/pressure", "/proc/mtrr", "/proc/net", "/proc/self", "/proc/thread-self"}
	got := ""
	for _, root := range []string{"/proc", "/sys"} {
		filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			_, number := strconv.Atoi(e.Name())
			if err != nil || e.IsDir() && (root == "/proc" && number == nil || slices.Contains(harmless, path)) {
				return fs.SkipDir
			}
			info, err := e.Info()
			if err == nil && info.Mode()&0o222 != 0 && info.Mode().IsRegular() && !slices.Contains(harmless, path) && opened(unix.O_WRONLY, path) != "" {
				got = "opened " + path
				return fs.SkipAll
			}
			return nil
		})
	}
	return got
}

// refused makes calls with arguments that would do something, and returns the first
// whose error is none of a refusal.
func refused(calls []struct {
	name string
	err  error
}) string {
	for _, c := range calls {
		if !errors.Is(c.err, unix.EPERM) && !errors.Is(c.err, unix.ENOSYS) && !errors.Is(c.err, unix.EACCES) {
			return fmt.Sprintf("%s: %v", c.name, c.err)
		}
	}
	return ""
}

func raw(number uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	if _, _, errno := unix.Syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
		return errno
	}
	return nil
}

func administer() string {
	name := []byte("x\x00")
	text := uintptr(unsafe.Pointer(&name[0]))
	return refused([]struct {
		name string
		err  error
	}{
		{"init_module", raw(unix.SYS_INIT_MODULE, text, 1, text)}, {"finit_module", raw(unix.SYS_FINIT_MODULE, 0, text, 0)},
		{"delete_module", raw(unix.SYS_DELETE_MODULE, text, 0)},
		{"kexec_load", raw(unix.SYS_KEXEC_LOAD, 0, 0, 0, 0)},
		{"reboot", raw(unix.SYS_REBOOT, unix.LINUX_REBOOT_MAGIC1, unix.LINUX_REBOOT_MAGIC2, unix.LINUX_REBOOT_CMD_CAD_OFF, 0)},
		{"settimeofday", unix.Settimeofday(&unix.Timeval{Sec: 1})}, {"swapoff", raw(unix.SYS_SWAPOFF, text)},
		{"acct", unix.Acct("")}, {"syslog", raw(unix.SYS_SYSLOG, 3, text, 1)}, {"sethostname", unix.Sethostname([]byte("x"))},
		{"open_by_handle_at", func() error {
			_, err := unix.OpenByHandleAt(unix.AT_FDCWD, unix.NewFileHandle(1, make([]byte, 8)), 0)
			return err
		}()},
	})
}

func wideCalls() string {
	page := make([]byte, 256)
	p := uintptr(unsafe.Pointer(&page[0]))
	return refused([]struct {
		name string
		err  error
	}{
		{"bpf", raw(unix.SYS_BPF, 0, p, 72)}, {"perf_event_open", raw(unix.SYS_PERF_EVENT_OPEN, p, 0, ^uintptr(0), ^uintptr(0), 0)},
		{"userfaultfd", raw(unix.SYS_USERFAULTFD, 0)}, {"keyctl", raw(unix.SYS_KEYCTL, 0, ^uintptr(0), 0)},
		{"add_key", raw(unix.SYS_ADD_KEY, p, p, p, 1, 0)}, {"io_uring_setup", raw(unix.SYS_IO_URING_SETUP, 1, p)},
		{"clone3", raw(unix.SYS_CLONE3, p, 64)}, {"quotactl", raw(unix.SYS_QUOTACTL, 0, 0, 0, 0)},
		{"TIOCSTI", raw(unix.SYS_IOCTL, 0, unix.TIOCSTI, p)}, {"TIOCLINUX", raw(unix.SYS_IOCTL, 0, unix.TIOCLINUX, p)},
	})
}

func joinNamespaces() string {
	files, _ := filepath.Glob("/proc/1/ns/*")
	for _, f := range files {
		if got := opened(unix.O_RDONLY, f); got != "" {
			return got
		}
	}
	pidfd, err := unix.PidfdOpen(1, 0)
	if err != nil {
		return ""
	}
	for _, flag := range []int{unix.CLONE_NEWUSER, unix.CLONE_NEWNS, unix.CLONE_NEWPID, unix.CLONE_NEWNET, unix.CLONE_NEWIPC, unix.CLONE_NEWUTS, unix.CLONE_NEWCGROUP} {
		if unix.Setns(pidfd, flag) == nil {
			return fmt.Sprintf("entered init's namespace %#x", flag)
		}
	}
	return ""
}

func newNamespaces() string {
	for _, flag := range []int{unix.CLONE_NEWUSER, unix.CLONE_NEWNS, unix.CLONE_NEWPID, unix.CLONE_NEWNET, unix.CLONE_NEWIPC, unix.CLONE_NEWUTS, unix.CLONE_NEWCGROUP, unix.CLONE_NEWTIME} {
		if unix.Unshare(flag) == nil {
			return fmt.Sprintf("made a namespace %#x", flag)
		}
		if flag == unix.CLONE_NEWTIME {
			continue // clone(2) takes it for a signal
		}
		pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(flag)|uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		if errno == 0 && pid == 0 {
			unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
		}
		if errno == 0 {
			return fmt.Sprintf("cloned with %#x", flag)
		}
	}
	return ""
}

// killInit returns; it is the verdict of the run that tells when init is gone.
func killInit() string {
	for _, s := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT, unix.SIGKILL, unix.SIGSTOP, unix.SIGSEGV} {
		unix.Kill(1, s)
	}
	return ""
}

func leaveCgroup() string {
	got := ""
	filepath.WalkDir("/sys/fs/cgroup", func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && opened(unix.O_WRONLY, path) != "" {
			got = "opened " + path
		}
		return nil
	})
	text, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(text)) {
		if parts := strings.SplitN(line, ":", 3); got == "" && len(parts) == 3 && parts[1] == "" && strings.TrimSpace(parts[2]) != "/" {
			got = "sees the host's cgroup path " + line
		}
	}
	return got
}

// hostSocket is what the test listens on, in the host's network namespace.
const hostSocket = "@sandbox-escape-test"

func abstractSockets() string {
	if c, err := net.Dial("unix", hostSocket); err == nil {
		c.Close()
		return "reached " + hostSocket
	}
	return ""
}

// openTerminal: stdout is a terminal here, but not the container's.
func openTerminal() string {
	if got := opened(unix.O_RDWR|unix.O_NOCTTY, "/dev/tty"); got != "" {
		return got
	}
	if sid, err := unix.Getsid(0); err != nil || sid != os.Getpid() {
		return fmt.Sprint("in session ", sid, err)
	}
	char := byte('x')
	if raw(unix.SYS_IOCTL, 2, unix.TIOCSTI, uintptr(unsafe.Pointer(&char))) == nil {
		return "pushed input"
	}
	return ""
}

// nestedNamespaces makes a user namespace, where it has all capabilities, and tries
// again from there.
func nestedNamespaces() string {
	cmd := exec.Command("/attack")
	cmd.Env = []string{"SANDBOX_TEST_PAYLOAD=nested"}
	one := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{UidMappings: one, GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWCGROUP}
	out, err := cmd.Output()
	if err != nil && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EINVAL) {
		return err.Error()
	}
	return string(out)
}

func unmaskNested() string {
	// Its own tmpfs it may have: else this proves nothing.
	os.Mkdir("/tmp/n", 0o755)
	if err := unix.Mount("n", "/tmp/n", "tmpfs", 0, ""); err != nil {
		return fmt.Sprint("mount a tmpfs: ", err)
	}
	if got := unmount(); got != "" && got != "unmounted /tmp" {
		return "nested: " + got
	}
	if got := remount(); got != "" && !strings.HasSuffix(got, " of /") {
		return "nested: " + got
	}
	for _, fs := range []string{"proc", "sysfs", "devtmpfs", "cgroup2"} {
		if unix.Mount(fs, "/tmp/n", fs, 0, "") == nil {
			return "nested: mounted a new " + fs
		}
	}
	for _, p := range []string{"/proc", "/sys", "/dev", "/"} {
		// Without what lies on it: the masks, the read-only parts.
		if unix.Mount(p, "/tmp/n", "", unix.MS_BIND, "") == nil {
			return "nested: bound " + p + " without its masks"
		}
	}
	return opened(unix.O_WRONLY, "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper")
}

// watchJoiners looks at every process that appears, and prints what it could see of
// one that had not yet become its program.
func watchJoiners() {
	for {
		links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
		for _, l := range links {
			if strings.HasPrefix(l, "/proc/"+strconv.Itoa(os.Getpid())+"/") {
				continue
			}
			if to, err := os.Readlink(l); err == nil && (strings.HasPrefix(to, "socket:") || strings.Contains(to, "memfd:")) {
				fmt.Println(l, "is", to)
			}
		}
		exes, _ := filepath.Glob("/proc/[0-9]*/exe")
		for _, l := range exes {
			if to, err := os.Readlink(l); err == nil && strings.Contains(to, "memfd:") {
				fmt.Println(l, "is", to)
			}
		}
	}
}
