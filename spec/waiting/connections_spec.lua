-- The gate in front of libcurl: at most so many connections for exchanges with services, and who
-- goes first.

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

  it("and is a poll of its own says that the service was not asked", function()
    local box = support.sandbox()
    local silent = support.client(box, { max_connections = 1, request_timeout = 1000 })
    local id = assert(silent:create(CUP)).id
    box:fault({ on = "create", action = "hang", times = math.huge })
    local client = support.client(box, { max_connections = 1, timeout = 0.3 })
    assert(silent:submit(CUP))
    support.step_until(function()
      return creates(box) == 2
    end)
    local job, err = client:poll(id)
    assert.is_nil(job)
    assert.equal("deadline_passed", err.code)
    assert.is_true(err.retryable)
    assert.truthy(err.message:find("was not asked", 1, true), err.message)
    assert.equal(0, box:ledger().requests.poll)
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
