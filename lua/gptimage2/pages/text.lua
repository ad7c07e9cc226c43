--- Texts on their way into a page: JSON that no browser takes for markup, links that lead nowhere
--- but beside the page, hashes for its Content-Security-Policy. Pure.

local check = require("gptimage2.check")
local json = require("gptimage2.files.json")

local text = {}

--- What would end a script, begin a tag, or break a line of JavaScript.
local ESCAPED = {
  ["<"] = "\\u003c",
  [">"] = "\\u003e",
  ["&"] = "\\u0026",
}

local function encode_string(value)
  return (
    json
      .encode(value)
      :gsub("[<>&]", ESCAPED)
      :gsub("\226\128\168", "\\u2028")
      :gsub("\226\128\169", "\\u2029")
  )
end

local encode

local function encode_list(list)
  local parts = {}
  for i, value in ipairs(list) do
    parts[i] = encode(value)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_map(map)
  local parts = {}
  for i, key in ipairs(check.keys(map)) do
    parts[i] = encode_string(tostring(key)) .. ":" .. encode(map[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

--- A value as JSON for a page. A table with the field 1, or marked by `text.list`, is a list.
---@param value any
---@return string
function encode(value)
  if type(value) == "string" then
    return encode_string(value)
  elseif type(value) ~= "table" then
    return json.encode(value)
  elseif value[1] ~= nil or getmetatable(value) == text.LIST then
    return encode_list(value)
  end
  return encode_map(value)
end

text.encode = encode

--- The metatable of lists that may be empty.
text.LIST = {}

---@param list? table
---@return table
function text.list(list)
  return setmetatable(list or {}, text.LIST)
end

--- A path as a link of a page beside it: nil for one that leads elsewhere.
---@param path string
---@return string|nil
function text.link(path)
  if path == "" or path:find("^/") or path:find("%z") then
    return nil
  end
  for part in (path .. "/"):gmatch("([^/]*)/") do
    if part == "" or part == "." or part == ".." then
      return nil
    end
  end
  return (path:gsub("[^%w%-%._~/]", function(char)
    return ("%%%02X"):format(char:byte())
  end))
end

--- Text inside of an element.
---@param value string
---@return string
function text.html(value)
  return (value:gsub("[&<>\"']", function(char)
    return ("&#%d;"):format(char:byte())
  end))
end

local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function letter(index)
  return LETTERS:sub(index + 1, index + 1)
end

--- Hexadecimal digits as base64.
---@param hex string
---@return string
function text.base64(hex)
  local parts = {}
  for i = 1, #hex, 6 do
    local piece = hex:sub(i, i + 5)
    local bytes = #piece / 2
    local value = tonumber(piece .. ("0"):rep(6 - #piece), 16)
    for j = 3, 0, -1 do
      local index = math.floor(value / 64 ^ j) % 64
      parts[#parts + 1] = 3 - j <= bytes and letter(index) or "="
    end
  end
  return table.concat(parts)
end

return text
