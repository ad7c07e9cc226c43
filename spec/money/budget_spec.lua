local book = require("spec.helpers.book")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local function is_integer(value)
  return math.type == nil or math.type(value) == "integer"
end

describe("client.spent", function()
  after_each(support.clean)

  it("counts a job from its submission on, as an integer", function()
    local client = support.pair()
    assert.equal(0, client.spent)
    local job = assert(client:submit({ prompt = "a cup", count = 3 }))
    assert.equal(30, client.spent)
    assert.is_true(is_integer(client.spent))
    support.finish(job)
    assert.equal(30, client.spent)
    assert(client:create({ prompt = "a cup" }))
    assert.equal(40, client.spent)
  end)

  it("is given back for what was not charged", function()
    local client, box = support.pair({ max_attempts = 1 })
    for _, status in ipairs({ 400, 401, 402, 403, 404, 422, 429 }) do
      support.answer(box, "create", status)
      local job, err = client:generate({ prompt = "a cup", count = 4 })
      assert.is_nil(job)
      assert.equal("no", err.charged)
      assert.equal(0, client.spent)
    end
    assert.equal(0, box:ledger().charged)
  end)

  it("is given back when the job fails at the service, as there", function()
    local client, box = support.pair()
    box:fault({ on = "job", action = "fail" })
    local job, err = client:generate({ prompt = "a cup", count = 2 })
    assert.is_nil(job)
    assert.equal("refund_expected", err.charged)
    assert.equal(0, client.spent)
    assert.equal(20, box:ledger().refunded)
    assert.equal(500, client.balance.paid_credits)
  end)

  it("stays where the service may have charged", function()
    local client, box = support.pair({ max_attempts = 1 })
    support.answer(box, "create", 500)
    support.answer(box, "create", 408)
    support.answer(box, "create", 302)
    box:fault({ on = "create", action = "reset" })
    box:fault({ on = "create", action = "malformed" })
    for i = 1, 5 do
      local _, err = client:generate({ prompt = "a cup" })
      assert.equal("unknown", err.charged)
      assert.equal(10 * i, client.spent)
    end
  end)

  it("is given back when the service was never reached", function()
    local box = support.sandbox()
    local client = support.client(box, { base_url = "http://127.0.0.1:1", max_attempts = 1 })
    local _, err = client:generate({ prompt = "a cup" })
    assert.equal("network", err.kind)
    assert.equal("connect_failed", err.code)
    assert.equal("no", err.sent)
    assert.equal("no", err.charged)
    assert.is_true(err.retryable)
    assert.equal(1, err.attempts)
    assert.equal(0, client.spent)
  end)

  it("does not count what was wrong before it was sent", function()
    local client = support.pair()
    client:generate({ prompt = "" })
    client:generate({ prompt = "a cup", count = 9 })
    assert.equal(0, client.spent)
  end)

  it("cannot be set, as no field of a client or a job can", function()
    local client = support.pair()
    for _, object in ipairs({ client, assert(client:submit({ prompt = "a cup" })) }) do
      local ok, message = pcall(function()
        object.spent = 0
      end)
      assert.is_false(ok)
      local name = tostring(object):match("^%S+")
      assert.truthy(message:find(("fields of a %s are read-only"):format(name), 1, true), message)
    end
    assert.equal(10, client.spent)
  end)
end)

describe("client.spent", function()
  after_each(support.clean)
  after_each(folder.clean)

  -- Whatever call learns it, and with or without a budget.
  for _, budget in ipairs({ 1000, false }) do
    local how = budget and ", with a budget" or ""
    it("is what was reserved less what was given back" .. how, function()
      local client, box = support.pair({ budget = budget or nil, poll = { first = 0.01 } })
      box:fault({ on = "job", action = "fail", times = 2 })
      local id = assert(client:create({ prompt = "fails", count = 2 })).id
      assert.equal(20, client.spent)
      assert.is_nil(client:wait(id))
      assert.equal(0, client.spent)
      id = assert(client:create({ prompt = "fails", count = 3 })).id
      assert.is_nil(client:poll(id))
      assert.is_nil(client:wait(id)) -- once
      assert.equal(0, client.spent)
      id = assert(client:create({ prompt = "a cup" })).id
      assert(client:wait(id))
      assert.equal(10, client.spent)
    end)
  end

  --- A client whose create of 20 credits got lost after the service had made the job.
  local function lost(options, fails)
    local client, box, path = book.pair(options)
    if fails then
      box:fault({ on = "job", action = "fail" })
    end
    box:fault({ on = "create", action = "reset", work = true, times = 2 })
    local _, err = client:generate({ prompt = "a cup", count = 2 })
    assert.equal("lost", err.kind)
    assert.equal(20, client.spent)
    return client, box, err.idempotency_key, path
  end

  it("counts a job once that is sent again where the service honours its key", function()
    local client, box = lost({ retry = "idempotent", max_attempts = 2 })
    local job = support.finish(assert(client:recover())[1])
    assert.equal("succeeded", job.status)
    assert.equal(20, client.spent)
    assert.equal(20, box:ledger().charged)
  end)

  -- A service that changes its mind, as one does whose worker was thought dead.
  for name, take_up in pairs({
    ["client:wait"] = function(client, id)
      return client:wait(id)
    end,
    ["client:poll"] = function(client, id)
      return client:poll(id)
    end,
    ["job:wait"] = function(client, id)
      return assert(client:job(id)):wait()
    end,
  }) do
    it(("counts a job that was told as failed and has succeeded, by %s"):format(name), function()
      for _, make in ipairs({ support.pair, book.pair }) do
        local client, box = make({ budget = 20 })
        support.answer(box, "poll", 200, '{"status":"failed","error":"worker_lost"}', { times = 2 })
        local _, err = client:generate({ prompt = "a cup", count = 2 })
        assert.equal("refund_expected", err.charged)
        assert.is_nil(take_up(client, err.job_id)) -- once more
        assert.equal(0, client.spent)
        for _ = 1, 2 do
          assert(take_up(client, err.job_id))
          assert.equal(20, client.spent)
        end
        assert.equal(box:ledger().charged, client.spent)
        assert.equal("budget", select(2, client:generate({ prompt = "a cup" })).kind)
      end
    end)
  end

  it("remembers of very many refunds the latest, and counts each once", function()
    local client, box = support.pair()
    support.answer(box, "poll", 200, '{"status":"failed"}', { times = 3 })
    local ids = {}
    for i = 1, 3 do
      ids[i] = select(2, client:generate({ prompt = "a cup" })).job_id
    end
    for _ = 1, 2 do
      for _, id in ipairs(ids) do
        assert(client:wait(id))
      end
    end
    assert.equal(30, client.spent)
  end)

  for _, ledger in ipairs({ true, false }) do
    local how = ledger and "with a ledger" or "without one"
    it("does not come back for jobs that the service gives another's id, " .. how, function()
      local client, box = (ledger and book or support).pair({ max_active = 2 })
      support.answer(box, "create", 202, '{"jobId":"job-1","status":"pending"}', { times = 4 })
      support.answer(box, "poll", 200, '{"jobId":"job-1","status":"failed"}', { times = 99 })
      local _, err = client:generate({ prompt = "a cup" })
      assert.equal("refund_expected", err.charged)
      assert.equal(0, client.spent)
      local jobs = {}
      for i = 1, 3 do
        jobs[i] = assert(client:submit({ prompt = "another cup" }))
      end
      for _, job in ipairs(jobs) do
        assert.equal("unknown", support.finish(job).status)
        assert.equal("protocol", job.error.kind)
        assert.equal("job_id_taken", job.error.code)
        assert.equal("unknown", job.error.charged)
        assert.equal("yes", job.error.sent)
        assert.is_nil(job.id)
        assert.is_nil(job.error.job_id)
      end
      assert.equal(30, client.spent)
      assert.equal(4, box:ledger().requests.create)
    end)
  end

  it("does not come back for one that was cancelled and is given another's id", function()
    local client, box = support.pair()
    local body = '{"jobId":"job-1","status":"failed"}'
    support.answer(box, "create", 202, body)
    support.answer(box, "create", 202, body, { seconds = support.seconds(0.3) })
    assert.is_nil(client:generate({ prompt = "a cup" }))
    local job = assert(client:submit({ prompt = "a cup" }))
    support.step_until(function()
      return box:ledger().requests.create == 2
    end)
    job:cancel()
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    assert.equal("unknown", job.error.charged)
    assert.equal(10, client.spent)
  end)

  it("stays where a create before that of a job that failed may have been charged", function()
    for retry, known in pairs({ documented = false, idempotent = true }) do
      local client, box = support.pair({ retry = retry, max_attempts = 2 }, { idempotency = known })
      box:fault({ on = "create", action = "status", status = 500, work = true })
      box:fault({ on = "job", action = "fail", after = known and 0 or 1 }) -- the last one made
      local job = support.finish(assert(client:submit({ prompt = "a cup" })))
      assert.equal("failed", job.status, tostring(job.error))
      assert.equal(known and "refund_expected" or "unknown", job.error.charged)
      assert.equal(known and 0 or 10, client.spent)
      client:poll(job.id) -- by whom it is told does not matter
      assert.equal(known and 0 or 10, client.spent)
    end
  end)

  it("comes back with a job that failed, however it was taken up", function()
    local client, box, key = lost({ max_attempts = 1 }, true)
    local job = support.finish(assert(client:resolve(key, box:ledger().jobs[1].id)))
    assert.equal("refund_expected", job.error.charged)
    assert.equal(0, client.spent)
    client = lost({ retry = "idempotent", max_attempts = 2 }, true)
    job = support.finish(assert(client:recover())[1])
    assert.equal("refund_expected", job.error.charged)
    assert.equal(0, client.spent)
  end)

  it("forgets the oldest of very many jobs that were only created, and errs upwards", function()
    local core = require("gptimage2.core")
    local follow = require("gptimage2.waiting.follow")
    local client = support.pair()
    local first = assert(client:create({ prompt = "a cup" }))
    for i = 1, 4096 do
      follow.keep_created(client, { job = { id = "x" .. i, idempotency_key = "k" .. i } })
    end
    assert.is_nil(core.created(client).jobs[first.id])
    assert.truthy(core.created(client).jobs.x2)
    assert.equal(10, client.spent)
  end)
end)

describe("a budget", function()
  after_each(support.clean)

  it("may be spent to the last credit, and no further", function()
    local client, box = support.pair({ budget = 20 })
    assert(client:generate({ prompt = "one" }))
    assert(client:generate({ prompt = "two" }))
    for _, name in ipairs({ "generate", "submit", "create" }) do
      local job, err = client[name](client, { prompt = "three" })
      assert.is_nil(job)
      assert.equal("budget", err.kind)
      assert.equal("budget_exceeded", err.code)
      assert.equal("no", err.sent)
      assert.equal("no", err.charged)
      assert.truthy(err.message:find("20", 1, true))
    end
    assert.equal(20, client.spent)
    assert.equal(2, box:ledger().requests.create)
    assert.equal(0, gptimage2.pending())
  end)

  it("counts what is under way", function()
    local client, box = support.pair({ budget = 30 }, { duration = 1000 })
    assert(client:submit({ prompt = "one", count = 2 }))
    local job, err = client:submit({ prompt = "two", count = 2 })
    assert.is_nil(job)
    assert.equal("budget", err.kind)
    assert(client:submit({ prompt = "three" }))
    assert.equal(30, client.spent)
    support.step_until(function()
      return #box:ledger().jobs == 2
    end)
  end)

  it("has room again for what was given back", function()
    local client, box = support.pair({ budget = 10, max_attempts = 1 })
    box:fault({ on = "job", action = "fail" })
    assert.is_nil(client:generate({ prompt = "fails" }))
    support.answer(box, "create", 429)
    assert.is_nil(client:generate({ prompt = "is refused" }))
    assert(client:generate({ prompt = "is made" }))
    assert.is_nil(client:generate({ prompt = "is too much" }))
  end)

  it("of less than an image sends nothing at all", function()
    local client, box = support.pair({ budget = 9 })
    local _, err = client:generate({ prompt = "a cup" })
    assert.equal("budget", err.kind)
    assert.equal(0, box:ledger().connections)
  end)

  it("does not stop polls: they cost nothing", function()
    local client = support.pair({ budget = 10 })
    local id = assert(client:create({ prompt = "a cup" })).id
    assert(client:poll(id))
    assert(client:wait(id))
    assert.equal(10, client.spent)
  end)

  it("has room again when a job that was only created turns out to have failed", function()
    for _, take_up in ipairs({
      function(client, job)
        return client:wait(job.id)
      end,
      function(client, job)
        return client:poll(job.id)
      end,
      function(client, job)
        return assert(client:job(job.id)):wait()
      end,
      function(_, job)
        return job:wait()
      end,
    }) do
      local client, box = support.pair({ budget = 30 })
      box:fault({ on = "job", action = "fail" })
      local job = assert(client:create({ prompt = "fails", count = 2 }))
      assert.equal(20, client.spent)
      for _ = 1, 2 do -- but once
        local done, err = take_up(client, job)
        assert.is_nil(done)
        assert.equal("refund_expected", err.charged)
        assert.equal(0, client.spent)
      end
    end
  end)

  it("still knows a created job after a poll that was too early", function()
    local client, box = support.pair({ budget = 10 }, { duration = 1000 })
    box:fault({ on = "job", action = "fail" })
    local id = assert(client:create({ prompt = "fails" })).id
    assert.equal("pending", assert(client:poll(id)).status)
    support.answer(box, "poll", 500)
    assert.is_nil(client:poll(id))
    assert.equal(10, client.spent)
    box:advance(1000)
    assert.is_nil(client:wait(id))
    assert.equal(0, client.spent)
  end)

  it("keeps a created job until it is settled, and no client for its sake", function()
    local client = support.pair({ budget = 20 })
    local seen = setmetatable({}, { __mode = "v" })
    seen.job = assert(client:create({ prompt = "a cup" }))
    collectgarbage()
    collectgarbage()
    assert.truthy(seen.job)
    assert(client:wait(seen.job.id))
    gptimage2.step() -- the last that held its end
    collectgarbage()
    collectgarbage()
    assert.is_nil(seen.job)
    local box = support.sandbox()
    seen.client = assert(gptimage2.new({ api_key = box.api_key, base_url = box.url, budget = 20 }))
    assert(seen.client:create({ prompt = "a cup" }))
    gptimage2.step()
    collectgarbage()
    collectgarbage()
    assert.is_nil(seen.client)
  end)

  it("is each client's own", function()
    local first, box = support.pair({ budget = 10 })
    local second = support.client(box, { budget = 10 })
    assert(first:generate({ prompt = "a cup" }))
    assert(second:generate({ prompt = "a cup" }))
    assert.equal(10, first.spent)
    assert.equal(10, second.spent)
  end)

  it("holds for many jobs at once", function()
    local client, box = support.pair({ budget = 50, max_active = 20 })
    local started, refused = {}, 0
    for i = 1, 20 do
      local job, err = client:submit({ prompt = "job " .. i })
      if job then
        started[#started + 1] = job
      else
        refused = refused + 1
        assert.equal("budget", err.kind)
      end
    end
    for _, job in ipairs(started) do
      support.finish(job)
    end
    assert.equal(5, #started)
    assert.equal(15, refused)
    assert.equal(50, box:ledger().charged)
  end)
end)
