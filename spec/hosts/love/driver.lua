--- What spec/hosts/love_spec.lua does inside of LÖVE: runs the example's own main.lua (here
--- scene.lua), types into it as the keyboard would, looks at its frames, and quits. Writes what it
--- saw into the file SPEC_REPORT.
local gptimage2 = require("gptimage2")
local meter = require("meter")

local FRAMES = 400

local frames, dearest = 0, 0

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
  seen.frames, seen.update = frames, dearest
  meter.report(seen)
end

local function type_in(text)
  for _ = 1, 40 do
    love.event.push("keypressed", "backspace", "backspace", false)
  end
  love.event.push("textinput", text)
  love.event.push("keypressed", "return", "return", false)
end

local scenes = {}

--- One picture: a look at the window before and after.
function scenes.picture()
  local before = meter.shoot()
  type_in("a red lighthouse")
  repeat
    coroutine.yield()
  until placed
  local since = love.timer.getTime()
  repeat
    coroutine.yield()
  until love.timer.getTime() > since + 2 and frames > FRAMES
  local shown = table.concat(texts, "|")
  local after = meter.shoot()
  after:encode("png", "window.png")
  local folder = love.filesystem.getSaveDirectory()
  local picture
  local began = meter.cpu()
  for _, name in ipairs(love.filesystem.getDirectoryItems("pictures")) do
    picture = name:find("%.png$") and love.image.newImageData("pictures/" .. name) or picture
  end
  local decoding = meter.cpu() - began
  write_report({
    decoding = decoding,
    texts = shown,
    before = meter.likeness(before, picture, placed),
    after = meter.likeness(after, picture, placed),
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
  until gptimage2.pending() == 20 and #meter.steps > 60
  write_report({ pending = gptimage2.pending() })
end

local play = coroutine.create(scenes[os.getenv("SPEC_SCENE")])
local update, draw_frame = love.update, love.draw
function love.update(seconds)
  local before = meter.cpu()
  update(seconds)
  dearest = math.max(dearest, meter.cpu() - before)
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
