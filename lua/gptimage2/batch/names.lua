--- Where the pictures of a batch go: names that stay the same wherever a row stands, that no two
--- rows share, and that lead out of no folder. Pure but for a look at folders and files.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local paths = require("gptimage2.assets.manifest.paths")

local names = {}

local SHORT, LONG = 8, 16 -- digits of a hash
local KINDS = { "png", "jpg", "webp", "gif", "avif" }
local EXTENSIONS = { png = true, jpg = true, jpeg = true, webp = true, gif = true, avif = true }

---@class gptimage2.batch.Place
---@field stem string without its extension, in the batch's folder
---@field extension string|nil nil: that of the kind of picture that comes

--- A path as a stem and the extension of a picture.
local function split(path)
  local stem, extension = path:match("^(.+)%.(%w+)$")
  if extension and EXTENSIONS[extension:lower()] and stem:sub(-1) ~= "/" then
    return { stem = stem, extension = extension }
  end
  return { stem = path }
end

--- The column `file` as a place.
---@param file string
---@return gptimage2.batch.Place|nil
---@return table|nil err
function names.given(file)
  local code, why = paths.fault(file, "the batch's folder")
  if not code and file:find("[{}]") then
    code, why = "invalid_file", "holds a brace"
  end
  if code then
    code = code == "manifest_error" and "invalid_file" or code
    local message = ("the path '%s' %s"):format(check.show(file), why)
    return nil, { code = code, message = message, field = "file" }
  end
  return split(file)
end

--- Which hashes begin alike: these need more digits.
---@param hashes string[]
---@return table<string, string|false> beginning -> its only hash, or false
function names.beginnings(hashes)
  local found = {}
  for _, hash in ipairs(hashes) do
    local short = hash:sub(1, SHORT)
    if found[short] ~= hash then
      found[short] = found[short] == nil and hash
    end
  end
  return found
end

--- The place of a row without a `file`.
---@param beginnings table
---@param hash string
---@param k integer
---@return gptimage2.batch.Place
function names.own(beginnings, hash, k)
  local digits = beginnings[hash:sub(1, SHORT)] and SHORT or LONG
  return { stem = ("%s-%d"):format(hash:sub(1, digits), k) }
end

--- The name of each picture without its extension.
local function stems(place, count)
  local list = { place.stem }
  for i = 1, count > 1 and count or 0 do
    list[i] = ("%s-%d"):format(place.stem, i)
  end
  return list
end

--- The place as a pattern for `save`.
---@param place gptimage2.batch.Place
---@param count integer pictures
---@return string
function names.pattern(place, count)
  return ("%s%s.%s"):format(place.stem, count > 1 and "-{n}" or "", place.extension or "{ext}")
end

--- The names that each picture of a row may have, the likeliest first.
---@param base string
---@param place gptimage2.batch.Place
---@param count integer
---@return string[][]
function names.candidates(base, place, count)
  local list = {}
  for n, stem in ipairs(stems(place, count)) do
    list[n] = {}
    for m, extension in ipairs(place.extension and { place.extension } or KINDS) do
      list[n][m] = ("%s%s.%s"):format(base, stem, extension)
    end
  end
  return list
end

--- The files that are there of a row, in the order of its pictures.
---@param base string
---@param place gptimage2.batch.Place
---@param count integer
---@return string[] found
---@return string|nil other what lies at a place, and is no file
function names.there(base, place, count)
  local found, other = {}, nil
  for _, likely in ipairs(names.candidates(base, place, count)) do
    for _, path in ipairs(likely) do
      local kind = core.disk.look(path)
      if kind == "file" then
        found[#found + 1] = path
        break
      end
      other = other or kind and path
    end
  end
  return found, other
end

--- Which names are taken, by whom; and which folders were looked at.
---@class gptimage2.batch.Taken
local Taken = {}
Taken.__index = Taken

---@param base string "" or with a slash at its end
---@return gptimage2.batch.Taken
function names.taken(base)
  return setmetatable({
    base = base,
    files = {},
    stems = {},
    folders = {},
    seen = {},
    checked = {},
  }, Taken)
end

local function twice(stem, other)
  return {
    code = "path_twice",
    message = ("its picture '%s' is that of row %d, too"):format(check.show(stem), other),
    field = "file",
  }
end

--- Whose the folders on the way are, where they are no folders.
function Taken:in_the_way(folded, number)
  local other
  for folder in paths.folders(folded) do
    local likely = split(folder)
    other = other or self.files[folder]
    other = other or likely.extension and self.files[likely.stem .. ".*"]
    self.folders[folder] = self.folders[folder] or number
  end
  return other
end

--- Who has a name already. Of most it is not known with which extension they come.
function Taken:owner(folded, extension)
  local other = self.files[folded .. ".*"]
  if extension then
    local name = folded .. "." .. extension
    return other or self.files[name] or self.folders[name]
  end
  other = other or self.stems[folded]
  for _, kind in ipairs(other and {} or KINDS) do
    other = other or self.folders[folded .. "." .. kind]
  end
  return other
end

--- Takes the name of one picture.
function Taken:take(stem, extension, number)
  local folded = paths.fold(stem)
  extension = extension and paths.fold(extension)
  local other = self:owner(folded, extension) or self:in_the_way(folded, number)
  if other then
    return nil, twice(stem, other)
  end
  self.files[folded .. "." .. (extension or "*")] = number
  self.stems[folded] = extension and number or nil
  return true
end

--- Whether files can be made in the folder of a place.
function Taken:check_folder(place)
  local folder = self.base .. (place.stem:match("^.*/") or "")
  if self.checked[folder] == nil then
    local _, err = core.check_target(folder, "picture.png", false, false)
    self.checked[folder] = err or false
  end
  local err = self.checked[folder]
  return not err, err or nil
end

--- Gives a place to a row; nil and the error where that cannot be.
---@param place gptimage2.batch.Place
---@param count integer
---@param number integer of the row
---@return boolean|nil ok
---@return table|nil err
function Taken:add(place, count, number)
  local blocked, what = paths.blocked(self.base, place.stem, self.seen)
  if blocked then
    local message = ("the path '%s' goes through '%s', which is a %s"):format(
      check.show(place.stem),
      check.show(blocked),
      what
    )
    local code = what == "link" and "path_outside" or "invalid_file"
    return nil, { code = code, message = message, field = "file" }
  end
  for _, stem in ipairs(stems(place, count)) do
    local ok, err = self:take(stem, place.extension, number)
    if not ok then
      return nil, err
    end
  end
  return self:check_folder(place)
end

return names
