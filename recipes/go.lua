-- go: builds and tests the Go project in the current folder.
--
-- The source is read-only, there is no network, modules come from the host's module
-- cache. Programs are built into dist/. Tests run with -short: what needs root on
-- the host has to skip itself then.
local sandbox = require "sandbox"
local fs      = require "fs"
local go      = require "./go"

local p = sandbox.params {
  build   = { fs.exists("cmd") and "./cmd/..." or "./...", help = "packages to build into the artifacts" },
  test    = { "./...", help = "packages to vet and test; empty for none" },
  go      = { "", help = "Go version, like 1.26.1; by default what go.mod wants" },
  memory  = { "2G", help = "memory limit" },
  wall    = { "15m", help = "time limit" },
  out     = { "dist", help = "folder that the programs are copied to" },
}

local script = [[
  set -eu
  mkdir -p /out
  go version
  if [ -n "$(go list -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' "$1")" ]; then
    go build -o /out/ "$1"
  else
    go build "$1"
  fi
  if [ -n "$2" ]; then
    go vet "$2"
    go test -short "$2"
  fi
]]

return sandbox.container(
  go.toolchain { version = p.go ~= "" and p.go or nil },
  {
    name        = "go",
    description = "builds and tests the Go project in the current folder",
    rootfs      = "host",
    mounts      = { sandbox.bind(".", "/src") },
    process     = { args = { "/bin/sh", "-c", script, "go", p.build, p.test }, cwd = "/src" },
    limits      = { memory = p.memory, pids = 512, wall = p.wall, best_effort = true },
    network     = "none",
    artifacts   = { ["/out"] = p.out },
  })
