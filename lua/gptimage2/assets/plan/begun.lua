--- What builds of one plan in a file have done so far: the states of the lock that they wrote, so
--- that the plan is not out of date by its own doing, and what the ledger had spent before them, so
--- that all of them together spend no more than the plan says.

local contents = require("gptimage2.files.contents")
local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")

local begun = {}

local MAX_TEXT = 16 * 1024 * 1024 -- bytes

---@class gptimage2.assets.Begun
---@field file string
---@field text string as it is on the disk
---@field spent integer|nil credits that the ledger had spent before the first of them
local Begun = {}
Begun.__index = Begun

--- What is known of a plan.
---@param root string the manifest's own store
---@param id string the digest of the plan's file
---@return gptimage2.assets.Begun
function begun.open(root, id)
  local file = root .. "plans/" .. id
  local text = contents.read(file, MAX_TEXT) or ""
  local self = setmetatable({ file = file, text = text }, Begun)
  self.spent = tonumber(text:match("spent (%d+)\n"))
  return self
end

local function add(self, line)
  local text = self.text .. line .. "\n"
  local ok, err = core.disk.write(self.file, text, true)
  if not ok then
    return failure.of(err, { file = self.file }, "store_failed")
  end
  self.text = text
  return true
end

--- Whether such a build has written the lock with this digest.
---@param digest string
---@return boolean
function Begun:wrote(digest)
  return self.text:find("lock " .. digest .. "\n", 1, true) ~= nil
end

--- Notes a state of the lock, before it is written: whatever ends the build then, the lock is one
--- that it knows.
---@param digest string
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function Begun:will_write(digest)
  return self:wrote(digest) or add(self, "lock " .. digest)
end

--- The credits that are left of those of the plan, by what the ledger has spent now.
---@param cost number
---@param spent integer
---@return number|nil
---@return gptimage2.Error|nil err
function Begun:left(cost, spent)
  if not self.spent then
    local ok, err = add(self, ("spent %d"):format(spent))
    if not ok then
      return nil, err
    end
    self.spent = spent
  end
  return math.max(cost - math.max(spent - self.spent, 0), 0)
end

return begun
