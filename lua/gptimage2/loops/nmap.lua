--- Nmap's scripting engine; recognised by itself.

local gptimage2 = require("gptimage2")
local stdnse = require("stdnse")

local nmap = {}

local TICK = 0.02 -- seconds; nothing wakes a script but its own sleep

--- Each script has a thread of its own that steps: it ends with the script.
function nmap.current()
  return stdnse.base()
end

function nmap.start(step)
  local running = true
  stdnse.new_thread(function()
    while running do
      step()
      stdnse.sleep(TICK)
    end
  end)
  return function()
    running = false
  end
end

function nmap.suspend(w, seconds)
  local deadline = seconds and gptimage2.now() + seconds
  while not w.awake and not (deadline and deadline <= gptimage2.now()) do
    stdnse.sleep(TICK)
  end
end

--- `w.awake` is all that suspend looks at.
function nmap.resume() end

return nmap
