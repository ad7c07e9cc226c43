--- Stand-ins: files that a game shows until a picture is there. They are drawn when somebody asks
--- for one, each once.

local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")

local standins = {}

local SIDE = 256 -- points of the longer side

---@class gptimage2.assets.Standins
local Standins = {}
Standins.__index = Standins

--- Those in a folder; without one in a temporary folder, which is made for the first of them.
---@param dir? string
---@return gptimage2.assets.Standins
function standins.open(dir)
  if dir then
    dir = (dir:sub(1, 1) == "/" and dir or (core.here() or "") .. dir):gsub("/*$", "/")
  end
  return setmetatable({ dir = dir, drawn = {}, made = {} }, Standins)
end

--- Width and height by the ratio of the picture.
local function size_of(ratio)
  local x, y = (ratio or ""):match("^(%d+):(%d+)$")
  x, y = tonumber(x) or 1, tonumber(y) or 1
  local scale = SIDE / math.max(x, y, 1)
  return math.max(math.floor(x * scale), 1), math.max(math.floor(y * scale), 1)
end

local function temporary()
  local own = not core.is_privileged() and os.getenv("TMPDIR") or ""
  return core.disk.temporary((own ~= "" and own or "/tmp"):gsub("/*$", "/"))
end

--- Makes what is missing of a path's folders, and notes it.
local function make_folders(self, path)
  for at in path:gmatch("()/") do
    local folder = path:sub(1, at - 1)
    if folder ~= "" and not core.is_folder(folder) and core.disk.make(folder, 511) then -- 0777
      self.made[#self.made + 1] = folder
    end
  end
end

local function write(file, bytes)
  local part = file .. ".part"
  local out, why = io.open(part, "wb")
  local ok = out and out:write(bytes)
  if out and not out:close() then
    ok = false
  end
  if ok then
    ok, why = os.rename(part, file)
  end
  if not ok then
    os.remove(part)
    return failure.new(
      "store_failed",
      "no stand-in can be written: " .. tostring(why),
      { file = file }
    )
  end
  return file
end

--- The stand-in of a picture.
---@param path string the picture's
---@param ratio? string
---@return string|nil file
---@return gptimage2.Error|nil err
function Standins:path(path, ratio)
  if self.drawn[path] then
    return self.drawn[path]
  elseif not self.dir then
    local dir, err = temporary()
    if not dir then
      return failure.of(err, {}, "store_failed")
    end
    self.dir, self.own = dir .. "/", dir
  end
  local file = self.dir .. path .. (path:lower():find("%.png$") and "" or ".png")
  if core.disk.look(file) ~= "file" then -- somebody may have put one of their own there
    make_folders(self, file)
    local width, height = size_of(ratio)
    local ok, err = write(file, core.standin(path, width, height))
    if not ok then
      return nil, err
    end
  end
  self.drawn[path] = file
  return file
end

--- Takes those in a temporary folder away.
function Standins:close()
  for _, file in pairs(self.own and self.drawn or {}) do
    os.remove(file)
  end
  for i = self.own and #self.made or 0, 1, -1 do
    os.remove(self.made[i])
  end
  if self.own then
    os.remove(self.own)
  end
end

return standins
