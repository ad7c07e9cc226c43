--- HAProxy: its tasks, actions and services; recognised by itself.

local polled = require("gptimage2.waiting.polled")

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

haproxy.suspend = polled.suspend(function()
  core.msleep(TICK)
end)

haproxy.resume = polled.resume

--- A fetch or a converter is a coroutine, too, but HAProxy ends it where it yields: so that is done
--- here, before anything is sent and paid. It cannot be told in another way.
function haproxy.forbids(in_coroutine)
  if not in_coroutine then
    return "HAProxy loads its configuration; wait in a task (core.register_task), an action or a "
      .. "service"
  end
  core.msleep(1)
end

return haproxy
