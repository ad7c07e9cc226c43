--- Nmap's scripting engine; recognised by itself.

local polled = require("gptimage2.waiting.polled")
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

nmap.suspend = polled.suspend(function()
  stdnse.sleep(TICK)
end)

nmap.resume = polled.resume

return nmap
