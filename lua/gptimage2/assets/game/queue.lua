--- The pictures that a game has asked for, in that order: those that nobody has begun, and those
--- that were not told of yet. An error of the host's may break off any call here: then the next
--- `renew` makes it good. Pure.

---@class gptimage2.assets.Queue
---@field told table<string, boolean> the maker's
---@field asked string[] all that were not told of at the last `renew`, or came since
---@field rest { [integer]: string, at: integer, broken: boolean? } those that nobody has begun
local Queue = {}
Queue.__index = Queue

local queue = {}

---@param told table<string, boolean>
---@return gptimage2.assets.Queue
function queue.new(told)
  return setmetatable({ told = told, asked = {}, rest = { at = 1 } }, Queue)
end

---@param path string
function Queue:add(path)
  self.asked[#self.asked + 1] = path
  self.rest[#self.rest + 1] = path
end

--- Puts one back that was begun.
---@param path string
function Queue:put_back(path)
  self.rest[#self.rest + 1] = path
end

--- The next one, which somebody begins.
---@return string|nil
function Queue:take()
  local rest = self.rest
  local path = rest[rest.at]
  while path do
    rest.at = rest.at + 1
    if rest.broken or not self.told[path] then
      return path
    end
    path = rest[rest.at]
  end
end

---@return boolean
function Queue:is_empty()
  return self.rest[self.rest.at] == nil
end

--- Nobody is at work: whatever was not told of is to be begun. Where the work was broken off the
--- others, too: what was told of is there, but the lock may not say so.
---@param broken boolean|nil
function Queue:renew(broken)
  local asked, rest = {}, { at = 1, broken = broken }
  for _, path in ipairs(self.asked) do
    if broken or not self.told[path] then
      asked[#asked + 1], rest[#rest + 1] = path, path
    end
  end
  self.asked = asked
  self.rest = rest
end

return queue
