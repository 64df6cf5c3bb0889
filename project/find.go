package project

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"sandbox/sandbox/definition"
)

// Find returns the nearest folder, at dir or above, that holds a sandbox.toml; "" when
// there is none. dir is absolute.
func Find(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(filepath.Join(at, FileName))
		if err == nil {
			return at, trust(filepath.Join(at, FileName), dir, info)
		}
		if at == filepath.Dir(at) {
			return "", nil
		}
	}
}

// trust refuses the file of somebody who has no business here: without it, whoever can
// write to /tmp decides what a recipe below it may require, and what `sandbox run`
// without a recipe runs there.
func trust(file, dir string, info os.FileInfo) error {
	owner, known := ownerOf(info)
	if !known || owner == 0 || int(owner) == os.Geteuid() {
		return nil
	}
	if from, err := os.Stat(dir); err == nil {
		if here, known := ownerOf(from); known && here == owner {
			return nil
		}
	}
	return definition.Problems{{Origin: definition.Origin{File: file},
		Message: "it belongs to uid " + strconv.Itoa(int(owner)) + ", who is neither you nor the owner of " + dir,
		Hint:    "put an empty " + FileName + " into the folder that your project begins in, or remove this one"}}
}

// Read reads one of the project's files. It may be a stranger's: a FIFO does not make it
// wait, nor an endless file fill the memory; one that is too long is cut, and refused
// when it is parsed.
func Read(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &os.PathError{Op: "read", Path: path, Err: errors.New("it is no regular file")}
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, MaxFile+1))
}

func ownerOf(info os.FileInfo) (uint32, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return stat.Uid, true
}
