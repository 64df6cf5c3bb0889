-- hello: shows what the world looks like from inside.
local sandbox = require "sandbox"

local p = sandbox.params {
  greeting = { "hello", help = "the first word printed" },
}

return sandbox.container {
  name        = "hello",
  description = "prints the kernel, the user, the processes and the network seen from inside",
  rootfs      = "host",
  process     = {
    args = [[
      echo "$GREETING from $(uname -sr), host name $(hostname)"
      echo "user:      $(id -un) ($(id -u))"
      echo "processes: $(ls /proc | grep -c '^[0-9]')"
      echo "network:   $(ls /sys/class/net | tr '\n' ' ')"
      echo "home:      $(ls -A /root 2>/dev/null | wc -l) files"
    ]],
    env = { GREETING = p.greeting },
  },
  limits  = { memory = "64M", pids = 32, wall = "10s", best_effort = true },
  network = "none",
}
