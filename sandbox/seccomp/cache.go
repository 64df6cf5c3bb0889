package seccomp

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// cache is a folder of compiled filters, one file for each key: the digest of key
// and filter, then the filter. Only its owner may reach it, and every file is
// looked at again before it is believed: a filter decides what a payload may do.
type cache struct{ fd int }

const maxCached = sha256.Size + MaxInstructions*instructionSize

// openCache makes the folder when it is missing.
func openCache(dir string) (cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return cache{}, fmt.Errorf("make seccomp cache %s: %w", dir, err)
	}
	fd, err := unix.Open(dir, unix.O_DIRECTORY|unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return cache{}, fmt.Errorf("open seccomp cache %s: %w; hint: it must be a folder, not a link", dir, err)
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		unix.Close(fd)
		return cache{}, fmt.Errorf("stat seccomp cache %s: %w", dir, err)
	}
	if err := private(&stat); err != nil {
		unix.Close(fd)
		return cache{}, fmt.Errorf("seccomp cache %s: %w; hint: remove it, or chmod 700", dir, err)
	}
	return cache{fd}, nil
}

func (c cache) close() { unix.Close(c.fd) }

// private reports who else could have written a file or folder.
func private(stat *unix.Stat_t) error {
	if int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("it belongs to uid %d, not to %d", stat.Uid, os.Geteuid())
	}
	if stat.Mode&0o077 != 0 {
		return fmt.Errorf("its mode is %03o, open to others", stat.Mode&0o777)
	}
	return nil
}

// load returns the filter of a key, if it is there and unharmed.
func (c cache) load(key string) ([]byte, bool) {
	fd, err := unix.Openat(c.fd, key, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil || stat.Mode&unix.S_IFMT != unix.S_IFREG || private(&stat) != nil ||
		stat.Size <= sha256.Size || stat.Size > maxCached {
		return nil, false
	}
	content := make([]byte, stat.Size)
	if n, err := unix.Pread(fd, content, 0); err != nil || n != len(content) {
		return nil, false
	}
	bpf := content[sha256.Size:]
	if [sha256.Size]byte(content) != seal(key, bpf) || Check(bpf) != nil {
		return nil, false
	}
	return bpf, true
}

// save writes a filter under a temporary name and renames it: whoever reads at the
// same time sees the old file or the new one.
func (c cache) save(key string, bpf []byte) error {
	sum := seal(key, bpf)
	// Random, for processes of several pid namespaces may share the folder.
	name := "." + key[:16] + "." + strconv.FormatUint(rand.Uint64(), 36)
	fd, err := unix.Openat(c.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("create %s in the seccomp cache: %w", name, err)
	}
	content := append(sum[:], bpf...)
	n, err := unix.Write(fd, content)
	if closeErr := unix.Close(fd); err == nil {
		err = closeErr
	}
	if err == nil && n != len(content) {
		err = unix.ENOSPC
	}
	if err == nil {
		err = unix.Renameat(c.fd, name, c.fd, key)
	}
	if err != nil {
		_ = unix.Unlinkat(c.fd, name, 0)
		return fmt.Errorf("write %s in the seccomp cache: %w", key, err)
	}
	return nil
}

// seal binds a filter to its key, so that one cannot stand in for another.
func seal(key string, bpf []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(key), bpf...))
}
