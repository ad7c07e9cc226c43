--- Errors that are raised, and what they say.

local luassert = require("luassert")

--- Expects that `fn` raises an error whose text holds `needle`.
---@param needle string
---@param fn function
local function raises(needle, fn)
  local ok, message = pcall(fn)
  luassert.is_false(ok)
  luassert.is_truthy(tostring(message):find(needle, 1, true), tostring(message))
end

return raises
