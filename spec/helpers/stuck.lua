--- Jobs that do not end by themselves.
---
--- Use with `after_each(support.clean)`.

local support = require("spec.support")

local stuck = {}

--- A job whose create never gets an answer, until the sandbox stops.
---@param options? gptimage2.Options
---@return gptimage2.Job job
---@return gptimage2.Client client
---@return table sandbox
function stuck.job(options)
  local client, box = support.pair(options)
  box:fault({ on = "create", action = "hang" })
  return client:submit({ prompt = "a cup" }), client, box
end

return stuck
