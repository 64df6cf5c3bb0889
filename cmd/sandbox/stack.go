package main

// growStack(0) gives the calling goroutine a stack of 64 KiB. It would get there by
// doubling, and each time the runtime copies what is in use and touches new memory.
//
//go:noinline
func growStack(depth int) byte {
	if depth == 0 {
		return 0 // the frame is asked for by the function's first instructions
	}
	var frame [40 << 10]byte
	return growStack(depth-1) + frame[depth]
}
