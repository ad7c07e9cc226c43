--- Which words of a request changed: what a person looks for who has changed one. Pure.

local core = require("gptimage2.core")

local words = {}

local MAX_WORDS = 400 -- on each side; longer texts are compared without their order

local FIELDS =
  { "prompt", "mode", "ratio", "style", "lighting", "camera", "negative", "image_urls" }
local SHOWN = { style = "preset" }

local function split(text)
  local list = {}
  for word in text:gmatch("[^%s]+") do
    list[#list + 1] = word
  end
  return list
end

--- Lengths of the longest common sequences of the rests of two lists.
local function lengths(a, b)
  local table_of = {}
  for i = #a + 1, 1, -1 do
    table_of[i] = {}
    for j = #b + 1, 1, -1 do
      local rest = table_of[i + 1]
      if i > #a or j > #b then
        table_of[i][j] = 0
      elseif a[i] == b[j] then
        table_of[i][j] = rest[j + 1] + 1
      else
        table_of[i][j] = math.max(rest[j], table_of[i][j + 1])
      end
    end
  end
  return table_of
end

--- What is in one list and not in the other, in its order.
local function without(list, other)
  local count, left = {}, {}
  for _, word in ipairs(other) do
    count[word] = (count[word] or 0) + 1
  end
  for _, word in ipairs(list) do
    count[word] = (count[word] or 0) - 1
    if count[word] < 0 then
      left[#left + 1] = word
    end
  end
  return left
end

--- Cuts what both have at their beginning and end.
local function cut(a, b)
  local first, last = 1, 0
  while a[first] and a[first] == b[first] do
    first = first + 1
  end
  while last < math.min(#a, #b) - first + 1 and a[#a - last] == b[#b - last] do
    last = last + 1
  end
  local function middle(list)
    local kept = {}
    for i = first, #list - last do
      kept[#kept + 1] = list[i]
    end
    return kept
  end
  return middle(a), middle(b)
end

--- The words that went and those that came, from one text to another.
---@param before string
---@param after string
---@return string[] gone
---@return string[] come
function words.changed(before, after)
  local a, b = cut(split(before), split(after))
  if #a > MAX_WORDS or #b > MAX_WORDS then
    return without(a, b), without(b, a)
  end
  local gone, come, i, j = {}, {}, 1, 1
  local length = lengths(a, b)
  while i <= #a or j <= #b do
    if a[i] and a[i] == b[j] then
      i, j = i + 1, j + 1
    elseif a[i] and (not b[j] or length[i + 1][j] >= length[i][j + 1]) then
      gone[#gone + 1], i = a[i], i + 1
    else
      come[#come + 1], j = b[j], j + 1
    end
  end
  return gone, come
end

local function urls(body)
  return table.concat(type(body.imageUrls) == "table" and body.imageUrls or {}, " ")
end

local function told(name, gone, come)
  local parts = { name }
  if gone[1] then
    parts[#parts + 1] = "-" .. table.concat(gone, " ")
  end
  if come[1] then
    parts[#parts + 1] = "+" .. table.concat(come, " ")
  end
  return core.printable(table.concat(parts, " "))
end

--- What changed from one request's bytes to another's: "prompt -red +blue", one for each field.
---@param before string
---@param after string
---@return string[]
function words.of(before, after)
  local a, b, list = core.decode(before), core.decode(after), {}
  if not a or not b then
    return list
  end
  a.image_urls, b.image_urls = urls(a), urls(b)
  for _, name in ipairs(FIELDS) do
    local left = type(a[name]) == "string" and a[name] or ""
    local right = type(b[name]) == "string" and b[name] or ""
    if left ~= right then
      list[#list + 1] = told(SHOWN[name] or name, words.changed(left, right))
    end
  end
  return list
end

return words
