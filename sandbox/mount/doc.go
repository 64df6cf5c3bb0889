// Package mount makes a container's file system: it lowers the mount steps of a
// plan to system calls of init's program (Lower), and gives the supervisor
// race-free access to the finished root (Root).
//
// Only the mount API by file descriptor is used (open_tree(2), fsopen(2),
// mount_setattr(2), move_mount(2); Linux 5.12), and no path of the container is
// ever resolved but by openat2(2) below a descriptor of its root.
package mount
