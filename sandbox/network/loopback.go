// Package network sets up the container's network: today its loopback interface.
package network

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"sandbox/sandbox/nsinit"
	"sandbox/sandbox/plan"
)

// Lower adds an op on the network to init's program. It returns false when the op
// is another package's, and the program's first mistake.
func Lower(in *nsinit.Init, op plan.Op) (bool, error) {
	if _, ok := op.(plan.Loopback); !ok {
		return false, nil
	}
	raiseLoopback(in)
	return true, in.Err()
}

// struct ifreq (netdevice(7)): the name, then a union of which flags is a short.
const (
	ifreqSize  = 40
	ifreqFlags = unix.IFNAMSIZ
)

// raiseLoopback brings lo up unless it is: it may have been made ahead of time
// (nsinit.Launcher.Speculate). Two ioctls cost less than a netlink exchange.
func raiseLoopback(in *nsinit.Init) {
	request := make([]byte, ifreqSize)
	copy(request, "lo")
	have := in.Bytes(request)
	// lo has no flag but these to lose.
	binary.LittleEndian.PutUint16(request[ifreqFlags:], unix.IFF_UP|unix.IFF_LOOPBACK|unix.IFF_RUNNING)
	want := in.Bytes(request)
	socket, down, up := in.NewWord(-1), in.NewLabel(), in.NewLabel()
	in.Call(unix.SYS_SOCKET, nsinit.Imm(unix.AF_INET), nsinit.Imm(unix.SOCK_DGRAM|unix.SOCK_CLOEXEC), nsinit.Imm(0)).Store(socket)
	in.Call(unix.SYS_IOCTL, nsinit.Word(socket), nsinit.Imm(unix.SIOCGIFFLAGS), nsinit.Addr(have))
	in.TestElse(nsinit.Word(have+ifreqFlags), nsinit.Imm(unix.IFF_UP), nsinit.Imm(unix.IFF_UP), down)
	in.Jump(up)
	in.Bind(down)
	in.Call(unix.SYS_IOCTL, nsinit.Word(socket), nsinit.Imm(unix.SIOCSIFFLAGS), nsinit.Addr(want))
	in.Bind(up)
	in.Call(unix.SYS_CLOSE, nsinit.Word(socket))
}
