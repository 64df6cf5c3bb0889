package plan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"sandbox/sandbox/definition"
	"sandbox/sandbox/plan"
)

// FuzzCompile: whatever a definition says, the answer is problems or a plan that
// keeps the rules, also for those that Validate refuses.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{
		`{"rootfs":{"kind":"host"},"process":{"args":["/bin/true"]}}`,
		`{"rootfs":{"kind":"dir","path":"/x"},"process":{"args":["a"],"user":"nobody","groups":["1"],"terminal":"yes"},"mounts":[{"type":"bind","source":"/","target":"/a/../b","optional":true}]}`,
		`{"rootfs":{"kind":"overlay"},"process":{"args":["a"],"no_init":true,"new_privs":true},"namespaces":{"pid":"host","user":"new","time":"new"},"caps":{"ambient":["SYS_ADMIN"]}}`,
		`{"idmap":{"uid":[{"container":4294967295,"host":4294967295,"size":4294967295}],"gid":[]},"limits":{"memory":-1,"swap":9,"cpus":1e300},"network":"host"}`,
		`{"devices":[{"path":""}],"sysctl":[{"name":"user/max","value":""}],"artifacts":[{"path":"x"}],"hooks":[{"stage":"prestart"},{"stage":"poststop"},{}],"rlimits":[{"name":"nofile"}],"masked_paths":[]}`,
	} {
		f.Add([]byte(text))
	}
	all := hosts(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		var def definition.Definition
		if json.Unmarshal(text, &def) != nil {
			return
		}
		for _, host := range all {
			p, err := plan.Compile(&def, host)
			if err != nil {
				if len(err.(definition.Problems)) == 0 {
					t.Error("an error without a problem")
				}
				continue
			}
			checkPlan(t, &def, p)
		}
		plan.WantsOf(&def)
	})
}

func TestSeccompNeedsNoNewPrivs(t *testing.T) {
	host, _ := readFacts(t, "root-v2")
	for _, tc := range []struct {
		name string
		set  func(*definition.Definition)
		ok   bool
	}{
		{"filter", func(d *definition.Definition) {}, false},
		{"none", func(d *definition.Definition) { d.Seccomp.Mode = definition.SeccompNone }, true},
		{"SYS_ADMIN", func(d *definition.Definition) {
			d.Caps = definition.Capabilities{Bounding: []string{"SYS_ADMIN"}, Effective: []string{"SYS_ADMIN"}, Permitted: []string{"SYS_ADMIN"}}
		}, true},
	} {
		def := definition.Definition{Process: definition.Process{Args: []string{"a"}, NewPrivs: true}}
		tc.set(&def)
		if _, err := plan.Compile(&def, host); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestProblemsHaveOrigins(t *testing.T) {
	host, _ := readFacts(t, "rootless-single")
	memory := definition.Bytes(1 << 30)
	def := definition.Definition{Process: definition.Process{Args: []string{"a"}, User: "nobody"}, Limits: definition.Limits{Memory: &memory},
		Origins: definition.Origins{"limits.memory": {File: "a.lua", Line: 3}, "process.user": {File: "a.lua", Line: 7}}}
	_, err := plan.Compile(&def, host)
	if err == nil || !strings.Contains(err.Error(), "a.lua:3: limits.memory") || !strings.Contains(err.Error(), "a.lua:7: process.user") {
		t.Errorf("%v", err)
	}
}

func TestDefaultsHaveNoOrigin(t *testing.T) {
	host, _ := readFacts(t, "root-v2")
	def := definition.Definition{Process: definition.Process{Args: []string{"a"}}, Origins: definition.Origins{"": {File: "a.lua", Line: 1}, "process": {File: "a.lua", Line: 2}}}
	p, err := plan.Compile(&def, host)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Steps {
		if !s.Origin.IsZero() && s.Field != "process.args" && s.Field != "rootfs" {
			t.Errorf("%q is said to come from %s", s.Op, s.Origin)
		}
	}
}

// BenchmarkCompile is a definition as small and one as big as they come.
func BenchmarkCompile(b *testing.B) {
	host, _ := readFacts(b, "root-hybrid")
	small := definition.Definition{Rootfs: definition.Rootfs{Kind: definition.RootfsHostReadonly}, Process: definition.Process{Args: []string{"/bin/true"}}}
	big := small
	big.Origins = definition.Origins{}
	for i := range 500 {
		big.Mounts = append(big.Mounts, definition.Mount{Type: definition.MountBind, Source: "/src", Target: fmt.Sprintf("/a/%d", i), Optional: true})
		big.Process.Env = append(big.Process.Env, definition.EnvVar{Name: fmt.Sprintf("V%d", i), Value: "x"})
		big.Origins[definition.Item("mounts", i+1)] = definition.Origin{File: "a.lua", Line: i}
	}
	for _, bc := range []struct {
		name string
		def  *definition.Definition
	}{{"true", &small}, {"big", &big}} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := plan.Compile(bc.def, host); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A field on the line of the container itself has that line.
func TestOriginOnTheFirstLine(t *testing.T) {
	host, _ := readFacts(t, "root-v2")
	line := definition.Origin{File: "a.lua", Line: 2}
	def := definition.Definition{Rootfs: definition.Rootfs{Kind: definition.RootfsDir, Path: "/x"}, Process: definition.Process{Args: []string{"a"}},
		Origins: definition.Origins{"": line, "rootfs": line, "process.args": line}}
	p, err := plan.Compile(&def, host)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, s := range p.Steps {
		if s.Origin == line {
			found++
		}
	}
	if found != 2 {
		t.Errorf("%d steps have the line, not root and exec", found)
	}
}
