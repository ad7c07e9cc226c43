--- The decisions of a review page, `decisions.json`: read by the module, told here one by one.

local assets = require("gptimage2.assets")
local decision = require("gptimage2.command.parts.decision")
local options = require("gptimage2.command.parts.options")
local problem = require("gptimage2.command.parts.problem")

local decisions = {}

local MAX_TEXT = 16 * 1024 * 1024 -- bytes

local function wrong(file, why)
  return nil, problem.usage(("%s: %s"):format(file, why))
end

local function read_text(file)
  local handle, why = io.open(file, "rb")
  local text = handle and handle:read(MAX_TEXT + 1)
  if handle then
    handle:close()
  end
  if not text then
    return wrong(file, "it cannot be read: " .. tostring(why or "it is empty"))
  elseif #text > MAX_TEXT then
    return wrong(file, "it is larger than 16 MiB")
  end
  return text
end

--- Carries out what a file says, and tells each; gives the exit code.
---@param args table
---@param self table a decision
---@return integer status
function decisions.run(args, self)
  local text, err = read_text(args.picture)
  local found
  if text then
    found, err = assets.decide(options.path(args), text, { store = args.store })
  end
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
