--- What specs share: sandboxes and clients that end with the test, and waiting without sleeping.
---
--- Use: `local support = require("spec.support")`, then `after_each(support.clean)` in the
--- outermost describe. Whatever was made here is closed and stopped by it.

local gptimage2 = require("gptimage2")
local sandbox_module = require("gptimage2.sandbox")

local support = {}

local SLOW = os.getenv("GPTIMAGE2_SPEC_SLOW")

--- Seconds after which something that must happen is taken not to happen. Nothing waits this long
--- when all is well.
local LIMIT = SLOW and 300 or 60

--- Whether this build is many times slower than the plain one.
support.slow = SLOW ~= nil

--- A key that is easily found where it must not be.
support.KEY = "sk-spec-0123456789abcdef"

-- No name has a part of 64 letters: it is found not to exist without asking anybody.
support.NOWHERE = ("https://%s.invalid"):format(("a"):rep(64))

local sandboxes, clients = {}, {}

--- A time that is too short for something, or just long enough: longer where everything is slow,
--- and where the machine does other things.
support.seconds = require("spec.helpers.patience").seconds

local function with_defaults(options, defaults)
  local merged = {}
  for name, value in pairs(defaults) do
    merged[name] = value
  end
  for name, value in pairs(options or {}) do
    merged[name] = value
  end
  return merged
end

--- Ports of this process alone, below those that the system hands out: a client that goes on asking
--- a sandbox that was stopped must not find one of a spec that runs beside this one, and take what
--- that was told to do. The first of them are for sandboxes, the others for places where nobody
--- listens, which stay free until a test listens there itself.
local PORTS_FIRST, PORTS_EACH, PORTS_OF_SANDBOXES, PROCESSES = 10000, 50, 40, 450
local sandbox_count, nowhere_count = 0, 0

local function read_pid()
  local file = io.open("/proc/self/stat", "r")
  local pid = file and file:read("*n") or 0
  if file then
    file:close()
  end
  return pid
end

local function first_port()
  return PORTS_FIRST + read_pid() % PROCESSES * PORTS_EACH
end

local function next_port()
  sandbox_count = sandbox_count + 1
  return first_port() + sandbox_count % PORTS_OF_SANDBOXES
end

local function next_nowhere()
  nowhere_count = nowhere_count + 1
  return first_port() + PORTS_OF_SANDBOXES + nowhere_count % (PORTS_EACH - PORTS_OF_SANDBOXES)
end

--- At that very port: one that is taken for a moment, by a process whose number is the same but for
--- a multiple of PROCESSES, is waited for.
local function start_there(options)
  local limit = gptimage2.now() + LIMIT
  local box, err = sandbox_module.start(options)
  while not box and gptimage2.now() < limit do
    gptimage2.sleep(0.1)
    box, err = sandbox_module.start(options)
  end
  return assert(box, err)
end

--- A running sandbox whose jobs are done at the first poll and whose pictures are small.
---@param options? table of `sandbox.start`; these win over the defaults
---@return table sandbox
function support.sandbox(options)
  local all = with_defaults(options, { api_key = support.KEY, duration = 0, image_size = 32 })
  local box = all.port and start_there(all)
  for _ = 1, PORTS_OF_SANDBOXES do
    box = box or sandbox_module.start(with_defaults(all, { port = next_port() }))
  end
  box = box or assert(sandbox_module.start(all))
  sandboxes[#sandboxes + 1] = box
  return box
end

--- An address where nobody listens.
---@return string url
---@return integer port
function support.nowhere()
  local port, box
  repeat
    port = next_nowhere()
    box = sandbox_module.start({ api_key = support.KEY, port = port })
  until box
  box:stop()
  return ("http://127.0.0.1:%d"):format(port), port
end

--- A client of `box` that polls quickly and leaves references alone.
---@param box table a sandbox
---@param options? gptimage2.Options these win over the defaults
---@return gptimage2.Client
function support.client(box, options)
  local client = assert(gptimage2.new(with_defaults(options, {
    api_key = box.api_key,
    base_url = box.url,
    ca_file = box.ca_file,
    poll = { first = 0.02, interval = 0.02, max = 0.02 },
    timeout = LIMIT,
    verify_references = false,
  })))
  clients[#clients + 1] = client
  return client
end

--- A client and its sandbox.
---@param client_options? gptimage2.Options
---@param sandbox_options? table
---@return gptimage2.Client client
---@return table sandbox
function support.pair(client_options, sandbox_options)
  local box = support.sandbox(sandbox_options)
  return support.client(box, client_options), box
end

--- Steps until `predicate()` is true; raises when it does not become so.
---@param predicate fun(): any
---@param limit_seconds? number default 60, where everything is slow 300
---@return any what predicate gave
function support.step_until(predicate, limit_seconds)
  local limit = gptimage2.now() + (limit_seconds or LIMIT)
  local result = predicate()
  while not result do
    if gptimage2.now() > limit then
      error("it did not happen in time", 2)
    end
    assert(gptimage2.step(0.01))
    result = predicate()
  end
  return result
end

--- Steps until the job, or whatever has `done`, is done.
---@param thing table|userdata
---@return table|userdata thing
function support.finish(thing)
  support.step_until(function()
    return thing:done()
  end)
  return thing
end

--- Lets the next request be answered with `status` and `body`, whatever was asked.
---@param box table
---@param on string "create" or "poll"
---@param status integer
---@param body? string
---@param more? table further fields of the fault: times, after, headers, seconds
function support.answer(box, on, status, body, more)
  local rule = { on = on, action = "status", status = status, body = body }
  box:fault(with_defaults(more, rule))
end

--- Steps until job n of the sandbox's books was polled that often. A job's own `polls` tells only
--- of polls that brought news.
---@param box table
---@param n integer
---@param count integer
function support.polled(box, n, count)
  support.step_until(function()
    local job = box:ledger().jobs[n]
    return job and job.polls >= count
  end)
end

--- A list that collects events, and the on_event for it.
---@return table[] events
---@return fun(event: table) on_event
function support.recorder()
  local events = {}
  return events, function(event)
    events[#events + 1] = event
  end
end

--- The types of the events of one job (or of all), joined with blanks.
---@param events table[]
---@param job? gptimage2.Job
---@return string
function support.types(events, job)
  local types = {}
  for _, event in ipairs(events) do
    if job == nil or event.job == job then
      types[#types + 1] = event.type
    end
  end
  return table.concat(types, " ")
end

--- Closes the clients and stops the sandboxes, then handles what is left over: for after_each.
function support.clean()
  gptimage2.use("auto")
  for i = #clients, 1, -1 do
    clients[i]:close()
    clients[i] = nil
  end
  for i = #sandboxes, 1, -1 do
    sandboxes[i]:stop()
    sandboxes[i] = nil
  end
  support.step_until(function()
    return gptimage2.pending() == 0
  end)
end

return support
