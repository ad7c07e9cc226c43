-- A job that was paid and is sent again: what its earlier create came to is not forgotten.

local book = require("spec.helpers.book")
local folder = require("spec.folder")
local support = require("spec.support")

local CUP = { prompt = "a cup" }

--- A paid job of which the service said that it does not know it any more: the client, its
--- sandbox, the ledger's path, and the job's id and key.
local function disowned(options, box_options)
  local client, box, path = book.pair(options, box_options)
  local job = assert(client:create(CUP))
  support.answer(box, "poll", 410)
  local _, err = client:wait(job.id)
  assert.equal("not_found", err.kind)
  local row = book.settled(path, "unknown")
  assert.equal("yes", row.charged)
  assert.equal(job.id, row.job_id)
  return client, box, path, job.id, job.idempotency_key
end

--- The row is as it was, and a later client finds the picture.
local function not_forgotten(client, box, path, id)
  local row = book.settled(path, "unknown")
  assert.equal(id, row.job_id)
  assert.equal("yes", row.charged)
  assert.truthy(row.answer:find(id, 1, true))
  client:close()
  box:clear()
  local jobs = assert(book.open(box, path):recover())
  assert.equal(1, #jobs)
  assert.equal("succeeded", support.finish(jobs[1]).status)
  assert.equal(id, jobs[1].id)
  assert.equal(10, box:ledger().charged)
end

describe("a paid job that is sent again", function()
  after_each(support.clean)
  after_each(folder.clean)

  for name, fault in pairs({
    ["is refused"] = { status = 402 },
    ["has to wait too long"] = { status = 429, headers = { ["Retry-After"] = "900" } },
    ["meets a service that fails"] = { status = 503 },
    ["meets an answer that names no job"] = { status = 202, body = "{}" },
  }) do
    it("keeps its id where that " .. name, function()
      local client, box, path, id, key = disowned({ max_attempts = 1 })
      fault.on, fault.action = "create", "status"
      box:fault(fault)
      local job = support.finish(assert(client:resolve(key, "resend")))
      assert.equal("yes", job.error.charged)
      assert.equal("yes", job.error.sent)
      not_forgotten(client, box, path, id)
    end)
  end

  it("keeps its id where its answer is lost, and where nothing is sent", function()
    local client, box, path, id, key = disowned({ max_attempts = 1, budget = 20 })
    box:fault({ on = "create", action = "reset" })
    local job = support.finish(assert(client:resolve(key, "resend")))
    assert.equal("lost", job.error.kind)
    assert.equal("yes", job.error.charged)
    local _, err = client:resolve(key, "resend")
    assert.equal("budget", err.kind)
    assert.equal("yes", err.charged)
    not_forgotten(client, box, path, id)
  end)

  it("keeps its id where recover sent it", function()
    local first, box, path, id = disowned()
    first:close()
    local client = book.open(box, path, { retry = "idempotent", max_attempts = 1 })
    support.answer(box, "create", 503)
    local job = support.finish(assert(client:recover())[1])
    assert.equal("yes", job.error.charged)
    not_forgotten(client, box, path, id)
  end)

  it("is found by its id after a crash in the middle of that", function()
    local client, box, path, id, key = disowned()
    box:fault({ on = "create", action = "hang" })
    assert(client:resolve(key, "resend"))
    support.step_until(function()
      return box:ledger().requests.create == 2
    end)
    local copy = book.crash(path)
    assert.equal("sent", book.row(copy).state)
    local jobs = assert(book.open(box, copy):recover())
    assert.equal("succeeded", support.finish(jobs[1]).status)
    assert.equal(id, jobs[1].id)
    assert.equal(2, box:ledger().requests.create)
  end)

  it("keeps the id that only its answer holds, as version 0.1 left it", function()
    local client, box, path, id, key = disowned()
    client:close()
    local sql = "UPDATE jobs SET job_id = NULL, attempt_id = NULL, http_status = 202"
    book.query(path, sql)
    client = book.open(box, path, { max_attempts = 1 })
    support.answer(box, "create", 402)
    support.finish(assert(client:resolve(key, "resend")))
    not_forgotten(client, box, path, id)
  end)

  it("keeps its id until the service tells of another that somebody names", function()
    local client, box, path, id, key = disowned()
    local other = assert(client:create(CUP)).id
    local _, err = client:resolve(key, other)
    assert.equal("job_id_taken", err.code)
    support.answer(box, "poll", 410)
    local job = support.finish(assert(client:resolve(key, "mistyped")))
    assert.equal("not_found", job.error.kind)
    local row = book.settled(path, "unknown", key)
    assert.equal(id, row.job_id)
    assert.equal("yes", row.charged)
    job = support.finish(assert(client:resolve(key, id)))
    assert.equal("succeeded", job.status)
  end)

  it("counts once, and all its sends, where the answer names the same id", function()
    local client, box, path, id, key = disowned({ budget = 20 })
    local job = assert(client:resolve(key, "resend"))
    assert.equal(20, client.spent)
    assert.equal("succeeded", support.finish(job).status)
    assert.equal(id, job.id)
    assert.equal(10, client.spent)
    assert.equal(10, box:ledger().charged)
    assert.equal(2, book.settled(path, "succeeded").attempts)
  end)

  it("counts twice where the answer names another, whatever becomes of that", function()
    local client, _, path, id, key = disowned(nil, { idempotency = false })
    local job = support.finish(assert(client:resolve(key, "resend")))
    assert.equal("succeeded", job.status)
    assert.not_equal(id, job.id)
    assert.equal(20, client.spent)
    assert.equal(job.id, book.settled(path, "succeeded").job_id)
    local box
    client, box, path, id, key = disowned(nil, { idempotency = false })
    box:fault({ on = "job", action = "fail" })
    job = support.finish(assert(client:resolve(key, "resend")))
    assert.equal("failed", job.status)
    assert.not_equal(id, job.id)
    assert.equal("yes", job.error.charged) -- the first one
    assert.equal(10, client.spent)
    assert.equal("yes", book.settled(path, "failed").charged)
  end)
end)
