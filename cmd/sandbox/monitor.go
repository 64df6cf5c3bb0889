package main

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// calmMonitor has the Go runtime's monitor thread wake every 2 ms, not every 80 µs,
// for the life of the process: it takes a tenth of a processor from a start
// that lasts 4 ms. The thread sleeps 20 µs and more as the kernel's timers are only as
// exact as a thread's slack (prctl(2) PR_SET_TIMERSLACK, 50 µs unless told). Root may
// set that of another thread (proc_pid_timerslack_ns(5), Linux 4.6); for everyone else,
// and where anything is different, all stays as it is.
func calmMonitor() {
	fd, err := unix.Open("/proc/self/task", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	var entries [512]byte
	n, err := unix.Getdents(fd, entries[:])
	if err != nil {
		return
	}
	// In the order they were made: ".", "..", the main thread, and the first that the
	// runtime starts, its monitor (runtime.main).
	list := entries[:n]
	for range 3 {
		list = list[min(len(list), length(list)):]
	}
	name, _, ended := bytes.Cut(list[min(len(list), nameAt):], []byte{0})
	if !ended || len(name) == 0 {
		return
	}
	slack, err := unix.Open("/proc/"+string(name)+"/timerslack_ns", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	unix.Write(slack, []byte("2000000")) //nolint:errcheck // it is a favour
	unix.Close(slack)
}

// Offsets in struct linux_dirent64 (getdents64(2)).
const (
	lengthAt = 16
	nameAt   = 19
)

func length(entry []byte) int {
	if len(entry) < nameAt {
		return len(entry)
	}
	return int(entry[lengthAt]) | int(entry[lengthAt+1])<<8
}
