--- Case: CPU time for each exchange, many jobs at once. Arguments: URL, key, jobs, jobs at once,
--- the pause between polls in milliseconds; "submit" (all of them, then steps) or "generate" (one
--- after the other, in as many coroutines as there are jobs at once). Prints what floor.c prints
--- for the same work.

local gptimage2 = require("gptimage2")
local meter = require("meter")

local url, key = arg[1], arg[2]
local jobs, at_once, pause = tonumber(arg[3]), tonumber(arg[4]), tonumber(arg[5])

local REQUEST = {
  prompt = "A clean studio product photo of a ceramic espresso cup",
  ratio = "1:1",
  count = 1,
}

local client = assert(gptimage2.new({
  api_key = key,
  base_url = url,
  max_active = at_once,
  poll = { first = 0, interval = pause / 1000 },
}))

-- libcurl is loaded at the first request; floor.c has loaded it before it looks at the clock.
assert(client:generate(REQUEST))

local ways = {}

function ways.submit(all)
  for i = 1, jobs do
    all[i] = assert(client:submit(REQUEST))
  end
  while gptimage2.pending() > 0 do
    gptimage2.step(1)
  end
end

function ways.generate(all)
  local begun = 0
  for _ = 1, at_once do
    gptimage2.spawn(function()
      while begun < jobs do
        begun = begun + 1
        local place = begun
        all[place] = assert(client:generate(REQUEST))
      end
    end)
  end
  gptimage2.run()
end

local all = {}
local cpu, wall = meter.cpu(), meter.now()
ways[arg[6]](all)
cpu, wall = meter.cpu() - cpu, meter.now() - wall

local exchanges = 0
assert(#all == jobs)
for _, job in ipairs(all) do
  assert(job.status == "succeeded", job.error)
  exchanges = exchanges + job.attempts + job.polls
end
print(("cpu %.6f\nwall %.6f\nexchanges %d"):format(cpu, wall / 1e9, exchanges))
