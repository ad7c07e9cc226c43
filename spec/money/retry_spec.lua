-- Which creates are sent again, how often and when: the table of doc/money.md, row by row, counted
-- at the server. Backoffs take real time, so all cases of a group run at once.

local gptimage2 = require("gptimage2")
local support = require("spec.support")

local CUP = { prompt = "a cup" }
local MODES = { "safe", "documented", "idempotent" }
local ALWAYS = math.huge

--- The POSTs that carried this key.
local function count_posts(box, key)
  local count = 0
  for _, entry in ipairs(box:ledger().log) do
    if entry.method == "POST" and entry.key == key then
      count = count + 1
    end
  end
  return count
end

--- Asserts how many POSTs carried this key. One whose sender gave up may reach the log later.
local function assert_posts(expected, box, key, name)
  support.step_until(function()
    return count_posts(box, key) >= expected
  end)
  assert.equal(expected, count_posts(box, key), name)
end

local function retries(events, job)
  local found = {}
  for _, event in ipairs(events) do
    if event.type == "retry" and (job == nil or event.job == job) then
      found[#found + 1] = event
    end
  end
  return found
end

--- An answer with a status, for `box:fault`.
local function status(code, more)
  local rule = { on = "create", action = "status", status = code, times = ALWAYS }
  for name, value in pairs(more or {}) do
    rule[name] = value
  end
  return rule
end

--- How each row ends when it fails every time, two attempts being allowed. `attempts` in the modes
--- safe, documented, idempotent.
local ROWS = {
  nobody_listens = { kind = "network", attempts = { 2, 2, 2 }, charged = "no", sent = "no" },
  status_429 = { kind = "rate_limit", attempts = { 2, 2, 2 }, charged = "no" },
  status_408 = { kind = "server", attempts = { 1, 2, 2 }, charged = "unknown" },
  status_500 = { kind = "server", attempts = { 1, 2, 2 }, charged = "unknown" },
  status_502 = { kind = "server", attempts = { 1, 2, 2 }, charged = "unknown" },
  status_503 = { kind = "server", attempts = { 1, 2, 2 }, charged = "unknown" },
  status_504 = { kind = "server", attempts = { 1, 2, 2 }, charged = "unknown" },
  status_501 = { kind = "server", attempts = { 1, 1, 1 }, charged = "unknown" },
  status_409 = { kind = "validation", attempts = { 1, 1, 1 }, charged = "unknown" },
  status_400 = { kind = "validation", attempts = { 1, 1, 1 }, charged = "no" },
  status_401 = { kind = "auth", attempts = { 1, 1, 1 }, charged = "no" },
  status_402 = { kind = "credits", attempts = { 1, 1, 1 }, charged = "no" },
  status_403 = { kind = "auth", attempts = { 1, 1, 1 }, charged = "no" },
  status_404 = { kind = "not_found", attempts = { 1, 1, 1 }, charged = "no" },
  status_422 = { kind = "validation", attempts = { 1, 1, 1 }, charged = "no" },
  status_307 = { kind = "protocol", attempts = { 1, 1, 1 }, charged = "unknown" },
  reset_before_the_work = {
    fault = { action = "reset", work = false },
    kind = "lost",
    attempts = { 1, 1, 2 },
    charged = "unknown",
  },
  reset_after_the_work = {
    fault = { action = "reset", work = true },
    kind = "lost",
    attempts = { 1, 1, 2 },
    charged = "unknown",
  },
  close_after_the_work = {
    fault = { action = "close", work = true },
    kind = "lost",
    attempts = { 1, 1, 2 },
    charged = "unknown",
  },
  silence = {
    fault = { action = "hang" },
    options = { request_timeout = support.slow and 3 or support.seconds(0.5) },
    kind = "lost",
    attempts = { 1, 1, 2 },
    charged = "unknown",
  },
  an_answer_cut_off = {
    fault = { action = "truncate", bytes = 5 },
    kind = "lost",
    attempts = { 1, 1, 2 },
    charged = "unknown",
  },
  an_unreadable_answer = {
    fault = { action = "malformed" },
    kind = "protocol",
    attempts = { 1, 1, 1 },
    charged = "unknown",
  },
}

--- The fault that belongs to a row.
local function fault_of(name, row)
  local code = name:match("^status_(%d+)$")
  if code then
    return status(tonumber(code))
  end
  local rule = { on = "create", times = ALWAYS }
  for key, value in pairs(row.fault) do
    rule[key] = value
  end
  return rule
end

local function with(options, more)
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return options
end

describe("a create that fails", function()
  after_each(support.clean)

  it("each time is sent as often as the table says, and told as it is", function()
    local cases = {}
    for name, row in pairs(ROWS) do
      local box = support.sandbox()
      local at = box
      if name == "nobody_listens" then
        at = { url = support.nowhere(), api_key = box.api_key }
      else
        box:fault(fault_of(name, row))
      end
      for i, mode in ipairs(MODES) do
        local options = with({ retry = mode, max_attempts = 2 }, row.options)
        local client = support.client(at, options)
        local job = assert(client:submit(CUP))
        local case = { name = name .. ", " .. mode, row = row, client = client, box = box }
        case.job, case.attempts = job, row.attempts[i]
        cases[#cases + 1] = case
      end
    end
    for _, case in ipairs(cases) do
      local job, row = support.finish(case.job), case.row
      local err = job.error
      assert.truthy(err, case.name)
      assert.equal(row.kind, err.kind, case.name)
      assert.equal(case.attempts, err.attempts, case.name)
      assert.equal(case.attempts, job.attempts, case.name)
      assert.equal(row.charged, err.charged, case.name)
      assert.equal(row.sent or "yes", err.sent, case.name)
      assert.equal(row.charged == "no" and 0 or 10, case.client.spent, case.name)
      assert.equal(job.idempotency_key, err.idempotency_key, case.name)
      local expected = row.sent and 0 or case.attempts
      assert_posts(expected, case.box, job.idempotency_key, case.name)
    end
  end)

  it("once is sent again where the table says so, and paid once", function()
    local cases = {}
    for name, row in pairs(ROWS) do
      for i, mode in ipairs(MODES) do
        if row.attempts[i] == 2 and name ~= "nobody_listens" then
          local box = support.sandbox()
          box:fault(with(fault_of(name, row), { times = 1 }))
          local options = with({ retry = mode, max_attempts = 2 }, row.options)
          local client = support.client(box, options)
          local job = assert(client:submit(CUP))
          cases[#cases + 1] = { name = name .. ", " .. mode, job = job, client = client, box = box }
        end
      end
    end
    for _, case in ipairs(cases) do
      local job = support.finish(case.job)
      assert.equal("succeeded", job.status, case.name)
      assert.equal(2, job.attempts, case.name)
      local books = case.box:ledger()
      assert_posts(2, case.box, job.idempotency_key, case.name)
      assert.equal(2, books.requests.create, case.name)
      assert.equal(1, #books.jobs, case.name)
      assert.equal(10, books.charged, case.name)
      assert.equal(10, case.client.spent, case.name)
    end
  end)

  -- The sandbox answers another body under a key it knows with 422.
  it("after its work was done is repeated with the very same bytes", function()
    local client, box = support.pair()
    box:fault(status(503, { work = true, times = 1 }))
    local request = { prompt = 'a "cup" \226\130\172', count = 2, style = "a-b" }
    local job = assert(client:generate(request))
    assert.equal(2, job.attempts)
    local made = box:ledger().jobs
    assert.equal(1, #made)
    assert.equal(2, made[1].posts)
    assert.equal(job.idempotency_key, made[1].key)
    assert.equal(20, box:ledger().charged)
    assert.equal(20, client.spent)
  end)

  it("is repeated under the key of the caller", function()
    local client, box = support.pair()
    box:fault(status(500, { times = 1 }))
    local job = assert(client:generate(CUP, { idempotency_key = "order-17" }))
    assert.equal("order-17", job.idempotency_key)
    assert_posts(2, box, "order-17")
  end)

  it("in client:create is repeated, too", function()
    local client, box = support.pair()
    box:fault(status(503, { work = true, times = 1 }))
    local job = assert(client:create(CUP))
    assert.equal(2, job.attempts)
    assert.equal(1, #box:ledger().jobs)
    assert.equal(0, box:ledger().requests.poll)
  end)

  it("because its job is still being made, is asked for again under the same key", function()
    local events, on_event = support.recorder()
    local cases = {
      { rules = { 503, 409 }, attempts = 3 },
      { rules = { 429, 409 }, attempts = 3, mode = "safe" },
      { rules = { 409 }, attempts = 2, key = "known" },
    }
    for _, case in ipairs(cases) do
      local client, box = support.pair({ retry = case.mode, on_event = on_event })
      for _, code in ipairs(case.rules) do
        box:fault(status(code, { times = 1 }))
      end
      case.job = assert(client:submit(CUP, { idempotency_key = case.key }))
      case.box = box
    end
    for i, case in ipairs(cases) do
      assert.equal("succeeded", support.finish(case.job).status, i)
      assert.equal(case.attempts, case.job.attempts, i)
      assert_posts(case.attempts, case.box, case.job.idempotency_key, i)
      assert.equal(case.attempts - 1, #retries(events, case.job), i)
    end
  end)

  it("tells of each retry with its reason and its pause, which grows", function()
    local events, on_event = support.recorder()
    local client, box = support.pair({ on_event = on_event, max_attempts = 3 })
    box:fault(status(503, { body = '{"error":"overloaded"}' }))
    local job, err = client:generate(CUP)
    assert.is_nil(job)
    assert.equal("overloaded", err.code)
    assert.equal(3, err.attempts)
    assert.is_false(err.retryable) -- it may have been paid
    assert.equal("queued retry retry failed", support.types(events))
    for i, event in ipairs(retries(events)) do
      assert.equal(i, event.attempts)
      assert.equal(503, event.status)
      assert.truthy(event.message:find("503", 1, true))
      assert.is_true(event.delay <= i)
      assert.is_true(event.delay > i * 0.3)
    end
  end)

  it("by a lost answer says so in the retry's event", function()
    local events, on_event = support.recorder()
    local client, box = support.pair({ on_event = on_event, retry = "idempotent" })
    box:fault({ on = "create", action = "reset" })
    assert(client:generate(CUP))
    local event = assert(retries(events)[1])
    assert.equal("connection_lost", event.code)
    assert.equal("creating", event.status)
  end)

  it("in one mode does not change another client's", function()
    local box = support.sandbox()
    local safe = support.client(box, { retry = "safe" })
    local other = support.client(box, { retry = "documented" })
    box:fault(status(503, { times = 2 }))
    local job = assert(safe:submit(CUP))
    support.finish(job)
    assert.equal(1, job.error.attempts)
    assert.equal(2, assert(other:generate(CUP)).attempts)
  end)
end)

describe("what a create may have cost", function()
  after_each(support.clean)

  --- Client and error of a create that gets these statuses one after the other.
  local function after(...)
    local client, box = support.pair({ max_attempts = select("#", ...) })
    for _, code in ipairs({ ... }) do
      box:fault(status(code, { times = 1, work = code >= 500 }))
    end
    local job, err = client:generate(CUP)
    assert.is_nil(job)
    return client, err, box
  end

  it("stays unknown when an earlier attempt may have made the job", function()
    local client, err, box = after(503, 402)
    assert.equal("credits", err.kind)
    assert.equal("unknown", err.charged)
    assert.equal(10, client.spent)
    assert.equal(1, #box:ledger().jobs)
    assert.truthy(err.message:find("not known", 1, true))
    assert.is_nil(err.message:find("nothing was made", 1, true))
  end)

  it("is nothing when every attempt was refused", function()
    local client, err, box = after(429, 402)
    assert.equal("credits", err.kind)
    assert.equal("no", err.charged)
    assert.equal(0, client.spent)
    assert.equal(0, #box:ledger().jobs)
    assert.truthy(err.message:find("nothing was made or charged", 1, true))
  end)

  it("stays unknown when the service is gone afterwards", function()
    local box, events = support.sandbox(), {}
    local client = support.client(box, {
      max_attempts = 2,
      on_event = function(event)
        events[#events + 1] = event
        if event.type == "retry" then
          box:stop()
        end
      end,
    })
    box:fault(status(503, { work = true, times = 1 }))
    local job, err = client:generate(CUP)
    assert.is_nil(job)
    assert.equal("lost", err.kind)
    assert.equal("yes", err.sent)
    assert.equal("unknown", err.charged)
    assert.equal(2, err.attempts)
    assert.is_false(err.retryable)
    assert.equal("unknown", events[#events].job.status)
    assert.equal(10, client.spent)
  end)
end)

describe("Retry-After", function()
  after_each(support.clean)

  local function date(seconds)
    return os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + seconds)
  end

  --- The pause before the second attempt when the first is answered with these headers.
  local function pause(headers, code)
    local events, on_event = support.recorder()
    local client, box = support.pair({ on_event = on_event, timeout = 1000 })
    box:fault(status(code or 429, { headers = headers }))
    local job = assert(client:submit(CUP))
    support.step_until(function()
      return retries(events)[1] or job:done()
    end)
    local event = retries(events)[1]
    job:cancel()
    return event and event.delay, job.error
  end

  for name, row in pairs({
    ["in seconds is a floor"] = { { ["Retry-After"] = "7" }, 6, 7 },
    ["of the longest time is waited"] = { { ["Retry-After"] = "60" }, 59, 60 },
    ["in milliseconds comes first"] = {
      { ["Retry-After"] = "30", ["Retry-After-Ms"] = "5500" },
      5,
      5.5,
    },
    ["as a date is understood"] = { { ["Retry-After"] = date(40) }, 5, 40 },
    ["as a date of the past is no floor"] = { { ["Retry-After"] = date(-40) }, 0.3, 1 },
    ["of zero leaves the backoff"] = { { ["Retry-After"] = "0" }, 0.3, 1 },
    ["below the backoff leaves the backoff"] = { { ["Retry-After-Ms"] = "5" }, 0.3, 1 },
    ["that is garbage is as if missing"] = { { ["Retry-After"] = "soon" }, 0.3, 1 },
    ["that is negative is as if missing"] = { { ["Retry-After"] = "-7" }, 0.3, 1 },
    ["in another notation is as if missing"] = { { ["Retry-After"] = "1e1" }, 0.3, 1 },
    ["that is missing leaves the backoff"] = { {}, 0.3, 1 },
  }) do
    it(name, function()
      local delay = assert(pause(row[1]))
      assert.is_true(delay > row[2], delay)
      assert.is_true(delay <= row[3] + 0.001, delay)
    end)
  end

  it("holds for 5xx, too", function()
    local delay = assert(pause({ ["Retry-After"] = "8" }, 503))
    assert.is_true(delay > 7 and delay <= 8, delay)
  end)

  for name, row in pairs({
    ["of over a minute"] = { "61", 61 },
    ["that is huge"] = { "99999999999999999999", 86400 },
  }) do
    it(name .. " fails now and says when to come back", function()
      local delay, err = pause({ ["Retry-After"] = row[1] })
      assert.is_nil(delay)
      assert.equal("rate_limit", err.kind)
      assert.equal(row[2], err.retry_after)
      assert.equal(1, err.attempts)
      assert.equal("no", err.charged)
      assert.is_true(err.retryable)
    end)
  end

  it("past the job's deadline fails now", function()
    local client, box = support.pair()
    box:fault(status(503, { headers = { ["Retry-After"] = "59" } }))
    local job = assert(client:submit(CUP, { timeout = 50 }))
    support.finish(job)
    assert.equal("server", job.error.kind)
    assert.equal(59, job.error.retry_after)
    assert.equal(1, job.error.attempts)
  end)
end)

describe("the retry quota of a client", function()
  after_each(support.clean)

  it("stops a storm: one hundred retries, then none", function()
    local client, box = support.pair({ max_active = 200, max_attempts = 2 })
    local other = support.client(box, { max_attempts = 2 })
    box:fault(status(503))
    local jobs = {}
    for i = 1, 120 do
      jobs[i] = assert(client:submit(CUP))
    end
    local once, twice = 0, 0
    for _, job in ipairs(jobs) do
      local attempts = support.finish(job).attempts
      once = once + (attempts == 1 and 1 or 0)
      twice = twice + (attempts == 2 and 1 or 0)
    end
    assert.equal(20, once)
    assert.equal(100, twice)
    assert.equal(220, box:ledger().requests.create)
    local job = support.finish(assert(client:submit(CUP)))
    assert.equal(1, job.error.attempts)
    job = support.finish(assert(other:submit(CUP))) -- has a quota of its own
    assert.equal(2, job.error.attempts)
  end)

  it("fills up again with successes", function()
    local client, box = support.pair({ max_active = 200, max_attempts = 2 })
    box:fault(status(503, { times = 200 }))
    for _ = 1, 100 do
      assert(client:submit(CUP))
    end
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    assert.equal(200, box:ledger().requests.create)
    for _ = 1, 5 do
      assert.equal(1, assert(client:generate(CUP)).attempts)
    end
    box:fault(status(503, { times = 1 }))
    assert.equal(2, assert(client:generate(CUP)).attempts)
  end)
end)
