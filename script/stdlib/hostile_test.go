package stdlib_test

import (
	"strconv"
	"strings"
	"testing"

	"sandbox/script/stdlib"
)

// TestNoWayOut: from no module leads a way to its insides: nothing can be set, no
// metatable can be had, and there is nothing but functions and values that do nothing.
func TestNoWayOut(t *testing.T) {
	text := "local check = require 'check'\n"
	for _, m := range stdlib.Modules {
		text += "do local m = require '" + m.Name + "'\n" + `
check.equal(getmetatable(m), "locked")
check.fails("cannot change a protected metatable", setmetatable, m, {})
check.fails("module ` + m.Name + ` cannot be changed (setting \"x\")", function() m.x = 1 end)
check.equal(pcall(function() table.insert(m, 1) end), false)
for name, value in pairs(m) do
  if type(value) == "userdata" then
    check.equal(getmetatable(value), "locked")
    check.equal(pcall(setmetatable, value, {}), false)
    check.equal(pcall(function() value.x = 1 end), false)
    check.equal(pcall(function() return value.x end), false)
    check.equal(pcall(function() return value() end), false)
  else
    check.equal(type(value), "function")
    check.equal(getmetatable(value), nil)
  end
end
end
`
	}
	if _, _, err := load(t, "b.lua", text); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"debug", "io", "os", "package", "load", "loadstring", "dofile", "loadfile", "getfenv", "setfenv", "newproxy", "collectgarbage", "_G", "rawset", "module"} {
		if _, _, err := load(t, "b.lua", "local x = "+name); err == nil || !strings.Contains(err.Error(), strconv.Quote(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := load(t, "b.lua", "local x = string.dump"); err == nil {
		t.Error("string.dump is there")
	}
}

// lua writes a string for Lua, whatever is in it.
func lua(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		b.WriteString("\\" + strconv.Itoa(1000 + int(s[i]))[1:])
	}
	return b.String() + "\""
}

// FuzzModules gives any text to whatever reads one: an error is one of Lua's, and
// what was read can be written and read again.
func FuzzModules(f *testing.F) {
	for _, text := range []string{"", "a: 1", "[1, {\"a\": null}]", "a = 1\n[b]\nc = 1979-05-27", "v1.2.3-rc.1", ">=1.2 <2 || ^3", "https://a@b:1/c?d=e#f", "{{ a }} ${a.b} $$", "1h30m", "512M", "2026-01-31T12:00:00Z", "aGVsbG8=", "%41", "../a/./b", "\xff\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 10000 {
			return
		}
		_, _, err := load(t, "b.lua", "local text = "+lua(text)+`
local json, yaml, toml, tables = require "json", require "yaml", require "toml", require "tables"
for _, m in ipairs { json, yaml, toml } do
  local ok, value = pcall(m.decode, text, { exact = false })
  if ok then
    local written, out = pcall(m.encode, value)
    if written then
      local again = m.decode(out, { exact = false })
      if not tables.equal(value, again) and not out:find("nan", 1, true) then error("it became " .. out) end
    end
  end
end
pcall(yaml.decode_all, text)
local path, strings, time = require "path", require "strings", require "time"
local base64, template, semver, url = require "base64", require "template", require "semver", require "url"
for _, f in ipairs { path.clean, path.dir, path.base, path.ext, strings.trim, strings.fields, strings.lines, strings.shell_quote, time.parse_duration, time.parse_size,
  time.parse, base64.decode, base64.decode_url, semver.parse, url.parse, url.parse_query, url.escape, url.unescape } do
  pcall(f, text)
end
pcall(path.rel, text, "a") pcall(path.rel, "/a", text) pcall(strings.split, text, " ") pcall(strings.split, " ", text) pcall(strings.replace, text, "a", text)
pcall(template.render, text, { a = text }) pcall(template.expand, text, { a = { b = text } }) pcall(semver.satisfies, "1.2.3", text) pcall(url.join, text, text) pcall(url.build, { host = text, path = text })
if base64.decode(base64.encode(text)) ~= text or base64.decode_url(base64.encode_url(text)) ~= text or url.unescape(url.escape(text)) ~= text then error("it is not the same") end
`)
		if err != nil && !strings.Contains(err.Error(), "took longer than") {
			t.Error(err)
		}
	})
}
