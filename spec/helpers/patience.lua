--- How long a spec waits where it cannot wait for something to happen: time limits that are meant
--- to run out, and are long enough for what comes before.

local patience = {}

local VARIANT = os.getenv("GPTIMAGE2_SPEC_VARIANT")

--- What a build makes of a time, and the most that a busy machine does.
local BUILDS = { asan = 3, tsan = 5, valgrind = 10 }
local MOST_BUSY = BUILDS[VARIANT] and 2 or 5

local function read(path, pattern)
  local file = io.open(path, "r")
  local text = file and file:read("*a") or ""
  if file then
    file:close()
  end
  return text:match(pattern), text
end

local function count_cores()
  local _, text = read("/proc/cpuinfo", "")
  local _, cores = text:gsub("processor%s*:", "")
  return math.max(cores, 1)
end

local CORES = count_cores()

--- How many times longer things may take than on a machine that does nothing else: how many wait
--- for each core, now or on the average of a minute.
local function busy()
  local average = tonumber((read("/proc/loadavg", "^([%d.]+)"))) or 1
  local now = tonumber((read("/proc/loadavg", "(%d+)/"))) or 1
  return math.min(MOST_BUSY, math.max(1, average / CORES, now / CORES))
end

--- A time that is too short for something, or just long enough, on this build and machine.
---@param time number seconds on the plain build and a quiet machine
---@return number seconds
function patience.seconds(time)
  return time * (BUILDS[VARIANT] or 1) * busy()
end

--- Waits until `is_so()`; threads and descriptors go a moment after they were let go of.
---@param is_so fun(): any
function patience.wait_until(is_so)
  local host = require("spec.host")
  local limit = host.now() + 60
  while not is_so() do
    assert(host.now() < limit, "it did not become so")
    host.pause(0.001)
  end
end

return patience
