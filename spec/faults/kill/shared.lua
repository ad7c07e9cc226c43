--- What the workers of a kill run share: clients, the numbers of jobs, and the report.

local gptimage2 = require("gptimage2")

local shared = {}

--- A client of these options.
---@param options gptimage2.Options
---@return gptimage2.Client
function shared.open(options)
  options.api_key = "kill-run"
  options.poll = { first = 0.01, interval = 0.01, max = 0.01 }
  options.timeout = 30
  return assert(gptimage2.new(options))
end

--- What goes with job n, so that it can be told by its number.
---@param n integer
---@return table options of submit
function shared.numbered(n)
  return { metadata = { n = tostring(n) } }
end

--- Jobs or rows of a ledger by their number.
---@param list table[]
---@return table<integer, table>
function shared.by_number(list)
  local found = {}
  for _, item in ipairs(list) do
    found[tonumber(item.metadata.n)] = item
  end
  return found
end

--- Whether the picture of job n is there with its first and its last bytes.
---@param folder string
---@param n integer
---@return boolean
function shared.is_whole(folder, n)
  local file = io.open(("%s/%d.png"):format(folder, n), "rb")
  local bytes = file and file:read("a") or ""
  if file then
    file:close()
  end
  return bytes:sub(1, 8) == "\137PNG\r\n\26\n" and bytes:sub(-8, -5) == "IEND"
end

--- One line of the report.
---@param n integer
---@param state string
---@param id? string
---@param whole boolean its picture is there, or there is none to be
---@param note string what the host was told
---@return string
function shared.line(n, state, id, whole, note)
  local picture = whole and "whole" or "missing"
  return ("%d\t%s\t%s\t%s\t%s"):format(n, state, id or "-", picture, (note:gsub("%s+", " ")))
end

--- Writes the report, the last thing that a run does.
---@param folder string
---@param lines string[]
function shared.write_report(folder, lines)
  local file = assert(io.open(folder .. "/report", "w"))
  file:write(table.concat(lines, "\n"), "\n")
  assert(file:close())
end

return shared
