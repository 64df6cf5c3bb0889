package vm

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// suite is gopher-lua's own tests, which its module carries.
func suite() map[string][]string {
	return map[string][]string{
		"_glua-tests": {"base.lua", "coroutine.lua", "db.lua", "issues.lua", "os.lua", "table.lua",
			"vm.lua", "math.lua", "strings.lua", "goto.lua"},
		"_lua5.1-tests": {"attrib.lua", "calls.lua", "closure.lua", "constructs.lua", "events.lua",
			"literals.lua", "locals.lua", "math.lua", "sort.lua", "strings.lua", "vararg.lua", "pm.lua", "files.lua"},
	}
}

// TestRewriteKeepsMeaning runs gopher-lua's tests with its own libraries, as they
// are and rewritten: the results are the same. They run in other processes, since
// they change folder and environment.
func TestRewriteKeepsMeaning(t *testing.T) {
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/yuin/gopher-lua").Output()
	if err != nil {
		t.Fatalf("find gopher-lua: %v", err)
	}
	for folder, files := range suite() {
		from := filepath.Join(strings.TrimSpace(string(module)), folder)
		plain := runSuite(t, from, "plain")
		rewritten := runSuite(t, from, "rewritten")
		if len(plain) != len(files) || len(rewritten) != len(files) {
			t.Fatalf("%s: %d files, %d and %d results", folder, len(files), len(plain), len(rewritten))
		}
		for i, file := range files {
			if plain[i] != rewritten[i] {
				t.Errorf("%s/%s: plain:\n%s\nrewritten:\n%s", folder, file, plain[i], rewritten[i])
			}
			if !strings.HasSuffix(plain[i], "no error\n") {
				t.Errorf("%s/%s fails as it is, and proves nothing:\n%s", folder, file, plain[i])
			}
		}
	}
}

// mark ends the output of one file.
const mark = "\x01"

// runSuite returns the output of each file.
func runSuite(t *testing.T, from, mode string) []string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "suite")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestSuiteProcess$")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "VM_SUITE="+mode, "VM_SUITE_FOLDER="+filepath.Base(from))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", mode, from, err, out.String())
	}
	// What sort.lua and files.lua say of clocks and random numbers.
	varying := regexp.MustCompile(`test done on .*|[0-9.]+ sec\.|with [0-9]+ comparisons`)
	text := varying.ReplaceAllString(strings.ReplaceAll(out.String(), dir, "DIR"), "")
	return strings.Split(strings.TrimSuffix(text, mark), mark)
}

// TestSuiteProcess is the process of one run.
func TestSuiteProcess(t *testing.T) {
	mode, folder := os.Getenv("VM_SUITE"), os.Getenv("VM_SUITE_FOLDER")
	if mode == "" {
		return // only a process of TestRewriteKeepsMeaning has work here
	}
	for _, file := range suite()[folder] {
		depth := 1024
		if file == "calls.lua" {
			depth = 1 << 16 // it counts on tail calls that leave no frame
		}
		L := lua.NewState(lua.Options{RegistrySize: 1024 * 20, RegistryMaxSize: 1 << 22, RegistryGrowStep: 1 << 16, CallStackSize: depth})
		var err error
		if mode == "plain" {
			err = L.DoFile(file)
		} else {
			err = doRewritten(L, file)
		}
		if err != nil {
			fmt.Println("error:", err)
		} else {
			fmt.Println("no error")
		}
		L.Close()
		fmt.Print(mark)
	}
	os.Exit(0)
}

// doRewritten runs a file through the package's compiler with stock libraries.
func doRewritten(L *lua.LState, file string) error {
	source, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	proto, r, failed := compile(file, strip(source), 0)
	if failed != nil {
		return failed
	}
	var keep func(p *lua.FunctionProto)
	keep = func(p *lua.FunctionProto) {
		for pc := range p.Code {
			keepFrame(p, pc)
		}
		for _, inner := range p.FunctionPrototypes {
			keep(inner)
		}
	}
	keep(proto)
	v := &VM{root: L, ctx: context.Background(), literals: r.literals}
	v.installRecorders()
	L.Push(L.NewFunctionFromProto(proto))
	return L.PCall(0, lua.MultRet, nil)
}
