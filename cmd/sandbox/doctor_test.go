package main

import (
	"testing"

	"sandbox/sandbox/probe"
)

// What several findings of one thing have in common is said once.
func TestDoctorText(t *testing.T) {
	got := doctorText([]probe.Check{
		{Name: "kernel", Level: probe.LevelOK, Text: "Linux 6.1"},
		{Name: "limits.memory", Level: probe.LevelOK, Text: "can be enforced"},
		{Name: "limits.pids", Level: probe.LevelOK, Text: "can be enforced"},
		{Name: "limits.cpus", Level: probe.LevelWarn, Text: "cannot be enforced", Advice: "enable it"},
		{Name: "limits.swap", Level: probe.LevelWarn, Text: "cannot be enforced", Advice: "enable it"},
		{Name: "limits.wall", Level: probe.LevelWarn, Text: "cannot be enforced", Advice: "wait"},
	})
	want := `ok    kernel  Linux 6.1
ok    limits  memory, pids: can be enforced
warn  limits  cpus, swap: cannot be enforced
              hint: enable it
warn  limits  wall: cannot be enforced
              hint: wait
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
