--- Which of the processes that share a ledger works on a row: the first that takes it of those who
--- find one whose owner does not live.

local core = require("gptimage2.core")

local claims = {}

local function write(config, list, worker)
  local which = { file = config.ledger_file, any_owner = config.any_owner }
  return core.ledger_claim(config.ledger, which, worker, list)
end

--- Those of the rows that this client has now. Where it cannot be written whose they are, it has
--- them all: nobody else can have them then, and who may send one its row decides once it can.
---@param config gptimage2.ClientSettings
---@param list table[] rows
---@return table[] taken
function claims.take(config, list)
  local taken = config.worker ~= "" and write(config, list, config.worker)
  if not taken then
    return list
  end
  local own = {}
  for i, row in ipairs(list) do
    if taken[i] then
      row.owner = config.worker
      own[#own + 1] = row
    end
  end
  return own
end

--- Nobody works on these, for now: who else may, can.
---@param config gptimage2.ClientSettings
---@param list table[] rows
function claims.release(config, list)
  if config.worker ~= "" then
    write(config, list, nil)
  end
end

return claims
