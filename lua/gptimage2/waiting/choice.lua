--- What waiting does: what `use` has chosen, and, for "auto", the loop of a host that is known for
--- certain.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local hosts = require("gptimage2.waiting.hosts")
local loop = require("gptimage2.waiting.loop")

-- Loaded once more in the same state: what was chosen is known to the first one.
if core.kept.choice then
  return core.kept.choice
end

local choice = {}

local WORDS = { auto = true, block = true, yield = true }

--- "auto", "block", "yield", a loop, or a table with `wait`.
local chosen = "auto"

--- The loop that a wait which begins here is left to, and which of its kind; nil where there is
--- none.
---@return gptimage2.Loop|nil
---@return any key
function choice.loop()
  if type(chosen) == "table" and not chosen.wait then
    return loop.here(chosen)
  elseif chosen == "block" or chosen == "yield" then
    return nil
  end
  local found = hosts.find()
  if found then
    return loop.here(found)
  end
end

--- "auto", "block" or "yield": what is done where there is no loop.
---@return string
function choice.word()
  return WORDS[chosen] and chosen or "auto"
end

--- The table with `wait`, where that was chosen.
---@return { wait: function }|nil
function choice.wait()
  return type(chosen) == "table" and chosen.wait and chosen or nil
end

local function named(name)
  if WORDS[name] then
    return name
  elseif hosts.NAMES[name] then
    return hosts.load(name)
  end
  local known = { "auto", "block", "yield" }
  for each in pairs(hosts.NAMES) do
    known[#known + 1] = each
  end
  table.sort(known)
  local hint = check.did_you_mean(name, known)
  local message = "%s, or a table with 'start' or 'wait', expected"
  check.fail(1, "use", message:format("'" .. table.concat(known, "', '") .. "'") .. hint, 4)
end

local function table_fault(given)
  if given.wait == nil then
    return loop.fault(given)
  elseif type(given.wait) ~= "function" then
    return "a loop is a table with a function 'wait'"
  end
  for key in pairs(given) do
    if loop.KEYS[key] then
      return ("'wait' is the old way, and does not go with '%s'"):format(key)
    end
  end
end

--- Chooses what waiting does. See `gptimage2.use`.
---@param given string|table
function choice.use(given)
  if type(given) == "table" then
    local fault = table_fault(given)
    if fault then
      check.fail(1, "use", fault, 3)
    end
  else
    given = named(given)
  end
  local is_loop = type(given) == "table" and not given.wait
  local busy = is_loop and loop.other_than(given)
  if busy then
    error("gptimage2.use: somebody waits in another loop; one program has one", 3)
  end
  chosen = given
end

core.kept.choice = choice

return choice
