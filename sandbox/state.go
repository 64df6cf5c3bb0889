package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/cgroups"
	"sandbox/sandbox/definition"
)

// state is a container's folder below the state folder. Its lock is held for the
// supervisor's life: who gets the lock may clean up. It exists before anything
// else of the container does, and goes last.
type state struct {
	dir    string
	lock   *os.File
	record stateRecord
}

// stateRecord is state.json.
type stateRecord struct {
	Version int    `json:"version"`
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	UID     int    `json:"uid"`
	// Supervisor is informative: a process id is not proof of anything.
	Supervisor int       `json:"supervisor"`
	Created    time.Time `json:"created"`
	Status     string    `json:"status"`
	PID        int       `json:"pid,omitempty"`
	// Cgroup names the cgroups that may exist.
	Cgroup *cgroups.Record `json:"cgroup,omitempty"`
	// Poststop are the poststop hooks that have not been started.
	Poststop []definition.HookRef `json:"poststop,omitempty"`
	// Data is ctx.data as the last hook left it.
	Data definition.JSON `json:"data,omitempty"`
}

// Status words, as in the OCI runtime specification, and "kept" for a container
// that has ended and whose folder the user asked to keep.
const (
	statusCreating = "creating"
	statusRunning  = "running"
	statusStopped  = "stopped"
	statusKept     = "kept"
)

const (
	stateFile  = "state.json"
	recordFile = "recipe.json"
	resultFile = "result.json"
	// logPrefix begins the names of the services' logs.
	logPrefix = "service-"
	// tempPrefix marks a folder that is being made; no id begins with a dot.
	tempPrefix = ".tmp-"
)

// reserve makes the state folder of an id: made under a temporary name, locked,
// filled, and renamed to the id, so that a folder under an id always has a lock
// and a record. An id in use is an error.
func reserve(root string, record stateRecord, recipe []byte) (*state, error) {
	if err := ownedDir(root); err != nil {
		return nil, err
	}
	s, err := prepare(root, record, recipe)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, record.ID)
	err = unix.Renameat2(unix.AT_FDCWD, s.dir, unix.AT_FDCWD, dir, unix.RENAME_NOREPLACE)
	if err != nil {
		s.remove()
		if errors.Is(err, unix.EEXIST) {
			return nil, &idInUse{record.ID, dir}
		}
		return nil, fmt.Errorf("rename state folder to %s: %w", dir, err)
	}
	s.dir = dir
	return s, nil
}

// prepare makes a state folder under a temporary name. Another runner's sweep takes
// one that has no lock yet for abandoned: then there is another try.
func prepare(root string, record stateRecord, recipe []byte) (*state, error) {
	for tries := 1; ; tries++ {
		temp := filepath.Join(root, tempPrefix+randomID())
		if err := os.Mkdir(temp, 0o700); err != nil {
			return nil, fmt.Errorf("make state folder: %w", err)
		}
		s := &state{dir: temp, record: record}
		err := s.fill(recipe)
		if err == nil {
			return s, nil
		}
		s.remove()
		if tries == 10 || !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.ENOENT) {
			return nil, err
		}
	}
}

func (s *state) fill(recipe []byte) error {
	lock, err := lockDir(s.dir)
	if err != nil {
		return err
	}
	s.lock = lock
	if len(recipe) > 0 {
		if err := writeFile(filepath.Join(s.dir, recordFile), recipe); err != nil {
			return err
		}
	}
	text, err := s.record.encode()
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	return writeFile(filepath.Join(s.dir, stateFile), text) // nobody reads it under this folder's name
}

// save writes state.json whole, by rename. No fsync: the state of a run does not
// outlive the boot, and an fsync costs 0.4 to 1.2 ms.
func (s *state) save() error {
	text, err := s.record.encode()
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	return replaceFile(filepath.Join(s.dir, stateFile), text)
}

// replaceFile writes a file whole, by rename.
func replaceFile(path string, text []byte) error {
	err := writeFile(path+".new", text)
	if err == nil {
		if err = unix.Rename(path+".new", path); err != nil {
			err = fmt.Errorf("write state %s: %w", path, err)
		}
	}
	return err
}

func writeFile(path string, text []byte) error {
	// Without os.File, which would set up the runtime's poller.
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("write state: open %s: %w", path, err)
	}
	n, err := unix.Write(fd, text)
	unix.Close(fd)
	if err == nil && n < len(text) {
		err = unix.ENOSPC
	}
	if err != nil {
		return fmt.Errorf("write state %s: %w", path, err)
	}
	return nil
}

// remove deletes the folder and gives up the lock.
func (s *state) remove() error {
	defer s.unlock()
	if unix.Unlink(filepath.Join(s.dir, stateFile)) == nil && unix.Rmdir(s.dir) == nil {
		return nil // as a rule nothing else is there
	}
	var err error
	logs, _ := filepath.Glob(filepath.Join(s.dir, logPrefix+"*"))
	for i := range logs {
		logs[i] = filepath.Base(logs[i])
	}
	for _, name := range append(logs, stateFile, stateFile+".new", recordFile, resultFile, ".") {
		if e := os.Remove(filepath.Join(s.dir, name)); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = fmt.Errorf("remove state: %w", e)
		}
	}
	return err
}

// serviceLog is the path of a service's log.
func (s *state) serviceLog(name string) string {
	return filepath.Join(s.dir, logPrefix+name+".log")
}

func (s *state) unlock() {
	if s.lock != nil {
		s.lock.Close()
		s.lock = nil
	}
}

// keep marks the folder as kept, with the result in it.
func (s *state) keep(r *definition.Result) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	if err := replaceFile(filepath.Join(s.dir, resultFile), text); err != nil {
		return err
	}
	s.record.Status = statusKept
	err = s.save()
	s.unlock()
	return err
}

type idInUse struct{ id, dir string }

func (e *idInUse) Error() string { return fmt.Sprintf("the id %q is in use", e.id) }
func (e *idInUse) Hint() string {
	return "choose another with --id, or remove " + e.dir + " if it was kept"
}

// lockDir opens a folder and takes its lock, or fails when another process has it.
func lockDir(dir string) (*os.File, error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open state folder %s: %w", dir, err)
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("lock state folder %s: %w", dir, err)
	}
	return os.NewFile(uintptr(fd), dir), nil
}

// ownedDir makes a private folder, and refuses one that another user could have
// prepared: the state decides what gets killed and removed.
func ownedDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(dir), 0o755); err == nil {
			err = os.Mkdir(dir, 0o700)
		}
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make state folder: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return fmt.Errorf("state folder %s: %w", dir, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0 {
		return fmt.Errorf("state folder %s is not a folder that only this user can write; set SANDBOX_STATE_DIR to one", dir)
	}
	return nil
}

const maxID = 128

// containerID is the id asked for, or one made from the name.
func containerID(o Options) (string, error) {
	id := o.ID
	if id == "" {
		name := o.Definition.Name
		if name == "" {
			name = "sandbox"
		}
		id = name + "-" + randomID()
	}
	plain := strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == ""
	if !plain || id[0] == '.' || id[0] == '-' || len(id) > maxID {
		return "", fmt.Errorf("the id %q is not 1 to %d letters, digits, \"_\", \".\" and \"-\", beginning with a letter, digit or \"_\"", id, maxID)
	}
	return id, nil
}

func randomID() string {
	// Uniqueness is what RENAME_NOREPLACE checks; nothing is secret about an id.
	return strconv.FormatUint(rand.Uint64()|1<<62, 36)[:8]
}
