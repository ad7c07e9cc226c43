--- Many clients of a server at once, by the curl program.

local curl = require("spec.helpers.curl")
local folder = require("spec.folder")

local load = {}

local FORMAT = "%{http_code} %{time_total}\\n"

--- A shell command: each URL once, all at the same time. Writes a line for each into `dir`/`name`,
--- and the bodies beside it, with numbers from 1 on.
---@param dir string
---@param name string
---@param urls string[]
---@param arguments string for each
---@return string command
function load.parallel(dir, name, urls, arguments)
  local lines = {}
  for i, url in ipairs(urls) do
    lines[#lines + 1] = ('url = "%s"\noutput = "%s/%s.%d"'):format(url, dir, name, i)
  end
  folder.write(dir .. "/" .. name .. ".urls", table.concat(lines, "\n"))
  local text = "%s --parallel --parallel-immediate --parallel-max 300 -w '%s' %s -K %s/%s.urls"
  return text:format(curl.COMMAND, FORMAT, arguments, dir, name)
    .. (" >%s/%s 2>&1"):format(dir, name)
end

--- A shell command: one client that asks that often, one after the other, on one connection.
---@param dir string
---@param name string
---@param url string
---@param count integer
---@return string command
function load.series(dir, name, url, count)
  local text = "%s -w '%s' -o /dev/null '%s?[1-%d]' >%s/%s 2>&1"
  return text:format(curl.COMMAND, FORMAT, url, count, dir, name)
end

--- What came: how often each status, and the times, in order of size.
---@param dir string
---@param name string
---@return table<integer, integer> statuses
---@return number[] times
function load.results(dir, name)
  local statuses, times = {}, {}
  for status, time in (folder.read(dir .. "/" .. name) or ""):gmatch("(%d%d%d) ([%d.,]+)\n") do
    status = tonumber(status)
    statuses[status] = (statuses[status] or 0) + 1
    times[#times + 1] = tonumber((time:gsub(",", ".")))
  end
  table.sort(times)
  return statuses, times
end

--- A body that was received.
---@return string
function load.body(dir, name, i)
  return folder.read(("%s/%s.%d"):format(dir, name, i)) or ""
end

--- The time that 99 of 100 took at most.
---@param times number[]
---@return number
function load.p99(times)
  return times[math.ceil(#times * 0.99)]
end

--- Runs shell commands at the same time, to their end.
---@param commands string[]
function load.run(commands)
  folder.run("{ " .. table.concat(commands, "; } & { ") .. "; } & wait")
end

return load
