local check, base64 = require "check", require "base64"

local all = {}
for i = 0, 255 do all[#all + 1] = string.char(i) end
all = table.concat(all)
for n = 0, 4 do
  check.equal(base64.decode(base64.encode(all:sub(1, n))), all:sub(1, n))
  check.equal(base64.decode_url(base64.encode_url(all:sub(1, n))), all:sub(1, n))
end
check.equal(base64.decode(base64.encode(all)), all)
check.equal(base64.decode_url(base64.encode_url(all)), all)
check.equal(base64.encode("\255\254"), "//4=")
check.equal(base64.decode("aGVs\r\nbG8"), "hello")
check.equal(base64.decode_url("__4="), "\255\254")

check.fails("base64.decode: the text is no Base64 at byte 5", base64.decode, "aGVs!")
check.fails("base64.decode: the text is no Base64 at byte 1", base64.decode, "__4=")
check.fails("base64.decode: the text is no Base64 at byte 1", base64.decode, "a")
check.fails("string longer than 16 MiB", base64.encode, ("a"):rep(2 ^ 24 - 1))
