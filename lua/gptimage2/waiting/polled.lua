--- Suspending in hosts where nothing wakes a coroutine but its own sleep.

local core = require("gptimage2.core")

local polled = {}

--- A loop's `suspend`, which looks after each nap whether it is to go on. Its `resume` has nothing
--- to do: `w.awake` is true by then.
---@param nap fun() sleeps a little, as the host does it
---@return fun(w: table, seconds: number|nil) suspend
function polled.suspend(nap)
  return function(w, seconds)
    local deadline = seconds and core.now() + seconds
    while not w.awake and not (deadline and deadline <= core.now()) do
      nap()
    end
  end
end

function polled.resume() end

return polled
