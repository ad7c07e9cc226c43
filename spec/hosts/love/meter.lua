--- Measures each step of a game from its beginning on, and writes what a driver saw.
local ffi = require("ffi")
local gptimage2 = require("gptimage2")

ffi.cdef([[
  typedef struct { long seconds, nanoseconds; } spec_time;
  int clock_gettime(int clock, spec_time *time);
]])
local CLOCK_THREAD_CPUTIME_ID = 3
local time = ffi.new("spec_time")

local meter = { steps = {} }

--- Milliseconds of CPU that this thread has used.
function meter.cpu()
  ffi.C.clock_gettime(CLOCK_THREAD_CPUTIME_ID, time)
  return tonumber(time.seconds) * 1000 + tonumber(time.nanoseconds) / 1e6
end

local step = gptimage2.step
function gptimage2.step(...)
  local before = meter.cpu()
  local handled = step(...)
  meter.steps[#meter.steps + 1] = meter.cpu() - before
  return handled
end

--- A look at the window, and what `note()` gives in the frame that it shows.
function meter.shoot(note)
  local shot, noted
  love.graphics.captureScreenshot(function(data)
    shot, noted = data, note and note()
  end)
  repeat
    coroutine.yield()
  until shot
  return shot, noted
end

--- How many of 400 points of the window have the colour that the picture has there, in percent.
function meter.likeness(window, picture, place)
  local same = 0
  for i = 0, 19 do
    for j = 0, 19 do
      local x = math.floor((i + 0.5) / 20 * picture:getWidth())
      local y = math.floor((j + 0.5) / 20 * picture:getHeight())
      local red, green, blue = picture:getPixel(x, y)
      local at_x, at_y = place.x + (x + 0.5) * place.scale, place.y + (y + 0.5) * place.scale
      local r, g, b = window:getPixel(math.floor(at_x), math.floor(at_y))
      local off = math.max(math.abs(r - red), math.abs(g - green), math.abs(b - blue))
      same = same + (off < 0.06 and 1 or 0)
    end
  end
  return same / 4
end

--- Writes what was seen, and what the steps cost, into the file SPEC_REPORT.
function meter.report(seen)
  local steps = meter.steps
  table.sort(steps)
  seen.steps = #steps
  seen.median, seen.p99 = steps[math.ceil(#steps / 2)], steps[math.ceil(#steps * 0.99)]
  seen.worst = steps[#steps]
  local file = assert(io.open(os.getenv("SPEC_REPORT"), "w"))
  for name, value in pairs(seen) do
    file:write(name, "=", tostring(value), "\n")
  end
  file:close()
end

return meter
