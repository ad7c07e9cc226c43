--- The numbers of a row as their digits stand there: a double has 15 of them for sure, and an order
--- number may have more. Pure.

local core = require("gptimage2.core")

local numbers = {}

---@class gptimage2.batch.Number
---@field text string as the row has it
local Number = {}

--- Each number of a JSON text replaced by which one it is, and their texts; what stands in quotes
--- stays as it is.
local function numbered(text)
  local parts, texts, at = {}, {}, 1
  while at <= #text do
    local from = text:find('["%d-]', at) or #text + 1
    parts[#parts + 1] = text:sub(at, from - 1)
    if text:sub(from, from) == '"' then
      local stop = from
      repeat
        stop = text:find('["\\]', stop + 1) or #text
        local is_escape = text:sub(stop, stop) == "\\"
        stop = is_escape and stop + 1 or stop
      until not is_escape or stop >= #text
      parts[#parts + 1], at = text:sub(from, stop), stop + 1
    elseif from <= #text then
      texts[#texts + 1] = text:match("^[%d.eE+-]+", from)
      parts[#parts + 1], at = ("%d"):format(#texts), from + #texts[#texts]
    else
      at = from
    end
  end
  return table.concat(parts), texts
end

--- A value whose numbers tell which one they are, with their texts; nil and the first one that is
--- no double, beside which stands the value as it was decoded.
local function with_texts(value, plain, texts)
  if type(value) == "number" then
    local text = texts[value]
    if plain - plain ~= 0 then
      return nil, text
    end
    return setmetatable({ text = text }, Number)
  elseif type(value) ~= "table" then
    return value
  end
  local copy = {}
  for key, inner in pairs(value) do
    local made, wrong = with_texts(inner, plain[key], texts)
    if wrong then
      return nil, wrong
    end
    copy[key] = made
  end
  return copy
end

local function has_number(value)
  local found = type(value) == "number"
  for _, inner in pairs(type(value) == "table" and value or {}) do
    found = found or has_number(inner)
  end
  return found
end

--- The columns that need it.
local function wanting(fields, known)
  local list = {}
  for name, value in pairs(fields) do
    if not known[name] and has_number(value) then
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end

--- In a row that was decoded, puts the numbers of all columns but the known ones as they stand in
--- its text.
---@param fields table<string, any> is changed
---@param text string JSON that decodes to it
---@param known table<string, true>
---@return boolean|nil ok
---@return table|nil err a number is larger than any that JSON's readers know
function numbers.keep(fields, text, known)
  local names = wanting(fields, known)
  if not names[1] then
    return true
  end
  local counted, texts = numbered(text)
  local again = assert(core.decode(counted))
  for _, name in ipairs(names) do
    local made, wrong = with_texts(again[name], fields[name], texts)
    if wrong then
      local message = "a number is too large (%s): put quotes around it"
      message = message:format(#wrong < 40 and wrong or wrong:sub(1, 40) .. "...")
      return nil, { code = "wrong_type", message = message, field = name }
    end
    fields[name] = made
  end
  return true
end

--- The text of a number that was kept; nil for anything else.
---@param value any
---@return string|nil
function numbers.text(value)
  return getmetatable(value) == Number and value.text or nil
end

return numbers
