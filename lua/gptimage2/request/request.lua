--- What is asked of the service, checked before a credit is spent: every rule has its own error
--- code. Pure: no network.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local prompt = require("gptimage2.prompt")
local ratios = require("gptimage2.request.ratios")

local request = {}

request.CREDITS_PER_IMAGE = core.limits.credits_each
request.MAX_COUNT = 4
request.MAX_IMAGE_URLS = core.limits.references

local MAX_PROMPT = 32 * 1024 -- bytes, of the trimmed text
local MAX_HINT = 4 * 1024 -- bytes, for lighting, camera, negative and style
local MAX_URL = core.limits.url -- bytes

local MODES = { "text-to-image", "image-to-image" }
local FIELDS = {
  "prompt",
  "mode",
  "ratio",
  "count",
  "image_urls",
  "style",
  "lighting",
  "camera",
  "negative",
}
request.FIELDS = FIELDS -- in the order in which they are told
local HINT_FIELDS = { "lighting", "camera", "negative" } -- texts without rules of their own
local KNOWN = {}
for _, field in ipairs(FIELDS) do
  KNOWN[field] = true
end

-- Words of other services and of the prompt builder, which no edit distance leads to a field.
local SHAPE_HINT =
  "the shape of a picture is given by 'ratio' (gptimage2.migrate finds the nearest)"
local BUILDER_HINT = "it is a piece of the prompt builder: prompt = gptimage2.prompt{ %s = ... }"
local HINTS = {
  size = SHAPE_HINT,
  width = SHAPE_HINT,
  height = SHAPE_HINT,
  aspect_ratio = "did you mean 'ratio'?",
  aspectRatio = "did you mean 'ratio'?",
  n = "did you mean 'count'?",
  negative_prompt = "did you mean 'negative'?",
  negativePrompt = "did you mean 'negative'?",
  image = "did you mean 'image_urls'?",
  images = "did you mean 'image_urls'?",
  subject = BUILDER_HINT:format("subject"),
  light = "did you mean 'lighting'?",
  frame = BUILDER_HINT:format("frame"),
  text = BUILDER_HINT:format("text"),
  refs = BUILDER_HINT:format("refs"),
}

local invalid = check.invalid

local function only_known(req)
  for key in pairs(req) do
    if not KNOWN[key] then
      return false
    end
  end
  return true
end

local function check_fields(req)
  if only_known(req) then
    return true
  end
  for _, key in ipairs(check.keys(req)) do
    if not KNOWN[key] then
      local shown = check.show(key)
      local hint = HINTS[key]
      local near = check.suggest(key, FIELDS)
      if not hint and near then
        hint = "did you mean '" .. near .. "'?"
      end
      local allowed = hint or "a request may have " .. table.concat(FIELDS, ", ")
      return invalid("unknown_field", shown, ("unknown field '%s'; %s"):format(shown, allowed))
    end
  end
  return true
end

--- The trimmed text of a field, or nil and the error; false when nothing is left of it.
local function read_text(value, field, limit)
  if #value <= limit and core.is_plain(value) then
    return value -- as most are: there is nothing to trim and nothing to find
  end
  -- What is far too long is not even looked at.
  local text = #value > 4 * limit and value or check.trim(value)
  if #text > limit then
    local message = "%s is %d bytes long; at most %d bytes are allowed"
    return invalid("too_long", field, message:format(field, #text, limit))
  end
  if text:find("\0", 1, true) then
    return invalid("nul_byte", field, field .. " holds a NUL byte")
  end
  local at = check.utf8_error(text)
  if at then
    local message = "%s is not valid UTF-8: the byte at position %d (0x%02X) fits no character"
    return invalid("invalid_utf8", field, message:format(field, at, text:byte(at)))
  end
  return text ~= "" and text
end

local function read_prompt(value)
  if type(value) ~= "string" and prompt.is(value) then
    value = tostring(value)
  end
  if type(value) ~= "string" then
    local message = "a request needs a prompt: a string or a gptimage2.prompt"
    if value ~= nil then
      message = message .. ", not a " .. type(value)
    end
    return invalid("prompt_required", "prompt", message)
  end
  local text, err = read_text(value, "prompt", MAX_PROMPT)
  if err then
    return nil, err
  end
  if not text then
    return invalid("prompt_required", "prompt", "the prompt is empty; say what to draw")
  end
  return text
end

--- An optional text; empty ones are dropped.
local function read_hint(req, field)
  local value = req[field]
  if value == nil then
    return nil
  end
  if type(value) ~= "string" then
    local message = ("%s must be a string, not a %s"):format(field, type(value))
    return invalid("invalid_" .. field, field, message)
  end
  local text, err = read_text(value, field, MAX_HINT)
  return text or nil, err
end

--- The word a user would have had to write for a style: "Studio Product" gives "studio-product".
local function slug_of(text)
  return (text:lower():gsub("[^a-z0-9]+", "-"):gsub("^%-", ""):gsub("%-$", ""))
end

local function read_style(req)
  local style, err = read_hint(req, "style")
  if not style then
    return nil, err
  end
  local slug = slug_of(style)
  if style == slug then
    return style
  end
  local message = "style '%s' is not a slug: lower case letters, digits and single hyphens, "
    .. "such as editorial-photo, studio-product or cinematic"
  message = message:format(check.show(style))
  if slug ~= "" and #slug <= 64 then
    message = message .. "; did you mean '" .. slug .. "'?"
  end
  return invalid("invalid_style", "style", message)
end

--- Why a value cannot be a reference URL; nil when it can. The URL itself is repeated nowhere: it
--- may hold a password or a signature.
local function url_fault(url)
  if type(url) ~= "string" then
    return "must be a string, not a " .. type(url)
  elseif url == "" then
    return "is empty"
  elseif #url > MAX_URL then
    return ("is %d bytes long; at most %d are allowed"):format(#url, MAX_URL)
  elseif not check.visible_ascii(url) then
    return "holds a space, a control character or a letter beyond ASCII; percent-encode it"
  end
  local parts, why = core.url(url)
  if not parts then
    return "is not an absolute http(s) URL: " .. tostring(why)
  elseif parts.scheme ~= "https" and parts.scheme ~= "http" then
    return "must begin with https:// or http://"
  elseif parts.userinfo then
    return "holds a user name or password; the service could not use them"
  end
  return nil
end

--- A fresh list of the URLs.
local function read_urls(urls)
  local what = "image_urls must be a list of URLs"
  if type(urls) == "string" then
    local message = what .. ", such as { url }, not a string"
    return invalid("invalid_image_url", "image_urls", message)
  elseif not check.is_list(urls) then
    local name = type(urls) == "table" and "table with other keys or holes" or type(urls)
    return invalid("invalid_image_url", "image_urls", what .. ", not a " .. name)
  elseif #urls > request.MAX_IMAGE_URLS then
    local message = "%d reference images; at most %d are allowed"
    message = message:format(#urls, request.MAX_IMAGE_URLS)
    return invalid("too_many_image_urls", "image_urls", message)
  end
  local list = {}
  for i, url in ipairs(urls) do
    local fault = url_fault(url)
    if fault then
      local field = ("image_urls[%d]"):format(i)
      return invalid("invalid_image_url", field, field .. " " .. fault)
    end
    list[i] = url
  end
  return list[1] and list
end

local function read_mode(mode, has_urls)
  if mode == nil or mode == "" then
    return has_urls and "image-to-image" or "text-to-image"
  end
  if mode ~= MODES[1] and mode ~= MODES[2] then
    local shown = type(mode) == "string" and "'" .. check.show(mode) .. "'" or "a " .. type(mode)
    local message = "mode must be 'text-to-image' or 'image-to-image', not " .. shown
    return invalid("invalid_mode", "mode", message .. check.did_you_mean(mode, MODES))
  end
  if mode == "text-to-image" and has_urls then
    local message = "mode 'text-to-image' takes no reference images; "
      .. "leave out image_urls (or the prompt's refs), or ask for 'image-to-image'"
    return invalid("invalid_mode", "mode", message)
  end
  if mode == "image-to-image" and not has_urls then
    local message = "mode 'image-to-image' needs image_urls: 1 to %d absolute http(s) URLs"
    message = message:format(request.MAX_IMAGE_URLS)
    return invalid("image_urls_required", "image_urls", message)
  end
  return mode
end

local function read_count(count)
  if count == nil then
    return 1
  end
  local whole = check.integer(count)
  if whole and whole >= 1 and whole <= request.MAX_COUNT then
    return whole
  end
  local shown = type(count) == "number" and check.number(count) or "a " .. type(count)
  local message = "count must be a whole number from 1 to %d, not %s"
  message = message:format(request.MAX_COUNT, shown)
  return invalid("invalid_count", "count", message)
end

local function check_argument(req, fname, level)
  if prompt.is(req) then
    check.fail(1, fname, "a prompt is not a request yet, use p:request{}", level + 1)
  elseif type(req) == "string" then
    check.fail(1, fname, "a string is not a request yet, use { prompt = ... }", level + 1)
  end
  check.argument(req, 1, fname, "table", level + 1)
end

--- The request's own image_urls, or those that its prompt brings along. Both would not do: the
--- prompt's text gives each of its own a number.
local function urls_of(req)
  local urls = req.image_urls
  local refs = prompt.is(req.prompt) and prompt.image_urls(req.prompt)
  if not refs then
    return urls
  elseif urls == nil or type(urls) == "table" and next(urls) == nil then
    return refs
  end
  local message = "the prompt brings reference images of its own, which its text numbers; "
    .. "put all of them into the prompt's refs, or leave the refs out of the prompt"
  return invalid("refs_and_image_urls", "image_urls", message)
end

--- A fresh list of the references; nil when there are none.
local function read_image_urls(req)
  local urls, err = urls_of(req)
  if urls == nil then
    return nil, err
  end
  return read_urls(urls)
end

--- The texts that are rarely given, into `done`; false and the error where one is wrong.
local function read_hints(req, done)
  local err
  done.style, err = read_style(req)
  for i = 1, #HINT_FIELDS do
    local field = HINT_FIELDS[i]
    if err then
      return false, err
    end
    done[field], err = read_hint(req, field)
  end
  return err == nil, err
end

local function has_hints(req)
  return req.style ~= nil or req.lighting ~= nil or req.camera ~= nil or req.negative ~= nil
end

--- Reads all fields in the order in which faults are told. Written out, for every job comes this
--- way: with a table of readers it took a third longer.
local function read(req, settings)
  local text, err = read_prompt(req.prompt)
  local urls, mode, ratio, count, ok
  if err then
    return nil, err
  end
  urls, err = read_image_urls(req)
  if err then
    return nil, err
  end
  mode, err = read_mode(req.mode, urls ~= nil)
  if err then
    return nil, err
  end
  ratio, err = ratios.read(req.ratio, settings and settings.ratios or ratios.DOCUMENTED)
  if err then
    return nil, err
  end
  count, err = read_count(req.count)
  if err then
    return nil, err
  end
  local done = { prompt = text, mode = mode, ratio = ratio, count = count }
  if urls then
    done.image_urls = urls
  end
  if has_hints(req) then
    ok, err = read_hints(req, done)
    return ok and done or nil, err
  end
  return done
end

--- The request as it will be sent, in a fresh plain table: prompt (string), mode, count (integer)
--- and, where given, ratio, image_urls, style, lighting, camera, negative. Texts are trimmed, empty
--- optional fields dropped, the mode inferred from the references. A prompt object brings its
--- references along. The table given is not changed.
--- Raises when `req` is no table; all that is wrong inside it comes back as an error of kind
--- `validation` with `code`, `message` and `field`.
---@param req table
---@param settings? { ratios: string[]? } what the client allows; default the documented five
---@param fname? string the public function to name in a raised message
---@param level? integer whom a raised message blames, as in `error`; default 2
---@return table|nil normalised
---@return gptimage2.Error|nil err
function request.normalise(req, settings, fname, level)
  check_argument(req, fname or "normalise", (level or 2) + 1)
  local ok, err = check_fields(req)
  if not ok then
    return nil, err
  end
  return read(req, settings)
end

--- What a request costs, in credits: 10 for each image.
---@param normalised table a request; without a count it is for one image
---@return integer credits
function request.cost(normalised)
  return request.CREDITS_PER_IMAGE * (normalised.count or 1)
end

return request
