package mount

import (
	"encoding/binary"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// Lower adds an op on the file system to init's program. It returns false when the
// op is another package's, and the first mistake: a host file that cannot be read
// or does not exist, or a path that is not absolute.
func Lower(in *nsinit.Init, op plan.Op) (bool, error) {
	e := encoderOf(in)
	var err error
	switch op := op.(type) {
	case plan.PrivateMounts:
		e.setattr(nsinit.Imm(unix.AT_FDCWD), "/", unix.AT_RECURSIVE, attr{propagation: unix.MS_PRIVATE})
	case plan.RootDir:
		err = e.rootDir(op)
	case plan.RootTmpfs:
		e.rootTmpfs(op)
	case plan.RootOverlay:
		err = e.rootOverlay(op)
	case plan.ReadonlyRoot:
		e.setattr(nsinit.Word(in.Root), "", unix.AT_EMPTY_PATH, attr{set: unix.MOUNT_ATTR_RDONLY})
	case plan.Pivot:
		e.pivot()
	case plan.MakeDir:
		e.makeDir(op)
	case plan.MakeLink:
		e.makeLink(op)
	case plan.MakeFile:
		e.makeFile(op.Path, op.Content, op.Mode)
	case plan.CopyHostFile:
		err = e.copyHostFile(op)
	default:
		return e.lowerMount(op)
	}
	if err == nil {
		err = in.Err()
	}
	return true, err
}

// lowerMount adds the ops that attach something below the root.
func (e *encoder) lowerMount(op plan.Op) (bool, error) {
	var err error
	switch op := op.(type) {
	case plan.Bind:
		err = e.bind(op)
	case plan.BindFile:
		e.bindFile(op)
	case plan.MountFS:
		err = e.mountFS(op)
	case plan.BindCgroup:
		err = e.bindCgroup(op)
	case plan.MakeDevice:
		e.makeDevice(op)
	case plan.Mask:
		e.mask(op.Path)
	case plan.ReadonlyPath:
		e.readonlyPath(op.Path)
	default:
		return false, nil
	}
	if err == nil {
		err = e.Err()
	}
	return true, err
}

// encoder is an init with what the mount steps share: words that hold descriptors.
type encoder struct {
	*nsinit.Init
	// scratch is a tmpfs attached between the host's root and the new root. Files
	// and folders are cloned from it: before Linux 6.15 a detached mount cannot be
	// a source of open_tree(2), nor before 6.5 a layer of an overlay.
	scratch nsinit.Mem
	heldFD  nsinit.Mem // see openParent
	source  nsinit.Mem // what is about to be attached
	target  nsinit.Mem // where
	parent  nsinit.Mem
	config  nsinit.Mem
	temp    nsinit.Mem
	statx   nsinit.Mem
	blank   nsinit.Arg  // the empty path
	hows    []kept[how] // few enough to be looked through
	attrs   []kept[attr]

	left     int      // descriptors left open
	held     string   // the folder that heldFD is a descriptor of, or ""
	kept     bool     // parent is that descriptor
	files    int      // files made in scratch so far
	null     bool     // in.Null is set
	hostRoot bool     // the root is a folder of the host's, in place
	binds    []string // targets of host folders, which are not to be littered
	tmpfs    []string // targets that are ours
}

// kept is a struct that lies in memory already.
type kept[T comparable] struct {
	value T
	at    nsinit.Mem
}

// keep returns where a struct lies, which is put into memory once.
func keep[T comparable](e *encoder, list *[]kept[T], value T, words ...uint64) nsinit.Arg {
	for i := range *list {
		if (*list)[i].value == value {
			return nsinit.Addr((*list)[i].at)
		}
	}
	at := e.Bytes(longs(words...))
	*list = append(*list, kept[T]{value, at})
	return nsinit.Addr(at)
}

type how struct{ flags, resolve uint64 }

// attr is struct mount_attr.
type attr struct{ set, clear, propagation uint64 }

func encoderOf(in *nsinit.Init) *encoder {
	if e, ok := in.Mount.(*encoder); ok {
		return e
	}
	word := func() nsinit.Mem { return in.NewWord(-1) }
	e := &encoder{Init: in, scratch: word(), heldFD: word(), source: word(), target: word(), parent: word(), config: word(), temp: word(),
		statx: in.Space(256), blank: in.Str("")}
	in.Mount = e
	return e
}

// setattr is mount_setattr(2).
func (e *encoder) setattr(dir nsinit.Arg, path string, flags int, a attr) {
	at := keep(e, &e.attrs, a, a.set, a.clear, a.propagation, 0)
	e.Call(unix.SYS_MOUNT_SETATTR, dir, e.path(path), nsinit.Imm(flags), at, nsinit.Imm(unix.MOUNT_ATTR_SIZE_VER0))
}

// attach moves the detached mount in source onto target, a descriptor of p, and
// closes both.
func (e *encoder) attach(p string) {
	if e.held == p || strings.HasPrefix(e.held, strings.TrimSuffix(p, "/")+"/") {
		e.held = "" // the kept folder is covered
	}
	e.Call(unix.SYS_MOVE_MOUNT, nsinit.Word(e.source), e.blank, nsinit.Word(e.target), e.blank,
		nsinit.Imm(unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH))
	e.close(e.source)
	e.close(e.target)
}

// path is Str, but for the path that most calls have: none.
func (e *encoder) path(p string) nsinit.Arg {
	if p == "" {
		return e.blank
	}
	return e.Str(p)
}

// maxLeft is how many descriptors may stay open until the one call that closes them
// all, before the payload's execve and when init becomes its keeper.
const maxLeft = 100

// close closes a descriptor that is not needed any more, or leaves that to the end: a
// call each is a twelfth of init's set-up.
func (e *encoder) close(fd nsinit.Mem) {
	if e.left < maxLeft {
		e.left++
		return
	}
	e.closeNow(fd)
}

// closeNow is for files open for writing: as long as one is, the file cannot be
// executed (ETXTBSY).
func (e *encoder) closeNow(fd nsinit.Mem) { e.Call(unix.SYS_CLOSE, nsinit.Word(fd)) }

// clone makes source a detached clone of a mounted file or folder.
func (e *encoder) clone(dir nsinit.Arg, path string, flags uint) nsinit.Instr {
	return e.Call(unix.SYS_OPEN_TREE, dir, e.path(path), nsinit.Imm(uint32(cloned|flags))).Store(e.source)
}

func longs(values ...uint64) []byte {
	b := make([]byte, 0, 8*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}
