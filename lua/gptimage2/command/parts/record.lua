--- One line of JSON for `--json`: its `type` first, the other fields in the order of their names.
--- Pure.

local check = require("gptimage2.check")
local json = require("gptimage2.files.json")

local record = {}

local LIST = {}

--- A list that is one in JSON, too, where it is empty.
---@param values any[]
---@return any[]
function record.list(values)
  return setmetatable(values, LIST)
end

--- The text with what is no UTF-8 replaced: a line must be JSON whatever it tells.
local function mend(text)
  local at = check.utf8_error(text)
  while at do
    text = text:sub(1, at - 1) .. "\239\191\189" .. text:sub(at + 1)
    at = check.utf8_error(text)
  end
  return text
end

local encode

local function sorted_names(fields)
  local names = {}
  for name in pairs(fields) do
    if name ~= "type" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  if fields.type ~= nil then
    table.insert(names, 1, "type")
  end
  return names
end

local function encode_list(values)
  local parts = {}
  for i, value in ipairs(values) do
    parts[i] = encode(value)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_fields(fields)
  local parts = {}
  for i, name in ipairs(sorted_names(fields)) do
    parts[i] = json.encode(mend(name)) .. ":" .. encode(fields[name])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode(value)
  if type(value) == "table" then
    local is_list = getmetatable(value) == LIST or value[1] ~= nil
    return is_list and encode_list(value) or encode_fields(value)
  elseif type(value) == "number" and value - value ~= 0 then
    return "null"
  end
  return json.encode(type(value) == "string" and mend(value) or value)
end

--- The line, without its end.
---@param fields table texts, numbers, booleans, and tables of them
---@return string
function record.encode(fields)
  return encode(fields)
end

return record
