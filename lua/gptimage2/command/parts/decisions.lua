--- The decisions of a review page, `decisions.json`: read by the module, told here one by one.

local assets = require("gptimage2.assets")
local decision = require("gptimage2.command.parts.decision")
local options = require("gptimage2.command.parts.options")
local contents = require("gptimage2.files.contents")

local decisions = {}

local MAX_TEXT = 16 * 1024 * 1024 -- bytes

--- Carries out what a file says, and tells each; gives the exit code.
---@param args table
---@param self table a decision
---@return integer status
function decisions.run(args, self)
  local text, why = contents.read(args.picture, MAX_TEXT)
  if not text then
    return self.out:misuse(("%s: %s"):format(args.picture, why))
  end
  local found, err = assets.decide(options.path(args), text, { store = args.store })
  if not found then
    return self.out:fail(err)
  end
  for _, one in ipairs(found.done) do
    decision.tell(self, one.what, one.path, one.n, true)
  end
  for _, one in ipairs(found.refused) do
    decision.tell(self, one.what, one.path, one.n, nil, one.error)
  end
  return decision.status(self)
end

return decisions
