package nsinit

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/plan"
)

// compilers are what made the checked-in machines.
var compilers = []struct{ arch, cc, version string }{
	{"amd64", "gcc", "12.2.0"}, {"arm64", "aarch64-linux-gnu-gcc", "12.2.0"},
}

// TestMachineIsRebuilt compares the checked-in machines with a fresh build.
func TestMachineIsRebuilt(t *testing.T) {
	for _, c := range compilers {
		t.Run(c.arch, func(t *testing.T) {
			version, err := exec.Command(c.cc, "-dumpfullversion").Output()
			if err != nil || strings.TrimSpace(string(version)) != c.version {
				t.Skipf("missing: %s %s, found %q: %v", c.cc, c.version, version, err)
			}
			out := filepath.Join(t.TempDir(), "machine.elf")
			if text, err := exec.Command("machine/build.sh", c.arch, out).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			fresh, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			kept := machineAMD64
			if c.arch == "arm64" {
				kept = machineARM64
			}
			if !bytes.Equal(fresh, kept) {
				t.Error("the machine differs from its source; run go generate ./sandbox/nsinit")
			}
			if len(fresh) > 2048 {
				t.Errorf("%d bytes, want at most 2048", len(fresh))
			}
		})
	}
}

// TestForeignMachine runs the other architecture's machine in an emulator.
func TestForeignMachine(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("runs the arm64 machine where the native one is amd64")
	}
	qemu, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		t.Skip("missing: qemu-aarch64-static (package qemu-user-static)")
	}
	const getpid, write, exitGroup = 172, 64, 94 // of arm64
	p := NewProgram()
	count, fd, again, failed, end := p.NewWord(3), p.NewWord(-7), p.NewLabel(), p.NewLabel(), p.NewLabel()
	text := p.Space(8)
	p.Pointer(text, p.String("ok"))
	p.Call(getpid)
	p.Bind(again)
	p.Call(write, Imm(1), Long(text), Imm(2))
	p.CountElse(count, again)
	p.Call(write, Word(fd), Long(text), Imm(2)).Note(77).Else(failed, unix.EBADF, unix.EIO)
	p.Bind(end)
	p.Call(exitGroup, Imm(9))
	p.Bind(failed)
	p.TestElse(p.Errno(), Imm(-1), Imm(int(unix.EBADF)), end)
	p.Call(exitGroup, Imm(5))
	encoded, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/machine", machineARM64, 0o700); err != nil {
		t.Fatal(err)
	}
	conn, err := newConnection()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.close()
	if err := conn.send(encoded, nil); err != nil {
		t.Fatal(err)
	}
	socket := os.NewFile(uintptr(conn.childSocket), "socket")
	conn.childSocket = -1
	defer socket.Close()
	cmd := exec.Command(qemu, dir+"/machine")
	cmd.ExtraFiles = []*os.File{socket, socket}
	out, err := cmd.Output()
	if e, ok := err.(*exec.ExitError); !ok || e.ExitCode() != 5 || string(out) != "okokok" {
		t.Errorf("output %q, %v", out, err)
	}
	var b [64]byte
	n, err := unix.Read(conn.socket, b[:])
	if kind, words := decode(b[:max(n, 0)]); err != nil || kind != KindNote || words != [2]uint32{77, uint32(unix.EBADF)} {
		t.Errorf("message %v: %v", b[:max(n, 0)], err)
	}
}

// runProgram runs a bare program, and returns the messages that mattered.
func runProgram(t testing.TB, l *Launcher, in *Init) (notes []int, failure error, e Exit) {
	t.Helper()
	c, err := l.Start(in, Spawn{})
	if err != nil {
		t.Fatal(err)
	}
	e = exited(t, c)
	notes, failure = c.Notes(), c.failure
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	return notes, failure, e
}

// machineTests are programs, and how they end.
var machineTests = []struct {
	name  string
	build func(in *Init)
	code  int
	notes int
	errno unix.Errno
}{
	{name: "end of the program", build: func(in *Init) { in.Call(unix.SYS_GETPID) }},
	{name: "set and word", build: func(in *Init) { w := in.NewWord(1); in.Set(w, Imm(33)); in.Call(unix.SYS_EXIT_GROUP, Word(w)) }, code: 33},
	{name: "store", code: 44, build: func(in *Init) {
		w, b := in.NewWord(0), in.Space(100)
		in.Call(unix.SYS_GETCWD, Addr(b), Imm(100)).Store(w)
		in.Set(w, Imm(44))
		in.Call(unix.SYS_EXIT_GROUP, Word(w))
	}},
	{name: "jump over", code: 3, build: func(in *Init) {
		l := in.NewLabel()
		in.Jump(l)
		in.Exit(1)
		in.Bind(l)
		in.Exit(3)
	}},
	{name: "then", code: 4, build: func(in *Init) {
		l := in.NewLabel()
		in.Call(unix.SYS_GETPID).Then(l)
		in.Exit(1)
		in.Bind(l)
		in.Exit(4)
	}},
	{name: "masked test", code: 5, build: func(in *Init) {
		w, no := in.NewWord(0x1234), in.NewLabel()
		in.TestElse(Word(w), Imm(0xff), Imm(0x34), no)
		in.TestElse(Word(w), Imm(0xff), Imm(0x35), no)
		in.Exit(1)
		in.Bind(no)
		in.Exit(5)
	}},
	{name: "sign of a word", code: 6, build: func(in *Init) {
		w, no := in.NewWord(-1), in.NewLabel()
		in.TestElse(Word(w), Imm(-1), Imm(-1), no)
		in.TestElse(Long(w), Imm(-1), Imm(int64(0xffffffff)), no)
		in.Exit(6)
		in.Bind(no)
		in.Exit(1)
	}},
	{name: "count", code: 7, build: func(in *Init) {
		n, again := in.NewWord(5), in.bound()
		in.Call(unix.SYS_CLOSE, Imm(-1)).Note(9).Ignore(unix.EBADF)
		in.CountElse(n, again)
		in.Exit(7)
	}, notes: 5},
	{name: "first errno", build: func(in *Init) { in.Call(unix.SYS_CLOSE, Imm(-1)).Ignore(unix.EBADF, unix.EIO) }},
	{name: "second errno", build: func(in *Init) { in.Call(unix.SYS_CLOSE, Imm(-1)).Ignore(unix.EIO, unix.EBADF) }},
	{name: "any errno", build: func(in *Init) { in.Call(unix.SYS_CLOSE, Imm(-1)).Ignore() }},
	{name: "other errno", build: func(in *Init) { in.Call(unix.SYS_CLOSE, Imm(-1)).Note(1).Ignore(unix.EIO, unix.EPERM) },
		code: exitSetup, errno: unix.EBADF},
	{name: "raise", build: func(in *Init) { in.Raise(unix.ENOTSUP) }, code: exitSetup, errno: unix.ENOTSUP},
	{name: "errno word", code: 8, build: func(in *Init) {
		no := in.NewLabel()
		in.Call(unix.SYS_CLOSE, Imm(-1)).Ignore()
		in.TestElse(in.Errno(), Imm(-1), Imm(int(unix.EBADF)), no)
		in.Exit(8)
		in.Bind(no)
		in.Exit(1)
	}},
	{name: "pointers", code: 9, build: func(in *Init) {
		w, vector := in.NewWord(0), in.Strings([]string{"", "abc"})
		iov, r := in.Iovec(in.Space(3), 3), in.Space(8)
		in.Call(unix.SYS_PIPE2, Addr(r), Imm(0))
		in.Call(unix.SYS_WRITE, Word(r+4), Long(vector+8), Imm(3))
		in.Call(unix.SYS_READV, Word(r), Addr(iov), Imm(1)).Store(w)
		in.Set(w, Imm(9))
		in.Call(unix.SYS_EXIT_GROUP, Word(w))
	}},
}

// TestMachine checks what each part of the instruction set does, in a real child.
func TestMachine(t *testing.T) {
	for _, test := range machineTests {
		t.Run(test.name, func(t *testing.T) {
			l, in := newTestLauncher(t), NewInit()
			in.Step(3)
			test.build(in)
			notes, failure, e := runProgram(t, l, in)
			if e.Status.ExitStatus() != test.code || len(notes) != test.notes {
				t.Errorf("exit %d, notes %v, %v", e.Status.ExitStatus(), notes, failure)
			}
			switch failed, ok := failure.(*StepError); {
			case test.errno == 0 && failure != nil:
				t.Error(failure)
			case test.errno != 0 && (!ok || failed.Errno != test.errno || failed.Step != 3):
				t.Errorf("got %#v", failure)
			}
		})
	}
}

// TestEncodeRefuses lists the programs that would leave their memory or code.
func TestEncodeRefuses(t *testing.T) {
	for want, build := range map[string]func(p *Program){
		"0 calls":                      func(p *Program) {},
		"label 1 is not bound":         func(p *Program) { p.Jump(p.NewLabel()) },
		"label 7 of another program":   func(p *Program) { p.Jump(7) },
		"label 9 of another program":   func(p *Program) { p.Bind(9) },
		"bound twice":                  func(p *Program) { l := p.NewLabel(); p.Bind(l); p.Bind(l) },
		"a jump to the first call":     func(p *Program) { l := p.NewLabel(); p.Bind(l); p.Jump(l) },
		"a result stored outside":      func(p *Program) { p.Call(0).Store(1 << 20) },
		"an operand outside":           func(p *Program) { p.Call(0, Word(Mem(len(p.memory)-3))) },
		"an operand outside of memory": func(p *Program) { p.CountElse(Mem(len(p.memory)), p.bound()) },
		"a pointer outside":            func(p *Program) { p.Call(0); p.Pointer(Mem(len(p.memory)-7), 0) },
		"with 7 arguments":             func(p *Program) { p.Call(0, make([]Arg, 7)...) },
		"note number 0":                func(p *Program) { p.Call(0).Note(0) },
		"with 3 errnos":                func(p *Program) { p.Call(0).Else(p.bound(), 1, 2, 3) },
		"a NUL byte":                   func(p *Program) { p.Call(0, p.Str("a\x00")) },
		"bytes, at most":               func(p *Program) { p.Call(0); p.Space(maxProgram) },
	} {
		p := NewProgram()
		build(p)
		if b, err := p.Encode(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes, %v; want %q", size(b), err, want)
		}
	}
}

// bound returns a label bound to the second call.
func (p *Program) bound() Label {
	p.Call(unix.SYS_GETPID)
	l := p.NewLabel()
	p.Bind(l)
	return l
}

// checkEncoded verifies that an encoded program stays within itself: each jump in
// its calls or right behind them, each operand in its memory.
func checkEncoded(t testing.TB, pieces [][]byte) {
	t.Helper()
	b := bytes.Join(pieces, nil)
	le := binary.LittleEndian
	u32 := func(at int) int { return int(le.Uint32(b[at:])) }
	size, ops, relocs, start := u32(4), u32(8), u32(12), u32(16)
	if size != len(b) || headSize+ops*opSize+relocs*relocSize > start || start > size || start%8 != 0 {
		t.Fatalf("head %v of %d bytes", b[:headSize], len(b))
	}
	memory := size - start
	for i := range ops {
		o := b[headSize+i*opSize:][:opSize]
		if other := le.Uint16(o[4:]); other != none && int(other) > ops {
			t.Errorf("call %d goes on at %d of %d", i, other, ops)
		}
		if next := le.Uint16(o[6:]); int(next) > ops {
			t.Errorf("call %d goes on at %d of %d", i, next, ops)
		}
		if store := le.Uint32(o[20:]); store != noStore && int(store)+4 > memory {
			t.Errorf("call %d stores at %d of %d", i, store, memory)
		}
		for a := range 6 {
			need := map[byte]uint64{kindWord: 4, kindLong: 8}[o[12+a]]
			if value := le.Uint64(o[24+8*a:]); o[12+a] != kindImm && value+need > uint64(memory) {
				t.Errorf("call %d uses memory %d of %d", i, value, memory)
			}
		}
	}
}

// FuzzProgram decodes programs of harmless calls from bytes: either Encode refuses
// one, or it stays within itself and the machine comes to its end.
func FuzzProgram(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	f.Add(bytes.Repeat([]byte{5, 3, 1}, 40))
	f.Add([]byte("6\x006\x016\x026\x030000"))
	l := NewLauncher()
	f.Cleanup(l.Close)
	f.Fuzz(func(t *testing.T, data []byte) {
		in := NewInit()
		fuzzedProgram(in.Program, data[:min(len(data), 1000)])
		b, err := in.Encode()
		if err != nil {
			return
		}
		checkEncoded(t, b)
		if _, _, e := runProgram(t, l, in); e.Status.Signaled() {
			t.Errorf("the machine was killed by %s", unix.SignalName(e.Status.Signal()))
		}
	})
}

// fuzzedProgram adds a call for each two bytes. Labels are bound behind their use,
// and counted loops have small counts, so that every program ends.
func fuzzedProgram(p *Program, data []byte) {
	words := []Mem{p.NewWord(1), p.NewWord(-1), p.NewWord(0x7fffffff)}
	var open []Label
	forward := func() Label {
		l := p.NewLabel()
		open = append(open, l)
		return l
	}
	p.Call(unix.SYS_GETPID)
	for ; len(data) >= 2; data = data[2:] {
		v := int(data[1])
		w := words[v%len(words)]
		if v > 250 {
			w = Mem(len(p.memory) - v%8) // near the edge: refused or harmless
		}
		switch data[0] % 9 {
		case 0:
			p.Call(unix.SYS_GETPID).Store(w)
		case 1:
			p.Call(unix.SYS_CLOSE, Imm(-1-v)).Else(forward())
		case 2:
			p.Call(unix.SYS_CLOSE, Imm(-1)).Note(v).Else(forward(), unix.Errno(v), unix.EBADF)
		case 3:
			p.Jump(forward())
		case 4:
			p.TestElse(Word(w), Imm(v), Imm(v&5), forward())
		case 5:
			again := p.NewLabel()
			p.Bind(again)
			p.Call(unix.SYS_GETPPID)
			p.CountElse(p.NewWord(int32(v%9)), again)
		case 6:
			p.Set(w, Imm(v))
		case 7:
			p.Call(unix.SYS_GETCWD, Addr(p.Space(v)), Imm(v)).Ignore()
		case 8:
			for _, l := range open {
				p.Bind(l)
			}
			open = nil
		}
	}
	for _, l := range open {
		p.Bind(l)
	}
}

// TestPlanProgramsStayWithin checks the program of every op.
func TestPlanProgramsStayWithin(t *testing.T) {
	in := NewInit()
	in.Filter = make([]byte, 8)
	in.Tasks = map[string]*os.File{"pids": os.Stdin}
	in.JoinContainer(Join{PIDFD: os.Stdin, Namespaces: allNamespaces})
	lower(t, in, plan.DieWithSupervisor{}, plan.JoinCgroup{Controller: "pids"}, plan.UnshareUser{}, plan.MapSelf{}, plan.BecomeRoot{},
		plan.CloneInit{}, plan.Unshare{Namespaces: []string{"time"}}, plan.SetHostname{}, plan.SetSysctl{Name: "a.b"}, plan.Sync{Point: "map"},
		plan.ClonePayload{UID: identity, GID: identity, PID: true}, plan.NewSession{}, plan.SetTerminal{},
		plan.SetOOMScoreAdj{}, plan.BoundCaps{}, plan.SetUser{Resolved: true, KeepCaps: true}, plan.SetCaps{Ambient: []string{"CHOWN"}},
		plan.SetUmask{}, plan.SetCwd{Path: "/"}, plan.NoNewPrivs{}, plan.CloseFDs{}, plan.LoadFilter{}, sh(""))
	b, err := in.Encode()
	if err != nil {
		t.Fatal(err)
	}
	checkEncoded(t, b)
}
