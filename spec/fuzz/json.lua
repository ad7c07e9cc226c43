-- What the reader of replies makes of a JSON text, against lua-cjson: both take it or neither does,
-- and what they read is the same. The differences that are meant are named here.

local cjson = require("cjson.safe").new()
local read = (...)()

cjson.decode_max_depth(32)
cjson.decode_invalid_numbers(false)

--- The text without its texts.
local function bones(input)
  return (input:gsub("\\.", ""):gsub('"[^"]*"', '""'))
end

--- Numbers that only lua-cjson takes: "1." and "-.5".
local function has_loose_number(input)
  local rest = bones(input) .. " "
  return rest:find("%.%D") or rest:find("-%.")
end

--- Half a surrogate pair, which lua-cjson refuses and the reader replaces.
local function may_have_half_pair(input)
  return input:lower():find("\\ud[89a-f]")
end

local function is_word(value, word)
  return type(value) == "table" and rawget(value, "word") == word and next(value, "word") == nil
end

local same

local function same_table(ours, theirs)
  for key, value in pairs(theirs) do
    if not same(ours[key], value) then
      return false
    end
  end
  for key in pairs(ours) do
    if theirs[key] == nil then
      return false
    end
  end
  return true
end

function same(ours, theirs)
  if theirs == cjson.null then
    return is_word(ours, "null")
  elseif type(theirs) == "boolean" then
    return is_word(ours, tostring(theirs))
  elseif type(theirs) == "number" then
    return ours == theirs or is_word(ours, "?")
  elseif type(theirs) == "table" then
    return type(ours) == "table" and same_table(ours, theirs)
  end
  return ours == theirs
end

return function(input)
  if input:find("\0", 1, true) then
    assert(select("#", read(input)) == 0, "a NUL is taken")
    return
  end
  local taken = select("#", read(input)) == 1
  local theirs, refused = cjson.decode((input:gsub("^\239\187\191", ""))) -- only we skip the mark
  if taken and refused then
    assert(may_have_half_pair(input), "only we take it: " .. tostring(refused))
  elseif taken then
    assert(same(read(input), theirs), "it means something else to lua-cjson")
  else
    assert(refused or has_loose_number(input), "only lua-cjson takes it")
  end
end
