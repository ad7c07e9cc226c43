--- What must be so in the loop of every host: cases for the specs of the adapters, which see them
--- through spec.helpers.loops.

local assert = require("luassert")
local child = require("spec.helpers.child")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local loop_cases = {}

local REQUEST = { prompt = "a cup" }

--- `many` generates at once in coroutines of the host: how many went well, and how many jobs there
--- were at the same time.
local function generate_many(host, many, options, sandbox_options)
  local most, well, client = 0, 0, nil
  options.on_event = function()
    most = math.max(most, #client:jobs())
  end
  client = support.pair(options, sandbox_options)
  for _ = 1, many do
    host.begin(function()
      local job = assert(client:generate(REQUEST))
      well = well + (job.status == "succeeded" and 1 or 0)
    end)
  end
  host.run()
  return well, most
end

local function at_once(host)
  local well, most = generate_many(host, 50, {})
  assert.same({ 50, 50 }, { well, most })
end

--- Counts how often `fn` suspends a coroutine: who waits is told, and does not ask.
local function count_suspends(host, fn)
  local adapter, count = gptimage2.loops[host.name], 0
  local suspend = adapter.suspend
  adapter.suspend = suspend and function(...)
    count = count + 1
    return suspend(...)
  end
  local ok, err = pcall(fn)
  adapter.suspend = suspend
  assert(ok, err)
  return count
end

local function at_once_at_the_service(host)
  local well, most
  local count = count_suspends(host, function()
    well, most = generate_many(host, 50, { max_active = 50 }, { duration = 0.2 })
  end)
  assert.same({ 50, 50 }, { well, most })
  assert.is_true(count <= 50, count .. " times suspended")
end

--- What was begun has ended, and nobody steps: of a job that nobody waits for, nothing is told.
local function is_left_alone(host)
  if host.steps_by_itself then
    return true
  end
  local client = support.pair()
  local job = client:submit(REQUEST)
  host.run(0.1)
  local alone = job.status == "queued"
  support.finish(job)
  return alone
end

local function is_stopped(host)
  local done = 0
  for i = 1, 3 do
    host.begin(function()
      assert(gptimage2.sleep(0.01 * i))
      done = done + 1
    end)
  end
  host.run()
  assert.equal(3, done)
  assert.is_true(is_left_alone(host))
  assert.equal(0, gptimage2.busy())
end

local function outside(host)
  local client, done = support.pair(), 0
  for _ = 1, 5 do
    host.begin(function()
      assert(client:generate(REQUEST))
      assert(gptimage2.sleep(0.001))
      done = done + 1
    end)
  end
  local ticks = 0
  local stop = host.ticker(5, function()
    ticks = ticks + 1
  end)
  assert(client:generate(REQUEST))
  assert(gptimage2.sleep(0.1))
  assert.equal(host.outside and 5 or 0, done)
  assert.equal(host.ticks_outside or false, ticks > 2)
  stop()
  host.run()
  assert.equal(5, done)
end

local function outside_in_time(host)
  local client, box = support.pair()
  box:fault({ on = "create", action = "hang" })
  local job, before = client:submit(REQUEST), gptimage2.now()
  local _, err = job:wait(0.05)
  assert.equal("wait_timeout", err.code)
  assert.is_true(gptimage2.now() - before >= 0.05)
  job:cancel()
  host.run()
end

local function task(host)
  local client, results = support.pair(), {}
  host.begin(function()
    local mine = gptimage2.spawn(function()
      assert(gptimage2.sleep(0.01))
      return assert(client:generate(REQUEST)).status
    end)
    gptimage2.spawn(function()
      assert(gptimage2.sleep(0.05))
      results.alone = "ended" -- the loop does not end before
    end)
    results.waited = mine:wait()
  end)
  host.run()
  assert.same({ waited = "succeeded", alone = "ended" }, results)
end

local function run(host)
  local client, result = support.pair(), nil
  host.begin(function()
    result = gptimage2.run(function()
      return assert(client:generate(REQUEST)).status
    end)
  end)
  host.run()
  assert.equal("succeeded", result)
end

local function errors(host)
  local told, well = {}, 0
  gptimage2.on_error = function(err, what)
    told[#told + 1] = what .. ": " .. tostring(err):match("^[^\n]*")
  end
  local client = support.pair()
  local broken = support.pair({
    on_event = function(event)
      error(event.type .. " is not wanted", 0)
    end,
  })
  for _ = 1, 5 do
    for _, each in ipairs({ client, broken }) do
      host.begin(function()
        assert(each:generate(REQUEST))
        well = well + 1
      end)
    end
  end
  host.begin(function()
    gptimage2.spawn(function()
      gptimage2.sleep(0.005)
      error("the task is broken", 0)
    end)
    assert(gptimage2.sleep(0.01))
    well = well + 1
  end)
  host.run()
  gptimage2.on_error = nil
  assert.equal(11, well)
  local text = table.concat(told, "\n")
  assert.matches("task: the task is broken", text, 1, true)
  assert.matches("on_event: succeeded is not wanted", text, 1, true)
end

local function cancel(host)
  local client, box = support.pair()
  box:fault({ on = "create", action = "hang", times = 5 })
  local kinds, jobs = {}, {}
  for i = 1, 5 do
    host.begin(function()
      jobs[i] = assert(client:submit(REQUEST))
      local _, err = jobs[i]:wait()
      kinds[#kinds + 1] = err.kind
    end)
  end
  host.begin(function()
    assert(gptimage2.sleep(0.02))
    for _, job in ipairs(jobs) do
      job:cancel()
    end
  end)
  host.run()
  assert.same({ "cancelled", "cancelled", "cancelled", "cancelled", "cancelled" }, kinds)
end

local function in_time(host)
  local client, box = support.pair()
  box:fault({ on = "create", action = "hang", times = 1 })
  local codes, well = {}, 0
  host.begin(function()
    local job = assert(client:submit(REQUEST))
    for _ = 1, 2 do
      local _, err = job:wait(0.03)
      codes[#codes + 1] = err.code
    end
    job:cancel()
  end)
  host.begin(function()
    assert(gptimage2.sleep(0.01)) -- behind the one that hangs
    assert(client:generate(REQUEST))
    well = well + 1
  end)
  host.run()
  assert.same({ "wait_timeout", "wait_timeout" }, codes)
  assert.equal(1, well)
end

--- Nothing comes after that, and no step: the time itself lets the loop end.
local function at_last_in_time(host)
  local client, box = support.pair()
  box:fault({ on = "create", action = "hang" })
  local code
  host.begin(function()
    local _, err = assert(client:submit(REQUEST)):wait(0.3) -- after all news
    code = err.code
  end)
  host.run()
  assert.equal("wait_timeout", code)
end

--- A program that begins jobs and ends while they are in flight: `...` is its process number, the
--- loop's name, how it ends, and the sandbox's address and key.
local QUITTER = [[
  local gptimage2 = require("gptimage2")
  local _, name, how, url, key = ...
  local host = require("spec.helpers.loops").open(name)
  local client = assert(gptimage2.new({
    base_url = url, api_key = key, max_active = 20, poll = { first = 0.02, interval = 0.02 },
  }))
  local created = 0
  for _ = 1, 20 do
    host.begin(function()
      client:generate({ prompt = "a cup" })
    end)
  end
  host.begin(function()
    gptimage2.spawn(gptimage2.sleep, 100)
    gptimage2.sleep(100)
  end)
  local ticks = 0
  host.ticker(10, function()
    ticks = ticks + 1
    if ticks == 20 and how ~= "end" then
      io.write(#client:jobs(), " in flight")
      os.exit(0, how == "close")
    end
  end)
  host.run(0.3)
  io.write(#client:jobs(), " in flight")
]]

local function shutdown(host)
  local box = support.sandbox({ duration = 100, credits = 1000 })
  for _, how in ipairs({ "end", "exit", "close" }) do
    local ended = child.run(QUITTER, { host.name, how, box.url, box.api_key })
    assert.same({ how, "20 in flight", "", 0 }, { how, ended.output, ended.errors, ended.exit })
  end
end

--- The largest time between two ticks of 10 ms while the loop runs with `begin`'s coroutines, or
--- for as long as `seconds`.
local function largest_gap(host, begin)
  local last, gap, ticks, stop = nil, 0, 0, nil
  local over = begin and begin() or function()
    return ticks >= 40
  end
  stop = host.ticker(10, function()
    local now = gptimage2.now()
    gap = math.max(gap, last and now - last or 0)
    last, ticks = now, ticks + 1
    if over() then
      stop()
    end
  end)
  host.run()
  return gap
end

--- Fifty jobs that are created, polled and saved by nobody: the ticker ends with the last.
local function begin_fifty(host)
  local client, done = support.pair({ max_active = 50 }, { duration = 0.3 }), 0
  for _ = 1, 50 do
    host.begin(function()
      assert(client:generate(REQUEST))
      done = done + 1
    end)
  end
  return function()
    return done == 50
  end
end

local GAP_MORE = 0.02

--- The best of three: whatever else this machine does comes on top.
local function ticker(host)
  local with, without = math.huge, math.huge
  for _ = 1, 3 do
    without = math.min(without, largest_gap(host))
    with = math.min(
      with,
      largest_gap(host, function()
        return begin_fifty(host)
      end)
    )
    if with - without <= GAP_MORE then
      break
    end
  end
  local figures = ("largest gap of the ticker: %.1f ms, without us %.1f ms"):format(
    with * 1000,
    without * 1000
  )
  loop_cases.show(host, "%s", figures)
  assert.is_true(with - without <= GAP_MORE, figures)
end

--- CPU seconds of 1,000 jobs at once in `begin`'s coroutines.
local function cpu_of_many(begin, go)
  local options = { max_active = 1000, poll = { first = 0.5, interval = 0.5 } }
  local client = support.pair(options, { credits = 10000 })
  local done, before = 0, os.clock()
  for _ = 1, 1000 do
    begin(function()
      assert(client:generate(REQUEST))
      done = done + 1
    end)
  end
  go(function()
    return done == 1000
  end)
  assert.equal(1000, done)
  return os.clock() - before
end

local CPU_TIMES = 1.5

local function cpu(host)
  local name, best, plain, loop = host.name, math.huge, nil, nil
  for _ = 1, 3 do
    gptimage2.use("auto")
    local step = cpu_of_many(function(fn)
      coroutine.wrap(fn)()
    end, support.step_until)
    gptimage2.use(name)
    local with = cpu_of_many(host.begin, function()
      host.run()
    end)
    if with / step < best then
      best, plain, loop = with / step, step, with
    end
    if best <= CPU_TIMES then
      break
    end
  end
  loop_cases.show(host, "CPU of 1,000 jobs: %.2f s, in a step loop %.2f s", loop, plain)
  assert.is_true(best <= CPU_TIMES, ("%.2f times the CPU of a step loop"):format(best))
end

--- Prints a figure where somebody asks for it: GPTIMAGE2_SPEC_FIGURES.
function loop_cases.show(host, format, ...)
  if os.getenv("GPTIMAGE2_SPEC_FIGURES") then
    print(host.name .. ": " .. format:format(...))
  end
end

--- Names and functions, in order: each function gets the host.
loop_cases.list = {
  { "runs 50 generate calls at once in coroutines of its own", at_once },
  { "has all 50 at the service with max_active = 50", at_once_at_the_service },
  { "ends by itself when all is done, and nobody steps any more", is_stopped },
  { "lets a wait outside of coroutines go on beside others", outside },
  { "ends a wait outside of coroutines in time", outside_in_time },
  { "runs tasks, and ends with the last one", task },
  { "runs `run` in a coroutine", run },
  { "keeps errors of tasks and handlers from everybody else", errors },
  { "tells who waits of a cancel", cancel },
  { "ends a wait in time, again and again", in_time },
  { "ends when the last wait has ended in time", at_last_in_time },
  { "may end with jobs in flight", shutdown },
  { "keeps its beat", ticker },
  { "takes 1,000 jobs at once for little more than a step loop", cpu },
}

return loop_cases
