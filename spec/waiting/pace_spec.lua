-- How many jobs are at the service at once: fewer after a 429, more again with successes.

local gptimage2 = require("gptimage2")
local support = require("spec.support")

local CUP = { prompt = "a cup" }

--- Jobs that the sandbox has, and those of them that are not done.
local function count(box)
  local jobs, running = box:ledger().jobs, 0
  for _, job in ipairs(jobs) do
    if job.status == "pending" or job.status == "running" then
      running = running + 1
    end
  end
  return #jobs, running
end

--- Steps until that many jobs run and each has been polled several times since, so that another
--- would have been created, too, if it could be. A client that was slowed down may have got one
--- back already: its first create succeeds a second after it was refused.
local function until_running(box, wanted, slowed)
  support.step_until(function()
    return select(2, count(box)) >= wanted
  end)
  local before = box:ledger().requests.poll
  support.step_until(function()
    return box:ledger().requests.poll >= before + 10 * wanted
  end)
  local _, running = count(box)
  assert.is_true(running == wanted or (slowed and running == wanted + 1), running)
end

--- A client whose first create was answered with 429, and `more` further jobs.
local function slowed(max_active, more)
  local events, on_event = support.recorder()
  local client, box = support.pair(
    { max_active = max_active, on_event = on_event },
    { duration = 1000, credits = 100000 }
  )
  support.answer(box, "create", 429)
  local jobs = { assert(client:submit(CUP)) }
  support.step_until(function()
    return #box:ledger().jobs == 1
  end)
  for i = 1, more do
    jobs[i + 1] = assert(client:submit(CUP))
  end
  return client, box, jobs, events
end

describe("max_active", function()
  after_each(support.clean)

  it("is what is at the service while all is well", function()
    local client, box = support.pair({ max_active = 3 }, { duration = 1000 })
    for _ = 1, 8 do
      assert(client:submit(CUP))
    end
    until_running(box, 3)
  end)

  it("is halved by a 429", function()
    local _, box = slowed(8, 12)
    until_running(box, 4, true)
  end)

  it("never falls below one", function()
    local client, box = support.pair({ max_active = 1 })
    support.answer(box, "create", 429)
    assert.equal("succeeded", assert(client:generate(CUP)).status)
    assert.equal("succeeded", assert(client:generate(CUP)).status)
  end)

  it("is not changed by other failures", function()
    local client, box = support.pair({ max_active = 4 }, { duration = 1000 })
    support.answer(box, "create", 503)
    for _ = 1, 8 do
      assert(client:submit(CUP))
    end
    until_running(box, 4)
  end)

  it("is lowered by a 429 to a poll, too", function()
    local client, box = support.pair({ max_active = 4 }, { duration = 1000 })
    support.answer(box, "poll", 429)
    assert(client:submit(CUP))
    support.polled(box, 1, 2)
    for _ = 1, 6 do
      assert(client:submit(CUP))
    end
    until_running(box, 2, true)
  end)

  it("comes back one by one as creates succeed, and not beyond", function()
    local _, box, jobs = slowed(8, 150)
    until_running(box, 4, true)
    local seen = {}
    for _ = 1, 25 do
      box:advance(1000)
      local before = count(box)
      support.step_until(function()
        return count(box) > before
      end)
      local most = 0
      local polls = box:ledger().requests.poll
      support.step_until(function()
        local _, running = count(box)
        most = math.max(most, running)
        return box:ledger().requests.poll >= polls + 60
      end)
      assert.is_true(most <= 8, most)
      seen[most] = true
      if most == 8 then
        break
      end
    end
    assert.is_true(seen[6] or seen[7]) -- on the way
    assert.is_true(seen[8])
    for _, job in ipairs(jobs) do
      job:cancel()
    end
  end)

  it("that was lowered loses no job", function()
    local client, box = support.pair({ max_active = 16 }, { credits = 100000 })
    support.answer(box, "create", 429, nil, { times = 5, after = 3 })
    local jobs = {}
    for i = 1, 60 do
      jobs[i] = assert(client:submit(CUP))
    end
    for _, job in ipairs(jobs) do
      assert.equal("succeeded", support.finish(job).status)
    end
    assert.equal(60, #box:ledger().jobs)
    assert.equal(65, box:ledger().requests.create)
    assert.equal(0, gptimage2.pending())
  end)

  it("of one client is not another's", function()
    local _, box = slowed(8, 0)
    local other = support.client(box, { max_active = 8 })
    for _ = 1, 12 do
      assert(other:submit(CUP))
    end
    until_running(box, 9)
  end)
end)
