-- service: serves the current folder over HTTP until it is told to end.
--
--   sandbox run service --port 8000
--
-- A hook waits until the server answers, and fails the run when it does not. SIGTERM and
-- SIGINT end it. The server is Python's, which shows what one of your own needs.
local sandbox = require "sandbox"

local p = sandbox.params {
  port    = { 8000, help = "port to listen on" },
  network = { "host", choices = { "none", "host" }, help = "none: only for the container itself" },
  wall    = { "24h", help = "time limit" },
}

local ask = "import sys, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + sys.argv[1], timeout=1)"

local c = sandbox.container {
  name        = "service",
  description = "serves the current folder over HTTP until it is told to end",
  rootfs      = "host",
  mounts      = { sandbox.bind(".", "/srv") },
  process     = { args = { "python3", "-m", "http.server", "--bind", "127.0.0.1", p.port }, cwd = "/srv" },
  limits      = { memory = "256M", pids = 64, wall = p.wall, best_effort = true },
  network     = p.network,
}

c:poststart("healthy", function(ctx)
  local answer
  for _ = 1, 40 do
    answer = ctx:exec { "python3", "-c", ask, tostring(p.port) }
    if answer.code == 0 then
      ctx:log("serving on http://127.0.0.1:%d", p.port)
      return
    end
    ctx:exec { "sleep", "0.1" }
  end
  ctx:fail("it does not answer: %s", answer.stderr)
end)

return c
