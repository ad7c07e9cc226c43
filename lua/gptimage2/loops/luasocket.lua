--- A loop around LuaSocket's select, which is the program's own: `gptimage2.use("luasocket")`, and
---
---   local ours = gptimage2.loops.luasocket.reader
---   local readable = socket.select({ server, ours }, nil, 1)
---   if readable[ours] then gptimage2.step() end

local gptimage2 = require("gptimage2")
local socket = require("socket")

local luasocket = {}

--- For select's first list.
luasocket.reader = {
  getfd = function()
    return assert(gptimage2.fd())
  end,
  dirty = function()
    return false
  end,
}

local step

--- The program's own loop steps; so does `turn`, which is that loop for waits outside of it.
function luasocket.start(our_step)
  step = our_step
end

function luasocket.turn(_, deadline)
  local rest = deadline and math.max(deadline - gptimage2.now(), 0)
  local readable = socket.select({ luasocket.reader }, nil, rest)
  if readable[luasocket.reader] then
    step()
  end
end

return luasocket
