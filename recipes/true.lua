-- true: the smallest recipe. It runs /bin/true on this machine's files, with every
-- default on: new namespaces, no network, a system call filter, masked paths.
local sandbox = require "sandbox"

return sandbox.container {
  name        = "true",
  description = "runs /bin/true with every default on",
  rootfs      = "host-readonly",
  process     = { args = { "/bin/true" } },
}
