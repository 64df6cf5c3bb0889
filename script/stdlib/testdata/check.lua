-- check: what the tests of the modules say.
local check = {}

local function show(value)
  if type(value) == "string" then return string.format("%q", value) end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for k, v in pairs(value) do parts[#parts + 1] = "[" .. show(k) .. "] = " .. show(v) end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for k, v in pairs(a) do
    if not same(v, b[k]) then return false end
  end
  for k in pairs(b) do
    if a[k] == nil then return false end
  end
  return true
end

-- equal(got, want): tables are compared by what is in them.
function check.equal(got, want)
  if not same(got, want) then error("got " .. show(got) .. ", wanted " .. show(want), 2) end
end

-- order(t): the keys of a table in the order that pairs gives.
function check.order(t)
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = tostring(k) end
  return table.concat(keys, " ")
end

-- fails(message, f, …): f(…) raises an error with this message.
function check.fails(message, f, ...)
  local ok, got = pcall(f, ...)
  if ok then error("no error, wanted " .. message, 2) end
  got = got:gsub("^[^:]+:%d+: ", "")
  if got ~= message then error("got the error\n" .. got .. "\nwanted\n" .. message, 2) end
end

return check
