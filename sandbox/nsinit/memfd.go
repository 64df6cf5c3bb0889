package nsinit

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

//go:embed machine/machine_amd64.elf
var machineAMD64 []byte

//go:embed machine/machine_arm64.elf
var machineARM64 []byte

// SpawnError is a machine that could not be started.
type SpawnError struct {
	Doing string
	Cause error
	hint  string
}

func (e *SpawnError) Error() string { return e.Doing + ": " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *SpawnError) Unwrap() error { return e.Cause }

// Hint says what to do about it, or is empty.
func (e *SpawnError) Hint() string { return e.hint }

// machineFile returns the machine in a sealed memfd: nobody can ever write to the
// executable that /proc/PID/exe leads to (CVE-2019-5736).
func machineFile() (*os.File, error) {
	elf := machineAMD64
	switch runtime.GOARCH {
	case "amd64":
	case "arm64":
		elf = machineARM64
	default:
		return nil, &SpawnError{Doing: "start init", Cause: fmt.Errorf("no machine for %s: %w", runtime.GOARCH, errors.ErrUnsupported)}
	}
	f, err := sealedFile("sandbox-init", unix.MFD_EXEC, elf)
	if errors.Is(err, unix.EACCES) {
		return nil, &SpawnError{Doing: "create an executable memfd", Cause: unix.EACCES,
			hint: "this host forbids executable memfds; allow them: sysctl vm.memfd_noexec=1"}
	}
	return f, err
}

// programFile returns the encoded program in a sealed memfd.
func programFile(program [][]byte) (*os.File, error) {
	return sealedFile("sandbox-program", unix.MFD_NOEXEC_SEAL, program...)
}

// sealedFile returns a memfd that can no longer change. MFD_EXEC and
// MFD_NOEXEC_SEAL are of Linux 6.3; older kernels answer EINVAL and need neither.
func sealedFile(name string, flag int, content ...[]byte) (*os.File, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|flag)
	if err == unix.EINVAL {
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return nil, &SpawnError{Doing: "create a memfd", Cause: err}
	}
	f := os.NewFile(uintptr(fd), name)
	n, err := unix.Writev(fd, content)
	if err == nil && n < size(content) {
		err = unix.ENOSPC
	}
	if err != nil {
		f.Close()
		return nil, &SpawnError{Doing: "write init's memfd", Cause: err}
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals|unix.F_SEAL_EXEC)
	if err == unix.EINVAL {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	}
	if err != nil {
		f.Close()
		return nil, &SpawnError{Doing: "seal init's memfd", Cause: err}
	}
	return f, nil
}

func size(pieces [][]byte) int {
	n := 0
	for _, p := range pieces {
		n += len(p)
	}
	return n
}
