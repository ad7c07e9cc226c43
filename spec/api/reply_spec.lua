--- What becomes of a create or a poll by its answer, and by an error while it is read.

local core = require("gptimage2.core")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

-- HTTP status -> what a create makes of it: kind, code without one from the service, charged.
local REFUSALS = {
  [301] = { "protocol", "unexpected_status", "unknown" },
  [302] = { "protocol", "unexpected_status", "unknown" },
  [304] = { "protocol", "unexpected_status", "unknown" },
  [307] = { "protocol", "unexpected_status", "unknown" },
  [400] = { "validation", "request_refused", "no" },
  [401] = { "auth", "unauthorized", "no" },
  [402] = { "credits", "insufficient_credits", "no" },
  [403] = { "auth", "forbidden", "no" },
  [404] = { "not_found", "not_found", "no" },
  [407] = { "validation", "request_refused", "no" },
  [408] = { "server", "request_timeout", "unknown" },
  [410] = { "not_found", "gone", "no" },
  [422] = { "validation", "request_refused", "no" },
  [429] = { "rate_limit", "rate_limited", "no" },
  [500] = { "server", "server_error", "unknown" },
  [502] = { "server", "server_error", "unknown" },
  [503] = { "server", "server_error", "unknown" },
  [504] = { "server", "server_error", "unknown" },
}

describe("a create", function()
  after_each(support.clean)

  it("answered with an error status is over at once, with the kind that fits", function()
    local client, box = support.pair({ max_attempts = 1 })
    local posts = 0
    for status, expected in pairs(REFUSALS) do
      support.answer(box, "create", status, "no JSON")
      local job, err = client:generate({ prompt = "a cup" })
      posts = posts + 1
      local hint = "HTTP " .. status
      assert.is_nil(job, hint)
      assert.equal(expected[1], err.kind, hint)
      assert.equal(expected[2], err.code, hint)
      assert.equal(expected[3], err.charged, hint)
      assert.equal(status, err.status)
      assert.equal("yes", err.sent)
      assert.equal(1, err.attempts)
      assert.is_nil(err.job_id)
      assert.equal(status ~= 304 and "no JSON" or nil, err.body) -- which has no body
      assert.equal(32, #err.idempotency_key)
      assert.is_true(err.elapsed >= 0)
      assert.equal(status == 429, err.retryable, hint) -- the others may have been paid
      assert.truthy(err.message:find("HTTP " .. status, 1, true))
      local elsewhere = err.message:find("is base_url right?", 1, true) ~= nil
      assert.equal(status == 404 or status == 410, elsewhere, err.message)
      assert.equal(posts, box:ledger().requests.create)
    end
    assert.equal(0, box:ledger().requests.poll)
  end)

  it("takes the service's own code", function()
    local client, box = support.pair()
    support.answer(box, "create", 400, '{"error":"prompt_too_rude"}')
    local _, err = client:create({ prompt = "a cup" })
    assert.equal("validation", err.kind)
    assert.equal("prompt_too_rude", err.code)
  end)

  it("really refused by the service has its codes", function()
    local poor = support.pair({}, { credits = 5 })
    local _, err = poor:generate({ prompt = "a cup" })
    assert.equal("credits", err.kind)
    assert.equal("insufficient_credits", err.code)
    local box = support.sandbox()
    _, err = support.client(box, { api_key = "wrong" }):generate({ prompt = "a cup" })
    assert.equal("auth", err.kind)
    assert.equal("unauthorized", err.code)
  end)

  it("refused for now tells when to come back", function()
    local client, box = support.pair({ max_attempts = 1 })
    support.answer(box, "create", 429, nil, { headers = { ["Retry-After"] = "7" } })
    local _, err = client:generate({ prompt = "a cup" })
    assert.equal(7, err.retry_after)
    support.answer(box, "create", 503, nil, { headers = { ["retry-after-ms"] = "1500" } })
    _, err = client:generate({ prompt = "a cup" })
    assert.equal(1.5, err.retry_after)
    support.answer(box, "create", 429)
    _, err = client:generate({ prompt = "a cup" })
    assert.is_nil(err.retry_after)
  end)

  it("may be answered with any status from 200 to 299", function()
    local client, box = support.pair()
    for _, status in ipairs({ 200, 201, 202 }) do
      local id = "job-" .. status
      support.answer(box, "create", status, ('{"jobId":"%s","status":"running"}'):format(id))
      local job = assert(client:create({ prompt = "a cup" }))
      assert.equal(id, job.id)
      assert.equal("running", job.status)
    end
  end)

  it("may be answered with a job that has ended already", function()
    local client, box = support.pair()
    local results = '[{"imageUrl":"https://e.com/1.png"}]'
    local body = '{"jobId":"job-1","status":"succeeded","results":' .. results .. "}"
    support.answer(box, "create", 200, body)
    local job = assert(client:generate({ prompt = "a cup" }))
    assert.equal("succeeded", job.status)
    assert.equal("https://e.com/1.png", job.results[1].image_url)
    support.answer(box, "create", 200, '{"jobId":"job-2","status":"failed","error":"unlucky"}')
    local _, err = client:generate({ prompt = "a cup" })
    assert.equal("job_failed", err.kind)
    assert.equal("unlucky", err.code)
    assert.equal("job-2", err.job_id)
    assert.equal(0, box:ledger().requests.poll)
  end)

  it("may be answered without a status: the polls tell", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "body", body = '{"jobId":"job-1"}' })
    local results = '[{"imageUrl":"https://e.com/1.png"}]'
    local body = '{"jobId":"job-1","status":"succeeded","results":' .. results .. "}"
    support.answer(box, "poll", 200, body)
    assert.equal("job-1", assert(client:generate({ prompt = "a cup" })).id)
  end)

  it("is made where a length that is too small cuts off only what is behind its id", function()
    local client, box = support.pair({}, { duration = 1000 })
    local jobs = {}
    for bytes = 1, 3 do
      box:fault({ on = "create", action = "length", add = -bytes })
      jobs[bytes] = assert(client:submit({ prompt = "a cup" }))
      support.polled(box, bytes, 1)
    end
    box:fault({ on = "create", action = "short", bytes = 60, seconds = support.seconds(0.3) })
    jobs[4] = assert(client:submit({ prompt = "a cup" }))
    support.step_until(function()
      return box:ledger().requests.create == 4
    end)
    jobs[4]:cancel()
    box:advance(1000)
    for i = 1, 3 do
      assert.equal("succeeded", support.finish(jobs[i]).status)
      assert.equal(box:ledger().jobs[i].id, jobs[i].id)
    end
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    assert.equal(box:ledger().jobs[4].id, jobs[4].error.job_id)
    assert.equal("yes", jobs[4].error.charged)
    assert.equal(4, box:ledger().requests.create)
  end)

  local unusable = {
    { "an empty answer", "unreadable_reply", "" },
    { "broken JSON", "unreadable_reply", '{"jobId":' },
    { "an answer without a job id", "job_id_missing", '{"status":"pending"}' },
    { "a job id for another place", "job_id_missing", '{"jobId":"../admin","status":"pending"}' },
    { "a job id that is no text", "job_id_missing", '{"jobId":17,"status":"pending"}' },
  }

  it("accepted with an answer that is not usable may be paid, and is not repeated", function()
    local client, box = support.pair()
    for i, case in ipairs(unusable) do
      box:fault({ on = "create", action = "body", body = case[3] })
      local job = support.finish(assert(client:submit({ prompt = "a cup" })))
      assert.equal("unknown", job.status, case[1])
      assert.equal("protocol", job.error.kind, case[1])
      assert.equal(case[2], job.error.code, case[1])
      assert.equal("unknown", job.error.charged)
      assert.equal("yes", job.error.sent)
      assert.is_false(job.error.retryable)
      assert.equal(job.idempotency_key, job.error.idempotency_key)
      assert.equal(202, job.error.status)
      assert.is_nil(job.id)
      assert.equal(i, box:ledger().requests.create)
    end
    assert.equal(10 * #unusable, client.spent)
    assert.equal(0, box:ledger().requests.poll)
  end)

  it("with an answer over 1 MiB is not repeated either", function()
    local client, box = support.pair()
    for i, chunked in ipairs({ false, true }) do
      box:fault({ on = "create", action = "oversize", chunked = chunked })
      local job, err = client:generate({ prompt = "a cup" })
      assert.is_nil(job)
      assert.equal("protocol", err.kind)
      assert.equal("reply_too_large", err.code)
      assert.equal("unknown", err.charged)
      assert.equal(i, box:ledger().requests.create)
    end
  end)

  it("with a head over 64 KiB is not repeated, and the error says so", function()
    local client, box = support.pair()
    local line = "X-Fill: " .. ("x"):rep(1000) .. "\r\n"
    local heads = {
      {
        "the head of the reply is larger than 64 KiB",
        "HTTP/1.1 202 Accepted\r\n" .. line:rep(70),
      },
      { "more than 64 KiB of 1xx answers", ("HTTP/1.1 103 Early Hints\r\n\r\n"):rep(3000) },
    }
    for i, head in ipairs(heads) do
      box:fault({ on = "create", action = "raw", body = head[2] .. "\r\n{}" })
      local job, err = client:generate({ prompt = "a cup" })
      assert.is_nil(job)
      assert.equal("protocol", err.kind)
      assert.equal("reply_too_large", err.code)
      assert.truthy(err.message:find(head[1], 1, true), err.message)
      assert.equal("unknown", err.charged)
      assert.equal(i, box:ledger().requests.create)
    end
  end)

  it("whose answer never comes is lost, with its key, and is not repeated", function()
    local faults = {
      { "connection_lost", { action = "reset" } },
      { "connection_lost", { action = "close" } },
      { "reply_cut_off", { action = "truncate", bytes = 10 } },
    }
    for _, case in ipairs(faults) do
      local client, box = support.pair()
      case[2].on = "create"
      box:fault(case[2])
      local job = support.finish(assert(client:submit({ prompt = "a cup" })))
      assert.equal("unknown", job.status)
      assert.equal("lost", job.error.kind)
      assert.equal(case[1], job.error.code)
      assert.equal("unknown", job.error.charged)
      assert.equal("yes", job.error.sent)
      assert.is_false(job.error.retryable)
      assert.equal(box:ledger().jobs[1].key, job.error.idempotency_key)
      assert.equal(1, box:ledger().requests.create)
      assert.equal(10, client.spent)
    end
  end)

  it("that is not answered within request_timeout is lost", function()
    local client, box = support.pair({ request_timeout = support.seconds(0.2) })
    box:fault({ on = "create", action = "hang" })
    local _, err = client:generate({ prompt = "a cup" })
    assert.equal("lost", err.kind)
    assert.equal("reply_timeout", err.code)
    assert.equal(1, box:ledger().requests.create)
  end)
end)

describe("one poll", function()
  after_each(support.clean)

  it("answered with an error status tells its kind, and whether the job is paid", function()
    local client, box = support.pair()
    for status, expected in pairs(REFUSALS) do
      support.answer(box, "poll", status, "no JSON")
      local job, err = client:poll("job-1")
      local hint = "HTTP " .. status
      assert.is_nil(job, hint)
      assert.equal(expected[1], err.kind, hint)
      assert.equal(status, err.status)
      assert.equal("job-1", err.job_id)
      assert.equal("unknown", err.charged, hint) -- only the caller says that there is such a job
      assert.is_nil(err.message:find("base_url", 1, true))
      assert.is_nil(err.sent)
    end
  end)

  it("that is not answered is an error of the network", function()
    local client, box = support.pair()
    box:fault({ on = "poll", action = "close", times = 5 })
    local job, err = client:poll("job-1")
    assert.is_nil(job)
    assert.equal("network", err.kind)
    assert.equal("connection_lost", err.code)
    assert.equal("job-1", err.job_id)
    assert.is_true(err.retryable)
  end)
end)

describe("an error of this program while it reads an answer", function()
  after_each(support.clean)

  -- Lets the next step that comes to an event raise, once: what a lack of memory does.
  local function trap()
    debug.sethook(function()
      local caller = debug.getinfo(3, "f")
      if caller and caller.func == core.step then
        debug.sethook()
        error("no memory", 0)
      end
    end, "c")
  end

  local function step_into_trap()
    local _, err = pcall(support.step_until, function() end)
    assert.equal("no memory", err)
  end

  it("does not stop a job that is polled", function()
    local client = support.pair(nil, { duration = 0 }) -- the only event is the final answer
    local job = assert(client:create({ prompt = "a cup" }))
    local done
    gptimage2.spawn(function()
      done = client:wait(job.id)
    end)
    trap()
    step_into_trap()
    support.step_until(function()
      return done
    end)
    assert.equal("succeeded", done.status)
    assert.equal(0, gptimage2.pending())
  end)

  it("does not lose a job whose create was answered: the answer is read again", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "delay", seconds = support.seconds(0.2) })
    local job = assert(client:submit({ prompt = "a cup" }))
    support.step_until(function()
      return job.status == "creating"
    end)
    trap()
    step_into_trap()
    assert.is_nil(job.id)
    assert.equal("succeeded", support.finish(job).status)
    assert.equal(10, client.spent)
    assert.equal(0, gptimage2.pending())
    assert.equal(1, box:ledger().requests.create)
  end)

  it("does not lose a job even where the answer cannot be read at all", function()
    local client, box = support.pair({}, { duration = 1000 })
    box:fault({ on = "create", action = "delay", seconds = support.seconds(0.2) })
    local job = assert(client:submit({ prompt = "a cup" }))
    support.step_until(function()
      return job.status == "creating"
    end)
    for _ = 1, 3 do
      trap()
      step_into_trap()
    end
    assert.is_nil(job.id)
    box:advance(1000)
    assert.equal("succeeded", support.finish(job).status)
    assert.equal(box:ledger().jobs[1].id, job.id)
  end)

  it("does not say that a job has failed where nothing of it can be read", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "delay", seconds = support.seconds(0.2) })
    support.answer(box, "poll", 410)
    local job = assert(client:submit({ prompt = "a cup" }))
    support.step_until(function()
      return job.status == "creating"
    end)
    for _ = 1, 6 do -- that it was created, and its end
      trap()
      step_into_trap()
    end
    assert.equal("unknown", support.finish(job).status)
    assert.equal(10, client.spent)
    assert.equal(0, gptimage2.pending())
  end)

  it("does not hold a job that was cancelled", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "delay", seconds = support.seconds(0.2) })
    local job = assert(client:submit({ prompt = "a cup" }))
    support.step_until(function()
      return box:ledger().requests.create == 1 and job.status == "creating"
    end)
    job:cancel()
    trap()
    step_into_trap()
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    assert.equal("cancelled", job.status)
    assert.equal("yes", job.error.sent)
    assert.equal("yes", job.error.charged)
  end)
end)
