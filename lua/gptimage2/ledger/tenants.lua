--- The tenants of a ledger: what each may spend, has reserved and has spent.

local check = require("gptimage2.check")
local core = require("gptimage2.core")

local tenants = {}

local SPEC = { budget = "number", weight = "number" }
tenants.MAX_CREDITS = 2 ^ 53 -- up to there sums are exact
tenants.MAX_WEIGHT = 1000000

--- Checks what `client:tenant` is to change; raises for what it cannot be. A budget without an end
--- is none.
---@param change? table
---@return table|nil
function tenants.check(change)
  if change == nil then
    return nil
  end
  check.options(change, 2, "tenant", SPEC, 3)
  local budget, weight = change.budget, change.weight
  if budget and not (budget >= 0 and (budget <= tenants.MAX_CREDITS or budget == math.huge)) then
    check.fail(2, "tenant", "option 'budget' must be a number of credits, 0 or more", 3)
  elseif weight and not (weight > 0 and weight <= tenants.MAX_WEIGHT) then
    check.fail(2, "tenant", "option 'weight' must be a number above 0, and at most 1000000", 3)
  end
  return { budget = budget, weight = weight }
end

--- The row of a tenant, as it stands in the file. See `client:tenant`.
---@param config { ledger: string, ledger_file: string, any_owner: boolean? } the client's
---@param name string
---@return gptimage2.Tenant|nil row
---@return gptimage2.Error|nil err
function tenants.read(config, name)
  local file = { file = config.ledger_file, any_owner = config.any_owner }
  local row, err = core.ledger_tenant(config.ledger, file, name)
  if row then
    row.name = name
    return row
  elseif row == nil then
    return nil, err
  end
  local message = "the ledger has no tenant of this name: client:tenant(name, {}) makes one"
  return nil, core.error({ kind = "budget", code = "tenant_unknown", message = message })
end

--- Gives the row of each tenant to `use`, by their names.
---@param config { ledger: string, ledger_file: string?, any_owner: boolean? }
---@param use fun(row: gptimage2.Tenant)
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function tenants.each(config, use)
  local file = { file = config.ledger_file, any_owner = config.any_owner }
  local page, err = core.ledger_tenants(config.ledger, file, "")
  while page and page[1] do
    for _, row in ipairs(page) do
      use(row)
    end
    page, err = core.ledger_tenants(config.ledger, file, page[#page].name)
  end
  return page and true, err
end

return tenants
