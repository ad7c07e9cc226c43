--- What builds that were killed have left in the ledger, and nobody waits for any more: the request
--- is another one by now, the picture is there (another machine made it), or fewer are asked for.
--- What the service has of it is paid, and comes into the store. What was never sent is given up: a
--- later `recover` would send and pay it.

local lines = require("gptimage2.assets.build.lines")
local states = require("gptimage2.assets.plan.states")

local leftovers = {}

---@class gptimage2.assets.Leftover
---@field path string
---@field hash string
---@field n integer
---@field row table of the attempt
---@field record table|nil of the store
---@field give_up boolean it was never sent, and is not to be

--- Request -> the highest candidate that a picture of the manifest is to have, and the highest that
--- the lock says was made.
local function wanted_of(self)
  local most, made = {}, {}
  for _, picture in ipairs(self.manifest.pictures) do
    local hash = picture.hash
    local line = lines.seen_from(self.lock.lines[picture.path], hash)
    line = line and line.hash == hash and line or nil
    local wanted = states.most_wanted(picture.candidates, line)
    most[hash] = math.max(most[hash] or 0, wanted)
    made[hash] = math.max(made[hash] or 0, line and line.made or 0)
  end
  return most, made
end

--- One attempt at a candidate; nil where it is none of these, or perhaps somebody else's.
local function leftover_of(self, hash, n, row, is_wanted, is_made)
  local is_unsent = row.meaning == "unsent"
  local may_come = row.job and (row.meaning == "open" or row.meaning == "paid")
  if not row.is_ours or not is_unsent and (is_wanted or not may_come) then
    return nil
  end
  local record = self.store:record(hash, n)
  local is_left = not (record and record.object)
  if is_unsent then
    is_left = is_made or not is_wanted or record ~= nil and record.here == true
  end
  return is_left
      and { path = row.path, hash = hash, n = n, row = row, record = record, give_up = is_unsent }
    or nil
end

--- All of them.
---@param self gptimage2.assets.Project
---@param found gptimage2.assets.Attempts
---@return gptimage2.assets.Leftover[]
function leftovers.of(self, found)
  local list = {}
  local most, made = wanted_of(self)
  for hash, of_hash in pairs(found.by_hash) do
    for n, of_n in pairs(of_hash) do
      local is_wanted, is_made = n <= (most[hash] or 0), n <= (made[hash] or 0)
      for _, row in ipairs(of_n.rows) do
        list[#list + 1] = leftover_of(self, hash, n, row, is_wanted, is_made)
      end
    end
  end
  return list
end

--- Those that were never sent.
---@param self gptimage2.assets.Project
---@param found gptimage2.assets.Attempts
---@return gptimage2.assets.Leftover[]
function leftovers.to_give_up(self, found)
  local list = {}
  for _, one in ipairs(leftovers.of(self, found)) do
    list[#list + 1] = one.give_up and one or nil
  end
  return list
end

return leftovers
