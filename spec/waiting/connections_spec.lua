-- The gate in front of libcurl: at most so many connections for exchanges with services, who goes
-- first, and what this machine lacks.

local child = require("spec.helpers.child")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local sockets = require("spec.helpers.sockets")
local support = require("spec.support")

local CUP = { prompt = "a cup" }

local function submit(client, count, options)
  local jobs = {}
  for i = 1, count do
    jobs[i] = assert(client:submit(CUP, options))
  end
  return jobs
end

local function finish(jobs)
  for _, job in ipairs(jobs) do
    support.finish(job)
    assert.equal("succeeded", job.status, tostring(job.error))
    assert.equal(1, job.attempts)
  end
end

--- With credits for all.
local function pair(options)
  return support.pair(options, { credits = 10000 })
end

local function creates(box)
  return box:ledger().requests.create
end

describe("max_connections", function()
  after_each(support.clean)

  --- Finishes the jobs; the most connections that were seen.
  local function watch(jobs, box)
    local most = 0
    for _, job in ipairs(jobs) do
      support.step_until(function()
        most = math.max(most, sockets.to(box.url))
        return job:done()
      end)
    end
    finish(jobs)
    return most
  end

  it("bounds the connections, and all that wait are made", function()
    local client, box = pair({ max_active = 60, max_connections = 5 })
    box:fault({ on = "create", action = "delay", seconds = 0.02, times = 20 })
    assert.equal(5, watch(submit(client, 60), box))
    assert.equal(60, creates(box))
  end)

  it("is the largest of those of the clients", function()
    local small, box = pair({ max_active = 40, max_connections = 2 })
    local large = support.client(box, { max_active = 40, max_connections = 6 })
    box:fault({ on = "create", action = "delay", seconds = 0.02, times = 60 })
    local jobs = submit(small, 30)
    submit(large, 30)
    assert.equal(6, watch(jobs, box))
    large:close()
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    finish(submit(small, 10)) -- those beyond are closed, one after the other
    assert.is_true(watch(submit(small, 10), box) <= 2)
  end)

  it("counts those that are kept for other services", function()
    local client, box = pair({ max_connections = 4, max_active = 8 })
    box:fault({ on = "create", action = "delay", seconds = 0.05, times = 8 })
    finish(submit(client, 8))
    assert.equal(4, sockets.to(box.url)) -- which are idle
    local silent = support.sandbox()
    silent:fault({ on = "create", action = "hang", times = math.huge })
    submit(support.client(silent, { max_connections = 4, max_active = 8 }), 8)
    support.step_until(function()
      return creates(silent) == 2 -- creates are not all that a service may need
    end)
    assert.equal(2, sockets.to(silent.url))
    assert.is_true(sockets.to(box.url) <= 2)
  end)

  it("lets the times of an exchange begin with its connection", function()
    local time = support.seconds(0.2)
    local client, box = pair({
      connect_timeout = 2 * time,
      max_attempts = 1,
      max_connections = 1,
      request_timeout = 2 * time,
    })
    box:fault({ on = "create", action = "delay", seconds = time, times = 4 })
    finish(submit(client, 4)) -- the last one waits for three times
    assert.equal(4, creates(box))
  end)
end)

describe("a job that waits for a connection", function()
  after_each(support.clean)

  --- A client whose only connection is busy with a create, and a job that waits.
  local function waiting(options, client_options)
    client_options = client_options or {}
    client_options.max_connections = 1
    local client, box = pair(client_options)
    box:fault({ on = "create", action = "hang", times = math.huge })
    assert(client:submit(CUP))
    support.step_until(function()
      return creates(box) == 1
    end)
    local job = assert(client:submit(CUP, options))
    gptimage2.sleep(0.05)
    return job, box, client
  end

  it("can be cancelled, and was not sent", function()
    local job, box, client = waiting()
    job:cancel()
    support.finish(job)
    assert.equal("cancelled", job.status)
    support.step_until(function() -- at once it is not known
      return job.error.charged ~= "unknown"
    end)
    assert.equal("no", job.error.charged)
    assert.equal("no", job.error.sent)
    assert.equal(0, job.attempts)
    assert.equal(1, creates(box))
    assert.equal(10, client.spent) -- the other's
  end)

  it("ends at its timeout, and was not sent", function()
    local job, box, client = waiting({ timeout = support.seconds(0.2) })
    support.finish(job)
    assert.equal("failed", job.status)
    assert.equal("timeout", job.error.kind)
    assert.equal("no", job.error.sent)
    assert.equal("no", job.error.charged)
    assert.is_true(job.error.retryable)
    assert.equal(0, job.attempts)
    assert.equal(1, creates(box))
    assert.equal(10, client.spent)
  end)

  it("is unsent in the ledger", function()
    local job, box, client = waiting(nil, { ledger = folder.new() .. "/jobs.db" })
    local function row()
      for _, found in ipairs(assert(client:history())) do
        if found.idempotency_key == job.idempotency_key then
          return found
        end
      end
    end
    assert.equal("queued", row().status)
    job:cancel()
    support.finish(job)
    assert.equal("cancelled", row().status)
    assert.equal("no", row().error.charged)
    assert.equal(1, creates(box))
    client:close()
    folder.clean()
  end)

  it("to be polled ends at its timeout, and goes on at the service", function()
    local client, box = pair({ max_connections = 1, poll = { first = 1, interval = 1 } })
    local job = assert(client:submit(CUP, { timeout = support.seconds(0.3) }))
    support.step_until(function()
      return job.id
    end)
    box:fault({ on = "create", action = "hang", times = math.huge })
    assert(client:submit(CUP))
    support.finish(job)
    assert.equal("unknown", job.status)
    assert.equal("timeout", job.error.kind)
    assert.equal("yes", job.error.charged)
    assert.equal(job.id, job.error.job_id)
    assert.equal(0, job.polls)
  end)
end)

describe("nobody is starved:", function()
  after_each(support.clean)

  it("a service that says nothing leaves connections to the others", function()
    local silent = support.sandbox()
    silent:fault({ on = "any", action = "hang", times = math.huge })
    local stuck = support.client(silent, { max_active = 40, max_connections = 8 })
    local client, box = pair({ max_connections = 8, poll = { first = 0.3, interval = 0.1 } })
    local paid = assert(client:submit(CUP)) -- its client is known
    support.step_until(function()
      return paid.id
    end)
    submit(stuck, 40)
    support.step_until(function()
      return creates(silent) == 4
    end)
    finish({ paid })
    finish(submit(client, 8))
    assert.equal(9, creates(box))
    assert.equal(4, creates(silent))
  end)

  it("a service that answers no create leaves connections to its polls", function()
    local client, box = pair({ max_active = 40, max_connections = 4, poll = { first = 0.1 } })
    local paid = submit(client, 4)
    support.step_until(function()
      return paid[4].id
    end)
    box:fault({ on = "create", action = "hang", times = math.huge })
    submit(client, 30)
    finish(paid)
    assert.equal(4 + 3, creates(box))
  end)

  it("late polls of a silent service are nothing to creates of another", function()
    local client, box = pair({ max_connections = 8 })
    local silent = support.sandbox()
    local stuck = support.client(silent, { max_active = 40, max_connections = 8 })
    local paid = submit(stuck, 8)
    support.step_until(function()
      return paid[8].id
    end)
    silent:fault({ on = "any", action = "hang", times = math.huge })
    submit(stuck, 30)
    finish(submit(client, 1)) -- the first, which makes the other's share smaller
    gptimage2.sleep(2.2) -- the polls are late now
    local before = gptimage2.now()
    finish(submit(client, 4))
    assert.is_true(gptimage2.now() - before < support.seconds(2))
    assert.equal(5, creates(box))
  end)

  it("a storm of creates lets jobs that are paid be polled", function()
    local client, box = pair({ max_active = 100, max_connections = 2 })
    local slow = 0.4
    local paid = assert(client:submit(CUP))
    support.step_until(function()
      return paid.id
    end)
    box:fault({ on = "create", action = "delay", seconds = slow, times = math.huge })
    submit(client, 60) -- 12 s of creates
    support.finish(paid)
    assert.equal("succeeded", paid.status)
    assert.is_true(creates(box) < 50, creates(box))
    box:clear()
  end)
end)

-- What this machine lacks, in a process of its own.

local PRELUDE = [[
local _, url, key, path, ca_file = ...
local gptimage2 = require("gptimage2")
local function new(options)
  options.api_key, options.base_url = key, url
  options.allow_private_references = true
  if options.verify_references == nil then
    options.verify_references = false
  end
  options.poll = options.poll or { first = 0.05, interval = 0.05 }
  return assert(gptimage2.new(options))
end
local function step_for(seconds)
  local till = gptimage2.now() + seconds
  while gptimage2.now() < till do
    gptimage2.step(0.01)
  end
end
local held = {}
local function exhaust()
  repeat
    local file = io.open("/dev/null")
    held[#held + 1] = file
  until not file
end
local function release()
  for i = 1, #held do
    held[i]:close()
  end
  held = {}
end
local function tell(job)
  print(job.status, job.attempts, job.error and job.error.kind or "-")
end
gptimage2.sleep(0) -- the thread is there
]]

local function run(code, box, environment, path, descriptors)
  local limit = [[sh -c 'ulimit -n %d; exec "$@"' sh]]
  limit = limit:format(descriptors or 64)
  environment = (environment or "") .. " " .. limit
  local result = child.run(PRELUDE .. code, { box.url, box.api_key, path or "" }, environment)
  assert.equal("", result.errors)
  return result.output
end

describe("without a descriptor", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("a create waits, as the first of a program, too", function()
    local box = support.sandbox()
    local code = [[
      local client = new({ max_attempts = 1 })
      exhaust()
      local job = assert(client:submit({ prompt = "a cup" }))
      step_for(0.7)
      tell(job)
      release()
      job:wait()
      tell(job)
    ]]
    assert.truthy(run(code, box):find("^%a+\t%d\t%-\nsucceeded\t1\t%-\n$"))
    assert.equal(1, creates(box))
  end)

  it("to spare, a thousand jobs at once are all made, with one create each", function()
    local box = support.sandbox({ credits = 100000 })
    local count = support.slow and 200 or 1000
    local code = [[
      local client, jobs = new({ max_active = 1000 }), {}
      for i = 1, COUNT do
        jobs[i] = assert(client:submit({ prompt = "a cup" }))
      end
      local made, attempts = 0, 0
      for _, job in ipairs(jobs) do
        job:wait()
        made = made + (job.status == "succeeded" and 1 or 0)
        attempts = attempts + job.attempts
      end
      print(made, attempts)
    ]]
    local said = run(code:gsub("COUNT", count), box, nil, nil, 24)
    assert.equal(("%d\t%d\n"):format(count, count), said)
    assert.equal(count, creates(box))
  end)

  it("a create of a program that has made others waits", function()
    local box = support.sandbox()
    local code = [[
      local client = new({ max_attempts = 1, max_active = 30 })
      assert(client:generate({ prompt = "a cup" }))
      exhaust()
      local jobs = {}
      for i = 1, 30 do
        jobs[i] = assert(client:submit({ prompt = "a cup" }))
      end
      step_for(0.5)
      release()
      local made, attempts = 0, 0
      for _, job in ipairs(jobs) do
        job:wait()
        made = made + (job.status == "succeeded" and 1 or 0)
        attempts = attempts + job.attempts
      end
      print(made, attempts)
    ]]
    assert.equal("30\t30\n", run(code, box))
    assert.equal(31, creates(box))
  end)

  it("a poll waits", function()
    local box = support.sandbox()
    box:fault({ on = "poll", action = "close", times = 3 })
    local code = [[
      local client = new({ poll = { first = 0.3, interval = 0.05 } })
      local job = assert(client:submit({ prompt = "a cup" }))
      while not job.id do
        gptimage2.step(0.01)
      end
      exhaust()
      step_for(1.5)
      exhaust() -- what its connection had
      step_for(1)
      tell(job)
      release()
      job:wait()
      tell(job)
    ]]
    assert.equal("pending\t1\t-\nsucceeded\t1\t-\n", run(code, box))
  end)

  it("only the deadline ends it, and says why", function()
    local box = support.sandbox()
    local code = [[
      local client = new({ max_attempts = 1 })
      exhaust()
      local job, err = client:generate({ prompt = "a cup" }, { timeout = 1 })
      local why = err.message:match("ulimit %-n")
      print(err.kind, err.sent, err.charged, err.attempts, why)
    ]]
    assert.equal("timeout\tno\tno\t0\tulimit -n\n", run(code, box))
    assert.equal(0, creates(box))
  end)

  it("a look at a reference waits", function()
    local box = support.sandbox()
    local code = [[
      local client = new({ verify_references = true })
      local request = { prompt = "a cup", image_urls = { path .. "/reference/cup.png" } }
      if path ~= url then
        assert(client:generate({ prompt = "a cup" })) -- libcurl is there
      end
      exhaust()
      local late, err = client:generate(request, { timeout = 0.5 })
      print(late, err.kind, err.message:match("ulimit %-n"))
      local job = assert(client:submit(request))
      step_for(path ~= url and 2.5 or 0.5) -- or longer than a second try would wait
      tell(job)
      release()
      job:wait()
      tell(job)
    ]]
    local said = "nil\ttimeout\tulimit -n\nqueued\t0\t-\nsucceeded\t1\t-\n"
    assert.equal(said, run(code, box, nil, box.url))
    local other = support.sandbox()
    assert.equal(said, run(code, box, nil, other.url))
    assert.equal(1, box:ledger().requests.reference)
    assert.equal(1, other:ledger().requests.reference)
  end)

  it("a picture waits for its connection, and for its file", function()
    local box = support.sandbox()
    box:fault({ on = "image", action = "close" })
    local path = folder.new()
    local code = [[
      local client = new({})
      local job = assert(client:generate({ prompt = "a cup" }))
      exhaust()
      local paths, err
      local saving = gptimage2.spawn(function()
        paths, err = job:save(path)
      end)
      step_for(1.5)
      exhaust()
      step_for(0.5)
      print(saving:done(), paths, err)
      release()
      gptimage2.run()
      print(paths and #paths, err)
    ]]
    assert.equal("false\tnil\tnil\n1\tnil\n", run(code, box, nil, path))
  end)
end)

describe("a machine that is short", function()
  after_each(support.clean)

  local LIBRARY = os.getenv("GPTIMAGE2_SPEC_LUA"):gsub("lua/[^/]+/lua$", "tools/short.so")

  if support.slow then -- a sanitizer's launcher has the last word on LD_PRELOAD
    return
  end

  for lacking, word in pairs({ port = "EADDRNOTAVAIL", memory = "ENOBUFS" }) do
    it("of " .. lacking .. " lets jobs wait", function()
      local box = support.sandbox()
      local path = os.tmpname()
      local code = [[
        local client = new({ max_attempts = 1 })
        local _, err = client:generate({ prompt = "a cup" }, { timeout = 0.5 })
        print(err.kind, err.sent, err.charged, err.message:match("%(([A-Z]+)%)"))
        local job = assert(client:submit({ prompt = "a cup" }))
        step_for(0.5)
        os.remove(path)
        job:wait()
        tell(job)
      ]]
      local environment = ("SHORT=%s SHORT_WHILE=%s LD_PRELOAD=%s"):format(lacking, path, LIBRARY)
      local said = run(code, box, environment, path)
      os.remove(path)
      assert.equal(("timeout\tno\tno\t%s\nsucceeded\t1\t-\n"):format(word), said)
      assert.equal(1, creates(box))
    end)
  end
end)
