--- What spec/hosts/love_art_spec.lua does inside of LÖVE: runs the main.lua of examples/love-art
--- (here scene.lua), looks at its window while all its pictures are stand-ins and when all are
--- there, and quits.
local meter = require("meter")
require("scene")
local village = require("village")

--- Where each image was drawn in the last frame.
local places = {}
local draw = love.graphics.draw
function love.graphics.draw(image, x, y, angle, scale, ...)
  places[image] = { x = x, y = y, scale = scale }
  return draw(image, x, y, angle, scale, ...)
end

--- How like each card's image the window is where that is drawn, in percent: the worst.
local function look()
  local window, seen = meter.shoot(function()
    local copy = {}
    for i, card in ipairs(village.cards) do
      copy[i] = { data = card.data, place = places[card.image] }
    end
    return copy
  end)
  local worst = 100
  for _, card in ipairs(seen) do
    worst = math.min(worst, meter.likeness(window, card.data, card.place))
  end
  return worst
end

-- What the thread has decoded, kept beside what is drawn of it.
local new_image, decoded = love.graphics.newImage, {}
function love.graphics.newImage(data, ...)
  local image = new_image(data, ...)
  decoded[image] = data
  return image
end
local show = village.show
function village.show(path, image, is_there)
  show(path, image, is_there)
  village.cards[path].data = decoded[image]
end

--- Waits until all cards have an image, and so many of them the picture.
local function await(pictures)
  repeat
    coroutine.yield()
    local shown, age = 0, math.huge
    for _, card in ipairs(village.cards) do
      shown, age = shown + (card.image and 1 or 0), math.min(age, card.age or 0)
    end
    local is_done = shown == #village.cards and village.count() == pictures and age > 1
  until is_done
end

local scenes = {}

--- Stand-ins first, then the pictures.
function scenes.come()
  await(0)
  local standins = look()
  await(#village.cards)
  local pictures = look()
  return { standins = standins, pictures = pictures }
end

--- All is there from the beginning.
function scenes.stay()
  await(#village.cards)
  return { pictures = look(), first = tostring(not village.cards[1].before) }
end

local play = coroutine.create(function()
  local seen = scenes[os.getenv("SPEC_SCENE")]()
  seen.count, seen.note = village.count(), village.note
  meter.report(seen)
end)
local update = love.update
function love.update(seconds)
  update(seconds)
  assert(coroutine.resume(play))
  if coroutine.status(play) == "dead" then
    love.event.quit()
  end
end
local draw_frame = love.draw
function love.draw()
  places = {}
  draw_frame()
end
