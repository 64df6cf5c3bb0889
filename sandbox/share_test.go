package sandbox_test

import (
	"os"
	"strings"
	"testing"

	"sandbox/sandbox/definition"
)

// Every namespace is the container's own or the host's, as the recipe says.
func TestNamespacesNewOrShared(t *testing.T) {
	for _, tc := range []struct {
		name, file string
		field      func(*definition.Namespaces) *definition.NamespaceMode
	}{
		{"mount", "mnt", func(n *definition.Namespaces) *definition.NamespaceMode { return &n.Mount }},
		{"pid", "pid", func(n *definition.Namespaces) *definition.NamespaceMode { return &n.PID }},
		{"net", "net", func(n *definition.Namespaces) *definition.NamespaceMode { return &n.Net }},
		{"ipc", "ipc", func(n *definition.Namespaces) *definition.NamespaceMode { return &n.IPC }},
		{"uts", "uts", func(n *definition.Namespaces) *definition.NamespaceMode { return &n.UTS }},
		{"cgroup", "cgroup", func(n *definition.Namespaces) *definition.NamespaceMode { return &n.Cgroup }},
		{"user", "user", func(n *definition.Namespaces) *definition.NamespaceMode { return &n.User }},
		{"time", "time", func(n *definition.Namespaces) *definition.NamespaceMode { return &n.Time }},
	} {
		host, err := os.Readlink("/proc/self/ns/" + tc.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, mode := range []definition.NamespaceMode{definition.NamespaceNew, definition.NamespaceHost} {
			t.Run(tc.name+" "+string(mode), func(t *testing.T) {
				if mode == definition.NamespaceHost && tc.name == "user" {
					needRoot(t, "sharing the host's "+tc.name+" namespace")
				}
				b := shell(t, "readlink /proc/self/ns/"+tc.file)
				*tc.field(&b.def.Namespaces) = mode
				if tc.name == "mount" && mode == definition.NamespaceHost {
					b.def.Rootfs = definition.Rootfs{}
				}
				if tc.name == "net" && mode == definition.NamespaceHost {
					b.def.Network = definition.NetworkHost
				}
				b.ok()
				if shared := strings.TrimSpace(b.stdout) == host; shared != (mode == definition.NamespaceHost) {
					t.Errorf("inside %s, on the host %s", strings.TrimSpace(b.stdout), host)
				}
			})
		}
	}
}

// Every type of mount shows what it is at its target.
func TestMountTypes(t *testing.T) {
	mode := uint32(0o1770)
	for _, tc := range []struct {
		mount        definition.Mount
		script, want string
	}{
		{definition.Mount{Type: definition.MountProc, Target: "/m"}, "cat /m/2/comm", "sh"},
		{definition.Mount{Type: definition.MountSysfs, Target: "/m"}, "ls /m/class/net; (echo 1 > /m/kernel/uevent_seqnum) 2>/dev/null || echo read-only", "lo\nread-only"},
		{definition.Mount{Type: definition.MountDevpts, Target: "/m"}, "ls /m", "ptmx"},
		{definition.Mount{Type: definition.MountMqueue, Target: "/m"}, "touch /m/queue && ls /m", "queue"},
		{definition.Mount{Type: definition.MountTmpfs, Target: "/m", Size: 1 << 20, Mode: &mode},
			"stat -c %a /m; head -c 2M /dev/zero 2>/dev/null > /m/x || echo full", "1770\nfull"},
		{definition.Mount{Type: definition.MountFile, Target: "/m/deep/file", Content: "content\n"}, "cat /m/deep/file; (echo x > /m/deep/file) 2>/dev/null || echo read-only", "content\nread-only"},
		{definition.Mount{Type: definition.MountCache, Source: "kept", Target: "/m"}, "echo x > /m/x && cat /m/x", "x"},
	} {
		t.Run(tc.mount.Type, func(t *testing.T) {
			b := shell(t, tc.script)
			b.def.Rootfs = definition.Rootfs{Kind: definition.RootfsHost}
			b.def.Mounts = []definition.Mount{tc.mount}
			b.ok()
			b.want(tc.want)
		})
	}
}

// A shallow bind leaves the mounts below its source out, a recursive one does not.
func TestShallowBind(t *testing.T) {
	needRoot(t, "leaving out mounts, which a user namespace locks together")
	for _, tc := range []struct {
		shallow bool
		want    string
	}{{true, "0"}, {false, "1"}} {
		b := shell(t, "ls -d /m/pts/ptmx 2>/dev/null | wc -l")
		b.def.Mounts = []definition.Mount{{Type: definition.MountBind, Source: "/dev", Target: "/m", Shallow: tc.shallow}}
		b.ok()
		b.want(tc.want)
	}
}
