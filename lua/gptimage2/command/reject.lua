--- `gptimage2 reject`: a candidate is not wanted.

local assets = require("gptimage2.assets")
local decision = require("gptimage2.command.parts.decision")
local options = require("gptimage2.command.parts.options")

local reject = {}

reject.summary = "Rejects a candidate, or all that were not accepted."
reject.examples = { "gptimage2 reject textures/brick.png 2", "gptimage2 reject textures/brick.png" }

--- Its options and arguments.
---@param command table of argparse
function reject.define(command)
  decision.define(command)
  options.candidate(command)
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function reject.run(args, out)
  local self = decision.new(out)
  local ok, err = assets.reject(options.path(args), args.picture, args.n, { store = args.store })
  decision.tell(self, "rejected", args.picture, args.n, ok, err)
  return decision.status(self)
end

return reject
