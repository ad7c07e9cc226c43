--- What the ledgers of the second and third client say once nothing fails any more.
---
--- Arguments: URL, folder. Writes into the file `rows` there, a line for each job: its number, its
--- state, charged; tabs between.

local gptimage2 = require("gptimage2")

local url, folder = table.unpack(arg)
local file = assert(io.open(folder .. "/rows", "w"))
for _, ledger in ipairs({ "other.db", "held.db" }) do
  local client = assert(gptimage2.new({
    api_key = "kill-run",
    base_url = url,
    ledger = folder .. "/" .. ledger,
  }))
  for _, row in ipairs(assert(client:history())) do
    file:write(("%s\t%s\t%s\n"):format(row.metadata.n, row.state, row.charged or "-"))
  end
  client:close()
end
assert(file:close())
