package definition

import (
	"slices"
	"testing"
)

func TestReaches(t *testing.T) {
	d := Definition{
		Project: "/home/me/p",
		Rootfs:  Rootfs{Kind: RootfsOverlay, Lower: []string{"/home/me/p/root", "/srv/root"}, Upper: "/home/me/p/upper"},
		Mounts: []Mount{{Type: MountBind, Source: "/home/me/p", Target: "/src"}, {Type: MountBind, Source: "/home/me/p/out", Target: "/out", Write: true},
			{Type: MountBind, Source: "/home/me/project2", Target: "/other"}, {Type: MountCache, Source: "c", Target: "/cache"},
			{Type: MountBind, Source: "/home/me/p/link", Target: "/link"}},
		Process:    Process{Stdin: "/etc/hosts", Stdout: "/home/me/p/log", Stderr: "stdout"},
		Network:    NetworkHost,
		Namespaces: Namespaces{PID: NamespaceHost, IPC: NamespaceNew},
		Devices:    []Device{{Path: "/dev/fuse"}},
		Artifacts:  []Artifact{{Path: "/a", Target: "/home/me/p/dist"}, {Path: "/b", Target: "/srv/b"}},
	}
	links := func(path string) string {
		if path == "/home/me/p/link" {
			return "/etc"
		}
		return path
	}
	var got []string
	for _, r := range d.Reaches(links) {
		got = append(got, r.Field+" "+r.String())
	}
	want := []string{"rootfs read=/srv/root", "rootfs write=/home/me/p/upper", "mounts[2] write=/home/me/p/out", "mounts[3] read=/home/me/project2",
		"mounts[5] read=/home/me/p/link", "process.stdin read=/etc/hosts", "process.stdout write=/home/me/p/log", "network host=net", "namespaces.pid host=pid", "devices[1] write=/dev/fuse",
		`artifacts["/a"] write=/home/me/p/dist`, `artifacts["/b"] write=/srv/b`}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	plain := Definition{Project: "/p", Rootfs: Rootfs{Kind: RootfsHost}, Mounts: []Mount{{Type: MountBind, Source: "/p/x", Target: "/x"}}}
	if all := plain.Reaches(nil); len(all) > 0 {
		t.Errorf("%v", all)
	}
}
