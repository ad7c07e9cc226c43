--- Lines of comma-separated values (RFC 4180) that a spreadsheet opens as they are. Pure.

local csv = {}

--- Excel takes a file without it for one of the system's own letters.
csv.MARK = "\239\187\191"

--- A cell. What a spreadsheet would take for a formula begins with an apostrophe: a prompt is
--- anybody's text.
---@param value any nil is an empty cell
---@return string
function csv.cell(value)
  if value == nil then
    return ""
  end
  local text = tostring(value)
  if type(value) == "string" and text:find("^[=+%-@\t\r]") then
    text = "'" .. text
  end
  if text:find('[",\r\n]') then
    text = '"' .. text:gsub('"', '""') .. '"'
  end
  return text
end

--- A line.
---@param values any[]
---@param count integer how many cells it has
---@return string
function csv.line(values, count)
  local cells = {}
  for i = 1, count do
    cells[i] = csv.cell(values[i])
  end
  return table.concat(cells, ",") .. "\r\n"
end

return csv
