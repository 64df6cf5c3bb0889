package vm

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// TestNoForEach: LTable.ForEach walks Go maps, in another order each time. All of
// script uses Next.
func TestNoForEach(t *testing.T) {
	files := 0
	err := filepath.WalkDir("..", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		if strings.Contains(string(source), ".ForEach(") {
			t.Errorf("%s uses ForEach", path)
		}
		return nil
	})
	if err != nil || files < 10 {
		t.Errorf("%d files read, %v", files, err)
	}
}

// TestNoInit: the package has no init task; what it needs at the start of a program
// is laid out by the linker. GODEBUG=inittrace=1 prints a line a package that has one.
func TestNoInit(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "init github.com/yuin/gopher-lua @") {
		t.Fatalf("no trace of inits:\n%s", out)
	}
	for _, name := range []string{"sandbox/script/vm", "runtime/metrics"} {
		if strings.Contains(string(out), "init "+name+" @") {
			t.Errorf("%s has an init task:\n%s", name, out)
		}
	}
}

// BenchmarkNew is what the runner's start pays for: a VM and a file of 40 lines.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(context.Background(), Options{}).Close()
	}
}

func BenchmarkLoadAndRun(b *testing.B) {
	source := []byte(fortyLines)
	for b.Loop() {
		v := New(context.Background(), Options{})
		fn, err := v.Load("b.lua", source)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := v.Call(fn, 1); err != nil {
			b.Fatal(err)
		}
		v.Close()
	}
}

func BenchmarkCallHook(b *testing.B) {
	v, value := load(b, "local t = { 1, 2 } return function() return t[1] end")
	fn, err := v.Load("c.lua", []byte("local n = 0 return n"))
	if err != nil {
		b.Fatal(err)
	}
	v.Freeze(value, fn)
	for b.Loop() {
		if _, err := v.CallHook("hook", fn); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAssignments(b *testing.B) {
	v, value := load(b, "return function() local t = {} for i = 1, 1000 do t[i] = i end end")
	for b.Loop() {
		if _, err := v.Call(asFunction(value), 0); err != nil {
			b.Fatal(err)
		}
	}
}

const fortyLines = `local base = { memory = "1G", pids = 512 }
local function mount(source, target, write)
  return { source = source, target = target, write = write or false }
end

local function env(...)
  local out = {}
  for i, name in ipairs({ ... }) do
    out[name] = "/cache/" .. name:lower()
  end
  return out
end

local mounts = {
  mount(".", "/src"),
  mount("/usr", "/usr"),
  mount("cache", "/cache", true),
}
for i = 1, 3 do
  mounts[#mounts + 1] = mount("data" .. i, "/data/" .. i)
end

local container = {
  name = "go-build",
  rootfs = "host",
  mounts = mounts,
  process = {
    args = { "go", "build", "-o", "/out/", "./..." },
    cwd = "/src",
    env = env("GOCACHE", "GOMODCACHE"),
  },
  limits = base,
  network = "none",
  artifacts = { ["/out"] = "dist" },
}
container.limits.cpus = 2
container.process.env.HOME = "/root"
container.description = string.format("build of %s with %d mounts", container.name, #mounts)

return container
`

func asFunction(value lua.LValue) *lua.LFunction { return value.(*lua.LFunction) }
