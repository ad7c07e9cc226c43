--- The service of a kill run, in a process of its own: nobody kills it, and its books are the
--- judge's.
---
--- Arguments: "honours" or "ignores" (the idempotency keys), and "calm", "trouble" for one that
--- fails creates, "torn" for two, the second of which tears the answers to all creates, "mixed":
--- the same, the first over TLS, or "streams": one of HTTP/2 that refuses, goes away, and resets.
--- Prints its URL (torn: both, with a comma between; mixed and streams: and the file of the
--- certificate); then, for each line read from stdin, which is a path, writes its books there and
--- prints "written". Ends with its input.
--- A line of the books: prompt, job id, credits kept, times it was posted; tabs between.

local sandbox = require("gptimage2.sandbox")

local mixed, streams = arg[2] == "mixed", arg[2] == "streams"

--- Of each four creates one is refused, one met by a GOAWAY, one taken and reset.
local SCRIPT = "--every 4 --refuse 1 --goaway 2 --reset 3"

local function start(tls)
  return assert(sandbox.start({
    api_key = "kill-run",
    credits = 1000000000,
    duration = 0.015,
    idempotency = arg[1] == "honours",
    image_size = 32,
    tls = tls,
  }))
end

--- The HTTP/2 server of the specs, which runs in a process of its own.
local function start_http2()
  package.path = os.getenv("KILL_PARTS") .. "/../../../?.lua;" .. package.path
  return require("spec.helpers.http2").start(SCRIPT)
end

local service = streams and start_http2() or start(mixed)
local services = { service }
local address = streams and service.url .. "," .. service.ca_file or service.url
if mixed or arg[2] == "torn" then
  services[2] = start(false)
  services[2]:fault({ on = "create", action = "truncate", bytes = 0, times = math.huge })
  address = table.concat({ address, services[2].url, mixed and service.ca_file or nil }, ",")
end

--- Every fourth create fails: half of those after they were paid. A 503 after the payment is left
--- to the service that honours keys: whoever repeats after it elsewhere has chosen to.
local TROUBLE = {
  { on = "create", action = "reset", work = true },
  { on = "create", action = "status", status = 429 },
  { on = "create", action = "truncate", bytes = 20, work = true },
  { on = "create", action = "reset", work = false },
}
if arg[1] == "honours" then
  TROUBLE[#TROUBLE + 1] = { on = "create", action = "status", status = 503, work = true }
end

if arg[2] == "trouble" then
  for i = 1, 500 do
    local fault = TROUBLE[i % #TROUBLE + 1]
    fault.after = 3 * i
    service:fault(fault)
  end
end

local function say(line)
  io.stdout:write(line, "\n")
  io.stdout:flush()
end

--- Its books know keys (streams.lua), of which it makes ids: each that was taken is a job that was
--- paid.
local function write_taken(file)
  for key, times in pairs(service:taken()) do
    local prompt, id = key:gsub("/", " "), "job-" .. key:gsub("[^%w.]", "-")
    for _ = 1, times do
      file:write(("%s\t%s\t%d\t%d\n"):format(prompt, id, 10, 1))
    end
  end
end

local function write_jobs(file)
  for _, each in ipairs(services) do
    for _, job in ipairs(each:ledger().jobs) do
      local kept = job.refunded and 0 or job.credits
      file:write(("%s\t%s\t%d\t%d\n"):format(job.prompt, job.id, kept, job.posts))
    end
  end
end

local function write_books(path)
  local file = assert(io.open(path, "w"))
  local write = streams and write_taken or write_jobs
  write(file)
  assert(file:close())
end

say(address)
for path in io.lines() do
  write_books(path)
  say("written")
end
