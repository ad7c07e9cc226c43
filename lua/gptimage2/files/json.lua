--- JSON for people to read: fields in a fixed order, no needless backslashes.

local check = require("gptimage2.check")
local core = require("gptimage2.core")

local json = {}

local EXACT = 2 ^ 53 -- up to here a double has each whole number

--- A string, number or boolean as JSON.
---@param value string|number|boolean
---@return string
function json.encode(value)
  if type(value) == "number" then -- the encoder would write it as the host's locale does
    assert(value - value == 0, "a number that JSON has not")
    local is_whole = value % 1 == 0 and value <= EXACT and value >= -EXACT
    return check.number(value, is_whole and "%.0f" or "%.14g")
  end
  -- The encoder puts a backslash before each slash.
  return (core.encode(value):gsub("\\/", "/"))
end

local function encode_list(list)
  local parts = {}
  for i, value in ipairs(list) do
    parts[i] = json.encode(value)
  end
  return "[" .. table.concat(parts, ", ") .. "]"
end

local function sorted_keys(tbl)
  local keys = {}
  for key in pairs(tbl) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

--- A flat table as a JSON object; lists of texts may be among its values.
---@param fields table
---@param names? string[] which fields, in this order; default all, sorted
---@return string
function json.object(fields, names)
  local map = not names and core.encode_map(fields)
  if map then
    return table.concat(map)
  end
  local parts = {}
  for _, name in ipairs(names or sorted_keys(fields)) do
    local value = fields[name]
    if type(value) == "table" then
      value = encode_list(value)
    elseif value ~= nil then
      value = json.encode(value)
    end
    if value then
      parts[#parts + 1] = json.encode(name) .. ": " .. value
    end
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

return json
