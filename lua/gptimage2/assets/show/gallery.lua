--- The pictures of a folder as a page in it: any that are there, with what their sidecars tell.

local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")
local pages = require("gptimage2.pages")
local replace = require("gptimage2.files.replace")
local text = require("gptimage2.pages.text")
local contents = require("gptimage2.files.contents")

local gallery = {}

local MAX_FILES = 20000
local MAX_DEPTH = 8
local MAX_SIDECAR = 1024 * 1024 -- bytes

local KINDS = { png = true, jpg = true, jpeg = true, webp = true, gif = true, avif = true }

local function read_sidecar(file)
  local sidecar = core.disk.look(file) and contents.read(file, MAX_SIDECAR)
  return sidecar and core.decode(sidecar)
end

local function text_of(value)
  return type(value) == "string" and value or nil
end

--- Notes what a sidecar tells of the files beside it.
local function note(self, folder, found)
  local request = type(found.request) == "table" and found.request or {}
  for _, image in ipairs(type(found.results) == "table" and found.results or {}) do
    if type(image) == "table" and text_of(image.file) then
      self.told[folder .. image.file] = {
        prompt = text_of(request.prompt),
        final = text_of(image.final_prompt),
        seed = text_of(image.seed),
        ratio = text_of(request.ratio),
      }
    end
  end
end

local function visit(self, folder, depth)
  local names = core.disk.list(self.base .. folder) or {}
  table.sort(names)
  for _, name in ipairs(names) do
    local path = folder .. name
    local kind = name:sub(1, 1) ~= "." and core.disk.look(self.base .. path)
    local extension = kind == "file" and (name:match("%.(%w+)$") or ""):lower()
    if kind == "folder" and depth < MAX_DEPTH then
      visit(self, path .. "/", depth + 1)
    elseif extension == "json" then
      note(self, folder, read_sidecar(self.base .. path) or {})
    elseif KINDS[extension] and #self.files < MAX_FILES then
      self.files[#self.files + 1] = path
    end
  end
end

local function picture_of(self, path)
  local told = self.told[path] or {}
  return {
    path = path,
    state = "fresh",
    reason = told.seed and "seed " .. told.seed or "",
    cost = 0,
    prompt = told.prompt or "",
    ratio = told.ratio,
    axes = {},
    candidates = text.list({ { n = 1, src = text.link(path), prompt = told.final } }),
  }
end

--- Is there an index.html that no gallery wrote?
local function is_foreign(file)
  return replace.fault(file, "page", function(head)
    return head:find(pages.SIGN, 1, true)
  end) ~= nil
end

--- Writes the page `index.html` into a folder, and gives its path.
---@param dir string
---@return string|nil file
---@return gptimage2.Error|nil err
function gallery.write(dir)
  local ok, err = core.digest.usable()
  if not ok then
    return nil, err
  end
  local base = (dir:sub(1, 1) == "/" and dir or (core.here() or "") .. dir):gsub("/*$", "/")
  if not core.is_folder(base) then
    return failure.new("store_failed", "it is no folder", { file = dir })
  end
  local file = base .. "index.html"
  if is_foreign(file) then
    local message = "a page that no gallery wrote lies there: move it away"
    return failure.new("store_failed", message, { file = file })
  end
  local self = { base = base, files = {}, told = {} }
  visit(self, "", 1)
  local pictures = text.list()
  for i, path in ipairs(self.files) do
    pictures[i] = picture_of(self, path)
  end
  local title = base:match("([^/]+)/$") or base
  local data =
    { title = title, view = "sheet", decides = false, axes = text.list(), pictures = pictures }
  ok, err = core.disk.write(file, pages.render(data, core.digest.sha256), true)
  if not ok then
    return failure.of(err, { file = file }, "store_failed")
  end
  return file
end

return gallery
