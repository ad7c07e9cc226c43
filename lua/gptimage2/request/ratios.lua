--- The shapes of pictures. Pure.

local check = require("gptimage2.check")

local ratios = {}

--- Those of the service's documentation; a client may allow more.
ratios.DOCUMENTED = { "1:1", "16:9", "9:16", "4:3", "3:4" }

--- The ratio whose shape is nearest to width by height (nearest as a factor, so that wide and tall
--- are treated alike); of equally near ones the first.
---@param width number above 0
---@param height number above 0, in the same unit
---@param allowed? string[] "W:H"; default the documented five
---@return string ratio
---@return boolean exact whether the shape is the same
function ratios.nearest(width, height, allowed)
  local best, best_off, exact
  for _, ratio in ipairs(allowed or ratios.DOCUMENTED) do
    local w, h = ratio:match("^(%d+):(%d+)$")
    w, h = tonumber(w), tonumber(h)
    local same = width * h == height * w
    local off = same and 0 or math.abs(math.log(width / height) - math.log(w / h))
    if not best or off < best_off then
      best, best_off, exact = ratio, off, same
    end
  end
  return best, exact
end

--- A request's ratio, or nil where it has none.
---@param ratio any
---@param allowed string[]
---@return string|nil ratio
---@return gptimage2.Error|nil err `invalid_ratio`
function ratios.read(ratio, allowed)
  if ratio == nil or ratio == "" then
    return nil
  end
  for _, one in ipairs(allowed) do
    if ratio == one then
      return ratio
    end
  end
  local shown = type(ratio) == "string" and "'" .. check.show(ratio) .. "'" or "a " .. type(ratio)
  local message = ("ratio must be one of %s, not %s"):format(table.concat(allowed, ", "), shown)
  local width, height = tostring(ratio):match("^%s*(%d+)%s*[:xX/]%s*(%d+)%s*$")
  width, height = tonumber(width), tonumber(height)
  if width and width > 0 and height > 0 then
    message = message .. "; the nearest is '" .. ratios.nearest(width, height, allowed) .. "'"
  end
  return check.invalid("invalid_ratio", "ratio", message)
end

return ratios
