--- nginx with its Lua module, and OpenResty; recognised by itself.
---
--- A timer steps while somebody waits; each request waits for a semaphore of its own.

local semaphore = require("ngx.semaphore")

local ngx = rawget(_G, "ngx")

local nginx = {}

local TICK = 0.01 -- seconds; a worker has no way to watch a descriptor of ours
local LONG = 3600 -- seconds; a semaphore wants a number

--- Where Lua of nginx may wait.
local PHASES = {
  rewrite = true,
  server_rewrite = true,
  access = true,
  content = true,
  timer = true,
  preread = true,
  ssl_cert = true,
  ssl_client_hello = true,
  ssl_session_fetch = true,
}

--- A worker that is told to end lets its timers fire at once, "prematurely": those who wait are
--- answered first all the same.
function nginx.start(step)
  local running = true
  assert(ngx.timer.at(0, function()
    while running do
      step()
      ngx.sleep(TICK)
    end
  end))
  return function()
    running = false
  end
end

--- A semaphore raises where it is to wait for less than nothing: the time may have run out just
--- now.
function nginx.suspend(w, seconds)
  w.told = w.told or assert(semaphore.new())
  w.told:wait(math.max(seconds or LONG, 0))
end

function nginx.resume(w)
  if w.told then
    w.told:post()
  end
end

function nginx.forbids()
  local phase = ngx.get_phase()
  if not PHASES[phase] then
    return ("nginx is in its phase '%s', which cannot wait; submit works here"):format(phase)
  end
end

return nginx
