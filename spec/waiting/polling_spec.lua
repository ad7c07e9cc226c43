--- Polling a paid job: what ends it, what does not, and when the next poll goes out.

local gptimage2 = require("gptimage2")
local support = require("spec.support")

describe("a paid job", function()
  after_each(support.clean)

  local troubles = {
    { action = "status", status = 400 },
    { action = "status", status = 408 },
    { action = "status", status = 425 },
    { action = "status", status = 429, headers = { ["Retry-After"] = "0" } },
    { action = "status", status = 500 },
    { action = "status", status = 503 },
    { action = "status", status = 204 },
    { action = "status", status = 404, times = 2 },
    { action = "redirect", location = "http://127.0.0.1:1/" },
    { action = "reset", times = 2 },
    { action = "close", times = 2 },
    { action = "truncate", bytes = 5 },
    { action = "oversize" },
    { action = "malformed", times = 5 },
    { action = "body", body = "", times = 5 },
    { action = "body", body = "[]", times = 5 },
    { action = "body", body = '{"status":"paused"}', times = 5 },
    { action = "body", body = '{"jobId":"other","status":"failed","error":"x"}', times = 5 },
    { action = "body", body = '{"status":"succeeded","results":[]}', times = 2 },
    { action = "status", status = 202, body = "junk", times = 3 },
  }

  it("is not ended by trouble while polling", function()
    local jobs = {}
    for i, fault in ipairs(troubles) do -- side by side: each waits a second or two
      local client, box = support.pair()
      fault.on = "poll"
      box:fault(fault)
      jobs[i] = { assert(client:submit({ prompt = "a cup" })), box }
    end
    for i, pair in ipairs(jobs) do
      local job, box = support.finish(pair[1]), pair[2]
      local hint = ("%d: %s %s"):format(i, troubles[i].action, tostring(job.error))
      assert.equal("succeeded", job.status, hint)
      assert.equal(1, box:ledger().requests.create, hint)
      assert.is_true(box:ledger().requests.poll > (troubles[i].times or 1), hint)
    end
  end)

  it("is given up when the service does not know us or the job any more", function()
    local cases = {
      { 401, "auth", "unauthorized", 1 },
      { 403, "auth", "forbidden", 1 },
      { 410, "not_found", "gone", 1 },
      { 404, "not_found", "job_lost", 3, '{"error":"job_lost"}' },
    }
    for i, case in ipairs(cases) do
      local client, box = support.pair()
      support.answer(box, "poll", case[1], case[5], { times = math.huge })
      cases[i].client, cases[i].box = client, box
      cases[i].job = assert(client:submit({ prompt = "a cup" }))
    end
    for _, case in ipairs(cases) do
      local job = support.finish(case.job)
      assert.equal("unknown", job.status)
      assert.equal(case[2], job.error.kind)
      assert.equal(case[3], job.error.code)
      assert.equal(case[1], job.error.status)
      assert.equal("yes", job.error.charged)
      assert.equal(job.id, job.error.job_id)
      assert.equal(case.box:ledger().jobs[1].id, job.id)
      assert.equal(case[4], case.box:ledger().requests.poll)
      assert.equal(10, case.client.spent)
    end
  end)

  it("is given up after three answers in a row that say succeeded without images", function()
    local client, box = support.pair()
    local body = '{"status":"succeeded","results":[]}'
    box:fault({ on = "poll", action = "body", body = body, times = math.huge })
    local job = support.finish(assert(client:submit({ prompt = "a cup" })))
    assert.equal("unknown", job.status)
    assert.equal("protocol", job.error.kind)
    assert.equal("results_missing", job.error.code)
    assert.equal("yes", job.error.charged)
    assert.equal(3, box:ledger().requests.poll)
  end)

  it("is over when the body of a 202 says so", function()
    local client, box = support.pair()
    support.answer(box, "poll", 202, '{"status":"failed","error":"unlucky"}')
    local job = support.finish(client:submit({ prompt = "a cup" }))
    assert.equal("failed", job.status)
    assert.equal("unlucky", job.error.code)
    assert.equal("refund_expected", job.error.charged)
    assert.equal(0, client.spent)
  end)

  it("that was cancelled or has expired there promises nothing about the money", function()
    for _, word in ipairs({ "canceled", "cancelled", "expired" }) do
      local client, box = support.pair()
      support.answer(box, "poll", 202, ('{"status":"%s"}'):format(word))
      local job = support.finish(client:submit({ prompt = "a cup" }))
      assert.equal("failed", job.status)
      assert.equal("job_failed", job.error.kind)
      assert.equal(word, job.error.code)
      assert.equal("unknown", job.error.charged)
      assert.equal(10, client.spent)
    end
  end)

  it("is not ended by a bare error before it was said three times in a row", function()
    local client, box = support.pair()
    local trouble = '{"status":"error","error":{"code":"overloaded","message":"Later"}}'
    support.answer(box, "poll", 200, trouble, { times = 2 })
    assert.equal("succeeded", support.finish(client:submit({ prompt = "a cup" })).status)
    support.answer(box, "poll", 200, trouble, { times = 3 })
    local job = support.finish(client:submit({ prompt = "a cup" }))
    assert.equal("overloaded", job.error.code)
    assert.equal("unknown", job.error.charged)
    support.answer(box, "poll", 200, '{"jobId":"job-7","status":"error"}')
    local _, err = client:poll("job-7")
    assert.equal("job_failed", err.kind)
    assert.equal("error", err.code)
  end)

  it("that ends by its timeout tells a status that nobody knows", function()
    for _, http in ipairs({ 200, 202 }) do
      local client, box = support.pair()
      local body = '{"status":"polishing\\u001b[1m","jobId":"job-8"}'
      support.answer(box, "poll", http, body, { times = math.huge })
      local _, err = client:wait("job-8", 0.3)
      assert.equal("timeout", err.kind)
      assert.truthy(err.message:find('"polishing\\x1B[1m"', 1, true), err.message)
      assert.equal("job-8", err.job_id)
    end
  end)

  it("may have any name that a path can carry", function()
    for _, id in ipairs({
      "gen/2024.01:a~b",
      'a%2Fb?c#d"e&f=g+h',
      "x..y/...z//w/",
      ("long:"):rep(51) .. "x",
    }) do
      local client, box = support.pair()
      local shown = id:gsub('"', '\\"'):gsub("/", "\\/")
      local marked = "\239\187\191" -- a byte-order mark
      support.answer(box, "create", 202, marked .. ('{"jobId":"%s"}'):format(shown))
      local done = '{"jobId":"%s","status":"succeeded","results":[{"imageUrl":"https://e.com/1"}]}'
      support.answer(box, "poll", 200, marked .. done:format(shown))
      local job = assert(client:generate({ prompt = "a cup" }))
      assert.equal(id, job.id)
      local log = box:ledger().log
      assert.equal("/api/generate/" .. id, log[#log].path)
      support.answer(box, "poll", 200, done:format(shown))
      assert.equal(id, assert(client:wait(id)).id)
    end
  end)
end)

describe("polling", function()
  after_each(support.clean)

  -- Seconds between the entries of the sandbox's log.
  local function gaps(box)
    local log, list = box:ledger().log, {}
    for i = 2, #log do
      list[i - 1] = log[i].time - log[i - 1].time
    end
    return list
  end

  it("begins poll.first after the create, and goes on every poll.interval", function()
    local client, box = support.pair({ poll = { first = 0.4, interval = 0.2 } })
    support.answer(box, "poll", 202, '{"status":"running"}', { times = 2 })
    assert(client:generate({ prompt = "a cup" }))
    local seconds = gaps(box)
    assert.equal(3, #seconds)
    assert.is_true(seconds[1] >= 0.4 * 0.85 - 0.001)
    assert.is_true(seconds[2] >= 0.2 * 0.85 - 0.001)
    assert.is_true(seconds[3] >= 0.2 * 0.85 - 0.001)
  end)

  it("obeys a Retry-After on a 202, and takes half a second for less", function()
    local client, box = support.pair()
    local body = '{"status":"running"}'
    support.answer(box, "poll", 202, body, { headers = { ["Retry-After"] = "1" } })
    support.answer(box, "poll", 202, body, { headers = { ["Retry-After"] = "0" } })
    assert(client:generate({ prompt = "a cup" }))
    local seconds = gaps(box)
    assert.equal(3, #seconds)
    assert.is_true(seconds[2] >= 0.999)
    assert.is_true(seconds[3] >= 0.499)
  end)

  it("obeys a Retry-After on the answer to a create", function()
    local client, box = support.pair()
    local headers = { ["Retry-After"] = "1" }
    box:fault({ on = "create", action = "delay", seconds = 0, headers = headers })
    assert(client:generate({ prompt = "a cup" }))
    assert.is_true(gaps(box)[1] >= 0.999)
  end)

  it("backs off after trouble", function()
    local client, box = support.pair()
    support.answer(box, "poll", 500)
    assert(client:generate({ prompt = "a cup" }))
    assert.is_true(gaps(box)[2] >= 0.499)
  end)

  it("waits no longer than the job's timeout, whatever the service asks for", function()
    local client, box = support.pair()
    local headers = { ["Retry-After"] = "3600" }
    support.answer(box, "poll", 202, '{"status":"running"}', { headers = headers, times = 100 })
    local id = client:create({ prompt = "a cup" }).id
    local _, err = client:wait(id, 0.3)
    assert.equal("deadline_passed", err.code)
    assert.equal(0, gptimage2.pending())
  end)

  it("keeps its connection", function()
    local client, box = support.pair()
    support.answer(box, "poll", 202, '{"status":"running"}', { times = 5 })
    assert(client:generate({ prompt = "a cup" }))
    assert.equal(1, box:ledger().connections)
  end)
end)
