--- A manifest, `pictures.lua`: from its text to the list of the pictures that it asks for.

local cage = require("gptimage2.assets.manifest.cage")
local check = require("gptimage2.check")
local core = require("gptimage2.core")
local entry = require("gptimage2.assets.manifest.entry")
local expand = require("gptimage2.assets.manifest.expand")
local failure = require("gptimage2.assets.failure")
local paths = require("gptimage2.assets.manifest.paths")
local contents = require("gptimage2.files.contents")

local manifest = {}

local MAX_TEXT = 16 * 1024 * 1024 -- bytes

--- What the text returns. Lua's own messages begin with the name and the line.
local function run(file, text)
  local result, message = cage.run(text, "manifest")
  if message then
    local line, words = message:match("^manifest:(%d+): (.*)$")
    local place = { file = file, line = line and check.integer(tonumber(line)) }
    return failure.new("manifest_error", words or message, place)
  end
  if type(result) ~= "table" or type(result.pictures) ~= "table" then
    local message_of = "it must return a table with pictures = { [path] = { … } }"
    return failure.new("manifest_error", message_of, { file = file })
  end
  return result
end

--- The line on which a key stands in quotes. A guess, for messages.
local function line_of(text, word)
  local found = text:find('"' .. word .. '"', 1, true) or text:find("'" .. word .. "'", 1, true)
  if not found then
    return nil
  end
  local _, breaks = text:sub(1, found):gsub("\n", "")
  return breaks + 1
end

--- Reads the pictures of one manifest, and keeps which paths are taken.
local Reader = {}
Reader.__index = Reader

local function quoted(path)
  return 'pictures["' .. check.show(path) .. '"]'
end

--- Where the entry is that is being read: one place for all, which knows its words when they are
--- asked for.
local function place_of(reader)
  return {
    file = reader.file,
    field = function()
      return quoted(reader.key)
    end,
    line = function()
      return line_of(reader.text, reader.key)
    end,
  }
end

--- The manifest's own name, and that of its lock, beside it.
function Reader:is_ours(folded)
  return folded == paths.fold(self.name) or folded == paths.fold(self.lock_name)
end

function Reader:check_path(path, place)
  local code, why = paths.fault(path)
  if code then
    return failure.new(code, ("the path '%s' %s"):format(check.show(path), why), place)
  end
  local folded = paths.fold(path)
  local message
  if self:is_ours(folded) then
    code, message = "path_outside", "is the manifest's own, or its lock's"
  elseif self.taken[folded] then
    code, message = "path_twice", "is that of another picture, '%s'"
    message = message:format(check.show(self.taken[folded]))
  elseif self.folders[folded] then
    code, message = "path_twice", "is a folder of another picture"
  end
  if not code then
    local blocked, what = paths.blocked(self.base, path, self.seen)
    code = blocked and (what == "link" and "path_outside" or "manifest_error")
    message = blocked and ("goes through '%s', which is a %s"):format(check.show(blocked), what)
  end
  if code then
    return failure.new(code, ("the path '%s' %s"):format(check.show(path), message), place)
  end
  return self:take(path, folded, place)
end

function Reader:take(path, folded, place)
  self.taken[folded] = path
  for folder in paths.folders(folded) do
    if self.taken[folder] then
      local message = "the path '%s' has another picture, '%s', as a folder"
      message = message:format(check.show(path), check.show(self.taken[folder]))
      return failure.new("path_twice", message, place)
    end
    if self.folders[folder] then
      break
    end
    self.folders[folder] = true
  end
  return true
end

function Reader:add(path, fields, place, axes)
  local ok, err = self:check_path(path, place)
  if not ok then
    return nil, err
  end
  local picture
  picture, err = entry.picture(path, self.common, fields, place, self.ratios)
  if not picture then
    return nil, err
  end
  picture.axes = axes
  self.pictures[#self.pictures + 1] = picture
  return true
end

function Reader:entry(key, fields)
  local place = self.place
  self.key = key
  if type(fields) ~= "table" then
    local message = ("a table of fields is needed, not a %s"):format(type(fields))
    return failure.new("manifest_error", message, place)
  end
  local ok, err = entry.check(fields, place)
  if not ok then
    return nil, err
  end
  return expand.entry(key, fields, place, function(path, filled, axes)
    return self:add(path, filled, place, axes)
  end)
end

local function new_reader(file, text, common, allowed)
  local base, name = file:match("^(.*/)([^/]*)$")
  local reader = setmetatable({
    file = file,
    base = base or "",
    name = name or file,
    lock_name = manifest.lock_name(name or file),
    text = text,
    common = common,
    ratios = allowed,
    taken = {},
    folders = {},
    seen = {},
    pictures = {},
  }, Reader)
  reader.place = place_of(reader)
  return reader
end

--- The keys of the pictures, sorted: there may be many.
local function keys_of(pictures, file)
  local keys = {}
  for key in pairs(pictures) do
    if type(key) ~= "string" then
      local message = "pictures: its keys are paths, not a " .. type(key)
      return failure.new("manifest_error", message, { file = file, field = "pictures" })
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

--- By their paths. Only axes bring them out of the order of their keys.
local function sort(pictures)
  for i = 2, #pictures do
    if pictures[i].path < pictures[i - 1].path then
      table.sort(pictures, function(a, b)
        return a.path < b.path
      end)
      return
    end
  end
end

--- The name of the lock of a manifest: "pictures.lua" has "pictures.lock".
---@param name string
---@return string
function manifest.lock_name(name)
  return name:gsub("%.lua$", "") .. ".lock"
end

--- The pictures of a text, sorted by path.
---@param file string
---@param text string
---@param allowed? string[] ratios
---@return table|nil manifest { file, base, lock, budget, retry, pictures }
---@return gptimage2.Error|nil err
function manifest.parse(file, text, allowed)
  local common, err = run(file, text)
  if not common then
    return nil, err
  end
  local ok, keys
  ok, err = entry.check_common(common, { file = file })
  if ok then
    common.house, err = entry.house(common, { file = file })
    ok = common.house ~= nil
  end
  if ok then
    keys, err = keys_of(common.pictures, file)
    ok = keys ~= nil
  end
  local reader = new_reader(file, text, common, allowed)
  for _, key in ipairs(keys or {}) do
    ok, err = reader:entry(key, common.pictures[key])
    if not ok then
      break
    end
  end
  if not ok then
    return nil, err
  end
  sort(reader.pictures)
  return {
    file = file,
    base = reader.base,
    lock = reader.base .. reader.lock_name,
    budget = common.budget,
    retry = common.retry,
    pictures = reader.pictures,
  }
end

--- Reads a manifest. The program's folder is fixed to where it is now.
---@param file string
---@param allowed? string[] ratios
---@return table|nil manifest as `parse` gives it, with its `text`
---@return gptimage2.Error|nil err
function manifest.read(file, allowed)
  if file:sub(1, 1) ~= "/" then
    file = (core.here() or "") .. file
  end
  local text, why = contents.read(file, MAX_TEXT)
  if not text then
    return failure.new("manifest_error", why, { file = file })
  end
  local found, err = manifest.parse(file, text, allowed)
  if found then
    found.text = text
  end
  return found, err
end

return manifest
