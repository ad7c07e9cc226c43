--- After the run: takes up what its ledger knows, and tells how every job in it stands.

local host, url, folder, name = ...
local path = folder .. "/" .. name .. ".db"

local file = io.open(path, "rb")
if not file then
  return
end
file:close()

local gptimage2 = require("gptimage2")
local client = assert(gptimage2.new({
  base_url = url,
  api_key = "sandbox",
  ledger = path,
  timeout = 10,
  poll = { first = 0.01, interval = 0.01, max = 0.02 },
}))
for _, job in ipairs(assert(client:recover())) do
  job:wait(15)
end
for _, row in ipairs(assert(client:history())) do
  host.note("row", ("%s %s %s"):format(row.request.prompt, row.state, row.charged))
end
client:close()
