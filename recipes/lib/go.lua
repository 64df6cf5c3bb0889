-- go: a Go toolchain for a container, as a plain fragment.
--
--   local go = require "go"
--   sandbox.container(go.toolchain { version = "1.26" }, { … })
--
-- The toolchain is the host's: GOROOT where the environment says, else
-- /usr/local/go or the distribution's. Modules come from the host's module cache,
-- read-only and without network; the build cache is kept between runs.
local sandbox = require "sandbox"

local M = {}

local function module_cache()
  local dir = sandbox.env("GOMODCACHE", "")
  if dir ~= "" then return dir end
  local gopath = sandbox.env("GOPATH", "")
  if gopath ~= "" then return (gopath:gsub(":.*", "")) .. "/pkg/mod" end
  return sandbox.env("HOME", "/root") .. "/go/pkg/mod"
end

-- toolchain { version = "1.26.1", modules = "/path", cache = "go-build" }
--   version: which toolchain go is to choose; by default what the project's go.mod wants
--   modules: a module cache of the host; by default that of the user
--   cache:   the name of the build cache
function M.toolchain(options)
  options = options or {}
  local version = options.version
  return {
    mounts = {
      sandbox.bind(options.modules or module_cache(), "/go/pkg/mod", { optional = true }),
      sandbox.cache(options.cache or "go-build", "/cache/go-build"),
    },
    process = {
      env = {
        PATH        = sandbox.env("GOROOT", "/usr/local/go") .. "/bin:/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin",
        HOME        = "/tmp",
        GOPATH      = "/go",
        GOCACHE     = "/cache/go-build",
        GOPROXY     = "off",
        GOSUMDB     = "off",
        GOTOOLCHAIN = version and "go" .. version or "auto",
        GOFLAGS     = "-buildvcs=false",
        GOTELEMETRY = "off",
      },
    },
  }
end

return M
