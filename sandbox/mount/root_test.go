package mount

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sandbox/sandbox/plan"
)

func TestRootDirIsReadonlyAndUntouched(t *testing.T) {
	check(t)
	dir := rootfs(t)
	before := listing(t, dir)
	out := container{
		ops: standard(plan.RootDir{Path: dir}, plan.ReadonlyRoot{}),
		script: `touch /x 2>/dev/null && echo wrote; echo a >/dev/null && test -c /dev/null && stat -c '%t:%T %a' /dev/null; stat -c %a /dev/shm;
			readlink /proc/self/root; touch /dev/shm/y && echo shm; cat /proc/self/mountinfo | grep -c .`,
	}.succeeds(t)
	if want := "1:3 666\n1777\n/\nshm\n"; !strings.HasPrefix(out, want) {
		t.Errorf("got %q, want %q first", out, want)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("the folder was changed:\n%s\nwas\n%s", after, before)
	}
}

// listing is every name below dir with its mode.
func listing(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.Walk(dir, func(p string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		b.WriteString(info.Mode().String() + " " + p + "\n")
		return nil
	}))
	return b.String()
}
