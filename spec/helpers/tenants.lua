--- The sums of a ledger's tenants, once more: from the rows of their jobs, by the sqlite3 program.

local book = require("spec.helpers.book")

local tenants = {}

--- Those whose sums are not what their rows say, or over their budget: a line each.
local WRONG = [[
WITH settled (state) AS (
  VALUES ('succeeded'), ('failed'), ('refused'), ('unsent'), ('cancelled'), ('abandoned')
), sums (id, reserved, spent) AS (
  SELECT tenant, sum(iif(state IN settled, 0, cost)),
    sum(iif(state IN settled AND charged NOT IN ('no', 'refund_expected'), cost, 0))
  FROM jobs GROUP BY tenant
)
SELECT tenants.*, sums.* FROM tenants LEFT JOIN sums USING (id)
WHERE tenants.reserved <> ifnull(sums.reserved, 0) OR tenants.spent <> ifnull(sums.spent, 0)
  OR tenants.reserved + tenants.spent > ifnull(budget, 9e99)]]

--- What is wrong in the ledger at `path`, or "".
---@param path string
---@return string
function tenants.wrong(path)
  return book.query(path, WRONG)
end

--- "reserved spent" of a tenant, by its row.
---@param path string
---@param name string
---@return string
function tenants.sums(path, name)
  local sql = "SELECT CAST(reserved AS INTEGER) || ' ' || CAST(spent AS INTEGER) FROM tenants"
  return book.query(path, ("%s WHERE id = '%s'"):format(sql, name))
end

return tenants
