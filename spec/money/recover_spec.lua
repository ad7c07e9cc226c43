--- What an earlier process left is finished, or told: from every state that a crash can leave.

local book = require("spec.helpers.book")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local remains = require("spec.helpers.remains")
local support = require("spec.support")

local CUP = { prompt = "a cup" }
local posts, until_made = remains.posts, remains.made
local left_intent, left_sent, left_answered = remains.intent, remains.sent, remains.answered

--- Steps until the sandbox has got that many creates.
local function until_posted(box, count)
  support.step_until(function()
    return posts(box) >= count
  end)
end

describe("client:recover", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("sends what was never sent, with the same bytes under the same key", function()
    local request = { prompt = "a \226\130\172 cup", count = 2, style = "a-b" }
    local path, key, port = left_intent(request, { metadata = { order = "17" } })
    local before = book.row(path)
    local box = support.sandbox({ port = port })
    local jobs = assert(book.open(box, path):recover())
    assert.equal(1, #jobs)
    local job = support.finish(jobs[1])
    assert.equal("succeeded", job.status)
    assert.equal(key, job.idempotency_key)
    assert.same({ order = "17" }, job.metadata)
    assert.equal("a \226\130\172 cup", job.request.prompt)
    assert.equal(2, job.request.count)
    assert.equal(20, job.cost)
    local made = box:ledger().jobs
    assert.equal(1, #made)
    assert.equal(key, made[1].key)
    assert.equal(before.body, made[1].body)
    assert.equal(1, posts(box))
    local row = book.settled(path, "succeeded")
    assert.equal("yes", row.charged)
  end)

  it("does not send again what may have been made, and says so", function()
    local path, box, key = left_sent()
    local client = book.open(box, path)
    local jobs = assert(client:recover())
    assert.equal(1, #jobs)
    local job = jobs[1]
    assert.is_true(job:done())
    assert.equal("unknown", job.status)
    assert.equal(key, job.idempotency_key)
    assert.equal(10, job.cost)
    assert.equal("lost", job.error.kind)
    assert.equal("unknown", job.error.charged)
    assert.equal("yes", job.error.sent)
    assert.equal(key, job.error.idempotency_key)
    assert.truthy(job.error.message:find("client:resolve", 1, true))
    assert.equal(0, gptimage2.pending() - 1) -- the create that hangs, of the process before
    assert.equal(1, posts(box))
    local waited, err = job:wait()
    assert.is_nil(waited)
    assert.equal(job.error, err)
  end)

  it("sends it again under its key where the service honours keys", function()
    local path, box, key = left_sent()
    local client = book.open(box, path, { retry = "idempotent" })
    local job = support.finish(assert(client:recover())[1])
    assert.equal("succeeded", job.status)
    local made = box:ledger().jobs
    assert.equal(1, #made)
    assert.equal(key, made[1].key)
    assert.equal(2, made[1].posts)
    assert.equal(10, box:ledger().charged)
    book.settled(path, "succeeded")
  end)

  it("leaves unknown what it would send again when a reference image is gone by now", function()
    local path, box, key = left_sent("cup")
    box:fault({ on = "reference", action = "status", status = 404, times = math.huge })
    local client = book.open(box, path, {
      retry = "idempotent",
      verify_references = true,
      allow_private_references = true,
    })
    local job = support.finish(assert(client:recover())[1])
    assert.equal("unknown", job.status)
    assert.equal("reference_unreachable", job.error.code)
    assert.equal("unknown", job.error.charged)
    assert.equal("yes", job.error.sent)
    local row = book.settled(path, "unknown")
    assert.equal("unknown", row.charged)
    assert.equal(1, posts(box))
    assert.equal(key, assert(client:recover())[1].idempotency_key)
  end)

  it("polls what was answered, by the id in the raw answer", function()
    local path, box, first = left_answered()
    local row = book.row(path)
    assert.equal("accepted", row.state)
    assert.is_nil(row.job_id)
    box:advance(1000)
    local job = support.finish(assert(book.open(box, path):recover())[1])
    assert.equal("succeeded", job.status)
    assert.equal(first.id, job.id)
    assert.equal(first.idempotency_key, job.idempotency_key)
    assert.equal(1, posts(box))
    row = book.settled(path, "succeeded")
    assert.truthy(row.result:find(job.id, 1, true))
  end)

  for name, fault in pairs({
    ["and cut off by the connection after 60 bytes"] = { action = "truncate", bytes = 60 },
    ["and cut off by the connection after 100 bytes"] = { action = "truncate", bytes = 100 },
    ["with only its first 60 bytes, as if they were all"] = { action = "short", bytes = 60 },
    ["with only its first 100 bytes, as if they were all"] = { action = "short", bytes = 100 },
  }) do
    local bytes = fault.bytes
    it("polls what was answered " .. name, function()
      local client, box, path = book.pair({}, { duration = 1000 })
      fault.on = "create"
      box:fault(fault)
      local job = assert(client:submit(CUP))
      support.polled(box, 1, 1)
      assert.equal(box:ledger().jobs[1].id, job.id)
      local copy = book.crash(path)
      assert.equal(bytes, #book.row(copy).answer)
      box:advance(1000)
      assert.equal("succeeded", support.finish(job).status)
      local again = support.finish(assert(book.open(box, copy):recover())[1])
      assert.equal("succeeded", again.status)
      assert.equal(job.id, again.id)
      assert.equal(1, posts(box))
    end)
  end

  it("finds nothing in a row whose create was answered with another job's id", function()
    local client, box, path = book.pair()
    local made = assert(client:generate(CUP))
    client:close()
    client = book.open(box, path)
    box:fault({ on = "create", action = "other_job", id = made.id })
    local _, err = client:generate({ prompt = "another cup" })
    assert.equal("job_id_taken", err.code)
    local row = book.settled(path, "unknown", err.idempotency_key)
    assert.is_nil(row.job_id)
    assert.equal("unknown", row.charged)
    assert.truthy(row.answer:find(made.id, 1, true))
    local left = assert(client:recover())
    assert.equal(1, #left)
    assert.equal("lost", left[1].error.kind)
    assert.equal("job_id_taken", left[1].error.code)
    assert(client:resolve(err.idempotency_key, box:ledger().jobs[2].id))
  end)

  it("believes no id that stands in an answer of version 0.1 which was no success", function()
    local path, box = left_answered()
    book.query(path, "UPDATE jobs SET state = 'sent', http_status = 500")
    local job = assert(book.open(box, path):recover())[1]
    assert.equal("unknown", job.status)
    assert.equal("lost", job.error.kind)
    assert.is_nil(job.id)
  end)

  it("believes no answer to an earlier create of what it has sent again", function()
    local client, box, path = book.pair({ retry = "idempotent" }, { duration = 1000 })
    box:fault({ on = "create", action = "malformed" })
    local _, err = client:generate(CUP)
    assert.equal("protocol", err.kind)
    assert.equal("unknown", book.row(path).state)
    assert.truthy(book.row(path).answer)
    local made = box:ledger().jobs[1].id
    box:fault({ on = "create", action = "hang", work = true })
    assert(client:recover())
    until_posted(box, 2)
    local copy = book.crash(path)
    assert.equal("sent", book.row(copy).state)
    box:advance(1000)
    local again = book.open(box, copy, { retry = "idempotent" })
    local job = support.finish(assert(again:recover())[1])
    assert.equal("succeeded", job.status)
    assert.equal(made, job.id)
    assert.equal(3, posts(box))
    assert.equal(1, #box:ledger().jobs)
    assert.equal(box:ledger().jobs[1].polls, box:ledger().requests.poll) -- none of another id
  end)

  it("believes no id of an earlier create of what it has sent again", function()
    local client, box, path = book.pair()
    local other = assert(client:generate(CUP)).id
    box:fault({ on = "create", action = "other_job", id = other })
    local key = select(2, client:generate(CUP)).idempotency_key
    book.settled(path, "unknown", key)
    client:close()
    box:fault({ on = "create", action = "hang", work = true })
    assert(book.open(box, path, { retry = "idempotent" }):recover())
    until_posted(box, 3)
    local copy, untouched = book.crash(path), book.crash(path)
    local row = book.row(copy, key)
    assert.equal("sent", row.state)
    assert.truthy(row.answer:find(other, 1, true)) -- to the earlier one
    local polls = box:ledger().jobs[1].polls
    local again = book.open(box, copy, { retry = "idempotent" })
    local job = support.finish(assert(again:recover())[1])
    assert.equal("succeeded", job.status)
    assert.equal(box:ledger().jobs[2].id, job.id)
    assert.equal(4, posts(box))
    again:close()
    -- Nor where a key cannot be asked: an id would be all that there is to go by.
    local left = assert(book.open(box, untouched):recover())[1]
    assert.equal("unknown", left.status)
    assert.is_nil(left.id)
    assert.equal("lost", left.error.kind)
    assert.equal(4, posts(box))
    assert.equal(polls, box:ledger().jobs[1].polls) -- none of another id
  end)

  it("asks for the key again where the service does not know the id any more", function()
    local client, box, path = book.pair()
    box:fault({ on = "create", action = "other_job", id = "no-such-job" })
    local _, err = client:generate(CUP)
    assert.equal("not_found", err.kind)
    local row = book.settled(path, "unknown")
    assert.equal("no-such-job", row.job_id)
    _, err = assert(client:recover())[1]:wait() -- by its id alone
    assert.equal("not_found", err.kind)
    assert.equal(1, posts(box))
    client:close()
    local again = book.open(box, path, { retry = "idempotent" })
    local job = support.finish(assert(again:recover())[1])
    assert.equal("succeeded", job.status)
    assert.equal(box:ledger().jobs[1].id, job.id)
    assert.equal(1, #box:ledger().jobs)
    assert.equal(job.id, book.settled(path, "succeeded").job_id)
  end)

  it("goes on with the others where a row has lost its request", function()
    local client, box, path = book.pair({ max_active = 1 }, { duration = 1000 })
    local jobs = {}
    for i = 1, 3 do
      jobs[i] = assert(client:submit({ prompt = "cup " .. i }))
    end
    support.polled(box, 1, 1)
    client:close()
    local first, second = jobs[1].idempotency_key, jobs[2].idempotency_key
    local sql = "UPDATE bodies SET body = %s WHERE key = '%s' AND body IS NOT NULL"
    book.query(path, "DELETE FROM bodies WHERE key = '" .. first .. "'")
    book.query(path, sql:format("x''", second))
    box:advance(1000)
    client = book.open(box, path)
    assert.equal("cup 1", client:history()[3].request.prompt)
    local left = assert(client:recover())
    assert.equal("succeeded", support.finish(left[1]).status)
    assert.equal("unknown", support.finish(left[2]).status)
    assert.equal("ledger_damaged", left[2].error.code)
    assert.equal("no", left[2].error.charged)
    support.polled(box, 2, 1)
    box:advance(1000)
    assert.equal("succeeded", support.finish(left[3]).status)
    local _, err = client:resolve(second, "resend")
    assert.equal("ledger_damaged", err.code)
    assert(client:resolve(second, "abandon"))
    assert.equal("abandoned", book.row(path, second).state)
    assert.equal(2, posts(box))
  end)

  it("reads a request that somebody else wrote", function()
    local path, key, port = left_intent()
    local body = [[CAST('{"prompt":[],"imageUrls":[{},1]}' AS BLOB)]]
    book.query(path, "UPDATE bodies SET body = " .. body)
    local box = support.sandbox({ port = port })
    local client = book.open(box, path, { verify_references = true })
    local job = support.finish(assert(client:recover())[1])
    assert.equal("failed", job.status)
    assert.equal(key, job.idempotency_key)
  end)

  it("returns what is unknown each time, until it is resolved", function()
    local client, box = book.pair()
    box:fault({ on = "create", action = "reset" })
    local _, err = client:generate(CUP)
    for _ = 1, 2 do
      local jobs = assert(client:recover())
      assert.equal(1, #jobs)
      assert.equal("unknown", jobs[1].status)
      assert.equal(err.idempotency_key, jobs[1].idempotency_key)
      assert.equal("connection_lost", jobs[1].error.code)
    end
    assert.equal(1, posts(box))
  end)

  it("leaves alone what is finished", function()
    local client, box = book.pair({ max_attempts = 1 })
    assert(client:generate(CUP))
    box:fault({ on = "job", action = "fail" })
    client:generate(CUP)
    support.answer(box, "create", 402)
    client:generate(CUP)
    local count = posts(box)
    assert.same({}, assert(client:recover()))
    assert.equal(count, posts(box))
  end)

  it("leaves alone what this client is at work on", function()
    local client, box = book.pair({ max_active = 2 }, { duration = 1000 })
    local jobs = {}
    for i = 1, 4 do
      jobs[i] = assert(client:submit(CUP))
    end
    until_made(box, 2)
    assert.same({}, assert(client:recover()))
    box:advance(1000)
    until_made(box, 4)
    box:advance(1000)
    for _, job in ipairs(jobs) do
      assert.equal("succeeded", support.finish(job).status)
    end
    assert.equal(4, posts(box))
  end)

  it("twice in a row takes up everything once", function()
    local path, _, port = left_intent()
    local box = support.sandbox({ port = port, duration = 1000 })
    local client = book.open(box, path)
    local job = assert(client:recover())[1]
    assert.same({}, assert(client:recover()))
    until_made(box, 1)
    assert.same({}, assert(client:recover()))
    box:advance(1000)
    assert.equal("succeeded", support.finish(job).status)
    book.settled(path, "succeeded")
    assert.same({}, assert(client:recover()))
    assert.equal(1, posts(box))
  end)

  it("gives several jobs back, the oldest first", function()
    local client, box, path = book.pair({}, { duration = 1000 })
    local left = {}
    for i = 1, 5 do
      left[i] = assert(client:submit(CUP, { idempotency_key = "job-" .. i }))
    end
    remains.accepted(left[1], left[2], left[3], left[4], left[5])
    client:close()
    local keys = {}
    for i, job in ipairs(assert(book.open(box, path):recover())) do
      keys[i] = job.idempotency_key
    end
    assert.equal("job-1 job-2 job-3 job-4 job-5", table.concat(keys, " "))
    box:advance(1000)
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    for _, key in ipairs(keys) do
      book.settled(path, "succeeded", key)
    end
    assert.equal(5, posts(box))
  end)

  it("is refused without a ledger", function()
    local client = support.pair()
    local jobs, err = client:recover()
    assert.is_nil(jobs)
    assert.equal("ledger", err.kind)
    assert.equal("no_ledger", err.code)
  end)

  it("is refused after the client was closed", function()
    local path, box = left_sent()
    local client = book.open(box, path)
    client:close()
    local jobs, err = client:recover()
    assert.is_nil(jobs)
    assert.equal("closed", err.kind)
  end)
end)
