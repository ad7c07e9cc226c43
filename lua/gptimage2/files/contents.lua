--- Files read whole, up to a bound.

local contents = {}

local MIB = 1024 * 1024

--- The bytes of a file.
---@param path string
---@param most integer bytes; a larger file is not read to its end
---@return string|nil bytes
---@return string|nil why
function contents.read(path, most)
  local handle, why = io.open(path, "rb")
  if not handle then
    return nil, "it cannot be read: " .. tostring(why)
  end
  local bytes
  bytes, why = handle:read(most + 1)
  handle:close()
  if why then -- a folder can be opened, and no more
    return nil, "it cannot be read: " .. why
  elseif bytes and #bytes > most then
    return nil,
      ("it is larger than %d %s"):format(
        most >= MIB and most / MIB or most,
        most >= MIB and "MiB" or "bytes"
      )
  end
  return bytes or ""
end

return contents
