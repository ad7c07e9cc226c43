--- Sleeping, and who sleeps.

local core = require("gptimage2.core")
local natives = require("gptimage2.waiting.natives")
local wait = require("gptimage2.waiting.wait")

local naps = {}

--- The timers of those who sleep; a coroutine that was dropped takes its own along.
local timers = core.kept.naps or setmetatable({}, { __mode = "k" })
core.kept.naps = timers

--- Of one who sleeps: closed with the coroutine, where somebody closes that.
local nap_mt = {}

function nap_mt.__close(nap)
  timers[nap.timer] = nil
end

--- Waits the way all waiting calls do.
---@param time number seconds
---@return true|nil
---@return gptimage2.Error|nil err
function naps.sleep(time)
  local timer
  local err = wait.refusal()
  if not err then
    timer, err = core.sleep(time)
  end
  if not timer then
    return nil, err
  end
  timers[timer] = true
  local nap = setmetatable({ timer = timer }, nap_mt)
  local done
  done, err = natives.closing(nap, wait.until_done, timer)
  timers[timer] = nil
  return done, err
end

--- How many sleep.
---@return integer
function naps.count()
  local count = 0
  for timer in pairs(timers) do
    count = count + (timer:done() and 0 or 1)
  end
  return count
end

return naps
