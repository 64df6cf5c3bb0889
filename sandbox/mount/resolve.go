package mount

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/nsinit"
)

// kind is what a target must be, and is made as when it is missing.
type kind uint8

const (
	folder kind = iota
	file
	existing // either; not made
)

const (
	openPath   = unix.O_PATH | unix.O_CLOEXEC
	parentMode = 0o755
)

// clean returns a container path without a trailing slash or doubled ones. ".."
// is refused: after a link it means something else than it says.
func (e *encoder) clean(p string) string {
	if !strings.HasPrefix(p, "/") {
		e.Fail("the path %q is not absolute", p)
	}
	if strings.Contains(p, "..") && slices.Contains(strings.Split(p, "/"), "..") {
		e.Fail("the path %q has a \"..\"", p)
	}
	return path.Clean(p)
}

// resolution is how the links of a container path are taken. An image whose /proc,
// /sys or /dev is a link is refused (CVE-2019-19921, CVE-2023-27561, CVE-2026-41579).
func resolution(p string) uint64 {
	first, _, _ := strings.Cut(p[1:], "/")
	if first == "proc" || first == "sys" || first == "dev" {
		return unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_SYMLINKS
	}
	return unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS
}

// open is one openat2(2) from the root: never from a parent's descriptor, which
// would misread absolute links.
func (e *encoder) open(p string, flags uint64, into nsinit.Mem) nsinit.Instr {
	h := how{flags, resolution(p)}
	at := keep(e, &e.hows, h, h.flags, 0, h.resolve)
	return e.Call(unix.SYS_OPENAT2, nsinit.Word(e.Root), e.Str(p), at, nsinit.Imm(24)).Store(into)
}

// must opens what has to exist.
func (e *encoder) must(p string, into nsinit.Mem) {
	again := e.NewLabel()
	e.Bind(again)
	e.open(p, openPath, into).Else(again, unix.EAGAIN) // a rename crossed a ".." of a link
}

// ifExists opens p into target and goes on, or else at missing.
func (e *encoder) ifExists(p string, missing nsinit.Label) {
	if resolution(p)&unix.RESOLVE_NO_SYMLINKS != 0 {
		// Without links there is no "..", and so no EAGAIN (openat2(2)).
		e.open(p, openPath, e.target).Else(missing, unix.ENOENT, unix.ENOTDIR)
		return
	}
	done, failed, again, absent := e.NewLabel(), e.NewLabel(), e.NewLabel(), e.NewLabel()
	e.open(p, openPath, e.target).Then(done).Else(failed)
	e.Bind(failed)
	e.TestElse(e.Errno(), nsinit.Imm(-1), nsinit.Imm(int(unix.ENOTDIR)), absent)
	e.Jump(missing)
	e.Bind(absent)
	e.TestElse(e.Errno(), nsinit.Imm(-1), nsinit.Imm(int(unix.ENOENT)), again)
	e.Jump(missing)
	e.Bind(again)
	e.must(p, e.target) // again, or to report how it fails
	e.Bind(done)
}

// resolve makes target a descriptor of p, which is made with its parents when it
// is missing: component by component, each resolved again from the root.
func (e *encoder) resolve(p string, k kind, mode uint32) {
	p = e.clean(p)
	if k == existing || p == "/" || !e.mayMake(p) {
		e.must(p, e.target)
		return
	}
	if k == folder && e.held == path.Dir(p) {
		e.makeFolder(e.heldFD, p, mode)
		e.must(p, e.target)
		return
	}
	done, slow := e.NewLabel(), e.NewLabel()
	e.open(p, openPath, e.target).Then(done).Else(slow, unix.ENOENT, unix.EAGAIN)
	e.Bind(slow)
	parent := e.Root
	for i := 1; i <= len(p); i++ {
		if i < len(p) && p[i] != '/' {
			continue
		}
		last := i == len(p)
		into := e.target
		if !last {
			into = e.parent
		}
		if last && k == file {
			e.makeEmpty(parent, p[:i], mode)
		} else {
			m := uint32(parentMode)
			if last {
				m = mode
			}
			e.makeFolder(parent, p[:i], m)
		}
		if parent == e.Root {
			e.must(p[:i], into)
		} else {
			// The old parent is closed only once its successor is open.
			e.must(p[:i], e.target)
			e.close(e.parent)
			if !last {
				e.Set(e.parent, nsinit.Word(e.target))
			}
		}
		parent = into
	}
	e.Bind(done)
}

// makeFolder makes p, whose parent is open. What is there already stays: a folder,
// or a link, which the next resolution follows or fails on.
func (e *encoder) makeFolder(parent nsinit.Mem, p string, mode uint32) {
	e.Call(unix.SYS_MKDIRAT, nsinit.Word(parent), e.Str(path.Base(p)), nsinit.Imm(mode)).Ignore(unix.EEXIST)
}

// makeEmpty makes an empty file. It never opens what exists: a FIFO would hang.
func (e *encoder) makeEmpty(parent nsinit.Mem, p string, mode uint32) {
	there := e.NewLabel()
	e.Call(unix.SYS_OPENAT, nsinit.Word(parent), e.Str(path.Base(p)),
		nsinit.Imm(unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_WRONLY|unix.O_CLOEXEC), nsinit.Imm(mode)).
		Store(e.temp).Else(there, unix.EEXIST)
	e.closeNow(e.temp)
	e.Bind(there)
}

// mayMake is false below a folder of the host's that was bound: a missing target
// is an error there, rather than a new empty folder among the user's files.
func (e *encoder) mayMake(p string) bool {
	longest := func(list []string) int {
		n := -1
		for _, t := range list {
			if p != t && (t == "/" || strings.HasPrefix(p, t+"/")) {
				n = max(n, len(t))
			}
		}
		return n
	}
	return longest(e.binds) <= longest(e.tmpfs)
}
