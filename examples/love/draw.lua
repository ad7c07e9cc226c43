--- How the scene looks; nothing here knows of the service.
local draw = {}

local BAR, MARGIN, FADE = 92, 32, 1.2 -- pixels, pixels, seconds

local small, large, glow

function draw.load()
  small, large = love.graphics.newFont(14), love.graphics.newFont(20)
  -- A soft round spot, drawn once.
  local data = love.image.newImageData(128, 128)
  data:mapPixel(function(x, y)
    local distance = math.sqrt((x - 63.5) ^ 2 + (y - 63.5) ^ 2) / 64
    return 1, 1, 1, math.max(0, 1 - distance) ^ 2
  end)
  glow = love.graphics.newImage(data)
end

-- Lights that drift: a frame that is late would be seen.
local function draw_lights(width, height, clock)
  for i = 1, 14 do
    local x = (i * 0.37 + clock * 0.011 * (i % 3 + 1)) % 1.2 - 0.1
    local y = 0.5 + 0.45 * math.sin(i * 2.4 + clock * 0.25)
    love.graphics.setColor(0.35, 0.5, 1, 0.05 + 0.04 * (i % 3))
    love.graphics.draw(glow, x * width, y * height, 0, 1.5 + i % 4, nil, 64, 64)
  end
end

-- As large as fits above the bar.
local function draw_picture(picture, alpha, width, height)
  local room_x, room_y = width - 2 * MARGIN, height - BAR - 2 * MARGIN - 22
  local image_x, image_y = picture.image:getDimensions()
  local scale = math.min(room_x / image_x, room_y / image_y)
  local x = math.floor((width - image_x * scale) / 2)
  love.graphics.setColor(0, 0, 0, 0.5 * alpha)
  love.graphics.rectangle("fill", x - 6, MARGIN - 4, image_x * scale + 12, image_y * scale + 14, 8)
  love.graphics.setColor(1, 1, 1, alpha)
  love.graphics.draw(picture.image, x, MARGIN, 0, scale)
  love.graphics.setFont(small)
  love.graphics.setColor(0.75, 0.8, 0.95, alpha)
  local below = math.floor(MARGIN + image_y * scale + 16)
  love.graphics.printf(picture.prompt, MARGIN, below, room_x, "center")
end

local function draw_pictures(scene, width, height)
  local now = scene.picture
  local shown = now and math.min(now.age / FADE, 1) or 0
  if scene.before and shown < 1 then
    draw_picture(scene.before, 1 - shown, width, height)
  end
  if now then
    draw_picture(now, shown, width, height)
  end
end

local function draw_bar(scene, waiting, credits, width, height)
  local top = height - BAR
  love.graphics.setColor(0.03, 0.04, 0.08, 0.85)
  love.graphics.rectangle("fill", 0, top, width, BAR)
  love.graphics.setFont(large)
  love.graphics.setColor(1, 1, 1)
  local cursor = scene.clock % 1 < 0.6 and "|" or ""
  love.graphics.printf("> " .. scene.text .. cursor, MARGIN, top + 16, width - 2 * MARGIN)
  love.graphics.setFont(small)
  love.graphics.setColor(0.55, 0.65, 0.9)
  local more = waiting > 1 and (" (and %d more)"):format(waiting - 1) or ""
  love.graphics.print(scene.note .. more, MARGIN, top + 56)
  if credits then
    love.graphics.printf(credits .. " credits", 0, top + 56, width - MARGIN, "right")
  end
end

---@param scene table text, note, clock, picture, before
---@param waiting integer jobs that are not shown yet
---@param credits integer|nil
function draw.scene(scene, waiting, credits)
  local width, height = love.graphics.getDimensions()
  love.graphics.clear(0.05, 0.06, 0.12)
  draw_lights(width, height, scene.clock)
  draw_pictures(scene, width, height)
  draw_bar(scene, waiting, credits, width, height)
end

return draw
