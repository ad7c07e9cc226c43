--- Runs the text of a manifest where it can do nothing but compute: no files, no clock, no chance,
--- and not for ever. What it computes is the same each time.

local core = require("gptimage2.core")

local cage = {}

local MAX_INSTRUCTIONS = 50e6
local MAX_BYTES = 64 * 1024 * 1024
local MAX_REPEATED = 1024 * 1024 -- bytes that string.rep may make

local function copy(tbl)
  local copied = {}
  for name, value in pairs(tbl) do
    copied[name] = value
  end
  return copied
end

local function strings()
  local own, rep = copy(string), string.rep
  own.dump = nil
  function own.rep(text, count, between)
    local each = #tostring(text) + #tostring(between or "")
    if type(count) == "number" and count * each > MAX_REPEATED then
      error("string.rep makes at most 1 MiB here", 2)
    end
    if between ~= nil then -- which Lua 5.1 has not
      return count < 1 and "" or rep(text .. between, count - 1) .. text
    end
    return rep(text, count)
  end
  return own
end

--- Numbers first, then texts, then the rest as it comes.
local function before(a, b)
  local left, right = type(a), type(b)
  if left ~= right then
    return left == "number" or (left == "string" and right ~= "number")
  end
  return (left == "number" or left == "string") and a < b
end

--- `pairs`, in an order that is the same each time.
local function sorted_pairs(tbl)
  local keys, at = {}, 0
  for key in next, tbl do
    keys[#keys + 1] = key
  end
  table.sort(keys, before)
  return function()
    at = at + 1
    return keys[at], tbl[keys[at]]
  end
end

--- A number reads the same in every Lua: 5.3 writes 10 / 2 as "5.0".
local function plain_tostring(value)
  return type(value) == "number" and ("%.14g"):format(value) or tostring(value)
end

local function environment()
  local own = {
    string = strings(),
    table = copy(table),
    math = copy(math),
    ipairs = ipairs,
    pairs = sorted_pairs,
    tostring = plain_tostring,
    tonumber = tonumber,
    select = select,
    type = type,
  }
  own.math.random, own.math.randomseed = nil, nil
  own.table.unpack = table.unpack or unpack -- luacheck: ignore
  return own
end

--- Without what Lua's own loader lets stand in front of a file: a byte order mark, and a first line
--- for the shell, whose end stays, so that lines keep their numbers.
local function without_front(text)
  return (text:gsub("^\239\187\191", ""):gsub("^#[^\n]*", ""))
end

--- The text as a function with that environment.
local function compile(text, name, env)
  text = without_front(text)
  if text:byte(1) == 27 then
    return nil, name .. ":1: it is a compiled chunk, and no text"
  end
  if setfenv then -- luacheck: ignore
    local chunk, why = loadstring(text, "=" .. name) -- luacheck: ignore
    return chunk and setfenv(chunk, env), why -- luacheck: ignore
  end
  return load(text, "=" .. name, "t", env)
end

--- A count hook never fires in what LuaJIT has compiled. Raises in a finalizer, where LuaJIT lets
--- nobody choose that.
local function stay_interpreted(chunk, env)
  local jit = rawget(_G, "jit")
  if jit then
    jit.off(chunk, true)
    jit.off(env.pairs, true)
    jit.off(env.string.rep, true)
  end
end

--- Runs the text; gives what it returned, or nil and the message (with its name and the line in
--- front, where Lua knows them).
---@param text string
---@param name string what messages call it
---@return any result
---@return string|nil message
function cage.run(text, name)
  local env = environment()
  local chunk, why = compile(text, name, env)
  if not chunk then
    return nil, why
  end
  if not pcall(stay_interpreted, chunk, env) then
    return nil, name .. ":1: LuaJIT runs no manifest in a finalizer"
  end
  local ok, result = core.cage(chunk, env.string, MAX_INSTRUCTIONS, MAX_BYTES)
  if ok then
    return result
  end
  return nil, type(result) == "string" and result or "it raised a " .. type(result)
end

return cage
