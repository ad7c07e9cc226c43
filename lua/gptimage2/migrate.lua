--- From a dall-e-3 style call (width and height, or a size) to a request of this service. Pure.

local check = require("gptimage2.check")
local request = require("gptimage2.request")

local migrate = {}

-- What a request has under the same name.
local SAME = { "prompt", "mode", "image_urls", "lighting", "camera", "negative" }

-- What has no counterpart, and what to do instead.
local DROPPED = {
  background = "describe the background in the prompt",
  height = "the picture's shape is its ratio",
  image = "reference images are given by their URLs, in image_urls",
  mask = "describe in the prompt what to change",
  model = "the service has one model",
  moderation = "the service moderates by its own rules",
  output_compression = "images come as the service makes them",
  output_format = "images come as the service makes them; saving names each after its kind",
  partial_images = "images come when the job is done",
  quality = "the service has one quality",
  response_format = "images are downloaded when the job is done: job:save, job:data",
  stream = "images come when the job is done",
  user = "keep it in the option 'metadata' of generate",
  width = "the picture's shape is its ratio",
}

local function is_side(value)
  return type(value) == "number" and value > 0 and value < math.huge
end

--- The ratio nearest to a picture of width by height; nearest as a factor, so that 2:1 is as far
--- from 1:1 as 1:2 is. Error: `invalid_size` for numbers that are no size.
---@param width number pixels, or any other unit
---@param height number in the same unit
---@param ratios? string[] the allowed ones, "W:H"; default the five documented
---@return string|nil ratio
---@return boolean|gptimage2.Error exact whether the shape is the same; the error after nil
function migrate.ratio(width, height, ratios)
  check.argument(width, 1, "ratio", "number")
  check.argument(height, 2, "ratio", "number")
  local good = ratios == nil or check.is_list(ratios) and ratios[1] ~= nil
  for _, ratio in ipairs(good and ratios or {}) do
    good = good and type(ratio) == "string" and ratio:find("^0*[1-9]%d*:0*[1-9]%d*$") ~= nil
  end
  if not good then
    check.fail(3, "ratio", 'a list of ratios such as "21:9" expected')
  end
  if not is_side(width) or not is_side(height) then
    return check.invalid("invalid_size", nil, "width and height must be numbers above 0")
  end
  local ratio, exact = request.nearest_ratio(width, height, ratios)
  return ratio, exact
end

--- The width and height that a call asks for; nil when it asks for none.
local function read_size(old, note)
  local size, width, height = old.size, old.width, old.height
  if size == "auto" then
    note("size 'auto' was dropped: without a ratio the service chooses")
    size = nil
  end
  if size ~= nil then
    local w, h = tostring(size):match("^%s*(%d+)%s*[xX*]%s*(%d+)%s*$")
    w, h = tonumber(w), tonumber(h)
    if not w or not is_side(w) or not is_side(h) then
      local message = "size must look like '1792x1024', not '" .. check.show(size) .. "'"
      return check.invalid("invalid_size", "size", message)
    end
    if width ~= nil and width ~= w or height ~= nil and height ~= h then
      note("width and height were dropped: size says something else and was used")
    end
    return { w, h }
  end
  if width == nil and height == nil then
    return nil
  end
  width, height = tonumber(width), tonumber(height)
  if not is_side(width) or not is_side(height) then
    local field = is_side(width) and "height" or "width"
    local message = "width and height must both be given, as numbers above 0"
    return check.invalid("invalid_size", field, message)
  end
  return { width, height }
end

local function read_ratio(old, note)
  local size, err = read_size(old, note)
  if err then
    return nil, err
  end
  if old.ratio ~= nil then
    if size then
      note("the size was dropped: ratio is given and was used")
    end
    return old.ratio
  end
  if not size then
    return nil
  end
  local ratio, exact = request.nearest_ratio(size[1], size[2])
  if exact then
    note(("%gx%g became ratio %s; pixels cannot be asked for"):format(size[1], size[2], ratio))
  else
    local w, h = ratio:match("(%d+):(%d+)")
    local text = "%gx%g (%.3f) is none of the ratios; the nearest, %s (%.3f), was used"
    note(text:format(size[1], size[2], size[1] / size[2], ratio, w / h))
  end
  return ratio
end

local function read_count(old, note)
  local count = old.count
  if count == nil then
    count = old.n
  elseif old.n ~= nil and old.n ~= count then
    note("n was dropped: count is given and was used")
  end
  if count == nil then
    return nil
  end
  local whole = check.integer(tonumber(count))
  if not whole or whole < 1 then
    local field = old.count ~= nil and "count" or "n"
    return check.invalid("invalid_count", field, field .. " must be a whole number, 1 or more")
  end
  local most = request.MAX_COUNT
  if whole > most then
    local text = "%d images became %d, the most of one request; %d requests give them all"
    note(text:format(whole, most, math.ceil(whole / most)))
    return most
  end
  return whole
end

local function read_style(style, note)
  if style == "vivid" or style == "natural" then
    note(
      ("style '%s' was dropped: say it in the prompt, or use a preset such as cinematic"):format(
        style
      )
    )
    return nil
  end
  return style
end

--- Notes about every field that is neither taken over nor read above, in alphabetical order.
local function note_dropped(old, note)
  local read = { size = 1, width = 1, height = 1, ratio = 1, n = 1, count = 1, style = 1 }
  for _, field in ipairs(SAME) do
    read[field] = 1
  end
  for _, key in ipairs(check.keys(old)) do
    if not read[key] then
      local why = DROPPED[key] or "requests have no such field"
      note(("%s was dropped: %s"):format(check.show(key), why))
    end
  end
end

--- A request from the fields of an older call: prompt, size = "1792x1024" or width and height,
--- n or count, quality, style and so on; fields that a request has too are taken over. The request
--- is checked when it is used. Raises for anything but a table.
--- Errors: `invalid_size`, `invalid_count` (kind validation).
---@param old table
---@return table|nil request
---@return string[]|gptimage2.Error notes sentences about what is not the same; the error after nil
function migrate.request(old)
  check.argument(old, 1, "request", "table")
  local notes, done = {}, {}
  local function note(text)
    notes[#notes + 1] = text
  end
  for _, field in ipairs(SAME) do
    done[field] = old[field]
  end
  local err
  done.ratio, err = read_ratio(old, note)
  if err then
    return nil, err
  end
  done.count, err = read_count(old, note)
  if err then
    return nil, err
  end
  done.style = read_style(old.style, note)
  note_dropped(old, note)
  return done, notes
end

return migrate
