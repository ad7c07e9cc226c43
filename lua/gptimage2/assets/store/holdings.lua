--- Which jobs of a ledger are those whose pictures builds have put into a store: a build takes them
--- under names of its own, or from a store that another machine filled, and the ledger knows of no
--- file then.

local attempts = require("gptimage2.assets.plan.attempts")
local core = require("gptimage2.core")
local store = require("gptimage2.assets.store")

local holdings = {}

--- The folder of the manifest whose store a ledger lies in, or lies beside.
local function base_of(ledger)
  local folder = ledger:match("^(.*/)[^/]*$") or ""
  return folder:match("^(.*/)%.gptimage2/+$") or folder == store.FOLDER and "" or folder
end

--- A function that says whether a store has the picture of a row.
---@param ledger string its path
---@return fun(row: table): boolean
function holdings.of(ledger)
  if not core.digest.usable() then
    return function()
      return false
    end
  end
  local stores = store.open(base_of(ledger))
  return function(row)
    local marks = attempts.marks(row)
    local record = marks and stores:record(marks.hash, marks.n)
    return record and record.here or false
  end
end

return holdings
