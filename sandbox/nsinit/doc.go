// Package nsinit is the container's init and both ends of its protocol.
//
// The child is a dumb machine: a freestanding ELF of about one kilobyte that runs
// a flat program of raw system calls (Program) and can do nothing the program
// does not say. All knowledge is in Go, testable as data. The supervisor encodes
// the init side of a plan into a Program, a Launcher starts the machine on it, and
// Child is the supervisor's end of the conversation.
//
// The machine and its program lie in sealed memfds, so that the only executable a
// container can reach through /proc/PID/exe is that kilobyte (CVE-2019-5736).
//
//go:generate ./machine/build.sh amd64 machine/machine_amd64.elf
//go:generate ./machine/build.sh arm64 machine/machine_arm64.elf
package nsinit
