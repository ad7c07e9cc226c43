--- When a job is polled, once it is known how long its like take; and what is said of the time that
--- is left. All times are a tenth of what they are for the real service, or less, and judged by
--- ratios and counts alone.

local book = require("spec.helpers.book")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local REQUEST = { prompt = "a cup" }

--- Submits so many jobs at once and steps until they are done.
local function run_jobs(client, count)
  local jobs = {}
  for i = 1, count do
    jobs[i] = assert(client:submit(REQUEST))
  end
  for _, job in ipairs(jobs) do
    assert.equal("succeeded", support.finish(job).status)
  end
  return jobs
end

--- What the sandbox has by the ids of jobs.
local function lengths(box)
  local by_id = {}
  for _, job in ipairs(box:ledger().jobs) do
    by_id[job.id] = job.duration
  end
  return by_id
end

--- Submits `count` jobs: polls for each, and seconds from its end to the poll that found it.
local function measure(client, box, events, count)
  local polls, lag, created = 0, 0, {}
  local jobs = run_jobs(client, count)
  local length = lengths(box)
  for _, event in ipairs(events) do
    created[event.type .. (event.id or "")] = event.time
  end
  for _, job in ipairs(jobs) do
    polls = polls + job.polls
    lag = lag + created["succeeded" .. job.id] - created["created" .. job.id] - length[job.id]
  end
  return polls / count, lag / count
end

local function new(box, poll, more)
  local events, on_event = support.recorder()
  local options = { poll = poll, max_active = 1000, on_event = on_event }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return support.client(box, options), events
end

local function measured(poll, known)
  local box = support.sandbox({
    credits = 1e6,
    duration = { median = 25, sigma = 0.35, scale = 0.1 },
  })
  local client, events = new(box, poll)
  if known then
    run_jobs(client, known)
  end
  return measure(client, box, events, 60)
end

describe("a client that knows how long jobs take", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("polls where they end, no more often than the documented loop", function()
    local loop_polls, loop_lag, polls, lag
    for _ = 1, 3 do -- a busy machine adds to both what is none of ours
      loop_polls, loop_lag = measured({ first = 0.25, interval = 0.25 })
      polls, lag = measured({ unit = 0.1 }, 30)
      -- Where an answer takes as long as a pause, it is all that counts.
      if polls < 1.06 * loop_polls and (support.slow or lag < 0.9 * loop_lag) then
        break
      end
      support.clean()
    end
    assert.is_true(polls < 1.06 * loop_polls, polls .. " and " .. loop_polls)
    assert.is_true(support.slow or lag < 0.9 * loop_lag, lag .. " and " .. loop_lag)
    local half = measured({ unit = 0.1, share = 0.5 }, 30)
    assert.is_true(half < 0.6 * loop_polls, half .. " and " .. loop_polls)
  end)

  it("keeps to the times that it was given", function()
    local box = support.sandbox({ credits = 1e6, duration = { median = 1 } })
    local client = new(box, { first = 0.05, interval = 0.05 })
    for _, job in ipairs(run_jobs(client, 20)) do
      assert.is_true(job.polls > 8, job.polls) -- else one or two would do
    end
    local more = run_jobs(client, 3)
    assert.is_true(more[1].polls > 8)
    assert.is_true(client:expect(REQUEST) > 0.4) -- that it knows all the same
  end)

  it("counts from when it asked, however long the answer was under way", function()
    local box = support.sandbox({ duration = 0.1 })
    local path = book.path()
    local client, events = new(box, { unit = 0.5 }, { ledger = path })
    local pending = '{"jobId":"%s","status":"processing"}'
    local job = assert(client:submit(REQUEST))
    support.step_until(function()
      return job.id
    end)
    local slow = { times = 1, seconds = 1 }
    support.answer(box, "poll", 200, pending:format(job.id), slow)
    assert.equal("succeeded", support.finish(job).status)
    local at = {}
    for _, event in ipairs(events) do
      at[event.type] = event.time
    end
    book.settled(path, "succeeded")
    local seconds = tonumber(book.query(path, "SELECT seconds FROM jobs"))
    local asked = 2 * seconds - (at.succeeded - at.created) -- it ended between that and this
    assert.is_true(asked > 0.4, asked)
    assert.is_true(asked < at.status - at.created - 0.5, asked)
  end)

  it("obeys a Retry-After as ever", function()
    local box = support.sandbox({ credits = 1e6, duration = { median = 0.2 } })
    local client, events = new(box, { unit = 0.02 })
    run_jobs(client, 10)
    box:fault({
      on = "create",
      action = "delay",
      seconds = 0,
      headers = { ["Retry-After"] = "1" },
    })
    local job = run_jobs(client, 1)[1]
    local times = {}
    for _, event in ipairs(events) do
      times[event.type] = event.job == job and event.time or times[event.type]
    end
    assert.equal(1, job.polls)
    assert.is_true(times.succeeded - times.created >= 0.99)
  end)
end)

describe("what is expected of a job", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  local function half_known()
    local box = support.sandbox({
      credits = 1e6,
      duration = { median = 25, sigma = 0.2, scale = 0.04 },
    })
    return box, new(box, { unit = 0.04 })
  end

  it("is nil before four jobs were seen, and then what they took", function()
    local _, client = half_known()
    assert.is_nil(client:expect(REQUEST))
    run_jobs(client, 3)
    assert.is_nil(client:expect(REQUEST))
    run_jobs(client, 20)
    local p50, p90 = client:expect(REQUEST)
    assert.is_true(p50 > 0.6 and p50 < 2.5, tostring(p50))
    assert.is_true(p90 > p50 and p90 < 4 * p50, tostring(p90))
    local others = client:expect({ prompt = "a cup", count = 3 }) -- by those with one image
    assert.is_true(math.abs(others - p50) < 0.5 * p50)
    local images = { prompt = "a cup", image_urls = { "https://example.com/a.png" } }
    assert.is_true(client:expect(images) > 0)
  end)

  it("tells an error where the request is wrong or the client closed", function()
    local client = support.pair()
    local p50, err = client:expect({ prompt = "" })
    assert.is_nil(p50)
    assert.equal("prompt_required", err.code)
    client:close()
    p50, err = client:expect(REQUEST)
    assert.is_nil(p50)
    assert.equal("client_closed", err.code)
    assert.is_false(pcall(client.expect, client, 5))
  end)

  it("is a job's eta from its create to its end, less and less", function()
    local _, client, events = half_known()
    assert.is_nil(run_jobs(client, 20)[1].eta)
    local job = assert(client:submit(REQUEST))
    assert.is_nil(job.eta) -- who knows how long it waits for its turn?
    support.step_until(function()
      return job.eta
    end)
    local p50 = client:expect(REQUEST)
    local first = job.eta
    assert.is_true(first <= p50 and first >= 0)
    gptimage2.sleep(0.05)
    if job.eta then
      assert.is_true(job.eta <= first + 0.001)
    end
    support.finish(job)
    assert.is_nil(job.eta)
    local told
    for _, event in ipairs(events) do
      if event.job == job and event.type == "created" then
        told = event.eta
      end
    end
    assert.is_true(told > 0 and told <= p50)
  end)

  it("is known to the next process by the ledger", function()
    local dir = folder.new()
    local unit = support.slow and 0.16 or 0.04 -- an answer takes part of a second there
    local box = support.sandbox({
      credits = 1e6,
      duration = { median = 25, sigma = 0.2, scale = unit },
    })
    local client = new(box, { unit = unit }, { ledger = dir .. "/ledger" })
    run_jobs(client, 10)
    local before = client:expect(REQUEST)
    client:close()
    client = new(box, { unit = unit }, { ledger = dir .. "/ledger" })
    local after = client:expect(REQUEST)
    assert.is_true(math.abs(after - before) < 0.3 * before, before .. " and " .. after)
    local job = assert(client:submit(REQUEST))
    support.step_until(function()
      return job.eta
    end)
    support.finish(job)
  end)

  it("is nothing for a job that is taken up by its id", function()
    local _, client = half_known()
    run_jobs(client, 8)
    local made = assert(client:create(REQUEST))
    local job = client:job(made.id)
    assert.is_nil(job.eta)
    assert.equal("succeeded", assert(job:wait()).status)
    assert.is_nil(job.eta)
  end)
end)
