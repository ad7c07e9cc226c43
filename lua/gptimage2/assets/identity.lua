--- What makes two requests the same picture, on every machine: the request's hash, and from it the
--- idempotency key of each attempt. Frozen: spec/assets/identity_spec.lua has its vectors.

local core = require("gptimage2.core")

local identity = {}

local FORMAT = "gptimage2-1" -- the encoder of requests, too: whoever must change that counts on

--- The name of a service: its URL with the port always, scheme and host in lower case. All of this
--- machine are one, for the sandbox's port is random.
---@param base_url string
---@return string
function identity.service(base_url)
  local parts = core.url(base_url)
  if not parts then
    return base_url:lower()
  elseif parts.loopback then
    return "loopback"
  end
  local port = parts.port or (parts.scheme == "https" and 443 or 80)
  local host = parts.host:find(":", 1, true) and "[" .. parts.host .. "]" or parts.host
  local name = ("%s://%s:%d"):format(parts.scheme, host, port)
  return name:lower() .. (parts.rest:gsub("/+$", ""))
end

--- The hash of a request: 64 hexadecimal digits.
---@param service string
---@param body string the exact bytes
---@return string|nil hash
---@return gptimage2.Error|nil err
function identity.hash(service, body)
  return core.digest.sha256(FORMAT .. "\n" .. service .. "\n", body)
end

--- What makes two commands of `derive` the same: 64 hexadecimal digits.
---@param argv string[]
---@return string|nil
function identity.derive(argv)
  return core.digest.sha256(table.concat(argv, "\0"))
end

--- A new salt: 32 hexadecimal digits.
---@return string|nil
function identity.new_salt()
  return core.digest.random(16)
end

--- Whether it is one, whoever wrote it.
---@param value any
---@return boolean
function identity.is_salt(value)
  return type(value) == "string" and #value == 32 and not value:find("[^%da-f]")
end

local function bytes_of(hex)
  return (hex:gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

--- The idempotency key of an attempt.
---@param salt string
---@param hash string
---@param n integer which candidate, from 1
---@param t integer how many attempts of it are settled and were not charged
---@return string|nil key
---@return gptimage2.Error|nil err
function identity.key(salt, hash, n, t)
  return core.digest.hmac(bytes_of(salt), ("%s\n%d\n%d"):format(hash, n, t))
end

return identity
