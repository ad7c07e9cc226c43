--- One build at a time in a folder: a lock on `.gptimage2/lock`, which names who holds it.

local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")
local naps = require("gptimage2.waiting.naps")

local guard = {}

local PATIENCE = 60 -- seconds
local EACH = 0.1

--- Takes the lock. Waits for who has it, and tells `on_wait` of them once.
---@param file string
---@param on_wait? fun(holder: string)
---@param patience? number seconds
---@return table|nil held with a method `release`
---@return gptimage2.Error|nil err
function guard.take(file, on_wait, patience)
  local limit = core.now() + (patience or PATIENCE)
  local told = false
  while true do
    local held, err, holder = core.disk.lock(file)
    if held then
      return held
    elseif err then
      return failure.of(err, { file = file }, "store_failed")
    end
    holder = core.printable(holder)
    if core.now() >= limit then
      local message = "another build is at work here, %s: wait for its end"
      return failure.new("store_failed", message:format(holder), { file = file })
    end
    if on_wait and not told then
      on_wait(holder)
    end
    told = true
    local ok
    ok, err = naps.sleep(EACH)
    if not ok then
      return nil, err
    end
  end
end

return guard
