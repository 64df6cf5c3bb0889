package probe

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/plan"
)

// checkUserNamespace makes one.
func checkUserNamespace(f plan.Facts) Check {
	c := Check{"user namespaces", LevelOK, "can be made, with mounts of their own", ""}
	err := tryUserNamespace()
	if err == nil {
		return c
	}
	c.Level, c.Text = LevelError, "cannot be made, or not used: "+err.Error()
	if f.Root {
		c.Level, c.Text = LevelWarn, c.Text+"; a payload's mounts are then guarded by its capabilities alone"
	}
	switch {
	case number("/proc/sys/user/max_user_namespaces", 1) == 0:
		c.Advice = "as root: sysctl user.max_user_namespaces=15000"
	case number("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0:
		c.Advice = "as root: sysctl kernel.unprivileged_userns_clone=1"
	case number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) == 1:
		c.Advice = appArmorAdvice()
	case errors.Is(err, unix.EPERM):
		c.Advice = "a seccomp filter or a security module around this (an outer container's) may refuse them; or the process is in a chroot"
	case errors.Is(err, unix.ENOSPC):
		c.Advice = "too many of them exist, or too many in each other: end some, or as root: sysctl user.max_user_namespaces=15000"
	default:
		c.Advice = "use a kernel with CONFIG_USER_NS (user_namespaces(7))"
	}
	return c
}

// tryUserNamespace has a child make one, mount in it, and fail to execute: the
// errno says how far it came.
func tryUserNamespace() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pid, err := syscall.ForkExec("/dev/null/nothing", []string{"nothing"}, &syscall.ProcAttr{Sys: &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWUSER,
		// The child makes every mount private after it, which needs CAP_SYS_ADMIN there.
		Unshareflags: unix.CLONE_NEWNS,
		UidMappings:  []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings:  []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
	}})
	if err == nil {
		var status unix.WaitStatus
		unix.Wait4(pid, &status, 0, nil) //nolint:errcheck // it is our child
		return nil
	}
	if errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	return err
}

// appArmorAdvice is the profile that lifts the restriction for this program alone
// (Ubuntu 23.10 and newer).
func appArmorAdvice() string {
	self, err := os.Executable()
	if err != nil {
		self = "/usr/local/bin/sandbox"
	}
	return fmt.Sprintf(`as root, write /etc/apparmor.d/sandbox:
  abi <abi/4.0>,
  include <tunables/global>
  profile sandbox %s flags=(unconfined) {
    userns,
  }
and load it: apparmor_parser -r /etc/apparmor.d/sandbox`, self)
}

// checkOverlay mounts one as the root filesystem "host" does.
func checkOverlay(f plan.Facts) Check {
	const name = "overlay"
	if !f.Root || f.MappedIDs != allIDs {
		return Check{name, LevelOK, "not needed: in a user namespace rootfs = \"host\" is read-only folders on a tmpfs", ""}
	}
	if f.RootDepth > 1 {
		return Check{name, LevelWarn, fmt.Sprintf("/ is on %d overlays already, and the kernel takes two: rootfs = \"host\" is read-only", f.RootDepth),
			"let recipes write to /tmp or to mounts, or start the runner outside of the container that it is in"}
	}
	err := inMountNamespace(tryOverlay)
	switch {
	case err == nil:
		return Check{name, LevelOK, "a throw-away layer can be put over /", ""}
	case errors.Is(err, unix.ENODEV):
		return Check{name, LevelWarn, "rootfs = \"host\" does not work: the kernel has no overlay file system", `as root: modprobe overlay; or use rootfs = "host-readonly"`}
	}
	return Check{name, LevelWarn, "rootfs = \"host\" does not work: " + err.Error(), `use rootfs = "host-readonly"`}
}

// inMountNamespace runs f on a thread of its own in a private mount namespace,
// which ends with the thread, mounts and all.
func inMountNamespace(f func() error) error {
	result := make(chan error, 1)
	go onThread(func() {
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			result <- fmt.Errorf("unshare the mount namespace: %w", err)
			return
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			result <- fmt.Errorf("make mounts private: %w", err)
			return
		}
		result <- f()
	})
	return <-result
}

// onThread runs f on a thread that ends with it. The main thread never does: there
// the goroutine only keeps it busy until another one has its own.
func onThread(f func()) {
	runtime.LockOSThread()
	if unix.Gettid() != unix.Getpid() {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		onThread(f)
	}()
	<-done
	runtime.UnlockOSThread()
}

// tryOverlay uses /proc as the place for its scratch: it exists everywhere.
func tryOverlay() error {
	if err := unix.Mount("tmpfs", "/proc", "tmpfs", 0, "mode=0700"); err != nil {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	for _, dir := range []string{"upper", "work", "root"} {
		if err := unix.Mkdir("/proc/"+dir, 0o755); err != nil {
			return fmt.Errorf("make %s: %w", dir, err)
		}
	}
	err := unix.Mount("overlay", "/proc/root", "overlay", 0, "lowerdir=/,upperdir=/proc/upper,workdir=/proc/work,index=off,xino=off,metacopy=off")
	if err != nil {
		return fmt.Errorf("mount overlay: %w", err)
	}
	return nil
}

func actionAvailable(action uint32) error {
	const getActionAvail = 2 // SECCOMP_GET_ACTION_AVAIL
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, getActionAvail, 0, uintptr(unsafe.Pointer(&action))); errno != 0 {
		return errno
	}
	return nil
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}
