--- What a game may spend: candidates whose credits are reserved, of its own budget and, for as long
--- as the folder is held, of the manifest's. One that is reserved twice counts once: whatever broke
--- the work at it off, it is paid once. Pure.

local core = require("gptimage2.core")

local purse = {}

local function id_of(hash, n)
  return ("%s %d"):format(hash, n)
end

local function credits(set)
  local count = 0
  for _ in pairs(set) do
    count = count + 1
  end
  return count * core.limits.credits_each
end

--- What a line of the plan adds to those that are reserved.
local function added(set, line)
  local count = 0
  for _, n in ipairs(line.make) do
    count = count + (set[id_of(line.hash, n)] and 0 or 1)
  end
  return count * core.limits.credits_each
end

local function no_budget(cost, most)
  local message = "it costs %d credits, and %.14g are left of the budget: nothing was sent"
  return core.error({
    kind = "budget",
    code = "budget_exceeded",
    message = message:format(cost, math.max(most, 0)),
    sent = "no",
    charged = "no",
  })
end

--- Reserves what a line of the plan costs; the error where there is not as much.
---@param self gptimage2.assets.Maker
---@param run gptimage2.assets.Run
---@param line table
---@return gptimage2.Error|nil err
function purse.reserve(self, run, line)
  local all = self.project.manifest.budget
  local own_left = self.budget - credits(self.bought)
  local all_left = all and all - run.found.spent - credits(run.bought) or math.huge
  local own_cost, all_cost = added(self.bought, line), added(run.bought, line)
  if own_cost > own_left or all_cost > all_left then
    return no_budget(math.max(own_cost, all_cost), math.min(own_left, all_left))
  end
  for _, n in ipairs(line.make) do
    local id = id_of(line.hash, n)
    self.bought[id], run.bought[id] = true, true
  end
end

--- Gives back what was not charged.
---@param self gptimage2.assets.Maker
---@param run gptimage2.assets.Run
---@param item gptimage2.assets.Item
function purse.give_back(self, run, item)
  local id = id_of(item.hash, item.n)
  self.bought[id], run.bought[id] = nil, nil
end

return purse
