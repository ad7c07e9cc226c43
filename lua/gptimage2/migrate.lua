--- From a dall-e-3 style call (width and height, or a size) to a request of this service. Pure.

local check = require("gptimage2.check")
local shapes = require("gptimage2.request.ratios")
local request = require("gptimage2.request.request")

local migrate = {}

-- What a request has under the same name.
local SAME = { "prompt", "mode", "lighting", "camera" }

-- What calls of other services name reference images, in the order in which they are taken.
local IMAGES = { "image_urls", "image_url", "image", "images" }

-- Names of shapes that other services have in place of a size.
local SHAPES = {
  square = { 1, 1 },
  square_hd = { 1, 1 },
  landscape_4_3 = { 4, 3 },
  landscape_16_9 = { 16, 9 },
  portrait_4_3 = { 3, 4 },
  portrait_16_9 = { 9, 16 },
}

-- What has no counterpart, and what to do instead.
local DROPPED = {
  background = "describe the background in the prompt",
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
  local ratio, exact = shapes.nearest(width, height, ratios)
  return ratio, exact
end

local function invalid_size(field, message)
  return check.invalid("invalid_size", field, message)
end

--- "1792x1024" as two numbers; nil when it is no size.
local function parse_size(text)
  local w, h = tostring(text):match("^%s*(%d+)%s*[xX*:]%s*(%d+)%s*$")
  w, h = tonumber(w), tonumber(h)
  return is_side(w) and is_side(h) and { w, h } or nil
end

--- Width and height as numbers above 0; else nil and the error.
local function both_sides(width, height, field)
  width, height = tonumber(width), tonumber(height)
  if is_side(width) and is_side(height) then
    return { width, height }
  end
  local wrong = field or is_side(width) and "height" or "width"
  return invalid_size(wrong, "width and height must both be given, as numbers above 0")
end

--- The size that `size` or `image_size` holds: a text, the name of a shape, or a table; nil when
--- there is none.
local function read_named_size(old, field, note)
  local size = old[field]
  if size == nil then
    return nil
  elseif size == "auto" then
    note(field .. " 'auto' was dropped: without a ratio the service chooses")
    return nil
  elseif type(size) == "table" then
    return both_sides(size.width or size[1], size.height or size[2], field)
  end
  local read = SHAPES[size] or parse_size(size)
  if read then
    return read
  end
  local message = "%s must look like '1792x1024', not '%s'"
  return invalid_size(field, message:format(field, check.show(size)))
end

--- Does a side that was given say something else?
local function differs(side, other)
  return side ~= nil and tonumber(side) ~= other
end

--- The width and height that a call asks for; nil when it asks for none.
local function read_size(old, note)
  local used, size, err = "size", read_named_size(old, "size", note)
  if not size and not err then
    used, size, err = "image_size", read_named_size(old, "image_size", note)
  elseif size and old.image_size ~= nil then
    note("image_size was dropped: size is given and was used")
  end
  if err then
    return nil, err
  end
  if size then
    if differs(old.width, size[1]) or differs(old.height, size[2]) then
      note(("width and height were dropped: %s says something else and was used"):format(used))
    end
    return size
  elseif old.width == nil and old.height == nil then
    return nil
  end
  return both_sides(old.width, old.height)
end

--- The ratio nearest to a size, with a note about what became of it.
local function ratio_of(size, note)
  local width, height = check.number(size[1], "%g"), check.number(size[2], "%g")
  local ratio, exact = shapes.nearest(size[1], size[2])
  if exact then
    note(("%sx%s became ratio %s; pixels cannot be asked for"):format(width, height, ratio))
    return ratio
  end
  local w, h = ratio:match("(%d+):(%d+)")
  local text = "%sx%s (%s) is none of the ratios; the nearest, %s (%s), was used"
  local factor = check.number(size[1] / size[2], "%.3f")
  note(text:format(width, height, factor, ratio, check.number(w / h, "%.3f")))
  return ratio
end

--- "3:2" of `aspect_ratio` as a ratio of ours. What is no shape is left to the request's checks.
local function read_aspect(aspect, note)
  local size = parse_size(aspect)
  if not size then
    return aspect
  end
  local ratio, exact = shapes.nearest(size[1], size[2])
  if not exact then
    local text = "aspect_ratio %s is none of the ratios; the nearest, %s, was used"
    note(text:format(check.show(aspect), ratio))
  end
  return ratio
end

local function read_ratio(old, note)
  local size, err = read_size(old, note)
  if err then
    return nil, err
  end
  local aspect = old.aspect_ratio
  if aspect == "auto" then
    note("aspect_ratio 'auto' was dropped: without a ratio the service chooses")
    aspect = nil
  end
  if old.ratio == nil and aspect == nil then
    return size and ratio_of(size, note)
  end
  local used = old.ratio ~= nil and "ratio" or "aspect_ratio"
  if size then
    note(("the size was dropped: %s is given and was used"):format(used))
  end
  if used == "ratio" and aspect ~= nil and aspect ~= old.ratio then
    note("aspect_ratio was dropped: ratio is given and was used")
  end
  return used == "ratio" and old.ratio or read_aspect(aspect, note)
end

local function read_negative(old, note)
  local negative = old.negative
  if negative == nil then
    negative = old.negative_prompt
  elseif old.negative_prompt ~= nil and old.negative_prompt ~= negative then
    note("negative_prompt was dropped: negative is given and was used")
  end
  return negative
end

--- Adds what a field gives for reference images: a URL, or a list of them. An image as bytes, as a
--- file or in base64 cannot be had by the service, and a picture without it would be another one.
local function add_images(urls, value, field)
  if type(value) == "table" and check.is_list(value) then
    for i, one in ipairs(value) do
      local ok, err = add_images(urls, one, ("%s[%d]"):format(field, i))
      if not ok then
        return ok, err
      end
    end
    return true
  end
  local url = type(value) == "table" and value.url or value
  if type(url) == "string" and url:lower():find("^https?://") then
    urls[#urls + 1] = url
    return true
  end
  local message = "%s must be an http(s) URL or a list of them: the service fetches reference "
    .. "images itself; they cannot be sent as bytes, as a file or in base64"
  return check.invalid("invalid_image_url", field, message:format(field))
end

--- The reference images of a call, by whatever names; nil when it has none.
local function read_images(old, note)
  local urls, from = {}, {}
  for _, field in ipairs(IMAGES) do
    if old[field] ~= nil then
      local ok, err = add_images(urls, old[field], field)
      if not ok then
        return nil, err
      end
      from[#from + 1] = field
    end
  end
  if from[1] and (from[1] ~= "image_urls" or from[2]) then
    note(check.enumerate(from) .. " became image_urls")
  end
  return urls[1] and urls
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

-- What the functions above read, beside what is the same and the images.
local READ = {
  "size",
  "image_size",
  "width",
  "height",
  "ratio",
  "aspect_ratio",
  "n",
  "count",
  "style",
  "negative",
  "negative_prompt",
}

--- Notes about every field that is neither taken over nor read above, in alphabetical order.
local function note_dropped(old, note)
  local read = {}
  for _, fields in ipairs({ SAME, IMAGES, READ }) do
    for _, field in ipairs(fields) do
      read[field] = true
    end
  end
  for _, key in ipairs(check.keys(old)) do
    if not read[key] then
      local why = DROPPED[key] or "requests have no such field"
      note(("%s was dropped: %s"):format(check.show(key), why))
    end
  end
end

--- A request from the fields of an older call: prompt, negative_prompt, size = "1792x1024",
--- image_size, width and height or aspect_ratio, n or count, image or images (URLs), quality, style
--- and so on; fields that a request has too are taken over. The request is checked when it is used.
--- Raises for anything but a table.
--- Errors: `invalid_size`, `invalid_count`, `invalid_image_url` for an image that is no URL (kind
--- validation).
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
  done.image_urls, err = read_images(old, note)
  if err then
    return nil, err
  end
  done.negative = read_negative(old, note)
  done.style = read_style(old.style, note)
  note_dropped(old, note)
  return done, notes
end

return migrate
