--- Pictures in a game: `assets.open`. A path gives the file that lies there, or at once a stand-in.
--- Without a client this reads the lock and looks at files, and does nothing else.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local lock = require("gptimage2.assets.store.lock")
local manifest = require("gptimage2.assets.manifest")
local standins = require("gptimage2.assets.game.standins")

local game = {}

---@class gptimage2.Art
local Art = {}
Art.__index = Art
Art.__name = "gptimage2.Art"

function Art.__tostring(self)
  return ("gptimage2.Art (%s%s)"):format(self.file, self.closed and ", closed" or "")
end

local function check_art(self, fname)
  if getmetatable(self) ~= Art then
    check.fail(0, fname, "art expected: call it as art:" .. fname .. "()", 3)
  elseif self.closed then
    error("attempt to use closed art", 3)
  end
end

--- The picture of the manifest at a path. Without a client the manifest is read only where the lock
--- has no such path: a finished game ships without it.
local function picture_of(self, path)
  if not self.pictures and not self.lines[path] then
    local read, err = { pictures = {} }, nil
    if core.disk.look(self.file) then
      read, err = manifest.read(self.file)
    end
    if not read then
      return nil, err
    end
    self.pictures = {}
    for _, picture in ipairs(read.pictures) do
      self.pictures[picture.path] = picture
    end
  end
  return self.pictures and self.pictures[path]
end

local function unknown(self, path)
  local names = check.keys(self.pictures)
  for name in pairs(self.lines) do
    names[#names + 1] = name
  end
  local message = "'%s' has no picture '%s'%s"
  error(message:format(self.file, check.show(path), check.did_you_mean(path, names)), 3)
end

--- The file of a picture where it is there, else a stand-in for it; with a client the picture is
--- made then. Raises for a path that the manifest does not have.
---@param path string
---@return string|nil file
---@return boolean|gptimage2.Error there whether it is the picture; beside nil the error: the
---stand-in could not be written, or the manifest not be read
function Art:path(path)
  check_art(self, "path")
  check.argument(path, 1, "path", "string")
  if self.there[path] then
    return self.there[path], true
  end
  local picture, err = picture_of(self, path)
  if err then
    return nil, err
  elseif not picture and not self.lines[path] then
    unknown(self, path)
  end
  local file = self.base .. path
  if core.disk.look(file) == "file" then
    self.there[path] = file
    return file, true
  end
  if self.maker and picture then
    self.maker:ask(path)
  end
  local standin
  standin, err = self.standins:path(path, picture and picture.request.ratio)
  if not standin then
    return nil, err
  end
  return standin, false
end

--- Ends it: nothing more is begun. What was sent goes on at the service, and the next build, or
--- game, takes it up. Stand-ins in a temporary folder go away.
---@return boolean|nil ok
---@return gptimage2.Error|nil err the lock could not be written
function Art:close()
  if getmetatable(self) ~= Art then
    check.fail(0, "close", "art expected: call it as art:close()", 2)
  end
  self.closed = true -- once more: an error of the host's may have broken the first one off
  self.standins:close()
  if self.maker then
    return self.maker:close()
  end
  return true
end

--- Opens a manifest without a client: its lock.
local function open_lock(self)
  local found, err = lock.read(manifest.lock_name(self.file))
  if not found then
    return nil, err
  end
  self.lines = found.lines
  return self
end

--- Opens it with a client: what is asked for and is not there is made.
local function open_maker(self, options)
  local maker = require("gptimage2.assets.game.maker")
  local made, err = maker.open(self.file, options)
  if not made then
    return nil, err
  end
  self.maker, self.pictures, self.lines = made, made.project.pictures, {}
  return self
end

--- Opens the pictures of a manifest for a game. See `assets.open`.
---@param path string
---@param options table
---@return gptimage2.Art|nil
---@return gptimage2.Error|nil err
function game.open(path, options)
  local file = path:sub(1, 1) == "/" and path or (core.here() or "") .. path
  local self = setmetatable({
    file = file,
    base = file:match("^(.*/)[^/]*$") or "",
    there = {},
    standins = standins.open(options.standins),
  }, Art)
  if options.client then
    return open_maker(self, options)
  end
  return open_lock(self)
end

return game
