--- HAProxy: its tasks, actions and services; recognised by itself.

local gptimage2 = require("gptimage2")

local haproxy = {}

local core = rawget(_G, "core") -- HAProxy's

local TICK = 10 -- milliseconds; nothing wakes a coroutine of HAProxy's but its own sleep

function haproxy.start(step)
  local running = true
  core.register_task(function()
    while running do
      step()
      core.msleep(TICK)
    end
  end)
  return function()
    running = false
  end
end

function haproxy.suspend(w, seconds)
  local deadline = seconds and gptimage2.now() + seconds
  while not w.awake and not (deadline and deadline <= gptimage2.now()) do
    core.msleep(TICK)
  end
end

--- `w.awake` is all that suspend looks at.
function haproxy.resume() end

function haproxy.forbids(in_coroutine)
  if not in_coroutine then
    return "HAProxy loads its configuration; wait in a task (core.register_task), an action or a "
      .. "service"
  end
end

return haproxy
