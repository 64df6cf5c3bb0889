local check, semver = require "check", require "semver"

check.equal(semver.parse("1.2.3-rc.1+linux.5"), { major = 1, minor = 2, patch = 3, prerelease = "rc.1", build = "linux.5" })
check.equal(semver.parse("v1.26").patch, 0)
check.equal(semver.parse("0"), { major = 0, minor = 0, patch = 0, prerelease = "", build = "" })
check.equal(semver.parse("999999999999999.0.0").major, 999999999999999)

-- The order of semver.org, point 11, and of what is missing.
local order = { "0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2", "1.10", "2" }
for i, a in ipairs(order) do
  for j, b in ipairs(order) do
    check.equal(semver.compare(a, b), i < j and -1 or i > j and 1 or 0)
  end
end
check.equal(semver.compare("v1.0", "1.0.0+build"), 0)
check.equal(semver.sort { "2", "1.0.0-rc.1", "1.10", "1.9" }, { "1.0.0-rc.1", "1.9", "1.10", "2" })
check.equal(semver.sort {}, {})

-- range: versions in it, and not.
local ranges = {
  { ">=1.25 <2",        "1.25 1.25.9 1.99",        "1.24.9 2 2.0.0-rc1 1.26.0-rc1" },
  { ">=1.25, <2",       "1.26",                    "2" },
  { ">= 1.25 < 2",      "1.26",                    "2" },
  { "=1.2.3",           "1.2.3 1.2.3+x",           "1.2.4 1.2.3-rc1" },
  { "1.2",              "1.2 1.2.9",               "1.3 1.1.9" },
  { "1.x",              "1 1.9.9",                 "2 0.9" },
  { "1.2.*",            "1.2.7",                   "1.3" },
  { "*",                "0 1.2.3",                 "1.2.3-rc1" },
  { "!=1.2",            "1.3 1.1.9",               "1.2 1.2.5" },
  { ">1.2",             "1.3",                     "1.2 1.2.9" },
  { "<=1.2",            "1.2.9 1.1",               "1.3" },
  { ">1.2.3",           "1.2.4",                   "1.2.3" },
  { "^1.2.3",           "1.2.3 1.9",               "1.2.2 2" },
  { "^0.2.3",           "0.2.3 0.2.9",             "0.3 0.2.2" },
  { "^0.0.3",           "0.0.3",                   "0.0.4 0.0.2" },
  { "^0",               "0 0.9.1",                 "1" },
  { "^1",               "1 1.9",                   "2" },
  { "~1.2.3",           "1.2.3 1.2.9",             "1.3 1.2.2" },
  { "~1",               "1 1.9",                   "2" },
  { "1.x || >=3",       "1.5 3 4",                 "2" },
  { "^1.2.0-rc.1",      "1.2.0-rc.1 1.2.0-rc.2 1.2 1.5", "1.2.0-beta 1.3.0-rc.1 2" },
}
for _, r in ipairs(ranges) do
  for version in r[2]:gmatch("%S+") do
    if not semver.satisfies(version, r[1]) then error(version .. " is not in " .. r[1]) end
  end
  for version in r[3]:gmatch("%S+") do
    if semver.satisfies(version, r[1]) then error(version .. " is in " .. r[1]) end
  end
end

for _, bad in ipairs { "", "1.", "1..2", "a", "1.2.3.4", "01", "1.2.3-", "1.2.3-a..b", "1.2.3-é", "-1", "1.x", "1.2.3+", "9999999999999999" } do
  check.fails(string.format('semver.parse: %q is no version like "1.2.3" or "v1.2.3-rc.1"', bad), semver.parse, bad)
end
check.fails('semver.satisfies: "" is no range like ">=1.2 <2", "^1.2" or "1.x || 2.x"', semver.satisfies, "1", "")
check.fails('semver.satisfies: "1 ||" is no range like ">=1.2 <2", "^1.2" or "1.x || 2.x"', semver.satisfies, "1", "1 ||")
check.fails('semver.satisfies: ">=" is no range like ">=1.2 <2", "^1.2" or "1.x || 2.x"', semver.satisfies, "1", ">=")
check.fails('semver.satisfies: ">=<1" is no range: "<1" is no version like "1.2" or "1.x"', semver.satisfies, "1", ">=<1")
check.fails('semver.satisfies: "1.x.2" is no range: "1.x.2" is no version like "1.2" or "1.x"', semver.satisfies, "1", "1.x.2")
check.fails('semver.sort: item 2 of the list is the number 5, not a string', semver.sort, { "1", 5 })
check.fails("semver.sort: the versions are no list", semver.sort, { a = "1" })

-- Bombs.
check.fails("semver.satisfies: the range has 2048 bytes; at most 1024 are read", semver.satisfies, "1", ("1||2"):rep(512))
check.fails('semver.parse: "1.2.3-' .. ("a"):rep(54) .. '…" is no version like "1.2.3" or "v1.2.3-rc.1"', semver.parse, "1.2.3-" .. ("a"):rep(2 ^ 20))
