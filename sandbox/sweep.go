package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
)

// sweepLimit bounds the sweep of one container.
const sweepLimit = 10 * time.Second

// Sweep removes what supervisors of this user left that were killed: a state
// folder whose lock nobody holds. It kills by cgroup, never by a recorded process
// id, calls the poststop hooks that were not started, and removes the state last.
// revive loads hooks from a record; nil leaves poststop hooks out. The errors are
// of containers that could not be removed; the next sweep tries them again.
func Sweep(stateDir string, revive func(record []byte) (definition.Hooks, error), log func(string)) error {
	return sweep(stateDir, func() {}, revive, log)
}

// sweep calls begin before it does what may take its time.
func sweep(stateDir string, begin func(), revive func(record []byte) (definition.Hooks, error), log func(string)) error {
	entries, err := os.ReadDir(stateDir)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("sweep: %w", err)
	}
	var all error
	for _, e := range entries {
		if err := sweepOne(filepath.Join(stateDir, e.Name()), begin, revive, log); err != nil {
			all = errors.Join(all, fmt.Errorf("sweep %s: %w", e.Name(), err))
		}
	}
	return all
}

func sweepOne(dir string, begin func(), revive func([]byte) (definition.Hooks, error), log func(string)) error {
	lock, err := lockDir(dir)
	if err != nil {
		return nil // its supervisor lives, or it has just gone
	}
	s := &state{dir: dir, lock: lock}
	if !s.stillThere() {
		s.unlock() // another of the same name may be there by now
		return nil
	}
	if strings.HasPrefix(filepath.Base(dir), tempPrefix) {
		return s.remove()
	}
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, os.ErrNotExist) {
		// A folder has its record from before it has its name: it was being removed.
		return s.remove()
	}
	if err == nil {
		err = json.Unmarshal(text, &s.record)
	}
	if err != nil {
		s.unlock()
		return fmt.Errorf("read state: %w", err)
	}
	if s.record.Status == statusKept {
		s.unlock()
		return nil
	}
	begin()
	if err := s.removeCgroups(); err != nil {
		s.unlock()
		return err
	}
	s.lastHooks(revive, log)
	return s.remove()
}

// stillThere reports whether the locked folder is still the one of that name: the
// supervisor may have removed it between the open and the lock.
func (s *state) stillThere() bool {
	var held, named unix.Stat_t
	return unix.Fstat(int(s.lock.Fd()), &held) == nil && unix.Lstat(s.dir, &named) == nil &&
		held.Ino == named.Ino && held.Dev == named.Dev
}

func (s *state) removeCgroups() error {
	if s.record.Cgroup == nil {
		return nil
	}
	group, err := cgroups.Open(*s.record.Cgroup)
	if err != nil {
		return err
	}
	ctx, cancel := background(sweepLimit)
	defer cancel()
	if err := group.Kill(ctx); err != nil {
		return err
	}
	return group.Remove()
}

// lastHooks calls the poststop hooks of a dead supervisor's container, at most
// once: each is struck from the state before it is called.
func (s *state) lastHooks(revive func([]byte) (definition.Hooks, error), log func(string)) {
	refs := s.record.Poststop
	if revive == nil || len(refs) == 0 || s.record.UID != os.Geteuid() {
		return
	}
	record, err := os.ReadFile(filepath.Join(s.dir, recordFile))
	if err != nil {
		return
	}
	s.record.Poststop = nil
	if s.save() != nil {
		return
	}
	hooks, err := revive(record)
	if err != nil {
		log(fmt.Sprintf("poststop hooks of %s: %v", s.record.ID, err))
		return
	}
	c := &container{id: s.record.ID, def: &definition.Definition{Name: s.record.Name, Hooks: refs}}
	c.Options.Hooks, c.Options.Log = hooks, log
	c.result = &definition.Result{ID: s.record.ID, Name: s.record.Name, Verdict: definition.VerdictKilled,
		ExitCode: 128 + int(unix.SIGKILL), Started: s.record.Status == statusRunning, Warnings: []string{"the supervisor was killed"}}
	c.Definition = c.def
	ctx, cancel := background(sweepLimit)
	defer cancel()
	c.runHooks(ctx, definition.StagePoststop)
	for _, w := range c.result.Warnings[1:] {
		log(s.record.ID + ": " + w)
	}
}
