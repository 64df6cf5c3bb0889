package mount

import (
	"path"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// Offsets in struct statx (statx(2)).
const (
	statxMode  = 28
	statxMajor = 128
	statxMinor = 132
)

// makeDevice makes or binds a device, and keeps /dev/null open. Whatever stood there
// before is verified to be that device (CVE-2025-31133).
func (e *encoder) makeDevice(op plan.MakeDevice) {
	p := e.clean(op.Path)
	made, byBind, stands := e.NewLabel(), e.NewLabel(), e.NewLabel()
	if !op.Bind {
		e.openParent(p)
		failed := e.NewLabel()
		e.Call(unix.SYS_MKNODAT, nsinit.Word(e.parent), e.Str(path.Base(p)), nsinit.Imm(unix.S_IFCHR|0o666),
			nsinit.Imm(unix.Mkdev(op.Major, op.Minor))).Then(made).Else(failed, unix.EPERM, unix.EEXIST)
		e.Bind(failed)
		e.TestElse(e.Errno(), nsinit.Imm(-1), nsinit.Imm(int(unix.EEXIST)), byBind)
		e.Jump(stands)
	}
	e.Bind(byBind)
	if op.Source == "" {
		e.Raise(unix.EPERM)
	} else {
		e.clone(nsinit.Imm(unix.AT_FDCWD), op.Source, 0)
		e.verifyDevice(e.source, op)
		e.resolve(p, file, 0o666)
		e.attach(p)
	}
	e.Bind(stands)
	e.must(p, e.target)
	e.verifyDevice(e.target, op)
	e.close(e.target)
	e.Bind(made)
	if p == "/dev/null" && op.Major == 1 && op.Minor == 3 {
		e.must(p, e.Null)
		e.null = true
	}
}

// verifyDevice fails with ENODEV unless fd is the character device of that number.
func (e *encoder) verifyDevice(fd nsinit.Mem, op plan.MakeDevice) {
	e.Call(unix.SYS_STATX, nsinit.Word(fd), e.blank, nsinit.Imm(unix.AT_EMPTY_PATH), nsinit.Imm(unix.STATX_BASIC_STATS), nsinit.Addr(e.statx))
	wrong, right := e.NewLabel(), e.NewLabel()
	e.TestElse(nsinit.Word(e.statx+statxMode), nsinit.Imm(unix.S_IFMT), nsinit.Imm(unix.S_IFCHR), wrong)
	e.TestElse(nsinit.Word(e.statx+statxMajor), nsinit.Imm(^uint32(0)), nsinit.Imm(op.Major), wrong)
	e.TestElse(nsinit.Word(e.statx+statxMinor), nsinit.Imm(^uint32(0)), nsinit.Imm(op.Minor), wrong)
	e.Jump(right)
	e.Bind(wrong)
	e.Raise(unix.ENODEV)
	e.Bind(right)
}
