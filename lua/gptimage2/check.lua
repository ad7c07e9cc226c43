--- Checks shared by the Lua layer: argument types and option names (these raise), "did you mean"
--- suggestions, and what a piece of text must look like. Pure: no network, no files.
---
--- `level` means here what it means to `error`, seen from the caller of the function: 1 blames the
--- function that called into this module, 2 (the default) blames that function's caller.

local core = require("gptimage2.core")

local find, byte, sub = string.find, string.byte, string.sub
local floor, max, min = math.floor, math.max, math.min

local check = {}

local MAX_SHOWN = 40 -- bytes of a user's word that a message repeats
local MAX_SUGGESTED = 64 -- longer words are no typing errors

--- A number as text, with a point whatever the host's locale has in its place.
---@param value number
---@param format? string such as "%.3f"; default as `tostring` does it
---@return string
function check.number(value, format)
  local text = format and format:format(value) or tostring(value)
  return (text:gsub("[^%w+-]+", "."))
end

--- A word the user gave, fit for a message: control characters (those of the direction of writing,
--- too) escaped, long ones cut.
---@param value any
---@return string
function check.show(value)
  local text = type(value) == "number" and check.number(value) or tostring(value)
  if #text > MAX_SHOWN then
    local last = MAX_SHOWN
    while last > 0 and find(sub(text, last + 1, last + 1), "[\128-\191]") do
      last = last - 1
    end
    text = sub(text, 1, last) .. "..."
  end
  return core.printable(text)
end

--- Edit distance (insert, delete, replace, swap of two neighbours), in single edits.
---@param a string
---@param b string
---@return integer
local function distance(a, b)
  local before, last = nil, {}
  for j = 0, #b do
    last[j] = j
  end
  for i = 1, #a do
    local row = { [0] = i }
    for j = 1, #b do
      local cost = byte(a, i) == byte(b, j) and 0 or 1
      row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
      local swapped = i > 1 and j > 1 and byte(a, i) == byte(b, j - 1)
      if swapped and byte(a, i - 1) == byte(b, j) then
        row[j] = min(row[j], before[j - 2] + 1)
      end
    end
    before, last = last, row
  end
  return last[#b]
end

--- imageUrls, image-urls and image_urls are the same word.
local function fold(word)
  return (word:lower():gsub("[_%- ]", ""))
end

--- The entry of `list` that `word` was probably meant to be. A word's beginning (three letters or
--- more) counts as near; otherwise up to a third of its letters may differ.
---@param word any anything but a string has no suggestion
---@param list string[] of equally near entries the first one wins
---@return string|nil suggestion
function check.suggest(word, list)
  if type(word) ~= "string" or #word > MAX_SUGGESTED then
    return nil
  end
  local folded = fold(word)
  local best, best_distance
  for _, candidate in ipairs(list) do
    local other = fold(candidate)
    local edits = distance(folded, other)
    local limit = max(1, floor(max(#folded, #other) / 3))
    local near = edits <= limit and edits < max(#folded, #other)
    if not near and #folded >= 3 and sub(other, 1, #folded) == folded then
      near, edits = true, limit + 1
    end
    if (near or folded == other) and (not best or edits < best_distance) then
      best, best_distance = candidate, edits
    end
  end
  return best
end

--- The end of a message: `, did you mean 'x'?`, or nothing when no entry is near.
---@param word any
---@param list string[]
---@param prefix? string put before the suggested word, such as "poll."
---@return string
function check.did_you_mean(word, list, prefix)
  local near = check.suggest(word, list)
  return near and ", did you mean '" .. (prefix or "") .. near .. "'?" or ""
end

--- "a", "a and b", "a, b and c".
---@param list string[]
---@return string
function check.enumerate(list)
  local count = #list
  if count < 2 then
    return list[1] or ""
  end
  return table.concat(list, ", ", 1, count - 1) .. " and " .. list[count]
end

--- The keys of a table in a fixed order, for messages that never change from run to run.
---@param tbl table
---@return any[]
function check.keys(tbl)
  local keys = {}
  for key in pairs(tbl) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  return keys
end

--- Raises `bad argument #argn to 'fname' (why)`.
---@param argn integer
---@param fname string
---@param why string
---@param level? integer
function check.fail(argn, fname, why, level)
  error(("bad argument #%d to '%s' (%s)"):format(argn, fname, why), (level or 2) + 1)
end

--- Raises unless `value` is of the type asked for.
---@param value any
---@param argn integer
---@param fname string
---@param expected string a name that `type` gives
---@param level? integer
function check.argument(value, argn, fname, expected, level)
  if type(value) ~= expected then
    local why = ("%s expected, got %s"):format(expected, type(value))
    check.fail(argn, fname, why, (level or 2) + 1)
  end
end

local function matches(value, expected)
  if expected == "any" or type(value) == expected then
    return true
  end
  for name in expected:gmatch("%a+") do
    if type(value) == name then
      return true
    end
  end
  return false
end

--- Are all options known, and of their types? Most are, and then nothing is told in an order.
local function all_match(tbl, spec)
  for key, value in pairs(tbl) do
    local expected = spec[key]
    if not expected or not matches(value, expected) then
      return false
    end
  end
  return true
end

--- Checks a table of options: raises for anything but a table or nil, for an unknown key (with a
--- suggestion) and for a value of the wrong type.
---@param tbl table|nil
---@param argn integer
---@param fname string
---@param spec table<string, string> option name to type: "string", "string or table", "any"
---@param level? integer
---@param prefix? string for the options of an option: "poll."
---@return table options `tbl` itself, or an empty table for nil
function check.options(tbl, argn, fname, spec, level, prefix)
  level, prefix = (level or 2) + 1, prefix or ""
  if tbl == nil then
    return {}
  end
  check.argument(tbl, argn, fname, "table", level)
  if all_match(tbl, spec) then
    return tbl
  end
  for _, key in ipairs(check.keys(tbl)) do
    local expected = type(key) == "string" and spec[key]
    if not expected then
      local shown = type(key) == "string" and prefix .. check.show(key) or check.show(key)
      local hint = check.did_you_mean(key, check.keys(spec), prefix)
      check.fail(argn, fname, ("unknown option '%s'%s"):format(shown, hint), level)
    elseif not matches(tbl[key], expected) then
      local why = "option '%s%s' must be a %s, got %s"
      check.fail(argn, fname, why:format(prefix, key, expected, type(tbl[key])), level)
    end
  end
  return tbl
end

--- An error about what the user gave, as a pair to return: nothing was sent, nothing was charged.
---@param code string stable word
---@param field string|nil which field, such as "image_urls[2]"
---@param message string what was wrong and what is allowed
---@return nil, gptimage2.Error
function check.invalid(code, field, message)
  return nil,
    core.error({
      kind = "validation",
      code = code,
      field = field,
      message = message,
      retryable = false,
      sent = "no",
      charged = "no",
    })
end

--- Is this a list, that is: keys 1..n and nothing else?
---@param value any
---@return boolean
function check.is_list(value)
  if type(value) ~= "table" then
    return false
  end
  local count = 0
  for _ in pairs(value) do
    count = count + 1
  end
  for i = 1, count do
    if value[i] == nil then
      return false
    end
  end
  return true
end

--- A whole number as an integer (Lua 5.3 and later tell 2.0 from 2), nil for anything else.
---@param value any
---@return integer|nil
function check.integer(value)
  if type(value) ~= "number" or value ~= floor(value) then
    return nil
  end
  if value >= 2 ^ 53 or value <= -2 ^ 53 then
    return nil
  end
  return floor(value)
end

--- Without white space and unseen marks at both ends (those of all Unicode: U+3000, U+00A0, a
--- byte-order mark, a zero-width space); empty where nothing is left that could be seen. Linear in
--- the length, whatever the text.
---@param text string
---@return string
check.trim = core.trim

--- Printable ASCII without spaces, such as fits a header value or a key.
---@param text string
---@return boolean
function check.visible_ascii(text)
  return not find(text, "[^\33-\126]") and not find(text, "\0", 1, true)
end

--- Holds control characters (NUL and DEL included)?
---@param text string
---@return boolean
function check.has_control(text)
  return find(text, "[\1-\31\127]") ~= nil or find(text, "\0", 1, true) ~= nil
end

--- Holds characters that are shown as something else than they are: those of control, beyond ASCII
--- too, those that turn the direction of writing, and those that end lines?
---@param text string
---@return boolean
function check.misleads(text)
  return check.has_control(text) or core.printable(text) ~= text
end

-- What may follow a first byte: how long the sequence is, and the range of its second byte, which
-- keeps out overlong forms (E0, F0), surrogates (ED) and what lies above U+10FFFF (F4).
local LENGTH = {}
for lead = 0xC2, 0xF4 do
  LENGTH[lead] = lead < 0xE0 and 2 or lead < 0xF0 and 3 or 4
end
local SECOND_FROM = { [0xE0] = 0xA0, [0xF0] = 0x90 }
local SECOND_TO = { [0xED] = 0x9F, [0xF4] = 0x8F }

local function is_tail(value)
  return value ~= nil and value >= 0x80 and value <= 0xBF
end

--- The position of the first byte that is not UTF-8 (as RFC 3629 has it), nil when all of it is.
---@param text string
---@return integer|nil position
function check.utf8_error(text)
  local at = find(text, "[\128-\255]")
  while at do
    local a, b, c, d = byte(text, at, at + 3)
    if not a then
      return nil
    elseif a < 0x80 then
      at = find(text, "[\128-\255]", at + 1)
    else
      local length = LENGTH[a]
      if not length or not b or b < (SECOND_FROM[a] or 0x80) or b > (SECOND_TO[a] or 0xBF) then
        return at
      elseif length > 2 and not is_tail(c) or length > 3 and not is_tail(d) then
        return at
      end
      at = at + length
    end
  end
  return nil
end

--- What was raised by a call of ours, for people who never called it: without the place that it
--- blames, and the names of calls.
---@param raised any
---@return string
function check.words_of(raised)
  local words = tostring(raised):gsub("^.-:%d+: ", "")
  return words:match("^bad argument #%d+ to '[^']*' %((.*)%)$") or words
end

return check
