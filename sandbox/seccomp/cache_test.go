package seccomp

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"sandbox/sandbox/definition"
)

// filled returns a cache that holds the filter of testPolicy, and how to ask again.
func filled(t *testing.T) (file string, ask func(), runs func() int) {
	t.Helper()
	kit, runs := fakeKit(t, goodAnswer)
	dir := filepath.Join(t.TempDir(), "cache")
	ask = func() {
		t.Helper()
		bpf, err := Filter(testPolicy, Options{Arch: "amd64", CacheDir: dir, Kit: kit})
		if err != nil || !bytes.Equal(bpf, ret) {
			t.Fatalf("%x, %v", bpf, err)
		}
	}
	ask()
	ask()
	if n := runs(); n != 1 {
		t.Fatalf("compiled %d times, want once", n)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("cache: %v, %v", entries, err)
	}
	return filepath.Join(dir, entries[0].Name()), ask, runs
}

func TestCacheModes(t *testing.T) {
	file, _, _ := filled(t)
	for path, want := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): os.ModeDir | 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}

// TestCacheHarmed: a file that is not what was written is compiled again, and mended.
func TestCacheHarmed(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, harm := range map[string]func(string, []byte){
		"a bit": func(file string, content []byte) {
			content[len(content)-1] ^= 1
			must(os.WriteFile(file, content, 0o600))
		},
		"truncated": func(file string, content []byte) { must(os.Truncate(file, int64(len(content)-8))) },
		"empty":     func(file string, _ []byte) { must(os.Truncate(file, 0)) },
		"longer": func(file string, content []byte) {
			must(os.WriteFile(file, append(content, ret...), 0o600))
		},
		"of another key": func(file string, content []byte) {
			other := seal(strings.Repeat("0", 64), ret)
			must(os.WriteFile(file, append(other[:], ret...), 0o600))
		},
		"huge":   func(file string, _ []byte) { must(os.Truncate(file, 1<<40)) },
		"shared": func(file string, _ []byte) { must(os.Chmod(file, 0o660)) },
		"a link": func(file string, content []byte) {
			must(os.WriteFile(file+".elsewhere", content, 0o600))
			must(os.Remove(file))
			must(os.Symlink(file+".elsewhere", file))
		},
	} {
		file, ask, runs := filled(t)
		content, err := os.ReadFile(file)
		must(err)
		harm(file, bytes.Clone(content))
		ask()
		if n := runs(); n != 2 {
			t.Errorf("%s: compiled %d times, want 2", name, n)
		}
		if mended, err := os.ReadFile(file); err != nil || !bytes.Equal(mended, content) {
			t.Errorf("%s: not mended: %v", name, err)
		}
		ask()
		if n := runs(); n != 2 {
			t.Errorf("%s: compiled %d times after mending, want 2", name, n)
		}
	}
}

// TestCacheKey: whatever the filter follows from has its own entry.
func TestCacheKey(t *testing.T) {
	kit, runs := fakeKit(t, goodAnswer)
	dir := filepath.Join(t.TempDir(), "cache")
	other := testPolicy
	other.Policy = &definition.Policy{Default: definition.ActionKill}
	newKit := func() {
		content, err := os.ReadFile(kit)
		if err == nil {
			err = os.WriteFile(kit, append(content, "# newer\n"...), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	want := 0
	for _, step := range []struct {
		policy definition.Seccomp
		arch   string
		newKit bool
	}{{testPolicy, "amd64", false}, {testPolicy, "arm64", false}, {other, "amd64", false}, {testPolicy, "amd64", true}} {
		if step.newKit {
			newKit()
		}
		want++
		for range 2 {
			if _, err := Filter(step.policy, Options{Arch: step.arch, CacheDir: dir, Kit: kit}); err != nil {
				t.Fatal(err)
			}
			if n := runs(); n != want {
				t.Errorf("%+v: compiled %d times, want %d", step, n, want)
			}
		}
	}
}

func TestCacheRefused(t *testing.T) {
	kit, runs := fakeKit(t, goodAnswer)
	base := t.TempDir()
	open, file, link := filepath.Join(base, "open"), filepath.Join(base, "file"), filepath.Join(base, "link")
	for _, err := range []error{
		os.Mkdir(open, 0o700), os.Chmod(open, 0o755), os.WriteFile(file, nil, 0o600), os.Symlink(base, link),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{
		open: "its mode is 755, open to others; hint: remove it, or chmod 700",
		file: "not a directory",
		link: "it must be a folder, not a link",
	}
	if os.Geteuid() == 0 {
		foreign := filepath.Join(base, "foreign")
		if err := os.Mkdir(foreign, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(foreign, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		want[foreign] = "it belongs to uid 65534, not to 0"
	}
	for dir, message := range want {
		_, err := Filter(testPolicy, Options{Arch: "amd64", CacheDir: dir, Kit: kit})
		if err == nil || !strings.Contains(err.Error(), message) || !strings.Contains(err.Error(), "seccomp cache "+dir) {
			t.Errorf("%s: %v, want %s", dir, err, message)
		}
	}
	if n := runs(); n != 0 {
		t.Errorf("compiled %d times for caches that cannot be used", n)
	}
}

// TestCacheTogether: many at once get a filter, and leave one file.
func TestCacheTogether(t *testing.T) {
	file, _, _ := filled(t)
	store, err := openCache(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	defer store.close()
	key := filepath.Base(file)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				if err := store.save(key, ret); err != nil {
					t.Error(err)
				}
				if bpf, ok := store.load(key); !ok || !bytes.Equal(bpf, ret) {
					t.Errorf("a reader saw %x, %v", bpf, ok)
				}
			}
		})
	}
	group.Wait()
	if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
		t.Errorf("left %v, %v", entries, err)
	}
}

// BenchmarkCached is what a recipe's own policy costs from the second run on.
func BenchmarkCached(b *testing.B) {
	kit, _ := fakeKit(b, goodAnswer)
	options := Options{Arch: "amd64", CacheDir: filepath.Join(b.TempDir(), "cache"), Kit: kit}
	for b.Loop() {
		if _, err := Filter(testPolicy, options); err != nil {
			b.Fatal(err)
		}
	}
}
