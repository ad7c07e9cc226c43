--- Whose an attempt in a ledger is. The salt of the lock says it; but a lock may be lost, or have
--- taken another's first line in a merge, and what it was sent for is paid all the same. So this
--- folder's own ledger is believed by the pictures, and one that folders share by a picture's path
--- and request. Pure but for asking which ledger that is.

local core = require("gptimage2.core")

local owners = {}

--- Whether the ledger is the one in the manifest's own store, however its path is spelled.
local function has_own_ledger(self)
  local own = core.file_id(self.store.roots[1] .. "ledger.db")
  local given = core.file_id(self.ledger)
  return own ~= nil and given ~= nil and own:match("^%x+:%x+") == given:match("^%x+:%x+")
end

--- A function that says by what an attempt belongs to the project: "salt", "path", or "hash": a
--- candidate of ours has that request, and the credits are perhaps somebody else's. Of another
--- folder's attempts those alone count that may have been paid, and nobody knows: they may have
--- been for ours, and nothing is sent before somebody has said.
---@param self gptimage2.assets.Project
---@return fun(marks: table, meaning: string): string|nil, boolean|nil also whether it is certainly
--- ours: no other folder's build can be at it
function owners.of(self)
  local is_own, hashes = has_own_ledger(self), {}
  for _, picture in ipairs(self.manifest.pictures) do
    hashes[picture.hash] = true
  end
  return function(marks, meaning)
    local picture = self.pictures[marks.path]
    if marks.salt == self.lock.salt then
      return "salt", true
    elseif picture and (is_own or picture.hash == marks.hash) then
      return "path", is_own
    elseif is_own and self.lock.lines[marks.path] then
      return "path", true
    end
    return hashes[marks.hash] and (is_own or meaning == "unknown") and "hash" or nil
  end
end

return owners
