package vm

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzLoad: whatever a file holds, loading it ends soon, with a function or with
// errors that have a line and are fit for a terminal. What loads is run for a
// moment: that may fail too, but not break the VM.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		fortyLines, "return 1", "x = = 1", "local t = { a = 1, a = 2, nil, f() }", "t.a.b, c = 1", "goto a ::a::",
		"local a <const> = 1 // 2", "return function(...) return ... end", "for i = 1, 2 do local x = i .. i end",
		"function a.b:c(d) self.x = d end", "return -2^-3 .. 'x' == not nil and #t", "repeat local x until x",
		"\xef\xbb\xbf#!x\n[==[ ]==] --[[", "while true do pcall(function() end) end", "return ('x'):rep(1e9)",
		"return ('a'):find('(a*)%1[%w_-]-%b()$')", "return string.format('%5.1f %q %c', 1, 'x', 65)",
		"coroutine.wrap(function() coroutine.yield() end)()", "local s = 'x' while true do s = s .. s end",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		v := New(context.Background(), Options{})
		defer v.Close()
		start := time.Now()
		fn, err := v.Load("f.lua", source)
		if spent := time.Since(start); spent > 5*time.Second {
			t.Errorf("loading took %v", spent)
		}
		if err == nil {
			defer v.Within(20*time.Millisecond, "running")()
			_, err = v.Call(fn, 0)
		}
		if err == nil {
			return
		}
		if errors.Is(err, ErrPoisoned) || strings.Contains(err.Error(), "cannot be compiled") {
			t.Error(err)
		}
		for _, line := range strings.Split(err.Error(), "\n") {
			if !utf8.ValidString(line) || strings.ContainsAny(line, "\x00\x1b\x7f\u009b") {
				t.Errorf("unfit for a terminal: %q", line)
			}
			if !strings.HasPrefix(line, "f.lua:") && !errors.Is(err, ErrDeadline) {
				t.Errorf("without file and line: %q", line)
			}
		}
	})
}
