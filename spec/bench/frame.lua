--- Case: a game's loop of 60 frames a second that saves pictures of many jobs over TLS while
--- others wait. Arguments: URL, key, CA file of the TLS server; URL, key of the server of the
--- waiting jobs; folder; rounds; "between" or "automatic" (Lua's garbage collector runs between
--- the frames, as games arrange it, or whenever it likes, step() included). Every step() is timed
--- by the clock and by the thread's CPU time.

local figures = require("figures")
local gptimage2 = require("gptimage2")
local meter = require("meter")

local tls_url, tls_key, ca_file, url, key, folder = table.unpack(arg)
local rounds, between = tonumber(arg[7]), arg[8] == "between"
local DOWNLOADS, WAITING = 16, 1000
local FRAME = 1e9 / 60 -- ns

local saver = assert(gptimage2.new({
  api_key = tls_key,
  base_url = tls_url,
  ca_file = ca_file,
  max_active = DOWNLOADS,
  poll = { first = 0, interval = 0.05 },
}))
local waiter = assert(gptimage2.new({ api_key = key, base_url = url, max_active = WAITING }))

local finished, waiting = {}, {}
for i = 1, DOWNLOADS do
  finished[i] = assert(saver:submit({ prompt = "picture " .. i }))
end
for i = 1, WAITING do
  waiting[i] = assert(waiter:submit({ prompt = "waiting " .. i }))
end
figures.step_until(function()
  for _, job in ipairs(finished) do
    if not job:done() then
      return false
    end
  end
  for _, job in ipairs(waiting) do
    if not job.id then
      return false
    end
  end
  return true
end, 60)

local next_frame = meter.now()

--- Sleeps until the next frame; gives the nanoseconds it came too late.
local function frame()
  next_frame = math.max(next_frame + FRAME // 1, meter.now())
  return meter.sleep_until(math.tointeger(next_frame))
end

local function step()
  gptimage2.step()
end

--- What the machine alone does: the same loop, and a call that takes no time.
local function measure_noise(frames)
  local late, calls = {}, {}
  for i = 1, frames do
    late[i] = frame()
    calls[i] = meter.timed(function() end)
  end
  return late, calls
end

if between then
  collectgarbage("stop")
end
local late, calls = measure_noise(120)
local walls, cpus, calm, interrupted, frames_of_round = {}, {}, {}, 0, {}
local began = meter.now()

local function save(job)
  assert(job:save(folder, { overwrite = true }))
end

for round = 1, rounds do
  local tasks = {}
  for i, job in ipairs(finished) do
    assert(job.status == "succeeded", job.error)
    tasks[i] = gptimage2.spawn(save, job)
  end
  local frames, done = 0, false
  while not done do
    frame()
    frames = frames + 1
    local wall, cpu, left = meter.timed(step)
    walls[#walls + 1], cpus[#cpus + 1] = wall, cpu
    if left == 0 then
      calm[#calm + 1] = wall
    else
      interrupted = interrupted + 1
    end
    if between then
      collectgarbage("step", 200)
    end
    done = true
    for _, task in ipairs(tasks) do
      done = done and task:done()
    end
  end
  frames_of_round[round] = frames
end

figures.print("frames", #walls)
figures.print("frames_a_round", figures.median(frames_of_round))
figures.print("seconds", (meter.now() - began) / 1e9)
figures.print("pending", gptimage2.pending())
figures.print("wall_worst_us", figures.quantile(walls, 1) / 1e3)
figures.print("wall_p99_us", figures.quantile(walls, 0.99) / 1e3)
figures.print("wall_median_us", figures.median(walls) / 1e3)
figures.print("cpu_worst_us", figures.quantile(cpus, 1) / 1e3)
figures.print("cpu_p99_us", figures.quantile(cpus, 0.99) / 1e3)
figures.print("calm_worst_us", figures.quantile(calm, 1) / 1e3)
figures.print("interrupted", interrupted)
figures.print("late_worst_us", figures.quantile(late, 1) / 1e3)
figures.print("late_median_us", figures.median(late) / 1e3)
figures.print("empty_worst_us", figures.quantile(calls, 1) / 1e3)
