--- The bytes of files: at once, or, where a frame loop goes on meanwhile, in slices with a pause
--- behind each.

local core = require("gptimage2.core")
local wait = require("gptimage2.waiting.wait")
local contents = require("gptimage2.files.contents")

local slices = {}

local SLICE = 16 * 1024 -- bytes: their digest takes some 0.1 ms
local MAX_BYTES = 512 * 1024 * 1024

local count = 0 -- of temporary files

--- Gives each slice of a file to `use` until that gives an error; nil and why where it fails.
local function each_slice(path, pace, use)
  local handle, why = io.open(path, "rb")
  if not handle then
    return nil, why
  end
  local piece
  repeat
    piece = handle:read(SLICE)
    local ok
    ok, why = true, nil
    if piece then
      ok, why = use(piece)
      if pace() == false then
        ok, why = nil, "it was closed meanwhile"
      end
    end
  until not piece or not ok
  handle:close()
  return not why or nil, why
end

--- The SHA-256 of a file.
---@param path string
---@param pace? fun(): boolean|nil a pause; false: everything is to end
---@return string|nil digest
---@return any why
function slices.digest(path, pace)
  if not pace then
    return core.digest.sha256_file(path)
  elseif core.disk.look(path) ~= "file" then
    return nil, "it is no file"
  end
  local hasher = core.digest.hasher()
  local ok, why = each_slice(path, pace, function(piece)
    hasher:add(piece)
    return true
  end)
  return ok and hasher:finish() or nil, why
end

--- Makes the folders of a path; what fails shows when the file is written.
local function make_folders(path)
  for at in path:gmatch("()/") do
    if at > 1 and not core.is_folder(path:sub(1, at - 1)) then
      core.disk.make(path:sub(1, at - 1), 511) -- 0777, by the umask
    end
  end
end

local function temporary_of(path)
  count = count + 1
  local name = ("%.0f-%d"):format(core.wall() * 1e6, count)
  return ("%s.gptimage2-%s.part"):format(path:match("^(.*/)[^/]*$") or "", name)
end

--- Writes a copy beside where it is to be; its path, or nil and why.
local function copy_slowly(from, to, pace)
  make_folders(to)
  local copy = temporary_of(to)
  local out, why = io.open(copy, "wb")
  if not out then
    return nil, why
  end
  local ok
  ok, why = each_slice(from, pace, function(piece)
    return out:write(piece)
  end)
  local closed, reason = out:close()
  if ok and closed then
    return copy
  end
  os.remove(copy)
  return nil, why or reason
end

--- Writes a small file in place of the one that is there. With a pause the engine's thread does it.
---@param path string
---@param text string
---@param pace? fun()
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function slices.write(path, text, pace)
  if not pace then
    return core.disk.write(path, text, true)
  end
  local writing, err = core.write(path, { text }, true)
  if not writing then
    return nil, err
  end
  local ok
  ok, err = wait.until_done(writing)
  if not ok then
    return nil, err
  end
  return writing:result()
end

--- Copies a file.
---@param from string
---@param to string
---@param replace boolean a file that is there
---@param pace? fun()
---@param read_only? boolean
---@return boolean|nil ok
---@return any why a text, or an error of the disk's
function slices.copy(from, to, replace, pace, read_only)
  local bytes, why, copy, ok
  if not pace then
    bytes, why = contents.read(from, MAX_BYTES)
    if not bytes then
      return nil, why
    end
    return core.disk.write(to, bytes, replace, read_only and 292 or nil) -- 0444
  end
  copy, why = copy_slowly(from, to, pace)
  if not copy then
    return nil, why
  elseif read_only then
    ok, why = core.disk.rename_new(copy, to)
  else
    ok, why = core.disk.place(copy, to, replace)
  end
  os.remove(copy)
  return ok, why
end

return slices
