--- Figures: what the bench's cases share to count, sum up and print.

local figures = {}

--- One number out of a sorted copy of `list`: part 0.5 is the median, 1 the largest.
---@param list number[]
---@param part number from 0 to 1
---@return number
function figures.quantile(list, part)
  local sorted = { table.unpack(list) }
  table.sort(sorted)
  return sorted[math.max(1, math.ceil(part * #sorted))]
end

--- The middle of `list`.
---@param list number[]
---@return number
function figures.median(list)
  return figures.quantile(list, 0.5)
end

--- Prints `name value`, which main.lua reads.
---@param name string
---@param value number
function figures.print(name, value)
  print(("%s %.9g"):format(name, value))
end

--- A field of /proc/self/status: VmRSS (KiB), Threads.
---@param name string
---@return integer
function figures.process(name)
  for line in io.lines("/proc/self/status") do
    local value = line:match("^" .. name .. ":%s+(%d+)")
    if value then
      return math.tointeger(value)
    end
  end
  error("no " .. name .. " in /proc/self/status")
end

--- Steps until `ready()`; gives up after `seconds`.
---@param ready fun(): boolean
---@param seconds number
function figures.step_until(ready, seconds)
  local gptimage2 = require("gptimage2")
  local deadline = gptimage2.now() + seconds
  while not ready() do
    assert(gptimage2.now() < deadline, "the case takes too long")
    gptimage2.step(0.05)
  end
end

return figures
