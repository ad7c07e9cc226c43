-- Hashes and random names, by the OpenSSL that nginx itself is linked with.
local ffi = require("ffi")

ffi.cdef([[
unsigned char *SHA256(const unsigned char *data, size_t length, unsigned char *hash);
int RAND_bytes(unsigned char *buffer, int length);
]])

local secrets = {}

local function hex(bytes)
  return (bytes:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

function secrets.sha256(text)
  local hash = ffi.new("unsigned char[32]")
  ffi.C.SHA256(text, #text, hash)
  return hex(ffi.string(hash, 32))
end

-- 128 bits that nobody can guess.
function secrets.random_id()
  local buffer = ffi.new("unsigned char[16]")
  assert(ffi.C.RAND_bytes(buffer, 16) == 1, "OpenSSL has no randomness")
  return hex(ffi.string(buffer, 16))
end

return secrets
