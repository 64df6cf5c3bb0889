-- judge: runs a program on an input, and compares what it writes with what is expected.
--
--   sandbox run judge --program ./solution --input 1.in --expected 1.out
--
-- It exits with 0 when the answer is right, and says the verdict in any case. Blanks at
-- the ends of lines and empty lines at the end do not count.
local sandbox = require "sandbox"
local fs      = require "fs"
local strings = require "strings"

local p = sandbox.params {
  program  = { type = "string", required = true, help = "the program, a file below the current folder" },
  input    = { type = "string", required = true, help = "what it reads" },
  expected = { type = "string", required = true, help = "what it is to write" },
  memory   = { "256M", help = "memory limit" },
  time     = { "2s", help = "limit of processor time" },
}

local function lines(text)
  local all = strings.split(text, "\n")
  for i, line in ipairs(all) do all[i] = line:gsub("%s+$", "") end
  while all[#all] == "" do all[#all] = nil end
  return all
end

local expected = lines(fs.read(p.expected))

local c = sandbox.container {
  name        = "judge",
  description = "runs a program on an input, and compares what it writes with what is expected",
  rootfs      = "host-readonly",
  mounts      = {
    sandbox.bind(p.program, "/judge/program"),
    sandbox.bind(p.input, "/judge/input"),
    sandbox.tmpfs("/judge/answer", { size = "32M", mode = "1777" }),
  },
  process     = { args = "exec /judge/program </judge/input >/judge/answer/text", user = "65534:65534" },
  caps        = {},
  limits      = { memory = p.memory, pids = 32, cpu_time = p.time, wall = "1m", best_effort = true },
  network     = "none",
}

c:collect("compare", function(ctx)
  local r = ctx.result
  local function say(verdict) ctx:log("%s, %.2f s, %s", verdict, r.cpu, r.peak.memory) end
  if r.verdict == "timeout" then return say("time limit exceeded") end
  if r.verdict == "oom" then return say("memory limit exceeded") end
  if r.verdict ~= "exited" or r.exit_code ~= 0 then return say("runtime error") end
  local got = lines(ctx:read("/judge/answer/text"))
  for i = 1, math.max(#got, #expected) do
    if got[i] ~= expected[i] then
      say("wrong answer")
      ctx:fail("line %d: %q, expected %q", i, got[i] or "nothing", expected[i] or "nothing")
    end
  end
  say("accepted")
end)

return c
