-- The file names of saved images: whatever id and seeds the service sends, every path stays in the
-- folder its pattern names, no two are the same, and the host's part of the path is kept.
-- The input: a switch, then lines: the place to save to, the id, seeds.

local naming = require("gptimage2.files.naming")

local CREATED = 1700000000

--- Values from the service bring no folders along.
local function count_slashes(text)
  return select(2, text:gsub("/", ""))
end

local function check_name(path, where)
  local folder = where:match("^.*/") or ""
  local last = path:gsub(".*/", "")
  assert(last ~= "" and last ~= "." and last ~= "..", "no name: " .. path)
  assert(count_slashes(path) == count_slashes(where), "it leaves its folder: " .. path)
  if not folder:find("{", 1, true) then
    assert(path:sub(1, #folder) == folder, "another folder: " .. path)
  end
end

local function check_paths(paths, sidecar, where, is_dir, count)
  assert(#paths == count, "paths are missing")
  local taken = {}
  for _, path in ipairs(paths) do
    check_name(path, where)
    assert(not taken[path], "twice: " .. path)
    assert(not path:find("%c") or where:find("%c"), "a control character: " .. path)
    taken[path] = true
  end
  check_name(sidecar, where)
  assert(not taken[sidecar], "an image has the sidecar's name: " .. sidecar)
  assert(not is_dir or sidecar:find(where, 1, true) == 1, "the sidecar is elsewhere: " .. sidecar)
end

return function(input)
  local bits = (input:byte() or 0)
  local lines = {}
  for line in (input:sub(2) .. "\n"):gmatch("([^\n]*)\n") do
    lines[#lines + 1] = line
  end
  local where, id = lines[1] or "", lines[2] or ""
  local is_dir, count = bits & 1 == 1, 1 + (bits >> 1 & 3)
  local fields = { id = id, created_at = CREATED, seeds = { table.unpack(lines, 3, 6) } }
  local paths, sidecar = naming.plan(where, is_dir, fields, count)
  if not paths then
    assert(sidecar.kind == "validation" and sidecar.field == "where", "an error of its own")
    assert(type(sidecar.code) == "string" and type(sidecar.message) == "string", "no words")
    return
  end
  local kept, pattern = where, paths[1]
  if is_dir and where:sub(-1) ~= "/" then
    kept = where .. "/"
  elseif count_slashes(pattern) > count_slashes(where) then
    kept = where .. "/" -- a folder to be made
  end
  check_paths(paths, sidecar, kept, is_dir, count)
end
