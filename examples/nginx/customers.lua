-- Who may ask. customers.txt has a line for each customer:
--
--   name  SHA-256 of the token, in hex  credits  requests a minute
--
-- The tokens themselves are nowhere: who reads the file can use none of them. A token is random and
-- long, so a plain hash is enough, and looking it up by the hash tells nobody how near a guess was.
local secrets = require("secrets")

local customers = {}

local by_hash = {}

-- Reads the file; a reload of nginx (HUP) reads it again.
function customers.load(path)
  local file = io.open(path, "r")
  if not file then
    ngx.log(ngx.WARN, "there are no customers: ", path, " is missing")
    return
  end
  for line in file:lines() do
    local name, hash, credits, per_minute = line:match("^([%w._-]+)%s+(%x+)%s+(%d+)%s+(%d+)%s*$")
    if name and #hash == 64 then
      by_hash[hash:lower()] =
        { name = name, credits = tonumber(credits), per_minute = tonumber(per_minute) }
    elseif line:find("^%s*[^#%s]") then
      ngx.log(ngx.ERR, path, ": a line that is no customer was left out")
    end
  end
  file:close()
end

-- The customer whose token this request has, or nil.
function customers.of_request()
  local header = ngx.var.http_authorization or ""
  local token = header:match("^[Bb]earer ([%w._-]+)$")
  return token and by_hash[secrets.sha256(token)]
end

return customers
