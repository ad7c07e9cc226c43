--- What an entry of a manifest may hold, and the request that it asks for: made by the library's
--- own prompt and request code. Pure.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")
local prompt = require("gptimage2.prompt")
local request = require("gptimage2.request.request")

local entry = {}

local PIECES = { "subject", "style", "light", "frame", "text", "refs" }
local REQUEST = { "ratio", "preset", "lighting", "camera", "negative" }
local OWN = { "candidates", "review", "pin", "each", "derive" }

--- Field -> what it may be, for an entry.
local SPEC =
  { candidates = "number", review = "boolean", pin = "boolean", each = "table", derive = "table" }
for _, name in ipairs(PIECES) do
  SPEC[name] = name == "refs" and "table" or "string or table"
end
for _, name in ipairs(REQUEST) do
  SPEC[name] = "string"
end

--- For all entries; the pieces are those of `prompt`.
local COMMON_SPEC = {
  prompt = "table",
  budget = "number",
  pictures = "table",
  candidates = "number",
  review = "boolean",
  retry = "string",
}
for _, name in ipairs(REQUEST) do
  COMMON_SPEC[name] = "string"
end

local MAX_CANDIDATES = 100

local HINTS =
  { count = "use candidates", prompt = "its pieces are subject, style, light, frame and text" }

local function at(place, name)
  local outer = failure.field(place)
  local field = outer and outer .. "." .. name or name
  return { file = place.file, line = place.line, field = field }
end

--- The names that did_you_mean may suggest, in an order that is the same each time.
local function names_of(spec)
  local names = {}
  for _, list in ipairs({ PIECES, REQUEST, OWN, { "prompt", "budget", "retry", "pictures" } }) do
    for _, name in ipairs(list) do
      if spec[name] then
        names[#names + 1] = name
      end
    end
  end
  return names
end

local function unknown_field(name, spec, place, hints)
  local shown = check.show(name)
  local hint = hints[name]
  hint = hint and "; " .. hint or check.did_you_mean(name, names_of(spec))
  local message = "unknown field '%s'%s"
  return failure.new("unknown_field", message:format(shown, hint), at(place, shown))
end

local function is_of_type(value, expected)
  return expected:find(type(value), 1, true) ~= nil
end

--- As most are: then nothing has to be told in an order.
local function is_right(tbl, spec)
  for name, value in pairs(tbl) do
    local expected = spec[name]
    if not expected or not is_of_type(value, expected) then
      return false
    end
  end
  return true
end

local function check_table(tbl, spec, place, hints)
  if is_right(tbl, spec) then
    return true
  end
  for _, name in ipairs(check.keys(tbl)) do
    local expected = type(name) == "string" and spec[name]
    if not expected then
      return unknown_field(name, spec, place, hints)
    elseif not is_of_type(tbl[name], expected) then
      local message = ("%s must be a %s, not a %s"):format(name, expected, type(tbl[name]))
      return failure.new("manifest_error", message, at(place, name))
    end
  end
  return true
end

local function check_count(value, name, place, most)
  local whole = check.integer(value)
  if value == nil or whole and whole >= 1 and whole <= most then
    return true
  end
  local message = ("%s must be a whole number from 1 to %d"):format(name, most)
  return failure.new("manifest_error", message, at(place, name))
end

local RETRY_MODES = { "safe", "documented", "idempotent" }

local function check_retry(retry, place)
  for _, mode in ipairs(RETRY_MODES) do
    if retry == nil or retry == mode then
      return true
    end
  end
  local hint = check.did_you_mean(retry, RETRY_MODES)
  local message = "retry must be 'safe', 'documented' or 'idempotent'" .. hint
  return failure.new("manifest_error", message, at(place, "retry"))
end

--- Are the manifest's own fields right?
---@param tbl table
---@param place table
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function entry.check_common(tbl, place)
  local ok, err = check_table(tbl, COMMON_SPEC, place, { count = "use candidates" })
  if ok then
    ok, err = check_count(tbl.candidates, "candidates", place, MAX_CANDIDATES)
  end
  local budget = tbl.budget or 0
  if ok and not (budget >= 0 and budget < math.huge) then
    local message = "budget must be a number of credits, 0 or more"
    return failure.new("manifest_error", message, at(place, "budget"))
  elseif ok then
    return check_retry(tbl.retry, place)
  end
  return ok, err
end

--- A command as a list of texts, with the places of what it reads and writes.
local function check_derive(derive, place)
  local is_list = derive == nil or check.is_list(derive) and type(derive[1]) == "string"
  local has = {}
  for _, word in ipairs(is_list and derive or {}) do
    is_list = is_list and type(word) == "string" and not word:find("%z")
    for name in (is_list and word or ""):gmatch("{(%l+)}") do
      has[name] = true
    end
  end
  if derive == nil or is_list and has["in"] and has.out and not derive[1]:find("[{}]") then
    return true
  end
  local message = "derive must be a list of texts, a program and its arguments, with {in} and {out}"
  return failure.new("manifest_error", message, at(place, "derive"))
end

--- Are an entry's fields right?
---@param tbl table
---@param place table
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function entry.check(tbl, place)
  local ok, err = check_table(tbl, SPEC, place, HINTS)
  if ok then
    ok, err = check_count(tbl.candidates, "candidates", place, MAX_CANDIDATES)
  end
  if ok then
    ok, err = check_derive(tbl.derive, place)
  end
  return ok, err
end

--- What a raised error of the prompt builder says, without the function that it blames.
local function words_of(raised)
  local text = type(raised) == "string" and raised or "the pieces cannot be read"
  return (text:gsub("^.-bad argument #%d+ to '%w+' %((.*)%)$", "%1"))
end

--- The pieces of the prompt; raises for what the builder raises for.
local function build(house, fields)
  local pieces = {}
  for _, name in ipairs(PIECES) do
    pieces[name] = fields[name]
  end
  return house:with(pieces)
end

--- What all prompts have, made once.
---@param common table the manifest
---@param place table
---@return gptimage2.Prompt|nil house
---@return gptimage2.Error|nil err
function entry.house(common, place)
  local ok, made = pcall(prompt, common.prompt or {})
  if not ok then
    return failure.new("manifest_error", words_of(made), at(place, "prompt"))
  end
  return made
end

local function either(fields, common, name)
  if fields[name] ~= nil then
    return fields[name]
  end
  return common[name]
end

--- The request of a picture, checked.
local function read_request(common, fields, place, allowed)
  local ok, made = pcall(build, common.house, fields)
  if not ok then
    return failure.new("manifest_error", words_of(made), place)
  end
  local asked = {
    ratio = either(fields, common, "ratio"),
    style = either(fields, common, "preset"),
    lighting = either(fields, common, "lighting"),
    camera = either(fields, common, "camera"),
    negative = either(fields, common, "negative"),
  }
  local normalised, err = request.normalise(made:request(asked), { ratios = allowed })
  if not normalised then
    local name = err.field == "style" and "preset" or err.field
    return failure.of(err, name and name ~= "prompt" and at(place, name) or place)
  end
  return normalised
end

--- One picture that is asked for.
---@param path string
---@param common table the manifest, with what all prompts have as its `house`
---@param fields table the entry's, filled in
---@param place table
---@param allowed string[]|nil the ratios that there are
---@return table|nil picture { path, request, body, candidates, review, pin, derive }
---@return gptimage2.Error|nil err
function entry.picture(path, common, fields, place, allowed)
  local normalised, err = read_request(common, fields, place, allowed)
  if not normalised then
    return nil, err
  end
  return {
    path = path,
    request = normalised,
    body = core.encode_request(normalised),
    candidates = check.integer(either(fields, common, "candidates") or 1),
    review = either(fields, common, "review") or false,
    pin = fields.pin or false,
    derive = fields.derive,
  }
end

return entry
