--- What the program's exit codes mean, and which one an error has. Pure.

local codes = {
  done = 0,
  some_failed = 1,
  usage = 2, -- and manifest, lock, row and request errors, and what a plan would change
  money = 3, -- budget or credits
  key = 4,
  network = 5, -- and a service that does not answer as it should
  ledger = 6, -- and the store
  interrupted = 130,
}

local BY_KIND = {
  usage = codes.usage,
  validation = codes.usage,
  build = codes.usage,
  budget = codes.money,
  credits = codes.money,
  auth = codes.key,
  network = codes.network,
  tls = codes.network,
  timeout = codes.network,
  rate_limit = codes.network,
  server = codes.network,
  protocol = codes.network,
  lost = codes.network,
  ledger = codes.ledger,
}

local BY_CODE = { store_failed = codes.ledger, derive_failed = codes.some_failed }

--- Where several went wrong and nothing was made, the first of these that is among them.
local FIRST = { codes.ledger, codes.key, codes.money, codes.network }

--- Nothing is where the service should be; of a job, that one is not there.
local function is_wrong_address(err)
  return err.kind == "not_found" and not err.job_id
end

--- That of an error.
---@param err table with a kind and a code
---@return integer
function codes.of(err)
  local by_code = err.kind == "build" and BY_CODE[err.code]
    or is_wrong_address(err) and codes.network
  return by_code or BY_KIND[err.kind] or codes.some_failed
end

--- That of many things, some of which went wrong.
---@param errors table[]
---@param made boolean whether anything was made
---@return integer
function codes.of_all(errors, made)
  if not errors[1] then
    return codes.done
  end
  local found = {}
  for _, err in ipairs(errors) do
    found[codes.of(err)] = true
  end
  for _, code in ipairs(FIRST) do
    if found[code] and not made then
      return code
    end
  end
  return codes.some_failed
end

return codes
