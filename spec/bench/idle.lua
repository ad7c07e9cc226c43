--- Case: a step() with nothing to do. Arguments: URL, key, jobs in flight. The jobs never end
--- and are polled at the default pace meanwhile.

local figures = require("figures")
local gptimage2 = require("gptimage2")
local meter = require("meter")

local url, key, jobs = arg[1], arg[2], tonumber(arg[3])
local BATCH, BATCHES = 100, 3000
local step = gptimage2.step

local client = assert(gptimage2.new({ api_key = key, base_url = url, max_active = 1000 }))
local all = {}
for i = 1, jobs do
  all[i] = assert(client:submit({ prompt = "picture " .. i }))
end
figures.step_until(function()
  for _, job in ipairs(all) do
    if not job.id then
      return false
    end
  end
  return true
end, 30)

collectgarbage()
collectgarbage("stop")
local taken, handled = {}, 0
for i = 1, BATCHES do
  local began = meter.now()
  for _ = 1, BATCH do
    handled = handled + step()
  end
  taken[i] = (meter.now() - began) / BATCH
end
figures.print("median_ns", figures.median(taken))
figures.print("p99_ns", figures.quantile(taken, 0.99))
figures.print("handled", handled)
figures.print("pending", gptimage2.pending())
