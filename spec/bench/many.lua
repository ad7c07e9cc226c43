--- Case: jobs by the hundred thousand, submitted at once, then some made, then all cancelled, in a
--- loop of 60 frames a second. Arguments: URL, key, jobs. Every step() is timed by the thread's CPU
--- time; Lua's garbage collector runs between the frames, as games arrange it, and so does what the
--- C library puts off of its work.

local figures = require("figures")
local gptimage2 = require("gptimage2")
local meter = require("meter")

local url, key, jobs = arg[1], arg[2], tonumber(arg[3])
local MADE, FRAME = 2000, 1e9 // 60
local SECONDS = 120
local LARGE_BYTES, LARGE_COUNT = 2000, 20

local client = assert(gptimage2.new({
  api_key = key,
  base_url = url,
  max_active = 64,
  timeout = math.huge,
  poll = { first = 0.02, interval = 0.1 },
}))

--- Kilobytes in use, the garbage left out.
local function resident()
  collectgarbage()
  collectgarbage()
  return figures.process("VmRSS")
end

local function request(i)
  return { prompt = "A studio photo of item " .. i, ratio = "16:9", count = 1 }
end

assert(client:generate(request(0)))
local before = resident()
local all, cpus = {}, {}
local began = meter.cpu()
for i = 1, jobs do
  all[i] = assert(client:submit(request(i)))
end
figures.print("submit_us", (meter.cpu() - began) / jobs * 1e6)
figures.print("bytes_each", (resident() - before) * 1024 / jobs)
collectgarbage("stop")

local function step()
  gptimage2.step()
end

--- Lets the C library sort what the collector has freed. glibc's free() puts that off: the next
--- malloc() of a size of which it has no piece looks at up to 10,000 pieces, for milliseconds, and
--- that may be one in a step.
local function settle()
  for i = 1, LARGE_COUNT do
    assert(#("x"):rep(LARGE_BYTES * i) > 0)
  end
end

--- Frames until `ready()`.
local function frames_until(ready)
  local next_frame = meter.now()
  local deadline = gptimage2.now() + SECONDS
  while not ready() do
    assert(gptimage2.now() < deadline, "the case takes too long")
    next_frame = math.max(next_frame + FRAME, meter.now())
    meter.sleep_until(next_frame)
    local _, cpu = meter.timed(step)
    cpus[#cpus + 1] = cpu
    collectgarbage("step", 200)
    settle()
  end
end

frames_until(function()
  return all[MADE]:done()
end)
for i = jobs, 1, -1 do -- those that wait first: then none of them begins
  all[i]:cancel()
end
frames_until(function()
  return gptimage2.pending() == 0
end)
figures.print("frames", #cpus)
figures.print("step_worst_us", figures.quantile(cpus, 1) / 1e3)
figures.print("step_p99_us", figures.quantile(cpus, 0.99) / 1e3)
