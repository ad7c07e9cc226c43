--- The connections of this machine, as the system lists them.

local sockets = {}

--- How many connections are open to a server on this machine, by those who made them: a server
--- learns late that one was closed. The system lists some twice while others come and go.
---@param url string with 127.0.0.1 and a port
---@return integer
function sockets.to(url)
  local port = ("%04X"):format(url:match("%d+$"))
  local count, seen = 0, {}
  for line in io.lines("/proc/self/net/tcp") do
    local from, to, state = line:match("^ *%d+: %x+:(%x+) %x+:(%x+) (%x+)")
    local open = state == "01" or state == "02" or state == "08" -- made, begun, half closed
    if to == port and open and not seen[from] then
      seen[from] = true
      count = count + 1
    end
  end
  return count
end

return sockets
