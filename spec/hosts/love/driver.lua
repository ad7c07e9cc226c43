--- What spec/hosts/love_spec.lua does inside of LÖVE: runs the example's own main.lua (here
--- scene.lua), types into it as the keyboard would, looks at its frames, and quits. Writes what it
--- saw into the file SPEC_REPORT.
local ffi = require("ffi")
local gptimage2 = require("gptimage2")

ffi.cdef([[
  typedef struct { long seconds, nanoseconds; } spec_time;
  int clock_gettime(int clock, spec_time *time);
]])
local CLOCK_THREAD_CPUTIME_ID = 3
local time = ffi.new("spec_time")

--- Milliseconds of CPU that this thread has used.
local function cpu()
  ffi.C.clock_gettime(CLOCK_THREAD_CPUTIME_ID, time)
  return tonumber(time.seconds) * 1000 + tonumber(time.nanoseconds) / 1e6
end

local FRAMES = 400

local steps, frames, dearest = {}, 0, 0
local step = gptimage2.step
function gptimage2.step(...)
  local before = cpu()
  local handled = step(...)
  steps[#steps + 1] = cpu() - before
  return handled
end

require("scene")

--- The texts of the last frame, and where a large image was drawn.
local texts, placed = {}, nil
local function spy(name, note)
  local real = love.graphics[name]
  love.graphics[name] = function(...)
    note(...)
    return real(...)
  end
end
local function note_text(text)
  texts[#texts + 1] = text
end
spy("print", note_text)
spy("printf", note_text)
spy("draw", function(image, x, y, _, scale)
  if image:getWidth() >= 256 then
    placed = { image = image, x = x, y = y, scale = scale }
  end
end)

local function write_report(seen)
  table.sort(steps)
  seen.steps, seen.frames = #steps, frames
  seen.median, seen.p99 = steps[math.ceil(#steps / 2)], steps[math.ceil(#steps * 0.99)]
  seen.worst, seen.update = steps[#steps], dearest
  local file = assert(io.open(os.getenv("SPEC_REPORT"), "w"))
  for name, value in pairs(seen) do
    file:write(name, "=", tostring(value), "\n")
  end
  file:close()
end

local function type_in(text)
  for _ = 1, 40 do
    love.event.push("keypressed", "backspace", "backspace", false)
  end
  love.event.push("textinput", text)
  love.event.push("keypressed", "return", "return", false)
end

--- How many of 400 points of the window have the colour that the picture has there, in percent.
local function likeness(window, picture, place)
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

local scenes = {}

--- One picture: a look at the window before and after.
function scenes.picture()
  local shots = {}
  local function shoot()
    love.graphics.captureScreenshot(function(data)
      shots[#shots + 1] = data
    end)
    repeat
      coroutine.yield()
    until shots[1]
    return table.remove(shots)
  end
  local before = shoot()
  type_in("a red lighthouse")
  repeat
    coroutine.yield()
  until placed
  local since = love.timer.getTime()
  repeat
    coroutine.yield()
  until love.timer.getTime() > since + 2 and frames > FRAMES
  local shown = table.concat(texts, "|")
  local after = shoot()
  after:encode("png", "window.png")
  local folder = love.filesystem.getSaveDirectory()
  local picture
  local began = cpu()
  for _, name in ipairs(love.filesystem.getDirectoryItems("pictures")) do
    picture = name:find("%.png$") and love.image.newImageData("pictures/" .. name) or picture
  end
  local decoding = cpu() - began
  write_report({
    decoding = decoding,
    texts = shown,
    before = likeness(before, picture, placed),
    after = likeness(after, picture, placed),
    window = folder .. "/window.png",
  })
end

--- Many jobs that do not end.
function scenes.leave()
  for i = 1, 20 do
    type_in("picture " .. i)
  end
  repeat
    coroutine.yield()
  until gptimage2.pending() == 20 and #steps > 60
  write_report({ pending = gptimage2.pending() })
end

local play = coroutine.create(scenes[os.getenv("SPEC_SCENE")])
local update, draw_frame = love.update, love.draw
function love.update(seconds)
  local before = cpu()
  update(seconds)
  dearest = math.max(dearest, cpu() - before)
  frames = frames + 1
  assert(coroutine.resume(play))
  if coroutine.status(play) == "dead" then
    love.event.quit()
  end
end
function love.draw()
  texts = {}
  draw_frame()
end
