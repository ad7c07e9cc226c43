-- Settling by hand what nobody can know: sent again, given up, or named.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local CUP = { prompt = "a cup" }

-- A job whose create gets lost, then jobs until the ledger is full, then the first one again;
-- argument: the ledger's path.
local FULL = [[
  local gptimage2 = require("gptimage2")
  local sandbox = require("gptimage2.sandbox")
  local _, path = ...
  local box = assert(sandbox.start({ credits = 1e6, duration = 0, image_size = 32 }))
  local client = assert(gptimage2.new({
    api_key = box.api_key, base_url = box.url, ledger = path,
    poll = { first = 0.02, interval = 0.02, max = 0.02 }, timeout = 2,
  }))
  box:fault({ on = "create", action = "reset", work = true })
  local lost = select(2, client:generate({ prompt = "a cup" }))
  local job, err
  for _ = 1, 1000 do
    job, err = client:generate({ prompt = ("cup "):rep(5000) })
    if not job then break end
  end
  print(lost.kind, err.code)
  for _, what in ipairs({ "abandon", box:ledger().jobs[1].id }) do
    job, err = client:resolve(lost.idempotency_key, what)
    print(job, err.kind, err.code)
  end
  local posts = box:ledger().requests.create
  job = assert(client:resolve(lost.idempotency_key, "resend"))
  while not job:done() do gptimage2.step(0.1) end
  print(job.status, job.error.code, job.error.sent, job.error.charged)
  print(box:ledger().requests.create - posts)
  client:close()
]]

local function posts(box)
  return box:ledger().requests.create
end

--- A client whose create got lost, after the service had done the work or before.
local function lost(options, work)
  local client, box, path = book.pair(options)
  box:fault({ on = "create", action = "reset", work = work ~= false })
  local job, err = client:generate(CUP, { metadata = { order = "17" } })
  assert.is_nil(job)
  assert.equal("lost", err.kind)
  assert.equal("unknown", book.row(path).state)
  return client, box, path, err.idempotency_key
end

local function refused(kind, code, job, err)
  assert.is_nil(job)
  assert.equal(kind, err.kind)
  assert.equal(code, err.code)
end

describe("client:resolve", function()
  after_each(support.clean)
  after_each(folder.clean)

  describe("with 'resend'", function()
    it("keeps no credits reserved for a send that cost nothing", function()
      local client, box, _, key = lost({ max_attempts = 1, max_active = 1, budget = 30 })
      support.answer(box, "create", 402)
      support.finish(assert(client:resolve(key, "resend")))
      assert.equal(10, client.spent) -- the first one, perhaps
      box:fault({ on = "create", action = "hang" })
      assert(client:submit(CUP)) -- has the only place
      local queued = assert(client:resolve(key, "resend"))
      assert.equal(30, client.spent)
      queued:cancel()
      support.step_until(function()
        return client.spent == 20
      end)
      assert.equal("unknown", queued.error.charged)
    end)

    it("keeps none where the service is not to be reached", function()
      local client, box, _, key = lost({ max_attempts = 1, budget = 20 })
      box:stop()
      for _ = 1, 3 do
        local job = support.finish(assert(client:resolve(key, "resend")))
        assert.equal("unknown", job.status)
        assert.equal(10, client.spent)
      end
    end)

    for _, work in ipairs({ true, false }) do
      local made = work and "was made" or "was never made"
      it(("sends the same bytes under the same key when the job %s"):format(made), function()
        local client, box, path, key = lost({}, work)
        local body = book.row(path).body
        local job = assert(client:resolve(key, "resend"))
        assert.equal(key, job.idempotency_key)
        assert.same({ order = "17" }, job.metadata)
        assert.equal("a cup", job.request.prompt)
        assert.equal("succeeded", support.finish(job).status)
        local jobs = box:ledger().jobs
        assert.equal(1, #jobs)
        assert.equal(key, jobs[1].key)
        assert.equal(body, jobs[1].body)
        assert.equal(2, posts(box))
        assert.equal(10, box:ledger().charged)
        book.settled(path, "succeeded")
      end)
    end

    it("keeps to the budget: what is sent once more may be paid once more", function()
      local client, box, path, key = lost({ budget = 19 })
      local job, err = client:resolve(key, "resend")
      refused("budget", "budget_exceeded", job, err)
      assert.equal(key, err.idempotency_key)
      assert.equal("unknown", err.charged)
      assert.equal(1, posts(box))
      assert.equal("unknown", book.row(path).state)
      client:close()
      local larger = book.open(box, path, { budget = 10 })
      assert.equal("succeeded", support.finish(assert(larger:resolve(key, "resend"))).status)
      book.settled(path, "succeeded")
    end)

    it("leaves the job unknown when the service cannot be reached now", function()
      local client, box, path, key = lost({ max_attempts = 1 })
      box:stop()
      local job = support.finish(assert(client:resolve(key, "resend")))
      assert.equal("unknown", job.status)
      assert.equal("unknown", job.error.charged)
      local row = book.settled(path, "unknown")
      assert.equal("unknown", row.charged)
      assert.equal(1, #assert(client:recover()))
    end)

    it("leaves the job unknown when the service refuses it now", function()
      local client, box, path, key = lost({ max_attempts = 1 })
      support.answer(box, "create", 402)
      local job = support.finish(assert(client:resolve(key, "resend")))
      assert.equal("credits", job.error.kind)
      assert.equal("unknown", job.error.charged)
      local row = book.settled(path, "unknown")
      assert.equal("unknown", row.charged)
    end)

    it("leaves the job unknown when a reference image is gone by now", function()
      local client, box, path = book.pair({
        verify_references = true,
        allow_private_references = true,
      })
      box:fault({ on = "create", action = "reset", work = true })
      local request = { prompt = "like this", image_urls = { box:reference("cup") } }
      local key = select(2, client:generate(request)).idempotency_key
      box:fault({ on = "reference", action = "status", status = 404, times = math.huge })
      local job = support.finish(assert(client:resolve(key, "resend")))
      assert.equal("unknown", job.status)
      assert.equal("reference_unreachable", job.error.code)
      assert.equal("unknown", job.error.charged)
      assert.equal("yes", job.error.sent)
      assert.equal(1, posts(box))
      local row = book.settled(path, "unknown")
      assert.equal("unknown", row.charged)
      assert.equal(1, #assert(client:recover()))
    end)

    it("leaves the job unknown when its timeout is over before its turn comes", function()
      local first, box, path, key = lost()
      first:close()
      local client = book.open(box, path, { max_active = 1, timeout = 0.05 })
      box:fault({ on = "create", action = "hang" })
      assert(client:submit(CUP, { timeout = 1000 }))
      local job = support.finish(assert(client:resolve(key, "resend")))
      assert.equal("unknown", job.status)
      assert.equal("timeout", job.error.kind)
      assert.equal("unknown", job.error.charged)
      assert.equal("yes", job.error.sent)
      assert.is_false(job.error.retryable)
      local message = job.error.message
      assert.is_nil(message:find("before the job was sent", 1, true), message)
      assert.truthy(message:find("may have made the job", 1, true), message)
      local row = book.settled(path, "unknown", key)
      assert.equal("unknown", row.charged)
    end)

    it("leaves the job unknown, as the others do, when the ledger cannot be written", function()
      local limit = [[sh -c 'trap "" XFSZ; ulimit -f 400; exec "$@"' sh]]
      local path = book.path()
      local result = child.run(FULL, { path }, limit)
      local refusal = "nil\tledger\tledger_unwritable\n"
      local left = "unknown\tdeadline_passed\tyes\tunknown\n0\n"
      local lines = "lost\tledger_unwritable\n" .. refusal .. refusal .. left
      assert.equal(lines, result.output, result.errors)
      assert.equal("unknown", book.rows(path)[1].state)
    end)

    it("leaves the job unknown when its answer is lost again", function()
      local client, box, path, key = lost()
      box:fault({ on = "create", action = "reset" })
      local job = support.finish(assert(client:resolve(key, "resend")))
      assert.equal("lost", job.error.kind)
      book.settled(path, "unknown")
      assert.equal("succeeded", support.finish(assert(client:resolve(key, "resend"))).status)
      assert.equal(1, #box:ledger().jobs)
    end)
  end)

  describe("with 'abandon'", function()
    it("gives the job up, for good", function()
      local client, box, path, key = lost()
      local job = assert(client:resolve(key, "abandon"))
      assert.is_true(job:done())
      assert.equal("cancelled", job.status)
      assert.equal(key, job.idempotency_key)
      assert.equal("abandoned", book.row(path).state)
      assert.equal("unknown", book.row(path).charged)
      assert.equal(1, posts(box))
      refused("ledger", "not_unknown", client:resolve(key, "resend"))
    end)
  end)

  describe("with a job id", function()
    it("polls that job to its end and records it", function()
      local client, box, path, key = lost()
      local id = box:ledger().jobs[1].id
      local job = assert(client:resolve(key, id))
      assert.equal(id, job.id)
      assert.equal(key, job.idempotency_key)
      assert.equal("succeeded", support.finish(job).status)
      assert.equal(1, posts(box))
      local row = book.settled(path, "succeeded")
      assert.equal(id, row.job_id)
      assert.equal("yes", row.charged)
      assert.truthy(row.result:find(id, 1, true))
    end)

    it("has the id recorded when it is back, whatever comes then", function()
      local client, box, path, key = lost()
      local id = box:ledger().jobs[1].id
      box:fault({ on = "poll", action = "hang" }) -- or it is over before one can look
      assert(client:resolve(key, id))
      local row = book.row(book.crash(path))
      assert.equal(id, row.job_id)
      assert.equal("accepted", row.state)
      assert.equal("unknown", row.charged) -- nobody but the caller has said so yet
    end)

    it("leaves the job unknown, the money too, when the service knows no such id", function()
      local client, _, path, key = lost({}, false)
      local job = support.finish(assert(client:resolve(key, "0-of-another-account")))
      assert.equal("unknown", job.status)
      assert.equal("not_found", job.error.kind)
      local row = book.settled(path, "unknown")
      assert.equal("unknown", row.charged)
    end)

    it("leaves the job unknown when it is cancelled before the service knows that id", function()
      local client, box, path, key = lost()
      box:fault({ on = "poll", action = "hang", times = 2 })
      local job = assert(client:resolve(key, "mistyped"))
      job:cancel()
      local row = book.settled(path, "unknown")
      assert.equal("connection_lost", row.error) -- as before
      assert.equal("unknown", row.charged)
      assert(client:resolve(key, "mistyped-again"))
      client:close() -- as a crash leaves it, too
      client = book.open(box, path)
      assert.equal("accepted", book.row(path).state)
      box:clear()
      job = assert(client:resolve(key, box:ledger().jobs[1].id))
      assert.equal("succeeded", support.finish(job).status)
      book.settled(path, "succeeded")
    end)

    it("is cancelled for good where the service knows that id", function()
      local client, box, path = book.pair({}, { duration = 1000 })
      box:fault({ on = "create", action = "reset", work = true })
      local key = select(2, client:generate(CUP)).idempotency_key
      local job = assert(client:resolve(key, box:ledger().jobs[1].id))
      support.polled(box, 1, 1)
      support.step_until(function()
        return job.polls > 0
      end)
      job:cancel()
      book.settled(path, "cancelled")
    end)

    it("leaves the job alone where another has that id", function()
      local client, box, path, key = lost()
      local other = assert(client:generate(CUP))
      local job, err = client:resolve(key, other.id)
      refused("ledger", "job_id_taken", job, err)
      assert.truthy(err.message:find(other.id, 1, true), err.message)
      local row = book.row(path, key)
      assert.equal("unknown", row.state)
      assert.is_nil(row.job_id)
      job = assert(client:resolve(key, box:ledger().jobs[1].id))
      assert.equal("succeeded", support.finish(job).status)
    end)

    it("takes no word for one that is nearly 'resend' or 'abandon'", function()
      local client, box, path, key = lost()
      for word, meant in pairs({
        Resend = "resend",
        resnd = "resend",
        ["re-send"] = "resend",
        ABANDON = "abandon",
        abandoned = "abandon",
        [" resend"] = "resend",
      }) do
        local job, err = client:resolve(key, word)
        refused("validation", "invalid_job_id", job, err)
        assert.truthy(err.message:find("did you mean '" .. meant .. "'?", 1, true), err.message)
      end
      assert.equal("unknown", book.row(path).state)
      assert.equal(1, posts(box))
      assert.equal(0, box:ledger().requests.poll)
    end)

    it("refuses what cannot be one", function()
      local client, box, path, key = lost()
      for _, id in ipairs({ "", "/ab", "..", "a b", ("a"):rep(257) }) do
        local job, err = client:resolve(key, id)
        refused("validation", "invalid_job_id", job, err)
        assert.equal("what", err.field)
      end
      assert.equal("unknown", book.row(path).state)
      assert.equal(1, posts(box))
    end)
  end)

  it("settles what a crash left as sent", function()
    local client, box, path = book.pair()
    box:fault({ on = "create", action = "hang", work = true })
    local key = assert(client:submit(CUP)).idempotency_key
    support.step_until(function()
      return #box:ledger().jobs == 1
    end)
    local copy = book.crash(path)
    assert.equal("sent", book.row(copy).state)
    local other = book.open(box, copy)
    assert.equal("succeeded", support.finish(assert(other:resolve(key, "resend"))).status)
    assert.equal(1, #box:ledger().jobs)
  end)

  it("settles only what is unknown", function()
    local client, box = book.pair({ max_active = 1 }, { duration = 1000 })
    local out = assert(client:submit(CUP))
    local waits = assert(client:submit(CUP))
    support.polled(box, 1, 1)
    for _, what in ipairs({ "resend", "abandon", "some-id" }) do
      refused("ledger", "not_unknown", client:resolve(out.idempotency_key, what))
      refused("ledger", "not_unknown", client:resolve(waits.idempotency_key, what))
    end
    assert.equal(1, posts(box))
  end)

  it("leaves alone a create that is on its way", function()
    local client, box, path = book.pair()
    box:fault({ on = "create", action = "hang" })
    local job = assert(client:submit(CUP))
    support.step_until(function()
      return posts(box) == 1
    end)
    assert.equal("sent", book.row(path).state)
    local _, err = client:resolve(job.idempotency_key, "resend")
    refused("ledger", "not_unknown", nil, err)
    assert.truthy(err.message:find("is under way in this program", 1, true), err.message)
    assert.equal(1, posts(box))
  end)

  it("does not know other keys", function()
    local client, _, _, key = lost()
    local job, err = client:resolve(key .. "x", "resend")
    refused("ledger", "key_unknown", job, err)
    assert.equal(key .. "x", err.idempotency_key)
  end)

  it("raises for arguments of another type", function()
    local client = lost()
    for _, arguments in ipairs({ {}, { 1, "resend" }, { "key" }, { "key", {} } }) do
      local ok, message = pcall(client.resolve, client, arguments[1], arguments[2])
      assert.is_false(ok)
      assert.truthy(message:find("bad argument", 1, true))
    end
  end)

  it("is refused without a ledger and after closing", function()
    refused("ledger", "no_ledger", support.pair():resolve("key", "abandon"))
    local client, _, _, key = lost()
    client:close()
    refused("closed", "client_closed", client:resolve(key, "resend"))
  end)

  it("works in a coroutine", function()
    local client, _, path, key = lost()
    local job = gptimage2.run(function()
      return assert(client:resolve(key, "abandon"))
    end)
    assert.equal(key, job.idempotency_key)
    assert.equal("abandoned", book.row(path).state)
  end)
end)
