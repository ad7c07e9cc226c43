--- A host that is busy: it waits for the sandbox without a step.

local busy = {}

--- Waits, without a step, until the sandbox was asked so often.
---@param box table
---@param what string a kind of request: "create", "poll" ...
---@param count integer
function busy.asked(box, what, count)
  while box:ledger().requests[what] < count do
    collectgarbage("step")
  end
end

return busy
