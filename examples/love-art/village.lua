--- What the game draws: a card for each picture, a stand-in at first. Nothing here knows of the
--- service.
local village = { cards = {}, clock = 0, note = "" }

local SIDE, GAP, COLUMNS, FADE = 240, 40, 3, 1 -- pixels, pixels, cards, seconds

function village.load()
  village.font = love.graphics.newFont(16)
end

--- A card whose picture comes later.
---@param path string
---@param name string what the player reads
function village.add(path, name)
  local card = { path = path, name = name }
  table.insert(village.cards, card)
  village.cards[path] = card
end

--- The picture of a card, or its stand-in: what was there fades out.
---@param path string
---@param image table of LÖVE
---@param is_there boolean whether it is the picture
function village.show(path, image, is_there)
  local card = village.cards[path]
  card.before, card.image, card.is_there, card.age = card.image, image, is_there, 0
end

---@return integer how many pictures are there
function village.count()
  local count = 0
  for _, card in ipairs(village.cards) do
    count = count + (card.is_there and 1 or 0)
  end
  return count
end

function village.update(seconds)
  village.clock = village.clock + seconds
  for _, card in ipairs(village.cards) do
    card.age = card.age and card.age + seconds
  end
end

local function draw_image(image, alpha, x, y)
  love.graphics.setColor(1, 1, 1, alpha)
  love.graphics.draw(image, x, y, 0, SIDE / image:getWidth(), SIDE / image:getHeight())
end

local function draw_card(card, x, y)
  local shown = card.image and math.min(card.age / FADE, 1) or 0
  if card.before and shown < 1 then
    draw_image(card.before, 1, x, y)
  end
  if card.image then
    draw_image(card.image, card.before and shown or 1, x, y)
  end
  love.graphics.setColor(0.85, 0.88, 0.95)
  love.graphics.printf(card.name, x, y + SIDE + 8, SIDE, "center")
end

--- Fireflies: a frame that is late would be seen.
local function draw_fireflies(width, height)
  for i = 1, 40 do
    local x = (i * 0.37 + village.clock * 0.013 * (i % 4 + 1)) % 1
    local y = 0.5 + 0.48 * math.sin(i * 2.4 + village.clock * 0.4)
    love.graphics.setColor(1, 0.9, 0.5, 0.3 + 0.1 * (i % 5))
    love.graphics.circle("fill", x * width, y * height, 1 + i % 3)
  end
end

---@param credits integer|nil
function village.draw(credits)
  local width, height = love.graphics.getDimensions()
  love.graphics.clear(0.07, 0.09, 0.16)
  love.graphics.setFont(village.font)
  draw_fireflies(width, height)
  local left = math.floor((width - COLUMNS * SIDE - (COLUMNS - 1) * GAP) / 2)
  for i, card in ipairs(village.cards) do
    local column, row = (i - 1) % COLUMNS, math.floor((i - 1) / COLUMNS)
    draw_card(card, left + column * (SIDE + GAP), GAP + row * (SIDE + GAP))
  end
  love.graphics.setColor(0.6, 0.7, 0.9)
  local line = ("%d of %d pictures are there"):format(village.count(), #village.cards)
  love.graphics.print(line .. village.note, left, height - 40)
  if credits then
    love.graphics.printf(credits .. " credits", 0, height - 40, width - left, "right")
  end
end

return village
