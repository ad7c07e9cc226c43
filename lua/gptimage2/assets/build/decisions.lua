--- What a page has saved, `decisions.json`: read and checked. Pure.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")

local decisions = {}

local VERSION = 1

---@class gptimage2.assets.Decisions
---@field accept table<string, integer>
---@field reject table<string, integer[]>
---@field hashes table<string, string> of the requests that were decided about

local function ordinal(value)
  local whole = check.integer(value)
  return whole and whole >= 1 and whole or nil
end

local function ordinals(value)
  local list = {}
  for i, n in ipairs(check.is_list(value) and value or { false }) do
    list[i] = ordinal(n)
    if not list[i] then
      return nil
    end
  end
  return list
end

local function hash(value)
  return type(value) == "string" and value or nil
end

--- A map of one kind; nil and the key that is wrong.
local function read_map(value, read)
  local map = {}
  if value == nil then
    return map
  elseif type(value) ~= "table" then
    return nil, "?"
  end
  for key, inner in pairs(value) do
    map[key] = type(key) == "string" and read(inner) or nil
    if map[key] == nil then
      return nil, tostring(key)
    end
  end
  return map
end

local function wrong(message)
  return failure.new("not_decidable", message, { field = "decisions" })
end

--- The decisions in a table, or a text of JSON.
---@param given table|string
---@return gptimage2.assets.Decisions|nil
---@return gptimage2.Error|nil err
function decisions.read(given)
  local found = type(given) == "string" and core.decode(given) or given
  if type(found) ~= "table" then
    return wrong("the decisions are no JSON object")
  elseif check.integer(found.version) ~= VERSION then
    return wrong(("the decisions are not of version %d"):format(VERSION))
  end
  local made = {}
  for name, read in pairs({ accept = ordinal, reject = ordinals, hashes = hash }) do
    local map, key = read_map(found[name], read)
    made[name] = map
    if not map then
      return wrong(("the decisions' %s is wrong at '%s'"):format(name, check.show(key)))
    end
  end
  return made
end

return decisions
