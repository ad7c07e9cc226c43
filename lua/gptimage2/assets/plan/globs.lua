--- Which pictures a call is about: `only = "icons/*"`. Pure.

local check = require("gptimage2.check")

local globs = {}

local function pattern_of(glob)
  local out, at = { "^" }, 1
  while at <= #glob do
    local char = glob:sub(at, at)
    if glob:sub(at, at + 1) == "**" then
      out[#out + 1], at = ".*", at + 1
    elseif char == "*" then
      out[#out + 1] = "[^/]*"
    elseif char == "?" then
      out[#out + 1] = "[^/]"
    else
      out[#out + 1] = char:gsub("[^%w]", "%%%0")
    end
    at = at + 1
  end
  out[#out + 1] = "$"
  return table.concat(out)
end

--- A function that says whether a path is one of them: `*` and `?` stop at a slash, `**` does not.
---@param only string|string[]|nil nil: all
---@return fun(path: string): boolean
function globs.matcher(only)
  if only == nil then
    return function()
      return true
    end
  end
  local patterns = {}
  for i, glob in ipairs(type(only) == "table" and only or { only }) do
    patterns[i] = pattern_of(glob)
  end
  return function(path)
    for _, pattern in ipairs(patterns) do
      if path:find(pattern) then
        return true
      end
    end
    return false
  end
end

--- What somebody may have meant: the paths, the globs of their folders and extensions, and where
--- the glob is a beginning with a star, beginnings as long.
local function meant(glob, list)
  local seen, words = {}, {}
  local length = #(glob:match("^([^*?]*[^*?/])%*+$") or "")
  for _, path in ipairs(list) do
    local folder = path:match("^(.*/)[^/]*$")
    local beginning = length > 0 and path:sub(1, length) .. "*" or path
    local extension = "*" .. (path:match("%.%w+$") or "")
    for _, word in ipairs({ path, beginning, extension, folder and folder .. "*" }) do
      words[#words + 1] = not seen[word] and word or nil
      seen[word] = true
    end
  end
  return words
end

--- Of several globs the first that is about no path, and what was perhaps meant instead.
---@param only string|string[]|nil
---@param list string[] all paths
---@return string|nil glob
---@return string hint
function globs.unmatched(only, list)
  for _, glob in ipairs(type(only) == "table" and only or { only }) do
    local is_asked, found = globs.matcher(glob), false
    for _, path in ipairs(list) do
      found = found or is_asked(path)
    end
    if not found and list[1] then
      return glob, check.did_you_mean(glob, meant(glob, list))
    end
  end
  return nil, ""
end

return globs
