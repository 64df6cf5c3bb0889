package mount

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/plan"
)

func TestExplain(t *testing.T) {
	for _, tc := range []struct {
		op    plan.Op
		errno unix.Errno
		want  string
	}{
		{plan.Bind{Source: "/usr", Target: "/usr"}, unix.EINVAL, "a submount of /usr is locked by the parent user namespace"},
		{plan.Bind{Source: "/usr", Target: "/usr", Recursive: true}, unix.EINVAL, "a folder cannot be mounted on a file"},
		{plan.RootOverlay{}, unix.EINVAL, "maximum overlay stacking depth"},
		{plan.RootOverlay{UserXattr: true}, unix.EINVAL, "locked by the parent user namespace"},
		{plan.RootOverlay{UserXattr: true}, unix.EOPNOTSUPP, "6.6"},
		{plan.RootOverlay{}, unix.EBUSY, "same upper folder"},
		{plan.MountFS{Type: "proc"}, unix.EPERM, "unmasked /proc"},
		{plan.MountFS{Type: "sysfs"}, unix.EPERM, "network namespace"},
		{plan.MountFS{Type: "devpts"}, unix.EINVAL, "gid 5"},
		{plan.MountFS{Type: "tmpfs", Options: []string{"size=x"}}, unix.EINVAL, "size=x"},
		{plan.MountFS{Type: "mqueue"}, unix.ENODEV, "without mqueue"},
		{plan.MountFS{Type: "tmpfs"}, unix.ENOSPC, "mount-max"},
		{plan.MakeDir{}, unix.EROFS, "sandbox.overlay"},
		{plan.MakeDir{}, unix.ENOENT, "sandbox.overlay"},
		{plan.MakeDir{}, unix.ENOTDIR, "is a file"},
		{plan.MakeDir{}, unix.ELOOP, "must not be links"},
		{plan.MakeDevice{}, unix.ENODEV, "/dev of its own"},
		{plan.Pivot{}, unix.EINVAL, "initramfs"},
		{plan.PrivateMounts{}, unix.EPERM, "CAP_SYS_ADMIN"},
		{plan.PrivateMounts{}, unix.ENOSYS, "Linux 5.12"},
	} {
		if got := Explain(tc.op, tc.errno); !strings.Contains(got, tc.want) {
			t.Errorf("%T, %v: %q, want %q", tc.op, tc.errno, got, tc.want)
		}
	}
}
