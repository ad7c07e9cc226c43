--- The decisions of a review page, `decisions.json`: { "version": 1, "accept": { path: n },
--- "reject": { path: [n, …] } }. With "hashes": { path: hash } what was decided about another
--- request than the manifest's is refused.

local assets = require("gptimage2.assets")
local check = require("gptimage2.check")
local core = require("gptimage2.core")
local decision = require("gptimage2.command.parts.decision")
local options = require("gptimage2.command.parts.options")
local problem = require("gptimage2.command.parts.problem")

local decisions = {}

local VERSION = 1
local MAX_TEXT = 16 * 1024 * 1024 -- bytes

local function wrong(file, why)
  return nil, problem.usage(("%s: %s"):format(file, why))
end

local function read_text(file)
  local handle, why = io.open(file, "rb")
  local text = handle and handle:read(MAX_TEXT + 1)
  if handle then
    handle:close()
  end
  if not text then
    return wrong(file, "it cannot be read: " .. tostring(why or "it is empty"))
  elseif #text > MAX_TEXT then
    return wrong(file, "it is larger than 16 MiB")
  end
  return text
end

--- Candidates as a list of numbers; nil for anything else.
local function numbers_of(value)
  local list = {}
  for i, n in ipairs(type(value) == "table" and value or { value }) do
    list[i] = check.integer(n)
    if not list[i] or list[i] < 1 then
      return nil
    end
  end
  return list[1] and list
end

--- One list of decisions, sorted by path: { path, numbers }.
local function read_list(found, name, file)
  local list = {}
  for _, path in ipairs(check.keys(type(found[name]) == "table" and found[name] or {})) do
    local numbers = type(path) == "string" and numbers_of(found[name][path])
    if not numbers or name == "accept" and numbers[2] then
      return wrong(file, ("%s: '%s' has no number of a candidate"):format(name, check.show(path)))
    end
    list[#list + 1] = { path = path, numbers = numbers }
  end
  return list
end

local function read(file)
  local text, err = read_text(file)
  local found = text and core.decode(text)
  if not text then
    return nil, err
  elseif type(found) ~= "table" or check.integer(found.version) ~= VERSION then
    return wrong(file, ("it has no decisions of version %d"):format(VERSION))
  end
  local read_one = { hashes = type(found.hashes) == "table" and found.hashes or {} }
  for _, name in ipairs({ "accept", "reject" }) do
    read_one[name], err = read_list(found, name, file)
    if not read_one[name] then
      return nil, err
    end
  end
  return read_one
end

--- The hashes that the manifest's pictures have now, by their paths.
local function hashes_now(args)
  local plan, err = assets.plan(options.path(args), { store = args.store })
  local hashes = {}
  for _, line in ipairs(plan and plan.lines or {}) do
    hashes[line.path] = line.hash
  end
  return plan and hashes, err
end

local function changed(path)
  local message = ("%s: its request changed since the page was made"):format(check.show(path))
  return nil, problem.new("build", "not_decidable", message)
end

--- Carries out one list: `act` is the call of assets.
local function carry_out(list, what, act, found, now, args, self)
  for _, one in ipairs(list) do
    local hash = found.hashes[one.path]
    for _, n in ipairs(one.numbers) do
      local ok, err
      if hash ~= nil and hash ~= now[one.path] then
        ok, err = changed(one.path)
      else
        ok, err = act(options.path(args), one.path, n, { store = args.store })
      end
      decision.tell(self, what, one.path, n, ok, err)
    end
  end
end

--- Carries out what a file says, and tells each; gives the exit code.
---@param args table
---@param self table a decision
---@return integer status
function decisions.run(args, self)
  local found, err = read(args.picture)
  local now
  if found then
    now, err = hashes_now(args)
  end
  if not now then
    return self.out:fail(err)
  end
  carry_out(found.accept, "accepted", assets.accept, found, now, args, self)
  carry_out(found.reject, "rejected", assets.reject, found, now, args, self)
  return decision.status(self)
end

return decisions
