package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// The files are read and written by bare system calls relative to the cgroup's
// descriptor: os.File would set up the network poller, and a path could have been
// exchanged for something that is not a cgroup.

// openCgroup opens a cgroup directory and verifies that it is one: a value written
// to a look-alike file on another file system would bound nothing.
func openCgroup(path string, version int) (int, error) {
	fd, err := retry(func() (int, error) {
		return unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return -1, &fs.PathError{Op: "open cgroup", Path: path, Err: err}
	}
	want := int64(unix.CGROUP_SUPER_MAGIC)
	if version == 2 {
		want = unix.CGROUP2_SUPER_MAGIC
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil || int64(st.Type) != want {
		unix.Close(fd)
		return -1, fmt.Errorf("open cgroup %s: it is not on a cgroup v%d file system", path, version)
	}
	return fd, nil
}

// readFile reads a whole file of a cgroup or of /proc; dir may be AT_FDCWD.
func readFile(dir int, name string) (string, error) {
	fd, err := retry(func() (int, error) { return unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	buffer := make([]byte, 0, 1024)
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := retry(func() (int, error) { return unix.Read(fd, buffer[len(buffer):cap(buffer)]) })
		if err != nil {
			return "", err
		}
		if n == 0 {
			return string(buffer), nil
		}
		buffer = buffer[:len(buffer)+n]
	}
}

// writeFile writes a value in one call, as the kernel wants it; it never creates.
func writeFile(dir int, name, value string) error {
	fd, err := retry(func() (int, error) { return unix.Openat(dir, name, unix.O_WRONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = retry(func() (int, error) { return unix.Write(fd, []byte(value)) })
	return err
}

func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// readNumber reads a file that holds one number; "max" is an error.
func readNumber(dir int, name string) (int64, error) {
	text, err := readFile(dir, name)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(text), 10, 64)
}

// readKey reads one number of a file of "key value" lines, like cgroup.events.
func readKey(dir int, name, key string) (int64, error) {
	text, err := readFile(dir, name)
	if err != nil {
		return 0, err
	}
	return keyOf(text, name, key)
}

func keyOf(text, name, key string) (int64, error) {
	for _, line := range strings.Split(text, "\n") {
		if k, v, ok := strings.Cut(line, " "); ok && k == key {
			return strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no line %q: %w", name, key, fs.ErrNotExist)
}

// gone reports whether an error means that the cgroup was removed.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV)
}

// children are the cgroups directly below a cgroup; none when it is gone.
func children(path string) []string {
	entries, err := os.ReadDir(path)
	if err != nil && len(entries) == 0 {
		return nil
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, path+"/"+e.Name())
		}
	}
	return names
}

// pidsOf reads the processes of a cgroup itself. A process outside the runner's
// pid namespace shows as 0.
func pidsOf(path string) ([]int, error) {
	text, err := readFile(unix.AT_FDCWD, path+"/cgroup.procs")
	if errors.Is(err, unix.EOPNOTSUPP) {
		// A threaded cgroup lists only threads.
		text, err = readFile(unix.AT_FDCWD, path+"/cgroup.threads")
	}
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, field := range strings.Fields(text) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("read %s/cgroup.procs: %w", path, err)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}
