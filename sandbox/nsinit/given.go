package nsinit

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// receiveDescriptor waits for a message of a kind of the supervisor, and returns
// where the descriptor is that came with it; -1 when none did.
func (in *Init) receiveDescriptor(kind uint32) Mem {
	control := in.Bytes(append(make([]byte, unix.SizeofCmsghdr), u32s(^uint32(0), 0)...))
	text := in.Space(8)
	header := in.message(text, control)
	n, told, other, meant := in.NewWord(0), in.NewLabel(), in.NewLabel(), in.NewLabel()
	in.Call(unix.SYS_RECVMSG, Imm(fdSocket), Addr(header), Imm(unix.MSG_CMSG_CLOEXEC)).Store(n)
	in.TestElse(Word(n), Imm(-1), Imm(0), told)
	in.Exit(exitSetup) // the supervisor is gone
	in.Bind(told)
	in.TestElse(Word(text), Imm(-1), Imm(kind), other)
	in.Jump(meant)
	in.Bind(other)
	in.Raise(unix.EBADMSG)
	in.Bind(meant)
	return control + unix.SizeofCmsghdr
}

// message is a struct msghdr of 8 bytes of text and one descriptor.
func (in *Init) message(text, control Mem) Mem {
	iovec := in.Iovec(text, 8)
	header := in.Space(unix.SizeofMsghdr) // name, namelen, iov, iovlen, control, controllen, flags
	in.Pointer(header+16, iovec)
	binary.LittleEndian.PutUint64(in.memory[header+24:], 1)
	in.Pointer(header+32, control)
	binary.LittleEndian.PutUint64(in.memory[header+40:], unix.SizeofCmsghdr+8)
	return header
}

// awaitCgroup waits for the cgroup that the payload is to be born in.
func (in *Init) awaitCgroup() {
	in.cgroup = in.receiveDescriptor(KindCgroup)
	given := in.NewLabel()
	in.TestElse(Word(in.cgroup), Imm(-1), Imm(-1), given)
	in.Raise(unix.EBADF)
	in.Bind(given)
}

// given are the descriptors that are on their way to init after its program. Init
// receives them in the order that its program asks for them: the net namespace,
// which takes the longest to make, before the cgroup.
type given struct {
	net, cgroup   int // -1 for none
	made, awaited bool
}

// offerNet hands init a net namespace as soon as it waits for one, or -1, which
// tells it to make its own. The descriptor is init's from now on.
func (c *Child) offerNet(fd int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.given.net, c.given.made = fd, true
	c.give()
	if c.conn.closed() {
		closeFD(&c.given.net)
	}
}

// GiveCgroup hands init the folder of a v2 cgroup, which may be closed afterwards.
func (c *Child) GiveCgroup(folder *os.File) error {
	fd, err := unix.FcntlInt(folder.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("give init its cgroup: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	closeFD(&c.given.cgroup)
	c.given.cgroup = fd
	c.give()
	return nil
}

// give sends what is there and whose turn it is. Who is gone says why on the next
// wait.
func (c *Child) give() {
	g := &c.given
	if g.awaited && !g.made {
		return
	}
	if g.awaited {
		g.awaited = false
		c.sendDescriptor(KindNet, &g.net)
	}
	if g.cgroup >= 0 {
		c.sendDescriptor(KindCgroup, &g.cgroup)
	}
}

func (c *Child) sendDescriptor(kind uint32, fd *int) {
	var rights []byte
	if *fd >= 0 {
		rights = unix.UnixRights(*fd)
	}
	if c.conn.socket >= 0 {
		err := unix.Sendmsg(c.conn.socket, u32s(kind, 0), rights, nil, unix.MSG_NOSIGNAL)
		if err != nil && err != unix.EPIPE && err != unix.ECONNRESET {
			// Init would wait for it for ever.
			c.failure = &SpawnError{Doing: "hand init a descriptor", Cause: err}
			c.conn.wakeUp()
		}
	}
	closeFD(fd)
}
