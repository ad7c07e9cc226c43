--- cqueues, and lua-http on top of it; recognised by itself inside of a controller's thread.

local condition = require("cqueues.condition")
local cqueues = require("cqueues")
local gptimage2 = require("gptimage2")

local loop = {}

--- Each controller has a thread of its own that steps.
function loop.current()
  return (cqueues.running())
end

function loop.start(step)
  local running, over = true, condition.new()
  local ours = { pollfd = assert(gptimage2.fd()), events = "r" }
  cqueues.running():wrap(function()
    while running do
      cqueues.poll(ours, over)
      if running then
        step()
      end
    end
  end)
  return function()
    running = false
    over:signal()
  end
end

--- A finalizer that runs as the condition is made may step, and wake it.
function loop.suspend(w, seconds)
  w.told = w.told or condition.new()
  if not w.awake then
    w.told:wait(seconds)
  end
end

function loop.resume(w)
  if w.told then
    w.told:signal()
  end
end

--- A coroutine inside of a thread is not cqueues' own: it cannot be suspended.
function loop.forbids(in_coroutine)
  if in_coroutine and not select(2, cqueues.running()) then
    return "this coroutine runs inside of a thread of cqueues, which cannot suspend it; wait in "
      .. "the thread itself, or in gptimage2.spawn"
  end
end

return loop
