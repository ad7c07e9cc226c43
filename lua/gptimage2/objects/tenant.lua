--- The names of tenants: for whom the jobs of a ledger are made, and who pays for them.

local check = require("gptimage2.check")
local limits = require("gptimage2.core").limits

local tenant = {}

--- What is wrong with a name; nil where nothing is.
local function problem(name)
  if name == "" then
    return "is empty: a job without the option is nobody's"
  elseif #name > limits.tenant then
    return ("is over %d bytes long"):format(limits.tenant)
  elseif check.misleads(name) then
    return "holds control characters"
  elseif check.utf8_error(name) then
    return "is not valid UTF-8"
  end
  return nil
end

--- Whether a tenant may have that name, which may come from outside the program: true, or nil and
--- the error.
---@param name string
---@return true|nil ok
---@return gptimage2.Error|nil err code `invalid_tenant`
function tenant.check(name)
  local why = problem(name)
  if not why then
    return true
  end
  return check.invalid("invalid_tenant", "tenant", "the tenant's name " .. why)
end

return tenant
