--- Calls whose errors are caught, and which may wait all the same.

local task = require("gptimage2.waiting.task")
local wait = require("gptimage2.waiting.wait")

local shield = {}

--- Lua 5.1 cannot yield across pcall. LuaJIT, which calls itself 5.1, can.
local IS_TIED = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

local function keep(results, ...)
  results.count = select("#", ...)
  for i = 1, results.count do
    results[i] = (select(i, ...))
  end
end

--- As pcall(fn, arg).
---@param fn function
---@param arg any
---@return boolean ok
---@return any ... what it gave, or the error
function shield.call(fn, arg)
  if not IS_TIED or wait.blocks() then
    return pcall(fn, arg)
  end
  local results = {}
  local inner = task.spawn(function()
    keep(results, fn(arg))
  end)
  local failed = task.settle({ inner })
  if failed then
    return false, failed.error
  end
  return true, unpack(results, 1, results.count or 0) -- luacheck: ignore
end

return shield
