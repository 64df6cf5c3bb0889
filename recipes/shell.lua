-- shell: an interactive shell on this machine's files, whose changes are thrown away.
--
--   sandbox run shell
--   sandbox run shell --write -- make install
--
-- The current folder is /work, read-only unless --write. There is no network unless
-- --network host, and no home folder but an empty one.
local sandbox = require "sandbox"

local p = sandbox.params {
  write   = { false, help = "let the current folder be written to" },
  network = { "none", choices = { "none", "host" }, help = "host: this machine's network" },
  memory  = { "2G", help = "memory limit" },
}

return sandbox.container {
  name        = "shell",
  description = "an interactive shell on this machine's files, whose changes are thrown away",
  rootfs      = "host",
  mounts      = { sandbox.bind(".", "/work", { write = p.write }) },
  process     = {
    args = "if command -v bash >/dev/null; then exec bash; fi; exec sh",
    cwd  = "/work",
    env  = { TERM = sandbox.env("TERM", "dumb"), HOME = "/tmp" },
  },
  limits      = { memory = p.memory, pids = 1024, best_effort = true },
  network     = p.network,
}
