--- The second build in a folder waits for the first one, which has the ledger before anything else.

local guard = require("gptimage2.assets.store.guard")
local codes = require("gptimage2.command.parts.codes")
local gptimage2 = require("gptimage2")
local loop = require("gptimage2.command.parts.loop")

local turn = {}

local PATIENCE = 60 -- seconds
local EACH = 0.2

local function is_locked(err)
  return err ~= nil and err.code == "ledger_locked"
end

local function tell(out, holder)
  holder = holder or "in a process of its own"
  out:note(("another build is at work here, %s: waiting for its end"):format(holder))
  out:object({ type = "waiting", holder = holder })
end

--- Opens what another program has, once that is done with it; nil, the error and the exit code
--- where it is not.
---@param open fun(): any, table|nil
---@param out gptimage2.command.Output
---@param lock_file string which names who is at work
---@param patience? number seconds
---@return any
---@return table|nil err
---@return integer|nil status
function turn.await(open, out, lock_file, patience)
  local found, err = open()
  if not is_locked(err) then
    return found, err, err and codes.of(err)
  end
  local holder = guard.holder(lock_file)
  tell(out, holder)
  local limit = gptimage2.now() + (patience or PATIENCE)
  loop.run(function()
    while is_locked(err) and gptimage2.now() < limit do
      gptimage2.sleep(EACH)
      found, err = open()
    end
  end, { tick = loop.interrupted, interrupt = function() end })
  if not found and loop.interrupted() then
    return nil, nil, codes.interrupted
  elseif is_locked(err) and holder then
    err.message = ("%s; it is %s"):format(err.message, holder)
  end
  return found, err, err and codes.of(err)
end

return turn
