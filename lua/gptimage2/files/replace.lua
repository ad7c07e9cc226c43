--- Files that somebody names for what is written, and that may be anything: what is there is
--- replaced only where it is one that was written so before.

local core = require("gptimage2.core")

local replace = {}

local HEAD = 64 * 1024 -- bytes that tell what a file is

local IN_THE_WAY = {
  link = "a symbolic link lies there, and nothing is written through one",
  folder = "a folder lies there",
  other = "what lies there is no regular file",
}

--- The beginning of a file; nil and why where it cannot be read.
local function head_of(path)
  local handle, why = io.open(path, "rb")
  if not handle then
    return nil, tostring(why)
  end
  local head = handle:read(HEAD)
  handle:close()
  return head or ""
end

--- Why nothing may be written to a path; nil where it may. An empty file is nobody's loss.
---@param path string
---@param what string what may be replaced, such as "plan"
---@param is_ours fun(head: string): any whether a file that begins so is one
---@return string|nil code "no_folder" or "file_exists"
---@return string|nil message
function replace.fault(path, what, is_ours)
  local kind = core.disk.look((path:gsub("/+$", "")))
  local folder = path:match("^(.*/)[^/]*$")
  if not kind and folder and not core.is_folder(folder) then
    return "no_folder", "there is no folder " .. folder
  elseif path:sub(-1) == "/" or IN_THE_WAY[kind] then
    return "file_exists", IN_THE_WAY[kind] or IN_THE_WAY.folder
  end
  local head, why
  if kind then
    head, why = head_of(path)
  end
  if why or head and head ~= "" and not is_ours(head) then
    local message = "a file that is no %s lies there, and is not written over: move it away"
    return "file_exists", why or message:format(what)
  end
end

return replace
