--- Loads the core, first of all; a Lua that it was not built for is told by the versions: what the
--- dynamic linker says of one ("undefined symbol") helps nobody.

local load = {}

--- The core of this name on the path that Lua itself searches.
local function find_file(name)
  for template in package.cpath:gmatch("[^;]+") do
    local path = template:gsub("%?", (name:gsub("%.", "/")))
    local file = io.open(path, "rb")
    if file then
      return file, path
    end
  end
end

--- The Lua that the file was built for: it holds that in a sentence, see main.c.
local function built_for(file)
  local bytes = file:read("*a") or ""
  file:close()
  return bytes:match("gptimage2 core, built for (Lua %d+%.%d+)")
end

--- The core. Raises what `require` raises, or which two versions do not go together.
---@return table
function load.core()
  local ok, core = pcall(require, "gptimage2.core")
  if ok then
    return core
  end
  local file, path = find_file("gptimage2.core")
  local version = file and built_for(file)
  if version and version ~= _VERSION then
    local message = "gptimage2: %s was built for %s, and is loaded by %s: install the module for "
      .. "this Lua (luarocks --lua-version=%s install gptimage2), or set package.cpath"
    error(message:format(path, version, _VERSION, _VERSION:match("[%d.]+")), 0)
  end
  error(core, 0)
end

return load
