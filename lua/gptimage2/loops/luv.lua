--- libuv's loop by luv: `gptimage2.use("luv")`, then `uv.run()` as ever.
---
--- Coroutines yield, and go on inside of the callback that reads our descriptor.

local gptimage2 = require("gptimage2")
local uv = require("luv")

local luv = {}

--- Our handles are stopped, and never closed: luv 1.44 crashes at the end of a program that has
--- closed one and does not run the loop again. One that is stopped keeps no loop running. The host
--- may close them, as programs do that close all.
local poll, timer

local function usable(handle)
  return handle and not handle:is_closing() and handle or nil
end

--- The loop lives as long as somebody waits: `uv.run()` returns when all is done.
function luv.start(step)
  poll = usable(poll) or assert(uv.new_poll(assert(gptimage2.fd())))
  poll:start("r", function()
    step()
  end)
  return function()
    if usable(poll) then
      poll:stop()
    end
  end
end

--- The timer lets the turn end at the deadline.
function luv.turn(_, deadline)
  if deadline then
    timer = usable(timer) or uv.new_timer()
    local rest = math.max(deadline - gptimage2.now(), 0)
    timer:start(math.ceil(rest * 1000), 0, function() end)
  end
  local ok, err = pcall(uv.run, "once")
  if deadline and usable(timer) then
    timer:stop()
  end
  if not ok then
    error(err, 0)
  end
end

return luv
