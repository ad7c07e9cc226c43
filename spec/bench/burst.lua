--- Case: many jobs submitted at once, each allowed to be at the service at the same time.
--- Arguments: URL, key, CA file ("-" = none), jobs, what happens then ("created": they wait between
--- two polls; "polled": they are polled to the end), the pause of Lua's garbage collector (see
--- memory.lua).
---
--- What they need of this machine is looked at all the time, while their creates are under way too.

local figures = require("figures")
local gptimage2 = require("gptimage2")
local sockets = require("sockets")

local url, key, ca_file, jobs, kind = arg[1], arg[2], arg[3], tonumber(arg[4]), arg[5]
local WARM = 64
local SECONDS = 600
local rest = kind == "created" and 3600 or nil

collectgarbage("setpause", tonumber(arg[6]))

local client = assert(gptimage2.new({
  api_key = key,
  base_url = url,
  ca_file = ca_file ~= "-" and ca_file or nil,
  max_active = jobs + WARM,
  timeout = SECONDS,
  poll = rest and { first = rest, interval = rest },
}))
local pid = assert(io.open("/proc/self/stat")):read("n")

local function descriptors()
  local pipe = assert(io.popen(("ls /proc/%d/fd | wc -l"):format(pid)))
  local count = pipe:read("n")
  pipe:close()
  return count - 1 -- of the pipe
end

local function is_over(job)
  assert(not job.error, job.error)
  if rest then
    return job.id ~= nil
  end
  return job:done()
end

local function submit(count)
  local list = {}
  for i = 1, count do
    local request = { prompt = "A studio photo of item " .. i, ratio = "16:9", count = 1 }
    list[i] = assert(client:submit(request))
  end
  return list
end

--- Steps until all are over; calls `look` in between.
local function finish(list, look)
  local first = 1
  figures.step_until(function()
    while list[first] and is_over(list[first]) do
      first = first + 1
    end
    look()
    return first > #list
  end, SECONDS)
end

local function nothing() end

finish(submit(WARM), nothing)
collectgarbage()
collectgarbage()
local before = figures.process("VmRSS")
local most_memory, most_descriptors, most_connections, looked_at = 0, 0, 0, 0

local function look()
  most_memory = math.max(most_memory, figures.process("VmRSS"))
  if gptimage2.now() - looked_at > 0.1 then
    looked_at = gptimage2.now()
    most_descriptors = math.max(most_descriptors, descriptors())
    most_connections = math.max(most_connections, sockets.to(url))
  end
end

local began = gptimage2.now()
local all = submit(jobs)
look()
local submitted = gptimage2.now()
finish(all, look)
local attempts = 0
for _, job in ipairs(all) do
  attempts = attempts + job.attempts
end
collectgarbage()
collectgarbage()
figures.print("bytes_each_at_most", (most_memory - before) * 1024 / jobs)
figures.print("bytes_each_after", (figures.process("VmRSS") - before) * 1024 / jobs)
figures.print("lua_bytes_each", collectgarbage("count") * 1024 / jobs)
figures.print("descriptors_at_most", most_descriptors)
figures.print("connections_at_most", most_connections)
figures.print("attempts", attempts)
figures.print("submit_seconds", submitted - began)
figures.print("seconds", gptimage2.now() - began)
