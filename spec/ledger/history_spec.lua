-- The ledger answers who spent what on which prompt: client:history, and the database itself.

local book = require("spec.helpers.book")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local patience = require("spec.helpers.patience")
local support = require("spec.support")

local CUP = { prompt = "a cup" }

local function keys(rows)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = row.idempotency_key
  end
  return table.concat(list, " ")
end

describe("client:history", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("is empty at first", function()
    local client = book.pair()
    assert.same({}, assert(client:history()))
  end)

  it("tells what was asked, paid and received", function()
    local client, box, path = book.pair()
    local into = folder.new()
    local job = assert(client:generate({
      prompt = '  a "cup" \226\130\172 ',
      ratio = "16:9",
      count = 2,
      style = "studio-product",
      lighting = "soft",
      camera = "85mm",
      negative = "people",
    }, { metadata = { order = "17", who = 'O"Hara' }, save = into }))
    book.settled(path, "succeeded")
    local row = support.step_until(function()
      local found = assert(client:history())[1]
      return #found.files == 2 and found
    end)
    assert.equal(job.id, row.id)
    assert.equal("succeeded", row.status)
    assert.equal("succeeded", row.state)
    assert.same(job.request, row.request)
    for _, result in ipairs(job.results) do
      assert.equal("png", result.format) -- known since the save; the ledger has the answer alone
      result.format = nil
    end
    assert.same(job.results, row.results)
    assert.is_nil(row.error)
    assert.equal(20, row.cost)
    assert.equal("20", tostring(row.cost))
    assert.equal("2", tostring(row.request.count))
    assert.equal("yes", row.charged)
    assert.equal(job.idempotency_key, row.idempotency_key)
    assert.same({ order = "17", who = 'O"Hara' }, row.metadata)
    assert.equal("1", tostring(row.attempts))
    assert.equal(box.url, row.base_url)
    assert.is_true(math.abs(row.created_at - os.time()) < 1000)
    assert.is_true(row.elapsed >= 0 and row.elapsed < 1000)
    for i, name in ipairs(row.files) do
      assert.truthy(folder.read(name):find("^\137PNG"), i)
    end
  end)

  it("has a file as soon as that is there, whatever the host does", function()
    local client, box, path = book.pair()
    local job = assert(client:generate({ prompt = "a cup", count = 2 }))
    box:fault({ on = "image", action = "delay", seconds = 0.3 })
    box:fault({ on = "image", action = "hang" })
    local into = folder.new()
    gptimage2.spawn(function()
      job:save(into)
    end)
    support.step_until(function()
      return box:ledger().requests.image == 2
    end)
    local files = {}
    patience.wait_until(function() -- without a step
      files = book.rows(path)[1].files
      return files[1]
    end)
    assert.equal(1, #files) -- the other one never comes
    assert.truthy(folder.read(files[1]):find("^\137PNG"))
  end)

  it("has the results of a job that succeeded with the answer to its create", function()
    local client, box, path = book.pair()
    local answer =
      '{"jobId":"at-once","status":"succeeded","results":[{"imageUrl":"%s","seed":"7"}]}'
    support.answer(box, "create", 200, answer:format(box:reference("cat")))
    local job = assert(client:generate(CUP))
    assert.equal(0, job.polls)
    book.settled(path, "succeeded")
    assert.same(job.results, client:history()[1].results)
  end)

  it("tells of references", function()
    local client, box = book.pair()
    local urls = { box.url .. "/reference.png", "https://cdn.example.com/palette.png" }
    assert(client:generate({ prompt = "a cup", image_urls = urls }))
    local row = assert(client:history())[1]
    assert.same(urls, row.request.image_urls)
    assert.equal("image-to-image", row.request.mode)
  end)

  describe("shows a job that", function()
    --- The row of the only job once it is in that state.
    local function row_in(client, path, state)
      book.settled(path, state)
      return assert(client:history())[1]
    end

    it("runs as accepted", function()
      local client, box, path = book.pair({}, { duration = 1000 })
      local job = assert(client:submit(CUP))
      support.polled(box, 1, 1)
      local row = row_in(client, path, "accepted")
      assert.equal("pending", row.status)
      assert.equal("yes", row.charged)
      assert.equal(job.id, row.id)
    end)

    it("the service failed to make, with its error", function()
      local client, box, path = book.pair()
      box:fault({ on = "job", action = "fail", error = "content_policy" })
      local _, err = client:generate(CUP)
      local row = row_in(client, path, "failed")
      assert.equal("failed", row.status)
      assert.equal("refund_expected", row.charged)
      assert.equal("content_policy", row.error.code)
      assert.equal("job_failed", row.error.kind)
      assert.equal(err.job_id, row.error.job_id)
      assert.is_nil(row.results)
    end)

    it("came to nothing, with what its own error says", function()
      local long = { ["Retry-After"] = "900" }
      for _, fault in ipairs({
        { action = "status", status = 400, body = '{"error":"bad_request"}' },
        { action = "status", status = 401 },
        { action = "status", status = 402 },
        { action = "status", status = 402, body = '{"error":"no_credits_left"}' },
        { action = "status", status = 404 },
        { action = "status", status = 429, headers = long },
        { action = "status", status = 302 },
        { action = "status", status = 408 },
        { action = "status", status = 503, body = '{"error":"overloaded"}' },
        { action = "reset" },
        { action = "malformed" },
        { action = "status", status = 202, body = "{}" },
        { on = "job", action = "fail", error = "content_policy" },
        { on = "job", action = "fail" },
      }) do
        local client, box = book.pair({ max_attempts = 1 })
        fault.on = fault.on or "create"
        box:fault(fault)
        local _, err = client:generate(CUP)
        local row = support.step_until(function()
          local found = client:history()[1]
          return not (";sent;intent;accepted;"):find(found.state, 1, true) and found
        end)
        local what = fault.action .. " " .. tostring(fault.status)
        for _, name in ipairs({
          "kind",
          "code",
          "status",
          "sent",
          "charged",
          "retryable",
          "attempts",
          "job_id",
          "idempotency_key",
        }) do
          if name ~= "status" or err.kind ~= "job_failed" then -- that of a poll is not kept
            assert.equal(err[name], row.error[name], what .. ": " .. name)
          end
        end
        client:close()
      end
    end)

    it("found no connection, as often as the job tried", function()
      local client, _, path = book.pair({ base_url = support.nowhere(), max_attempts = 2 })
      local _, err = client:generate(CUP)
      assert.equal(2, err.attempts)
      local row = row_in(client, path, "unsent")
      assert.equal(2, row.attempts)
      assert.equal(2, row.error.attempts)
    end)

    it("the service does not know any more, as not found", function()
      local client, box, path = book.pair()
      local id = assert(client:create(CUP)).id
      support.answer(box, "poll", 410)
      local _, err = client:wait(id)
      local row = row_in(client, path, "unknown")
      assert.equal(err.kind, row.error.kind)
      assert.equal("gone", row.error.code)
      assert.equal(410, row.error.status)
      assert.equal("yes", row.error.charged)
    end)

    it("was refused, as not charged", function()
      local client, box, path = book.pair()
      support.answer(box, "create", 402, '{"error":"insufficient_credits"}')
      client:generate(CUP)
      local row = row_in(client, path, "refused")
      assert.equal("failed", row.status)
      assert.equal("no", row.charged)
      assert.equal("insufficient_credits", row.error.code)
      assert.equal("1", tostring(row.attempts))
    end)

    it("never left, as not charged", function()
      local box = support.sandbox()
      box:stop()
      local path = book.path()
      local client = support.client(box, { ledger = path, max_attempts = 1 })
      client:generate(CUP)
      local row = row_in(client, path, "unsent")
      assert.equal("failed", row.status)
      assert.equal("no", row.charged)
      assert.equal("connect_failed", row.error.code)
      assert.equal("network", row.error.kind)
      assert.equal("no", row.error.sent)
      assert.is_true(row.error.retryable)
    end)

    it("got lost, as perhaps charged", function()
      local client, box, path = book.pair()
      box:fault({ on = "create", action = "reset" })
      client:generate(CUP)
      local row = row_in(client, path, "unknown")
      assert.equal("unknown", row.status)
      assert.equal("unknown", row.charged)
      assert.equal("connection_lost", row.error.code)
    end)

    it("was answered with something unreadable, as perhaps charged", function()
      local client, box, path = book.pair()
      box:fault({ on = "create", action = "malformed" })
      client:generate(CUP)
      local row = row_in(client, path, "unknown")
      assert.equal("unknown", row.charged)
      assert.equal("unreadable_reply", row.error.code)
      assert.truthy(book.row(path).answer)
    end)

    it("failed with a 5xx, as perhaps charged", function()
      local client, box, path = book.pair({ max_attempts = 1 })
      support.answer(box, "create", 503)
      client:generate(CUP)
      local row = row_in(client, path, "unknown")
      assert.equal("unknown", row.charged)
    end)

    it("was cancelled, as charged where it was made", function()
      local client, box, path = book.pair({}, { duration = 1000 })
      local job = assert(client:submit(CUP))
      support.polled(box, 1, 1)
      job:cancel()
      local row = row_in(client, path, "cancelled")
      assert.equal("cancelled", row.status)
      assert.equal("yes", row.charged)
      assert.equal(job.id, row.id)
    end)
  end)

  describe("with a filter", function()
    local client, box, path, jobs

    before_each(function()
      client, box, path = book.pair({ max_attempts = 1 })
      jobs = {}
      for i = 1, 4 do
        jobs[i] = assert(client:generate({ prompt = "cup " .. i }, { idempotency_key = "k" .. i }))
        book.settled(path, "succeeded", "k" .. i)
      end
      support.answer(box, "create", 402)
      client:generate(CUP, { idempotency_key = "k5" })
    end)

    local function found(filter)
      return keys(assert(client:history(filter)))
    end

    it("gives the newest first", function()
      assert.equal("k5 k4 k3 k2 k1", found())
      assert.equal("k5 k4 k3 k2 k1", found({}))
    end)

    it("finds a key", function()
      assert.equal("k3", found({ key = "k3" }))
      assert.equal("", found({ key = "k" }))
    end)

    it("finds a job id", function()
      assert.equal("k2", found({ id = jobs[2].id }))
      assert.equal("", found({ id = "none" }))
    end)

    it("finds a state", function()
      assert.equal("k5", found({ state = "refused" }))
      assert.equal("k4 k3 k2 k1", found({ state = "succeeded" }))
      assert.equal("", found({ state = "unknown" }))
    end)

    it("finds a time", function()
      local times = {}
      for i, row in ipairs(assert(client:history())) do
        times[i] = row.created_at
      end
      assert.equal("k5 k4", found({ since = times[2] }))
      assert.equal("k2 k1", found({ ["until"] = times[4] }))
      assert.equal("k4 k3", found({ since = times[3], ["until"] = times[2] }))
      assert.equal("", found({ since = times[1] + 1 }))
      assert.equal("", found({ ["until"] = times[5] - 1 }))
    end)

    it("keeps to a limit", function()
      assert.equal("k5 k4", found({ limit = 2 }))
      assert.equal("k4", found({ limit = 1, state = "succeeded" }))
      assert.equal("k5 k4 k3 k2 k1", found({ limit = 100 }))
      assert.equal("k5 k4 k3 k2 k1", found({ since = 0 }))
      assert.equal("", found({ ["until"] = 0 }))
      assert.equal("", found({ ["until"] = -1 }))
    end)

    --- Expects an error of the caller with `needle` in it.
    local function raises(needle, filter)
      local ok, message = pcall(function()
        local rows = client:history(filter)
        return rows
      end)
      assert.is_false(ok)
      assert.truthy(tostring(message):find(needle, 1, true), message)
      assert.truthy(tostring(message):find("history_spec.lua:", 1, true), message)
    end

    it("that is not one raises", function()
      for needle, filter in pairs({
        ["did you mean 'state'"] = { stat = "unknown" },
        ["'limit'"] = { limit = "2" },
        ["'key'"] = { key = 1 },
        ["table"] = "state",
        ["did you mean 'succeeded'"] = { state = "suceeded" },
        ["one of abandoned, accepted, cancelled,"] = { state = "" },
      }) do
        raises(needle, filter)
      end
      for _, limit in ipairs({ 0, -1, 1.5, math.huge, 0 / 0 }) do
        raises("option 'limit' must be a whole number", { limit = limit })
      end
      raises("option 'since' must be a number, not NaN", { since = 0 / 0 })
      raises("option 'until' must be a number, not NaN", { ["until"] = 0 / 0 })
    end)
  end)

  it("is refused without a ledger and after closing", function()
    local client = support.pair()
    local rows, err = client:history()
    assert.is_nil(rows)
    assert.equal("no_ledger", err.code)
    assert.is_false((pcall(client.history, client, 42))) -- a bad argument raises all the same
    client = book.pair()
    client:close()
    rows, err = client:history()
    assert.is_nil(rows)
    assert.equal("closed", err.kind)
  end)
end)

describe("the ledger's file", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("answers who spent what on which prompt", function()
    local client, box, path = book.pair({ max_attempts = 1 })
    assert(client:generate({ prompt = "a cup", count = 2 }, { metadata = { who = "ada" } }))
    assert(client:generate({ prompt = "a pot" }, { metadata = { who = "ada" } }))
    assert(client:generate({ prompt = "a fork" }, { metadata = { who = "bob" } }))
    support.answer(box, "create", 402)
    client:generate({ prompt = "a spoon" }, { metadata = { who = "bob" } })
    for _, row in ipairs(book.rows(path)) do
      book.settled(path, row.cost and row.state == "refused" and "refused" or "succeeded", row.key)
    end
    assert.equal(
      "ada|30\nbob|10",
      book.query(
        path,
        "SELECT json_extract(metadata, '$.who') AS who, sum(cost) FROM spending "
          .. "WHERE charged = 'yes' GROUP BY who ORDER BY who"
      )
    )
    assert.equal(
      "a cup|20|succeeded\na pot|10|succeeded\na fork|10|succeeded\na spoon|10|refused",
      book.query(path, "SELECT prompt, cost, state FROM spending")
    )
    local month = "SELECT count(*) FROM spending WHERE created LIKE '%s%%'"
    assert.equal("4", book.query(path, month:format(os.date("!%Y-%m-"))))
  end)

  it("may be read by anybody while it is written", function()
    local client, box, path = book.pair({}, { duration = 1000 })
    local job = assert(client:submit(CUP))
    support.polled(box, 1, 1)
    local copy = book.row(path)
    assert.equal(job.id, copy.job_id)
    assert.equal("accepted|" .. job.id, book.query(path, "SELECT state, job_id FROM jobs"))
    box:advance(1000)
    assert.equal("succeeded", support.finish(job).status)
    book.settled(path, "succeeded")
    assert.equal("succeeded", book.query(path, "SELECT state FROM jobs"))
  end)

  it("never holds the API key", function()
    local client, box, path = book.pair({ max_attempts = 1 })
    assert(client:generate(CUP))
    support.answer(box, "create", 503, '{"error":"bad key ' .. support.KEY .. '"}')
    client:generate(CUP)
    local grep = ("grep -c -F %s %s*"):format(folder.quote(support.KEY), folder.quote(path))
    assert.is_nil(folder.run(grep):find(":[1-9]"))
  end)
end)
