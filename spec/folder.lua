--- A folder for the files of one test, looked at with the tools of the shell.
---
--- Use: `local folder = require("spec.folder")`, then `after_each(folder.clean)`.

local host = require("spec.host")

local folder = {}

local made = {}

--- A text as one word of a shell command.
---@param text string
---@return string
function folder.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- What a shell command prints, errors included, without the last line break.
---@param command string
---@return string
function folder.run(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1"))
  local output = pipe:read("*a")
  pipe:close()
  return (output:gsub("\n$", ""))
end

--- A fresh empty folder.
---@return string path
function folder.new()
  local path = host.new_folder()
  made[#made + 1] = path
  return path
end

--- The names of all that is in a folder and below, sorted, joined with blanks.
---@param path string
---@return string
function folder.list(path)
  local find = "cd %s && find . -mindepth 1 ! -type d | sed 's,^./,,' | LC_ALL=C sort"
  return (folder.run(find:format(folder.quote(path))):gsub("\n", " "))
end

--- The bytes of a file; nil when there is none.
---@param path string
---@return string|nil
function folder.read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local bytes = file:read("*a")
  file:close()
  return bytes
end

---@param path string
---@param bytes string
function folder.write(path, bytes)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes))
  file:close()
end

--- Makes the symbolic link `path`.
---@param target string
---@param path string
function folder.link(target, path)
  assert(folder.run(("ln -s %s %s"):format(folder.quote(target), folder.quote(path))) == "")
end

--- What `stat --format` says of a file, links not followed: "%a" its permissions, "%F" its sort.
---@param path string
---@param format string
---@return string
function folder.stat(path, format)
  return folder.run(("stat --format=%s %s"):format(folder.quote(format), folder.quote(path)))
end

--- Removes all folders that were made: for after_each.
function folder.clean()
  for i = #made, 1, -1 do
    host.remove_folder(made[i])
    made[i] = nil
  end
end

return folder
