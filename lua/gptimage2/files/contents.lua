--- Files read whole, up to a bound.

local core = require("gptimage2.core")

local contents = {}

local MIB = 1024 * 1024

-- Lua sets aside at once what `read` is asked for: so much, and not the bound,
-- which may be hundreds of MiB for a file of a line.
local PIECE = 64 * 1024

-- The bytes up to the end or a little more than `most`, or why there are none.
local function read_pieces(handle, most)
  local pieces, size = {}, 0
  repeat
    local piece, why = handle:read(PIECE)
    if why then -- a folder can be opened, and no more
      return nil, why
    end
    pieces[#pieces + 1] = piece
    size = size + (piece and #piece or 0)
  until not piece or size > most
  return table.concat(pieces)
end

--- The bytes of a file.
---@param path string
---@param most integer bytes; a larger file is not read to its end
---@return string|nil bytes
---@return string|nil why
function contents.read(path, most)
  local id, what = core.file_id(path, true)
  if not id and what and not core.is_folder(path) then
    return nil, "it is no regular file" -- a FIFO would keep who opens it
  end
  local handle, why = io.open(path, "rb")
  if not handle then
    return nil, "it cannot be read: " .. tostring(why)
  end
  local bytes
  bytes, why = read_pieces(handle, most)
  handle:close()
  if not bytes then
    return nil, "it cannot be read: " .. why
  elseif #bytes > most then
    return nil,
      ("it is larger than %d %s"):format(
        most >= MIB and most / MIB or most,
        most >= MIB and "MiB" or "bytes"
      )
  end
  return bytes
end

return contents
