package sandbox

import (
	"encoding/json"
	"testing"
	"time"

	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
)

// The record written by hand is the one that encoding/json writes.
func TestStateRecordEncoding(t *testing.T) {
	plain := stateRecord{Version: 1, ID: "a-b", Name: "a", Supervisor: 7, Created: time.Now().UTC(), Status: statusCreating}
	full := plain
	full.PID, full.UID, full.Status = 9, 1000, statusRunning
	full.Cgroup = &cgroups.Record{ID: "a-b", Dirs: []cgroups.Dir{{Version: 2, Parent: "/sys/fs/cgroup/x"}, {Version: 1, Parent: "/sys/fs/cgroup/pids"}}}
	empty, odd, controllers, hooks := plain, plain, full, full
	empty.Cgroup = &cgroups.Record{ID: "a-b"}
	odd.Cgroup = &cgroups.Record{ID: "a-b", Dirs: []cgroups.Dir{{Version: 2, Parent: "/sys/fs/cgroup/\"quoted\" & <odd>\n"}}}
	controllers.Cgroup = &cgroups.Record{ID: "a-b", Leaf: true, Enable: []string{"memory"}, Dirs: []cgroups.Dir{{Version: 2, Controllers: []string{"memory"}, Parent: "/p"}}}
	hooks.Poststop, hooks.Data = []definition.HookRef{{ID: 1, Stage: definition.StagePoststop, Label: "x"}}, definition.JSON(`{"a":1}`)
	for name, r := range map[string]stateRecord{"plain": plain, "full": full, "empty": empty, "odd": odd, "controllers": controllers, "hooks": hooks} {
		got, err := r.encode()
		want, werr := json.Marshal(r)
		if err != nil || werr != nil || string(got) != string(want) {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, got, want)
		}
	}
}
