--- Which pictures a call is about: `only = "icons/*"`. Pure.

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

return globs
