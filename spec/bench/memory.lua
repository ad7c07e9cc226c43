--- Case: what waiting jobs cost: memory, threads, CPU. Arguments: URL, key, "queued" (behind
--- max_active) or "polled" (created, waiting between two polls), jobs, the pause of Lua's garbage
--- collector (200 is Lua's own: it lets the garbage grow as large as what is in use; 110 keeps it
--- small, so that what the jobs themselves take is left).

local figures = require("figures")
local gptimage2 = require("gptimage2")
local meter = require("meter")

local url, key, kind, jobs = arg[1], arg[2], arg[3], tonumber(arg[4])
local AT_A_TIME = 64 -- what libcurl needs for more at once is not for the waiting
local IDLE = 5 -- seconds

collectgarbage("setpause", tonumber(arg[5]))

local client = assert(gptimage2.new({
  api_key = key,
  base_url = url,
  max_active = kind == "queued" and 1 or jobs + AT_A_TIME,
  timeout = math.huge,
  poll = { first = 3600, interval = 3600 },
}))

local function request(i)
  return { prompt = "A studio photo of item " .. i, ratio = "16:9", count = 1 }
end

--- Kilobytes in use, the garbage left out.
local function resident()
  collectgarbage()
  collectgarbage()
  return figures.process("VmRSS")
end

local function created(job)
  return function()
    assert(not job.error, job.error)
    return job.id ~= nil
  end
end

--- Submits jobs and, where they can be created at once, waits until they are.
local function submit(count)
  local list, oldest = {}, 1
  for i = 1, count do
    list[i] = assert(client:submit(request(i)))
    if kind == "polled" and (i % AT_A_TIME == 0 or i == count) then
      while oldest <= i do
        figures.step_until(created(list[oldest]), 30)
        oldest = oldest + 1
      end
    end
  end
  return list
end

-- What is there once, whatever the number of jobs: the thread, libcurl, connections.
local threads = figures.process("Threads")
local first = submit(AT_A_TIME)
figures.step_until(created(first[1]), 10)

local before = resident()
local all = submit(jobs)
for _ = 1, 10 do
  gptimage2.step(0.05)
end
local after = resident()
figures.print("bytes_each", (after - before) * 1024 / jobs)
figures.print("lua_bytes_each", collectgarbage("count") * 1024 / jobs)
figures.print("threads_more", figures.process("Threads") - threads)
figures.print("pending", gptimage2.pending())
assert(gptimage2.pending() == #first + #all)

local cpu = meter.cpu()
meter.sleep_until(meter.now() + IDLE * 1000000000)
figures.print("idle_cpu_ms", (meter.cpu() - cpu) * 1000)
figures.print("idle_seconds", IDLE)
