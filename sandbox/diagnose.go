package sandbox

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/mount"
)

// diagnosis is why execve failed, in words: the errno alone does not say which
// file is missing.
type diagnosis struct {
	Cause error
	Hint  string
}

// pathVariable is what a payload without PATH is searched in.
const pathVariable = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// diagnose looks at the program that execve refused, through the container's root.
func diagnose(root *mount.Root, args []string, env []definition.EnvVar, cwd string) *diagnosis {
	name := args[0]
	if strings.ContainsRune(name, '/') {
		if !path.IsAbs(name) {
			name = path.Join("/", cwd, name)
		}
		return inspect(root, name)
	}
	search := pathVariable
	for _, e := range env {
		if e.Name == "PATH" {
			search = e.Value
		}
	}
	var denied *diagnosis
	for _, dir := range strings.Split(search, ":") {
		mode, err := root.Mode(path.Join("/", dir, name))
		if err != nil {
			continue
		}
		d := inspect(root, path.Join("/", dir, name))
		if mode&unix.S_IFMT == unix.S_IFREG && mode&0o111 != 0 {
			return d
		}
		denied = d
	}
	if denied != nil {
		return denied
	}
	return &diagnosis{Cause: fmt.Errorf("no program of that name in the container's PATH (%s)", search),
		Hint: "name a program that the root filesystem has, or set process.env.PATH"}
}

// inspect says why one file cannot be executed.
func inspect(root *mount.Root, name string) *diagnosis {
	mode, err := root.Mode(name)
	switch {
	case err != nil:
		return &diagnosis{Cause: fmt.Errorf("%s: %w", name, unwrapErrno(err)), Hint: "the path is looked up in the container"}
	case mode&unix.S_IFMT == unix.S_IFDIR:
		return &diagnosis{Cause: fmt.Errorf("%s is a folder", name)}
	case mode&unix.S_IFMT != unix.S_IFREG:
		return &diagnosis{Cause: fmt.Errorf("%s is not a regular file", name)}
	case mode&0o111 == 0:
		return &diagnosis{Cause: fmt.Errorf("%s is not executable (mode %04o)", name, mode&0o7777), Hint: "chmod +x, or run it by its interpreter"}
	}
	head, err := root.Head(name, 64<<10)
	if err != nil {
		return nil
	}
	if bytes.HasPrefix(head, []byte("#!")) {
		return inspectScript(root, name, head)
	}
	if bytes.HasPrefix(head, []byte("\x7fELF")) {
		return inspectELF(root, name, head)
	}
	return &diagnosis{Cause: fmt.Errorf("%s is neither a program nor a script with a \"#!\" line", name),
		Hint: `run it by its interpreter, like args = { "/bin/sh", "` + name + `" }`}
}

func inspectScript(root *mount.Root, name string, head []byte) *diagnosis {
	line, _, _ := bytes.Cut(head[2:], []byte("\n"))
	if bytes.HasSuffix(line, []byte("\r")) {
		return &diagnosis{Cause: fmt.Errorf("the first line of %s ends in CR LF, so its interpreter %q is not found", name, line),
			Hint: "convert it to Unix line ends (dos2unix)"}
	}
	words := strings.Fields(string(line))
	if len(words) == 0 {
		return &diagnosis{Cause: fmt.Errorf("the \"#!\" line of %s names no interpreter", name)}
	}
	if _, err := root.Mode(words[0]); err != nil {
		return &diagnosis{Cause: fmt.Errorf("the interpreter %s of %s is missing in the container", words[0], name),
			Hint: "install it in the root filesystem, or mount it"}
	}
	return nil
}

// machines are values of e_machine (elf(5)); debug/elf would bring four packages'
// initialisation into every start.
var machines = [...]struct {
	number       uint16
	goarch, name string
}{
	{3, "", "32-bit x86"}, {20, "", "PowerPC"}, {21, "ppc64", "64-bit PowerPC"}, {22, "s390x", "S/390"}, {40, "arm", "32-bit ARM"},
	{62, "amd64", "x86-64"}, {183, "arm64", "AArch64"}, {243, "riscv64", "RISC-V"},
}

func machineName(number uint16) string {
	for _, m := range machines {
		if m.number == number {
			return m.name
		}
	}
	return fmt.Sprintf("machine %d", number)
}

const elfHeader, elfProgram = 64, 56 // sizes of Elf64_Ehdr and Elf64_Phdr

func inspectELF(root *mount.Root, name string, head []byte) *diagnosis {
	if len(head) < elfHeader {
		return &diagnosis{Cause: fmt.Errorf("%s is a damaged ELF file of %d bytes", name, len(head))}
	}
	le := binary.LittleEndian
	machine := le.Uint16(head[18:])
	for _, m := range machines {
		if m.goarch == runtime.GOARCH && m.number != machine && machine != 3 {
			return &diagnosis{Cause: fmt.Errorf("%s is a program for another architecture (%s), this machine is %s", name, machineName(machine), m.name),
				Hint: "build it for " + runtime.GOARCH}
		}
	}
	if head[4] != 2 { // ELFCLASS64
		return nil
	}
	at, count := le.Uint64(head[32:]), uint64(le.Uint16(head[56:]))
	for i := range count {
		p := at + i*elfProgram
		if p > uint64(len(head))-elfProgram {
			return nil
		}
		loader, ok := interpreter(head, head[p:])
		if !ok {
			continue
		}
		if _, err := root.Mode(loader); err != nil {
			return &diagnosis{Cause: fmt.Errorf("the dynamic loader %s of %s is missing in the container", loader, name),
				Hint: "the program was built for another C library; use a root filesystem that has it, or a static program"}
		}
	}
	return nil
}

// interpreter reads the path in a PT_INTERP program header.
func interpreter(head, program []byte) (path string, ok bool) {
	le := binary.LittleEndian
	offset, size := le.Uint64(program[8:]), le.Uint64(program[32:])
	if le.Uint32(program) != 3 || size > 4096 || offset > uint64(len(head)) || size > uint64(len(head))-offset {
		return "", false
	}
	return strings.TrimRight(string(head[offset:offset+size]), "\x00"), true
}

func unwrapErrno(err error) error {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
