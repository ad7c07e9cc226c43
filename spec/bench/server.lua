--- The bench's server: a sandbox in a process of its own, so that its CPU time is not counted.
--- Arguments: option=value, numbers and booleans. Prints its URL, its key and the path of its CA
--- file ("-" without TLS), and ends when its stdin does, with how many connections it had in all
--- and at once.

local sandbox = require("gptimage2.sandbox")

local options = { credits = 1e12, api_key = "bench" }
for _, word in ipairs(arg) do
  local name, value = word:match("^([%w_]+)=(.*)$")
  options[name] = tonumber(value) or value == "true"
end
local server = assert(sandbox.start(options))
io.stdout:write(server.url, "\n", server.api_key, "\n", server.ca_file or "-", "\n")
io.stdout:flush()
io.stdin:read("a")
local books = server:ledger()
print(("connections %d\nmost_connections %d"):format(books.connections, books.most_connections))
server:stop()
