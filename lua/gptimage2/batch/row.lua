--- A row: the request that it asks for, where its pictures go, and what else its columns say. Pure.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local json = require("gptimage2.files.json")
local numbers = require("gptimage2.batch.numbers")
local options = require("gptimage2.objects.options")
local prompt = require("gptimage2.prompt")
local request = require("gptimage2.request.request")

local row = {}

local PIECES = { "subject", "style", "light", "frame", "text" }
local FIELDS = { "ratio", "lighting", "camera", "negative" }
local PURPOSES = { subject = true, palette = true, composition = true, material = true }

--- All columns that mean something, in the order in which they are suggested.
row.COLUMNS = { "prompt" }
local OWN = { "refs", "image_urls", "preset", "count", "file" }
for _, list in ipairs({ PIECES, FIELDS, OWN }) do
  for _, name in ipairs(list) do
    row.COLUMNS[#row.COLUMNS + 1] = name
  end
end
local KNOWN = {}
row.KNOWN = KNOWN
for _, name in ipairs(row.COLUMNS) do
  KNOWN[name] = true
end

--- What a column may be but a text.
local TYPES = { count = "number", refs = "table", image_urls = "table" }
local WORDS = { number = "a number", table = "a list of texts", string = "a text" }

--- Whether all of a list are texts. A table by purposes is looked at by the prompt.
local function has_texts(list)
  for _, value in ipairs(list) do
    if type(value) ~= "string" then
      return false
    end
  end
  return true
end

--- Each column that means something is what it must be: nothing is guessed, and nothing left out.
local function check_types(fields)
  for _, name in ipairs(row.COLUMNS) do
    local value, kind = fields[name], type(fields[name])
    local is_right = kind == "nil" or kind == "string" or kind == TYPES[name]
    if not is_right or kind == "table" and not has_texts(value) then
      local message = ("%s must be %s"):format(name, WORDS[TYPES[name] or "string"])
      message = message .. (kind == TYPES[name] and "" or ", not a " .. kind)
      return nil, { code = "wrong_type", message = message, field = name }
    end
  end
  return true
end

---@class gptimage2.batch.Row
---@field request table checked
---@field body string its bytes
---@field cost integer credits
---@field count integer pictures
---@field file string|nil where they go
---@field metadata table<string, string>|nil the other columns

--- The known column that another one was perhaps meant to be.
---@param name string
---@return string|nil
function row.meant(name)
  return not KNOWN[name] and check.suggest(name, row.COLUMNS) or nil
end

--- A value as text; JSON's null, and an empty text, is none.
local function is_nothing(value)
  return type(value) == "userdata" or value == ""
end

local function encode(value)
  local number = numbers.text(value)
  if number or type(value) == "userdata" then
    return number or "null"
  elseif type(value) ~= "table" then
    return json.encode(value)
  end
  local parts, is_list = {}, check.is_list(value) and value[1] ~= nil
  for i, key in ipairs(is_list and value or check.keys(value)) do
    parts[i] = is_list and encode(key) or json.encode(tostring(key)) .. ":" .. encode(value[key])
  end
  return (is_list and "[%s]" or "{%s}"):format(table.concat(parts, ","))
end

--- What the other columns say, as a job's metadata.
local function read_metadata(fields)
  local found
  for name, value in pairs(fields) do
    if not KNOWN[name] and not is_nothing(value) then
      found = found or {}
      found[name] = type(value) == "string" and value or encode(value)
    end
  end
  local read, err = options.job({ metadata = found })
  return read and found, err
end

--- A list as it is, or as a cell has it: between white space.
local function words_in(given)
  if type(given) ~= "string" then
    return given
  end
  local words = {}
  for word in given:gmatch("%S+") do
    words[#words + 1] = word
  end
  return words
end

--- References as the builder wants them, or a plain list where none has a purpose: "[purpose=]url"
--- each, or a table by purposes.
local function read_refs(given)
  if type(given) == "table" and not check.is_list(given) then
    return given
  end
  local words, refs, plain = words_in(given), {}, {}
  for _, word in ipairs(type(words) == "table" and words or {}) do
    local purpose, url = tostring(word):match("^(%l+)=(.*)$")
    if PURPOSES[purpose] then
      refs[purpose] = refs[purpose] or {}
      table.insert(refs[purpose], url)
    else
      plain[#plain + 1] = word
    end
  end
  if plain[1] and next(refs) then
    local message = "with a purpose for one of them, all need one"
    return nil, select(2, check.invalid("refs_and_image_urls", "refs", message))
  end
  return next(refs) and refs or nil, nil, plain[1] and plain or nil
end

local function no_prompt(fields)
  local near
  for _, name in ipairs(check.keys(fields)) do
    local meant = row.meant(name)
    near = near or (meant == "prompt" or meant == "subject") and name
  end
  local hint = near and (" (is '%s' one?)"):format(check.show(near)) or ""
  local message = "a row needs a prompt, or a subject" .. hint
  return check.invalid("prompt_required", "prompt", message)
end

--- The pieces of the prompt.
local function read_pieces(fields, refs)
  local pieces = { refs = refs }
  for _, name in ipairs(PIECES) do
    pieces[name] = fields[name]
  end
  local text = fields.prompt
  if text ~= nil and type(text) ~= "string" then
    local message = "the prompt is a text, not a " .. type(text)
    return check.invalid("invalid_prompt", "prompt", message)
  elseif text and pieces.subject then
    return check.invalid("invalid_prompt", "subject", "a prompt and a subject: give one of them")
  end
  pieces.subject = pieces.subject or text
  if not pieces.subject then
    return no_prompt(fields)
  end
  return pieces
end

--- A count as it is, or as a cell has it.
local function read_count(count)
  local number = type(count) == "string" and tonumber(count:match("^%s*(%d+)%s*$")) or count
  return check.integer(number) or number
end

local function build(fields)
  local refs, err, plain = read_refs(fields.refs)
  local pieces
  if not err then
    pieces, err = read_pieces(fields, refs)
  end
  if not pieces then
    return nil, err
  end
  local asked = { style = fields.preset, count = read_count(fields.count) }
  asked.image_urls = plain or words_in(fields.image_urls)
  for _, name in ipairs(FIELDS) do
    asked[name] = fields[name]
  end
  local ok, made = pcall(function()
    return prompt(pieces):request(asked)
  end)
  if not ok then
    return check.invalid("invalid_prompt", "prompt", check.words_of(made))
  end
  return made
end

--- The request, checked as before any create.
local function read_request(fields)
  local made, err = build(fields)
  local normalised
  if made then
    normalised, err = request.normalise(made)
  end
  if err and err.field == "style" and err.code ~= "invalid_prompt" then
    err.field = "preset"
  end
  return normalised, err
end

--- Reads a row.
---@param fields table<string, any> by the names of the columns
---@return gptimage2.batch.Row|nil
---@return gptimage2.Error|nil err
function row.read(fields)
  local given = {}
  for name, value in pairs(fields) do
    if not KNOWN[name] or not is_nothing(value) then
      given[name] = value
    end
  end
  local ok, err = check_types(given)
  local made, metadata
  if ok then
    made, err = read_request(given)
  end
  if made then
    metadata, err = read_metadata(given)
  end
  if err then
    return nil, err
  end
  return {
    request = made,
    body = core.encode_request(made),
    cost = request.cost(made),
    count = made.count,
    file = given.file,
    metadata = metadata,
  }
end

return row
