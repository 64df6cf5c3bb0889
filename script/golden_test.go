package script

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what the cases give as what they want")

// TestGolden loads the recipes of testdata. A case is a txtar: build.lua, other
// files of the project, files of the library below embedded/, and want: the
// definition as JSON, or the error. Lines of the comment may set parameters
// ("--target=./x") and variables ("HOME=/root"); other lines say what the case is.
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := loadCase(t, archive)
			for i := range archive.Files {
				f := &archive.Files[i]
				if f.Name != "want" {
					continue
				}
				if *update {
					f.Data = []byte(got)
					if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
						t.Fatal(err)
					}
				} else if string(f.Data) != got {
					t.Errorf("got\n%swant\n%s", got, f.Data)
				}
				return
			}
			t.Fatal("the case has no file named want")
		})
	}
}

// loadCase returns the definition as JSON, or the error's report.
func loadCase(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	dir, library := t.TempDir(), fstest.MapFS{}
	for _, f := range archive.Files {
		if name, ok := strings.CutPrefix(f.Name, "embedded/"); ok {
			library[name] = &fstest.MapFile{Data: f.Data}
		} else if f.Name != "want" {
			path := filepath.Join(dir, f.Name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.Data, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	env, params := map[string]string{}, map[string][]string{}
	for line := range strings.Lines(string(archive.Comment)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		flag, isFlag := strings.CutPrefix(name, "--")
		switch {
		case ok && isFlag:
			params[flag] = append(params[flag], value)
		case ok && !strings.Contains(name, " "):
			env[name] = value
		}
	}
	var prints strings.Builder
	r, err := Load(context.Background(), Options{
		Path: filepath.Join(dir, "build.lua"), Project: dir, Params: params, Library: library, Fetched: filepath.Join(dir, "fetched"),
		Env:  func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		Fact: func(name string) (string, error) { return testFact(name) },
		Log:  func(line string) { prints.WriteString("print: " + line + "\n") },
	})
	text := prints.String()
	var failed *Error
	switch {
	case errors.As(err, &failed):
		text += failed.Report() + "\n"
	case err != nil:
		t.Fatal(err)
	default:
		d := r.Definitions[0]
		origins := d.Origins
		d.Origins = nil
		out, err := json.MarshalIndent(d, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		text += compact(string(out)) + "\n"
		for _, path := range slices.Sorted(maps.Keys(origins)) {
			text += "origin " + path + " " + origins[path].String() + "\n"
		}
		r.Close()
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, dir+"/", ""), dir, ".")
}

// compact leaves out of a JSON text what says nothing.
func compact(text string) string {
	var kept []string
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasSuffix(strings.TrimSuffix(line, ","), "null") && !strings.HasSuffix(strings.TrimSuffix(line, ","), "{}") {
			kept = append(kept, line)
		}
	}
	return strings.ReplaceAll(strings.Join(kept, "\n"), "  \"caps\": {\n  },\n", "")
}

func testFact(name string) (string, error) {
	switch name {
	case "os.id":
		return "debian", nil
	case "cpus":
		return "8", nil
	}
	return "", fmt.Errorf("there is no fact %q", name)
}

// design is the recipe of the documentation.
const design = `-- build.lua
local sandbox = require "sandbox"
local fs      = require "fs"
local go      = require "go"

local p = sandbox.params {
  target = { "./...", help = "packages" },
  go     = { "1.26", choices = { "1.25", "1.26" } },
}

local c = sandbox.container(
  go.toolchain { version = p.go },
  {
    name      = "go-build",
    rootfs    = "host",
    mounts    = {
      sandbox.bind(".", "/src"),
      sandbox.cache("go-build", "/cache"),
      fs.exists("vendor") and sandbox.bind("vendor", "/v") or false,
    },
    process   = { args = { "go", "build", "-o", "/out/", p.target }, cwd = "/src", env = { GOFLAGS = "-mod=vendor" } },
    limits    = { memory = "1G", pids = 512, cpus = 2, wall = "2m" },
    network   = "none",
    artifacts = { ["/out"] = "dist" },
  })

c:prestart("seed",    function(ctx) ctx:write("/etc/motd", "hello") end)
c:poststart("health", { deadline = "20s" }, function(ctx) ctx.data.pid = ctx.pid end)
c:collect("judge",    function(ctx) if ctx:read("/out/answer") ~= "42" then ctx:fail("wrong answer") end end)
c:poststop("report",  function(ctx) ctx:log("%s, peak %s", ctx.result.verdict, ctx.result.peak.memory) end)

return c
`

var designLibrary fs.FS = fstest.MapFS{"go.lua": {Data: []byte(`local sandbox = require "sandbox"
local go = {}
function go.toolchain(o)
  return {
    mounts = { sandbox.bind("/usr/local/go" .. o.version, "/usr/local/go", { optional = true }) },
    process = { env = { GOTOOLCHAIN = "local" } },
  }
end
return go
`)}}

func designOptions() Options {
	return Options{Path: "build.lua", Project: "/nonexistent", Source: []byte(design), Library: designLibrary}
}

func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	o := designOptions()
	o.Project = dir
	b.ReportAllocs()
	for b.Loop() {
		r, err := Load(context.Background(), o)
		if err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}
