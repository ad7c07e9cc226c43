--- max_active: how many unfinished jobs a client has at the service, and in which order.

local gptimage2 = require("gptimage2")
local support = require("spec.support")

describe("max_active", function()
  after_each(support.clean)

  -- How many jobs the sandbox has not finished.
  local function unfinished(box)
    local count = 0
    for _, job in ipairs(box:ledger().jobs) do
      if job.status == "pending" or job.status == "running" then
        count = count + 1
      end
    end
    return count
  end

  local function all_done(jobs)
    for _, job in ipairs(jobs) do
      if not job:done() then
        return false
      end
    end
    return true
  end

  local function submit(client, count)
    local jobs = {}
    for i = 1, count do
      jobs[i] = assert(client:submit({ prompt = "job " .. i }))
    end
    return jobs
  end

  it("limits the unfinished jobs at the service", function()
    local client, box = support.pair({ max_active = 2 }, { duration = 1000 })
    local jobs = submit(client, 6)
    local asked = 0
    support.step_until(function()
      assert.is_true(unfinished(box) <= 2)
      if #box:ledger().log >= asked + 10 then -- long enough for a third to slip through
        asked = #box:ledger().log
        box:advance(1000)
      end
      return all_done(jobs)
    end)
    for _, job in ipairs(jobs) do
      assert.equal("succeeded", job.status)
    end
    assert.equal(6, #box:ledger().jobs)
  end)

  it("lets no more through while those go on", function()
    local client, box = support.pair({ max_active = 2 }, { duration = 1000 })
    local jobs = submit(client, 3)
    support.polled(box, 1, 5)
    support.polled(box, 2, 5)
    assert.equal(2, #box:ledger().jobs)
    assert.equal("queued", jobs[3].status)
    assert.equal(3, gptimage2.pending())
  end)

  it("holds when polls of running jobs are answered with 200", function()
    local client, box = support.pair({ max_active = 2 }, { duration = 1000 })
    support.answer(box, "poll", 200, '{"status":"running"}', { times = math.huge })
    local jobs = submit(client, 20)
    support.step_until(function()
      return box:ledger().requests.poll >= 60
    end)
    -- A 200 looks final, so the next job may begin before it is read: once for each job.
    assert.is_true(#box:ledger().jobs <= 4, #box:ledger().jobs .. " jobs at once")
    assert.equal("queued", jobs[20].status)
  end)

  it("keeps the order of submission", function()
    local client, box = support.pair({ max_active = 1 })
    local jobs = submit(client, 5)
    support.step_until(function()
      return all_done(jobs)
    end)
    for i, job in ipairs(box:ledger().jobs) do
      assert.equal("job " .. i, job.prompt)
      assert.equal(jobs[i].id, job.id)
    end
  end)

  it("gives the place of a job that ended badly to the next", function()
    local client, box = support.pair({ max_active = 1 })
    support.answer(box, "create", 402)
    box:fault({ on = "create", action = "reset" })
    box:fault({ on = "create", action = "malformed" })
    box:fault({ on = "job", action = "fail", times = 3 }) -- those two were made
    local jobs = submit(client, 6)
    jobs[5]:cancel()
    support.step_until(function()
      return all_done(jobs)
    end)
    local kinds = {}
    for i, job in ipairs(jobs) do
      kinds[i] = job.error and job.error.kind or "none"
    end
    assert.same({ "credits", "lost", "protocol", "job_failed", "cancelled", "none" }, kinds)
  end)

  it("is each client's own", function()
    local first, box = support.pair({ max_active = 1 }, { duration = 1000 })
    local second = support.client(box, { max_active = 1 })
    submit(first, 2)
    submit(second, 2)
    support.step_until(function()
      return #box:ledger().jobs == 2
    end)
    assert.equal(2, unfinished(box))
  end)

  it("lets polls of known jobs through at once", function()
    local client = support.pair({ max_active = 1 }, { duration = 1000 })
    local id = client:create({ prompt = "a cup" }).id
    submit(client, 2)
    assert.equal("pending", assert(client:poll(id)).status)
  end)

  it("makes a job wait no longer than its timeout, and costs it nothing then", function()
    local client, box = support.pair({ max_active = 1 }, { duration = 1000 })
    submit(client, 1)
    local job = assert(client:submit({ prompt = "impatient" }, { timeout = 0.05 }))
    support.finish(job)
    assert.equal("failed", job.status)
    assert.equal("timeout", job.error.kind)
    assert.equal("deadline_passed", job.error.code)
    assert.equal("no", job.error.sent)
    assert.equal("no", job.error.charged)
    assert.is_true(job.error.retryable)
    assert.equal(0, job.attempts)
    assert.equal(10, client.spent)
    assert.is_true(#box:ledger().jobs <= 1)
  end)
end)
