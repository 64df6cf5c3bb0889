-- untrusted: runs one unknown program with the least there is.
--
--   sandbox run untrusted --program ./a.out
--
-- It sees itself, this machine's shared libraries, and its stdin and stdout: no other
-- file, no network, no capability, little memory and time. The root is an empty tmpfs.
local sandbox = require "sandbox"

local p = sandbox.params {
  program = { type = "string", required = true, help = "the program, a file" },
  memory  = { "64M", help = "memory limit" },
  wall    = { "10s", help = "time limit" },
  output  = { "16M", help = "how much it may write" },
}

local function library(path) return sandbox.bind(path, path, { optional = true }) end

return sandbox.container {
  name        = "untrusted",
  description = "runs one unknown program with the least there is",
  rootfs      = sandbox.tmpfs "16M",
  mounts      = {
    sandbox.bind(p.program, "/program"),
    library "/lib", library "/lib64", library "/usr/lib", library "/usr/lib64",
  },
  process     = { args = { "/program" }, user = "65534:65534" },
  caps        = {},
  limits      = { memory = p.memory, pids = 16, wall = p.wall, output = p.output, best_effort = true },
  rlimits     = { core = 0, nofile = 64 },
  network     = "none",
}
