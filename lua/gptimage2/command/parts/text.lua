--- Texts as a terminal shows them: how wide they are, cut and put into columns. Pure.

local core = require("gptimage2.core")

local text = {}

--- First and last letters that take two columns: East Asian ones, and pictures.
local WIDE = {
  { 0x1100, 0x115F },
  { 0x2E80, 0x303E },
  { 0x3041, 0x33FF },
  { 0x3400, 0x4DBF },
  { 0x4E00, 0x9FFF },
  { 0xA000, 0xA4CF },
  { 0xAC00, 0xD7A3 },
  { 0xF900, 0xFAFF },
  { 0xFE30, 0xFE6F },
  { 0xFF00, 0xFF60 },
  { 0xFFE0, 0xFFE6 },
  { 0x1F300, 0x1F64F },
  { 0x1F900, 0x1F9FF },
  { 0x20000, 0x3FFFD },
}

--- Those that take none: they are put on the letter before.
local NARROW = { { 0x0300, 0x036F }, { 0x200B, 0x200F }, { 0xFE00, 0xFE0F } }

local function is_in(code, ranges)
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then
      return true
    end
  end
  return false
end

--- The number of a letter of UTF-8.
local function code_of(letter)
  local first = letter:byte()
  if first < 0x80 then
    return first
  end
  local code = first >= 0xF0 and first % 8 or first >= 0xE0 and first % 16 or first % 32
  for i = 2, #letter do
    code = code * 64 + letter:byte(i) % 64
  end
  return code
end

local function columns_of(letter)
  local code = code_of(letter)
  if code < 0x300 then
    return 1
  end
  return is_in(code, WIDE) and 2 or is_in(code, NARROW) and 0 or 1
end

local LETTER = "[\1-\127\192-\255][\128-\191]*"

--- A server's or a user's text, fit for a terminal: what it would obey is made visible.
---@param value any
---@return string
function text.clean(value)
  return core.printable(tostring(value))
end

--- Words of the module about a call that settles something, as the command that does the same.
---@param words string
---@return string
function text.commands(words)
  words = words:gsub('client:resolve%("?([%w_-]+)"?, ([^)]*)%)', function(key, what)
    return ("gptimage2 resolve %s %s"):format(key, (what:gsub('"', "")))
  end)
  return (words:gsub('client:wait%("?([%w_-]+)"?%)', "gptimage2 wait %1"))
end

--- How many columns it takes.
---@param value string
---@return integer
function text.width(value)
  if not value:find("[\128-\255]") then
    return #value
  end
  local count = 0
  for letter in value:gmatch(LETTER) do
    count = count + columns_of(letter)
  end
  return count
end

--- The text, cut to so many columns; what was cut shows an ellipsis.
---@param value string
---@param most integer
---@return string
function text.cut(value, most)
  if text.width(value) <= most then
    return value
  elseif most < 1 then
    return ""
  end
  local parts, used = {}, 0
  for letter in value:gmatch(LETTER) do
    used = used + columns_of(letter)
    if used > most - 1 then
      break
    end
    parts[#parts + 1] = letter
  end
  return table.concat(parts) .. "…"
end

--- The text with spaces behind it, up to so many columns.
---@param value string
---@param least integer
---@return string
function text.pad(value, least)
  return value .. (" "):rep(least - text.width(value))
end

--- "1 picture", "2 pictures".
---@param count integer
---@param one string
---@param many? string
---@return string
function text.count(count, one, many)
  return ("%d %s"):format(count, count == 1 and one or many or one .. "s")
end

--- A span of time as people write it: "4 s", "2 min 05 s", "1 h 02 min".
---@param seconds number
---@return string
function text.time(seconds)
  local whole = math.floor(math.max(seconds, 0) + 0.5)
  if whole < 60 then
    return ("%d s"):format(whole)
  elseif whole < 3600 then
    return ("%d min %02d s"):format(math.floor(whole / 60), whole % 60)
  end
  return ("%d h %02d min"):format(math.floor(whole / 3600), math.floor(whole % 3600 / 60))
end

return text
