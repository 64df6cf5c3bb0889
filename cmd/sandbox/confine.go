package main

import "golang.org/x/sys/unix"

// What a command that only reads a recipe may use. The VM's own bounds answer
// better; these hold also when one of them is wrong.
const (
	readCPU    = 10      // seconds
	readMemory = 1 << 30 // bytes of private writable memory (Linux 4.7)
)

// confine limits this process, for commands that read recipes of unknown origin. A
// limit that is lower already stays.
func confine() error {
	for resource, most := range map[int]uint64{unix.RLIMIT_CPU: readCPU, unix.RLIMIT_DATA: readMemory} {
		var now unix.Rlimit
		if err := unix.Getrlimit(resource, &now); err != nil {
			return err
		}
		if now.Cur < most {
			continue
		}
		hard := min(now.Max, most)
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: hard, Max: hard}); err != nil {
			return err
		}
	}
	return nil
}
