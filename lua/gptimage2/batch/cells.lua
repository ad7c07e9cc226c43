--- A record of comma-separated values as its cells (RFC 4180). Pure.

local cells = {}

--- The cell in quotes that begins there; where the next one begins, or nil and what is wrong.
local function quoted(text, from)
  local parts, at = {}, from + 1
  while true do
    local stop = text:find('"', at, true)
    if not stop then
      return nil, "a quote is opened, and not closed"
    end
    parts[#parts + 1] = text:sub(at, stop - 1)
    local behind = text:sub(stop + 1, stop + 1)
    if behind == "," or behind == "" then
      return table.concat(parts), stop + 1
    elseif behind ~= '"' then
      return nil, "behind a closing quote a comma is needed"
    end
    parts[#parts + 1] = '"'
    at = stop + 2
  end
end

local function plain(text, from)
  local stop = text:find(",", from, true) or #text + 1
  local cell = text:sub(from, stop - 1)
  if cell:find('"', 1, true) then
    return nil, "a quote stands in the middle of a cell: put quotes around it, and double this one"
  end
  return cell, stop
end

--- The cells of a record.
---@param text string without its end
---@return string[]|nil
---@return string|nil message
function cells.split(text)
  local list, at = {}, 1
  repeat
    local cell, stop = (text:sub(at, at) == '"' and quoted or plain)(text, at)
    if not cell then
      return nil, stop
    end
    list[#list + 1] = cell
    at = stop + 1
  until at > #text + 1
  return list
end

--- The names of the columns, by the first record.
---@param text string
---@return string[]|nil
---@return string|nil message
function cells.names(text)
  local list, message = cells.split(text)
  local seen = {}
  for i, name in ipairs(list or {}) do
    name = name:match("^%s*(.-)%s*$")
    if name == "" then
      return nil, ("column %d has no name"):format(i)
    elseif seen[name] then
      return nil, ("two columns are called '%s'"):format(name)
    end
    list[i], seen[name] = name, true
  end
  return list, message
end

--- A record by the names of the columns; empty cells are left out.
---@param text string
---@param names string[]
---@return table<string, string>|nil
---@return string|nil message
function cells.row(text, names)
  local list, message = cells.split(text)
  if list and #list ~= #names then
    return nil, ("it has %d cells, and the first line names %d"):format(#list, #names)
  end
  local row = list and {}
  for i, cell in ipairs(list or {}) do
    row[names[i]] = cell ~= "" and cell or nil
  end
  return row, message
end

return cells
