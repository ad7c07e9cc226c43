--- Memory and descriptors of this process, from /proc: nothing is started or kept for it.

local meter = {}

local PAGE_KIB = 4
local MOST_DESCRIPTORS = 1024

--- Resident memory in KiB.
---@return integer
function meter.memory()
  local file = assert(io.open("/proc/self/statm"))
  local pages = file:read("a"):match("^%d+ (%d+)")
  file:close()
  return math.tointeger(tonumber(pages)) * PAGE_KIB
end

--- How many descriptors are open. Opening them would block on pipes: their descriptions do not.
---@return integer
function meter.descriptors()
  local count = 0
  for descriptor = 0, MOST_DESCRIPTORS - 1 do
    local file = io.open("/proc/self/fdinfo/" .. descriptor)
    if file then
      count = count + 1
      file:close()
    end
  end
  return count - 1 -- its own
end

--- The mean of a field over the samples from one part of the run to another.
---@param samples table[]
---@param field string
---@param from number 0 to 1
---@param to number
---@return number
function meter.mean(samples, field, from, to)
  local sum, count = 0, 0
  for i = math.floor(from * #samples) + 1, math.floor(to * #samples) do
    sum, count = sum + samples[i][field], count + 1
  end
  return sum / math.max(count, 1)
end

return meter
