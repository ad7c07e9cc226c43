--- Case: one of several processes that make jobs on one ledger. Arguments: URL, key, the ledger's
--- path, jobs, jobs at once. Prints when it began and when it had ended.

local figures = require("figures")
local gptimage2 = require("gptimage2")
local meter = require("meter")

local url, key, path, jobs, at_once = table.unpack(arg)
local client = assert(gptimage2.new({
  api_key = key,
  base_url = url,
  ledger = path,
  max_active = tonumber(at_once),
  poll = { first = 0.02, interval = 0.02 },
}))

local all = {}
local began = meter.now()
for i = 1, tonumber(jobs) do
  all[i] = assert(client:submit({ prompt = "A studio photo of item " .. i }))
end
while gptimage2.pending() > 0 do
  gptimage2.step(1)
end
figures.print("began_s", began / 1e9)
figures.print("ended_s", meter.now() / 1e9)
for _, job in ipairs(all) do
  assert(job.status == "succeeded", job.error)
end
client:close()
