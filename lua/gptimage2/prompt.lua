--- The prompt builder: pieces in the order the service wants them, references with one purpose
--- each, templates and variants. Pure: it builds text and tables and never talks to anybody.
---
--- The module is what `gptimage2.prompt` is: call it with pieces to get a prompt.

local check = require("gptimage2.check")
local template = require("gptimage2.request.template")

local PIECES = { "subject", "style", "light", "frame", "text" }
local PURPOSES = { "subject", "palette", "composition", "material" }
local PHRASES = {
  subject = "keep the subject from ",
  palette = "use the color palette from ",
  composition = "follow the composition of ",
  material = "use the material from ",
}
local PIECE_SPEC = { refs = "table" }
for _, name in ipairs(PIECES) do
  PIECE_SPEC[name] = "string or table"
end
local PURPOSE_SPEC = {}
for _, name in ipairs(PURPOSES) do
  PURPOSE_SPEC[name] = "string or table"
end
local REQUEST_SPEC = {}
for _, name in ipairs({
  "mode",
  "ratio",
  "count",
  "image_urls",
  "style",
  "lighting",
  "camera",
  "negative",
}) do
  REQUEST_SPEC[name] = "any"
end

-- What a prompt holds: piece name to list of strings, refs to purpose to list of URLs. Kept outside
-- the object, so that the object itself stays empty and every write reaches __newindex.
local held = setmetatable({}, { __mode = "k" })

local methods = {}
local mt = { __name = "gptimage2.Prompt", __metatable = "gptimage2.Prompt" }
local M = {}

local function quote(text)
  if text:find('"', 1, true) then
    return "\226\128\156" .. text .. "\226\128\157"
  end
  return '"' .. text .. '"'
end

--- A string or a list of strings as a fresh list; raises for anything else.
local function strings(value, name, fname, level)
  if type(value) == "string" then
    return { value }
  end
  local list = {}
  local good = check.is_list(value)
  for i = 1, good and #value or 0 do
    good = good and type(value[i]) == "string"
    list[i] = value[i]
  end
  if not good then
    local why = "option '" .. name .. "' must be a string or a list of strings"
    check.fail(1, fname, why, level + 1)
  end
  return list
end

--- Trimmed, empty ones left out; nil when nothing is left.
local function tidy(list)
  local kept = {}
  for _, text in ipairs(list) do
    text = check.trim(text)
    if text ~= "" then
      kept[#kept + 1] = text
    end
  end
  return kept[1] and kept or nil
end

--- References are kept as given, empty ones too: the request must refuse them rather than spend on
--- a picture that lacks one.
local function read_refs(refs, fname, level)
  if refs[1] ~= nil then
    local why = "option 'refs' takes subject=, palette=, composition= and material=, each a URL "
      .. "or a list of URLs"
    check.fail(1, fname, why, level + 1)
  end
  check.options(refs, 1, fname, PURPOSE_SPEC, level + 1, "refs.")
  local read, any = {}, false
  for _, purpose in ipairs(PURPOSES) do
    if refs[purpose] ~= nil then
      local urls = strings(refs[purpose], "refs." .. purpose, fname, level + 1)
      read[purpose] = urls[1] and urls or nil
      any = any or urls[1] ~= nil
    end
  end
  return any and read or nil
end

--- Pieces as the user wrote them to what a prompt holds.
local function read_pieces(pieces, fname, level)
  check.argument(pieces, 1, fname, "table", level + 1)
  check.options(pieces, 1, fname, PIECE_SPEC, level + 1)
  local read = {}
  for _, name in ipairs(PIECES) do
    if pieces[name] ~= nil then
      read[name] = tidy(strings(pieces[name], name, fname, level + 1))
    end
  end
  if pieces.refs ~= nil then
    read.refs = read_refs(pieces.refs, fname, level + 1)
  end
  return read
end

local function new(content)
  local p = setmetatable({}, mt)
  held[p] = content
  return p
end

--- URLs in the order of the purposes, and the sentence that gives each its number.
local function number_refs(refs)
  local urls, parts = {}, {}
  for _, purpose in ipairs(PURPOSES) do
    local numbers = {}
    for _, url in ipairs(refs[purpose] or {}) do
      urls[#urls + 1] = url
      numbers[#numbers + 1] = tostring(#urls)
    end
    if numbers[1] then
      local word = numbers[2] and "refs " or "ref "
      parts[#parts + 1] = PHRASES[purpose] .. word .. check.enumerate(numbers)
    end
  end
  local sentence = table.concat(parts, ", ") .. "."
  return urls, (sentence:gsub("^%l", string.upper))
end

local function render(content)
  local parts = {}
  for _, name in ipairs(PIECES) do
    local list = content[name]
    if list and name == "text" then
      local quoted = {}
      for i, text in ipairs(list) do
        quoted[i] = quote(text)
      end
      parts[#parts + 1] = "with the text " .. check.enumerate(quoted)
    elseif list then
      parts[#parts + 1] = table.concat(list, ", ")
    end
  end
  local text = table.concat(parts, ", ")
  if not content.refs then
    return text
  end
  local _, sentence = number_refs(content.refs)
  if text == "" then
    return sentence
  end
  return text .. (text:find("[.!?]$") and " " or ". ") .. sentence
end

local function copy_list(list)
  local copied = {}
  for i, value in ipairs(list) do
    copied[i] = value
  end
  return copied
end

--- What the user reads back: a single text as a string, several as a fresh list.
local function readable(list)
  return list[2] and copy_list(list) or list[1]
end

function mt.__index(p, key)
  if methods[key] then
    return methods[key]
  end
  local value = held[p][key]
  if key ~= "refs" or not value then
    return value and readable(value)
  end
  local refs = {}
  for purpose, urls in pairs(value) do
    refs[purpose] = readable(urls)
  end
  return refs
end

function mt.__newindex(_, key)
  local message = "a prompt never changes; p:with{ %s = ... } gives a changed copy"
  error(message:format(check.show(key)), 2)
end

function mt.__tostring(p)
  return render(held[p])
end

function mt.__concat(a, b)
  local other = a
  if M.is(a) then
    other = b
  end
  if type(other) ~= "string" and type(other) ~= "number" and not M.is(other) then
    error("attempt to concatenate a " .. type(other) .. " value with a prompt", 2)
  end
  return tostring(a) .. tostring(b)
end

function mt.__eq(a, b)
  local left, right = held[a], held[b]
  if not left or not right or render(left) ~= render(right) then
    return false
  end
  local left_urls = left.refs and number_refs(left.refs) or {}
  local right_urls = right.refs and number_refs(right.refs) or {}
  return table.concat(left_urls, "\0") == table.concat(right_urls, "\0")
end

--- A changed copy: each piece given replaces the old one as a whole, `refs` too; an empty one (""
--- or {}) takes it out. Raises for unknown pieces and wrong types.
---@param changes table the pieces of `gptimage2.prompt`
---@return gptimage2.Prompt
function methods:with(changes)
  local content = read_pieces(changes, "with", 2)
  for name, value in pairs(held[self]) do
    if changes[name] == nil then
      content[name] = value
    end
  end
  return new(content)
end

--- The finished request: the prompt as a string, the references as `image_urls` in the order the
--- prompt's sentence numbers them, and the fields given. Raises for unknown fields, and for
--- `image_urls` beside references, which would shift the numbers. The values are checked when the
--- request is used.
---@param fields? table mode, ratio, count, image_urls, style, lighting, camera, negative
---@return table request
function methods:request(fields)
  local request = { prompt = render(held[self]) }
  for key, value in pairs(check.options(fields, 1, "request", REQUEST_SPEC)) do
    request[key] = value
  end
  if held[self].refs then
    if request.image_urls ~= nil then
      check.fail(1, "request", "image_urls cannot be given beside the prompt's refs")
    end
    request.image_urls = number_refs(held[self].refs)
  end
  return request
end

--- Is this value a prompt?
---@param value any
---@return boolean
function M.is(value)
  return type(value) == "table" and held[value] ~= nil
end

--- The reference URLs of a prompt, in the order its sentence numbers them; nil without references.
---@param p gptimage2.Prompt
---@return string[]|nil
function M.image_urls(p)
  local refs = held[p] and held[p].refs
  return refs and (number_refs(refs)) or nil
end

M.template = template.new

--- The alternatives of one field, each as a prompt holds it (false for "left out").
local function alternatives(value, name, level)
  local list = { value }
  if type(value) == "table" and (name ~= "refs" or check.is_list(value)) then
    if not check.is_list(value) then
      local why = "option '" .. name .. "' must be a string or a list of strings"
      check.fail(1, "variants", why, level + 1)
    end
    list = value
  end
  local read = {}
  for i, alternative in ipairs(list) do
    read[i] = read_pieces({ [name] = alternative }, "variants", level + 1)[name] or false
  end
  return read[1] ~= nil and read or { false }
end

--- Iterates over all combinations: `for p, n in prompt.variants{ subject = {...}, style = {...} }`.
--- A list holds the alternatives of its field; an alternative may be a list itself (its texts then
--- stand together), "" leaves the field out. `refs` may be a list of refs tables. The order is
--- fixed: the last field (of subject, style, light, frame, text, refs) changes fastest.
--- Raises for unknown pieces and wrong types before the first combination.
---@param pieces table
---@return fun(): gptimage2.Prompt|nil, integer|nil next gives the prompt and its number from 1
---@return integer total how many there are: what `for` ignores, and a budget needs
function M.variants(pieces)
  check.argument(pieces, 1, "variants", "table")
  check.options(pieces, 1, "variants", PIECE_SPEC)
  local fields, total = {}, 1
  for _, name in ipairs({ "subject", "style", "light", "frame", "text", "refs" }) do
    if pieces[name] ~= nil then
      local choices = alternatives(pieces[name], name, 2)
      fields[#fields + 1] = { name = name, choices = choices }
      total = total * #choices
    end
  end
  local done = 0
  local function next_variant()
    if done >= total then
      return nil
    end
    local content, rest = {}, done
    for i = #fields, 1, -1 do
      local choices = fields[i].choices
      content[fields[i].name] = choices[rest % #choices + 1] or nil
      rest = math.floor(rest / #choices)
    end
    done = done + 1
    return new(content), done
  end
  return next_variant, total
end

--- `gptimage2.prompt{ subject=, style=, light=, frame=, text=, refs= }`: each piece a string or a
--- list of strings, trimmed, empty ones left out, joined in this order with ", ". `text` is what
--- must stand in the picture. `refs` gives each reference one purpose: subject, palette,
--- composition, material, each a URL or a list of URLs; the prompt ends with the sentence that says
--- which reference is for what. A prompt never changes; tostring gives its text, `..` a plain
--- string (which carries no reference URLs), == compares text and references. A prompt given comes
--- back as it is. Raises for unknown pieces and wrong types.
---@param pieces table
---@return gptimage2.Prompt
local function build(_, pieces)
  if M.is(pieces) then
    return pieces
  end
  return new(read_pieces(pieces, "prompt", 2))
end

return setmetatable(M, { __call = build })
