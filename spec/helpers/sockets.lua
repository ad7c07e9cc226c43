--- The connections of this machine, as the system lists them.

local sockets = {}

-- Its number, addresses and state; queues, timers, the user and timeouts; its inode.
local CONNECTION = "^ *%d+: %x+:(%x+) %x+:(%x+) (%x+) %S+ %S+ %S+ +%d+ +%d+ (%d+)"

--- Those to a port that one listing shows, by what names each: its own port and inode.
local function listed(port)
  local found = {}
  for line in io.lines("/proc/self/net/tcp") do
    local from, to, state, inode = line:match(CONNECTION)
    local open = state == "01" or state == "02" or state == "08" -- made, begun, half closed
    if to == port and open then
      found[from .. " " .. inode] = true
    end
  end
  return found
end

--- How many connections are open to a server on this machine, by those who made them: a server
--- learns late that one was closed. A listing takes a while, in which some are closed and others
--- made: it may show both. Those of two listings were all open in the moment between them.
---@param url string with 127.0.0.1 and a port
---@return integer
function sockets.to(url)
  local port = ("%04X"):format(url:match("%d+$"))
  local before, count = listed(port), 0
  for connection in pairs(listed(port)) do
    count = count + (before[connection] and 1 or 0)
  end
  return count
end

return sockets
