package floor

import (
	"os"
	"testing"
)

// As root there is always something: the floor must not be silent about it.
func TestTryCgroups(t *testing.T) {
	c := TryCgroups()
	t.Logf("%+v, subordinate ids %t", c, SubordinateIDs())
	if os.Geteuid() == 0 && !c.Made && !testing.Short() {
		t.Error("root can make no cgroup")
	}
	if c.Limits("no such controller") || !c.Limits() {
		t.Error("a controller that does not exist, or none, is judged wrongly")
	}
}
