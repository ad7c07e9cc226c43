--- Which paths pictures may have. Pure but for a look at folders on the way.

local check = require("gptimage2.check")
local core = require("gptimage2.core")

local paths = {}

local MAX_PATH, MAX_PART = 1024, 255 -- bytes

local OURS = { [".git"] = true, [".gptimage2"] = true }

--- Capitals of two bytes: where they begin and end (as numbers), and how far their small ones are.
local CAPITALS = {
  { 0xC380, 0xC39E, 0x20 }, -- À to Þ
  { 0xCE91, 0xCE9F, 0x20 }, -- Α to Ο
  { 0xD090, 0xD09F, 0x20 }, -- А to П
}
local FOLDED = {}
for i = 0, 8 do
  FOLDED["\206" .. string.char(0xA0 + i)] = "\207" .. string.char(0x80 + i) -- Π to Ψ
end
FOLDED["\206\169"] = "\207\137" -- Ω
for i = 0, 15 do
  FOLDED["\208" .. string.char(0xA0 + i)] = "\209" .. string.char(0x80 + i) -- Р to Я
  FOLDED["\208" .. string.char(0x80 + i)] = "\209" .. string.char(0x90 + i) -- Ѐ to Џ
end
for _, range in ipairs(CAPITALS) do
  for code = range[1], range[2] do
    local first, second = math.floor(code / 256), code % 256
    FOLDED[string.char(first, second)] = string.char(first, second + range[3])
  end
end
FOLDED["\195\151"] = nil -- ×, which is no capital of ÷
local SMALL = {}
for code = 65, 90 do
  SMALL[string.char(code)] = string.char(code + 32) -- whatever the host's locale says
end

--- The path as a file system that does not tell capitals sees it (Latin, Greek, Cyrillic).
---@param path string
---@return string
function paths.fold(path)
  path = path:gsub("[A-Z]", SMALL)
  return path:find("[\195\206\208]") and path:gsub("[\195\206\208][\128-\191]", FOLDED) or path
end

--- Why a picture cannot have this path: a code and the words; nil where it can.
local function part_fault(part, whose)
  if part == "" or part == "." then
    return "manifest_error", "has an empty part"
  elseif part == ".." then
    return "path_outside", ("leads out of %s by '..'"):format(whose)
  elseif #part > MAX_PART then
    return "manifest_error", ("has a part of %d bytes; at most %d"):format(#part, MAX_PART)
  elseif part:byte() == 46 and OURS[paths.fold(part)] then
    return "path_outside", ("leads into %s, which is not for pictures"):format(part)
  end
end

--- Looks at the words of a path alone.
---@param path string
---@param whose? string the folder in which it begins; default "the manifest's folder"
---@return string|nil code
---@return string|nil why
function paths.fault(path, whose)
  whose = whose or "the manifest's folder"
  if path == "" then
    return "manifest_error", "is empty"
  elseif #path > MAX_PATH then
    return "manifest_error", ("is %d bytes long; at most %d"):format(#path, MAX_PATH)
  elseif check.misleads(path) then
    return "path_outside", "holds a control character"
  elseif check.utf8_error(path) then
    return "manifest_error", "is not valid UTF-8"
  elseif path:sub(1, 1) == "/" then
    return "path_outside", "is absolute; paths begin in " .. whose
  end
  for part in (path .. "/"):gmatch("([^/]*)/") do
    local code, why = part_fault(part, whose)
    if code then
      return code, why
    end
  end
end

--- The folders on the way to a path, the nearest first: "a/b/c.png" gives "a/b", "a".
---@param path string
---@return fun(): string|nil
function paths.folders(path)
  return function()
    path = path:match("^(.*)/")
    return path
  end
end

--- A look at the disk: what on the way is no folder? `seen` keeps what was looked at.
---@param base string "" or with a slash at its end
---@param path string
---@param seen table<string, string|false>
---@return string|nil folder the one that is none
---@return string|nil what "link", or "file" for all else
function paths.blocked(base, path, seen)
  for folder in paths.folders(path) do
    if seen[folder] == nil then
      seen[folder] = core.disk.look(base .. folder) or false
    end
    local kind = seen[folder]
    if kind and kind ~= "folder" then
      return folder, kind == "link" and "link" or "file"
    end
  end
end

return paths
