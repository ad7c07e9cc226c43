--- The digests of files, remembered as long as a file is the very same: a plan of ten thousand
--- pictures reads none of them twice. Kept in the first store; without it all are read.

local core = require("gptimage2.core")
local contents = require("gptimage2.files.contents")

local seen = {}

local MAX_TEXT = 64 * 1024 * 1024 -- bytes
local SETTLED = 2 -- seconds: what was changed just now may change again without a sign

---@class gptimage2.assets.Seen
local Seen = {}
Seen.__index = Seen

--- What is remembered in a file.
---@param file string
---@return gptimage2.assets.Seen
function seen.open(file)
  local self = setmetatable({ file = file, before = {}, now = {}, changed = false }, Seen)
  local text = contents.read(file, MAX_TEXT) or ""
  for id, digest in text:gmatch("(%S+) (%x+)\n") do
    self.before[id] = digest
  end
  return self
end

--- The digest of a file; "link" or "other" for what is no file, nil where nothing is.
---@param path string
---@param now? number seconds since 1970
---@return string|nil
function Seen:digest(path, now)
  local id, kind = core.file_id(path)
  if not id then
    return kind
  end
  local digest = self.before[id]
  if not digest then
    digest = core.digest.sha256_file(path) or "other"
    self.changed = true
  end
  local changed_at = tonumber(id:match("^%x+:%x+:%x+:(%x+)"), 16)
  if digest ~= "other" and (now or core.wall()) - changed_at > SETTLED then
    self.now[id] = digest
  end
  return digest
end

--- Writes what was looked at. Where that is not possible, the next one reads again.
function Seen:keep()
  if not self.changed then
    return
  end
  local parts = {}
  for id, digest in pairs(self.now) do
    parts[#parts + 1] = id .. " " .. digest .. "\n"
  end
  table.sort(parts)
  core.disk.write(self.file, table.concat(parts), true)
end

return seen
