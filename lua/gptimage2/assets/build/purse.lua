--- What a build may spend: the budget of the manifest, over all builds of its lock, and that of
--- this one. Pure.

local core = require("gptimage2.core")

local purse = {}

local function left(made_plan, options)
  local all = made_plan.budget and made_plan.budget - made_plan.spent or math.huge
  return math.max(math.min(all, options.budget or math.huge), 0)
end

--- What fits, by the order of the paths: the rest is taken out of the plan.
local function cut(made_plan, most)
  local each = core.limits.credits_each
  for _, line in ipairs(made_plan.lines) do
    while #line.make * each > most do
      line.make[#line.make] = nil
    end
    most = most - #line.make * each
  end
end

--- More than there is: nothing was sent.
---@param cost number credits
---@param most number that are left
---@return gptimage2.Error
function purse.error(cost, most)
  local message = "the plan costs %d credits, and %.14g are left of the budget: nothing was sent"
  return core.error({
    kind = "budget",
    code = "budget_exceeded",
    message = message:format(cost, most),
    sent = "no",
    charged = "no",
  })
end

--- May it go on? "over": only a part of it does.
---@param made_plan table changed where the cutoff is soft
---@param options { budget: number?, cutoff: string? }
---@return true|"over"|nil
---@return gptimage2.Error|nil err
function purse.check(made_plan, options)
  local most = left(made_plan, options)
  if made_plan.cost <= most then
    return true
  elseif options.cutoff == "soft" then
    cut(made_plan, most)
    return "over"
  end
  return nil, purse.error(made_plan.cost, most)
end

return purse
