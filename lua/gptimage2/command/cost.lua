--- `gptimage2 cost`: what a request would cost. Checks it, and sends nothing.

local codes = require("gptimage2.command.parts.codes")
local options = require("gptimage2.command.parts.options")
local request = require("gptimage2.command.parts.request")

local cost = {}

cost.summary = "What a request would cost. Sends nothing."
cost.examples = { 'gptimage2 cost "a lighthouse at dusk" --count 4' }

--- Its options and arguments.
---@param command table of argparse
function cost.define(command)
  request.define(command)
  options.json(command)
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function cost.run(args, out)
  local asked, err = request.read(args)
  if not asked then
    return out:fail(err)
  end
  local credits = request.cost(asked)
  out:line(("%d credits"):format(credits))
  out:object({ type = "cost", cost = credits })
  return codes.done
end

return cost
