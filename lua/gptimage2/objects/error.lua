--- The methods of errors.

local check = require("gptimage2.check")
local core = require("gptimage2.core")

---@class gptimage2.Error
local methods = core.error_methods

--- What a server that is asked for a picture answers, by the kind. All others are the service's
--- fault, or ours (the key is the server's own): 502.
local STATUS = {
  validation = 400,
  budget = 402,
  credits = 402,
  not_found = 404,
  cancelled = 409,
  rate_limit = 429,
  closed = 503,
  io = 503,
  ledger = 503,
  timeout = 504,
}

--- The HTTP status with which a server that asked for its own client answers that one.
---@return integer
function methods:http_status()
  if type(self) ~= "table" then
    check.fail(0, "http_status", "error expected: call it as err:http_status()", 2)
  end
  return STATUS[self.kind] or 502
end
