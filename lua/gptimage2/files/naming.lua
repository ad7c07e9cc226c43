--- The file names of saved images. Pure: text in, text out; it looks at no disk.
---
--- A place to save to is a folder, or a pattern with {id} {n} {seed} {ext} {date}. There is no way
--- to write a literal brace in a pattern. Nothing the service sends can lead out of the folder: ids
--- are percent-encoded, seeds reduced to letters, digits, ".", "_" and "-".

local check = require("gptimage2.check")

local naming = {}

local PLACEHOLDERS = { "id", "n", "seed", "ext", "date" }
local KNOWN = {}
for _, name in ipairs(PLACEHOLDERS) do
  KNOWN[name] = true
end
local EXTENSIONS = { png = 1, jpg = 1, jpeg = 1, webp = 1, gif = 1, avif = 1 }
local DEFAULT = "{id}-{n}.{ext}"
local MAX_WHERE = 4096 -- bytes
local MAX_VALUE = 64 -- bytes of a value that came from the service
local MAX_ID = 128 -- bytes of an id
local FOLDED = 16 -- characters of a hash

--- One step of a hash: 31 bits, so that the products are exact in every Lua.
local function fold(text, prime, factor)
  local hash = #text
  for i = 1, #text do
    hash = (hash * factor + text:byte(i)) % prime
  end
  return hash
end

--- `text` when it has at most `most` bytes; else its beginning and a hash of all of it: what was
--- different before it was cut gets different names.
local function cut(text, most)
  if #text <= most then
    return text
  end
  local one, other = fold(text, 2147483647, 65599), fold(text, 2147483629, 31337)
  return ("%s-%08x%08x"):format(text:sub(1, most - FOLDED - 1), one, other)
end

--- A value from the service as part of a file name: only [A-Za-z0-9._-], no dot in front, at most
--- 64 bytes, never empty. What is longer ends in a hash of all of it.
---@param value any
---@return string
function naming.safe(value)
  local text = cut(tostring(value == nil and "" or value), MAX_VALUE)
  text = text:gsub("[^A-Za-z0-9._-]", "_"):gsub("^%.", "_")
  return text ~= "" and text or "_"
end

--- A job's id as part of a file name: different ids have different names. What is no letter,
--- digit, ".", "_" or "-" is percent-encoded, as is a dot in front. At most 128 bytes: what is
--- longer ends in a hash.
---@param id string
---@return string
function naming.id(id)
  local text = id:gsub("[^A-Za-z0-9._-]", function(c)
    return ("%%%02X"):format(c:byte())
  end)
  if text == "" then -- no service gives such an id
    return "_"
  end
  return cut(text:gsub("^%.", "%%2E"), MAX_ID)
end

--- Folder (with its slash, or "") and last part of a path.
local function split(path)
  local folder = path:match("^.*/") or ""
  return folder, path:sub(#folder + 1)
end

--- A folder to put files into, or a pattern? Gives the fixed folder in front (whose braces mean
--- nothing) and the pattern behind it.
local function read_where(where, is_dir)
  local _, last = split(where)
  local extension = last:match("%.(%w+)$")
  local names_file = last:find("{", 1, true) or extension and EXTENSIONS[extension:lower()]
  local slash = last == "" and "" or "/"
  if is_dir then
    return where .. slash, DEFAULT
  elseif not names_file then
    return "", where .. slash .. DEFAULT
  end
  return "", where
end

--- Every brace must belong to a placeholder that exists.
local function check_pattern(pattern)
  local rest = pattern:gsub("{(%a+)}", function(name)
    return KNOWN[name] and "" or nil
  end)
  local brace = rest:match("{[^{}/]*}?") or rest:match("}")
  if brace then
    local name = brace:match("[^{}]+") or ""
    local message = "'%s' is no placeholder of a file name; there are {id}, {n}, {seed}, {ext} "
      .. "and {date}"
    local near = check.suggest(name, PLACEHOLDERS)
    local hint = near and "; did you mean {" .. near .. "}?" or ""
    return check.invalid("unknown_placeholder", "where", message:format(check.show(brace)) .. hint)
  end
  return true
end

local function check_where(where)
  if where == "" then
    local message = "the place to save to is empty; give a folder, or a pattern like {id}-{n}.{ext}"
    return check.invalid("where_empty", "where", message)
  elseif where:find("\0", 1, true) then
    return check.invalid("nul_byte", "where", "the place to save to holds a NUL byte")
  elseif #where > MAX_WHERE then
    local message = "the place to save to is over %d bytes long"
    return check.invalid("too_long", "where", message:format(MAX_WHERE))
  end
  return true
end

--- Can this many images be saved there? Looks at the names only, so that a job can be refused
--- before it costs anything. Errors (kind validation): `where_empty`, `nul_byte`, `too_long`,
--- `unknown_placeholder`, `pattern_needs_n`, `ext_in_folder`, `pattern_names_sidecar`. Raises when
--- `where` is no string.
---@param where string a folder or a pattern
---@param is_dir boolean whether a folder of this name exists
---@param n_images integer
---@return true|nil ok
---@return gptimage2.Error|nil err
function naming.check(where, is_dir, n_images)
  check.argument(where, 1, "save", "string")
  local ok, err = check_where(where)
  if not ok then
    return nil, err
  end
  local _, pattern = read_where(where, is_dir)
  ok, err = check_pattern(pattern)
  if not ok then
    return nil, err
  end
  local several = pattern:find("{n}", 1, true) or pattern:find("{seed}", 1, true)
  if n_images > 1 and not several then
    local message = "%d images cannot all be saved as one file; put {n} into the pattern"
    return check.invalid("pattern_needs_n", "where", message:format(n_images))
  end
  local parent, last = split(pattern)
  if parent:find("{ext}", 1, true) then
    local message = "{ext} cannot be part of a folder's name: folders are made before it is known "
      .. "what kind of image comes"
    return check.invalid("ext_in_folder", "where", message)
  elseif last == "{id}.json" then
    local message = "{id}.json is the name of the sidecar; name the image {id}.{ext}"
    return check.invalid("pattern_names_sidecar", "where", message)
  end
  return true
end

--- Fills all placeholders but {ext}.
local function expand(pattern, values)
  return (pattern:gsub("{(%a+)}", values))
end

--- The same path with -n in front of its extension.
local function numbered(path, n)
  local folder, last = split(path)
  local stem, extension = last:match("^(.+)(%.{ext})$")
  if not stem then
    stem, extension = last:match("^(.+)(%.%w+)$")
  end
  return ("%s%s-%d%s"):format(folder, stem or last, n, extension or "")
end

--- The path of every image, with "{ext}" left in where the kind of image belongs (known only from
--- its first bytes), and the path of the sidecar: `<id>.json` in the folder of the first image.
--- A folder (one that exists, or a name that ends in "/", or whose last part has neither a brace
--- nor the extension of an image) gives `<folder>/<id>-<n>.{ext}`. Where images would get the same
--- name (a pattern with {seed}, equal seeds), the later ones get "-n" before the extension.
--- Errors: those of `naming.check`.
---@param where string a folder or a pattern
---@param is_dir boolean whether a folder of this name exists
---@param fields { id: string, created_at: number?, seeds: string[]? } created_at: since 1970, in s
---@param n_images integer
---@return string[]|nil paths
---@return string|gptimage2.Error sidecar the path of the sidecar; the error after nil
function naming.plan(where, is_dir, fields, n_images)
  local ok, err = naming.check(where, is_dir, n_images)
  if not ok then
    return nil, err
  end
  local folder, pattern = read_where(where, is_dir)
  local created = math.floor(fields.created_at or os.time())
  local values = { id = naming.id(fields.id), date = os.date("%Y-%m-%d", created) }
  local paths, taken, sidecar = {}, {}, nil
  for n = 1, math.max(n_images, 1) do
    values.n = tostring(n)
    values.seed = naming.safe(fields.seeds and fields.seeds[n])
    local path = folder .. expand(pattern, values)
    if n == 1 then -- no image takes its name, whatever the seeds are
      sidecar = split(path) .. values.id .. ".json"
      taken[sidecar] = true
    end
    while taken[path] do
      path = numbered(path, n)
    end
    taken[path] = true
    paths[n] = path
  end
  if n_images < 1 then
    paths = {}
  end
  return paths, sidecar
end

--- What a part of a path says before the job is made: as much of it as is known, and whether that
--- is all of it. Ids, seeds and kinds of images are as short as they can be.
local function foresee(part, n)
  local exact = true
  local text = part:gsub("{(%a+)}", function(name)
    if name == "n" then
      return tostring(n)
    elseif name == "date" then
      return os.date("%Y-%m-%d")
    end
    exact = false
    return name == "ext" and "png" or "x"
  end)
  return text, exact
end

--- The files and folders that a save will make, as far as the names tell: `name` in `folder`, which
--- is "" or ends in a slash, and whether it will be that very name. Folders whose names are not
--- known yet count as names in the last one that is.
---@param where string a folder or a pattern that `naming.check` has found good
---@param is_dir boolean whether a folder of this name exists
---@param n_images integer
---@return { folder: string, name: string, exact: boolean }[]
function naming.targets(where, is_dir, n_images)
  local fixed, pattern = read_where(where, is_dir)
  local targets, seen = {}, {}
  for n = 1, n_images do
    local folder, known = fixed, true
    for part, slash in pattern:gmatch("([^/]*)(/?)") do
      local name, exact = foresee(part, n)
      if known and exact and slash == "/" then
        folder = folder .. name .. slash
      elseif name ~= "" then
        local key = folder .. "\0" .. name
        if not seen[key] then
          seen[key] = true
          exact = exact and known and slash == ""
          targets[#targets + 1] = { folder = folder, name = name, exact = exact }
        end
        known = false
      end
    end
  end
  return targets
end

return naming
