-- A row of the ledger stays right, whoever asks for its job and whatever the service says late.

local book = require("spec.helpers.book")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local CUP = { prompt = "a cup" }

describe("a row of the ledger", function()
  after_each(support.clean)
  after_each(folder.clean)

  describe("whose create was answered with what is no JSON, and read by nobody,", function()
    --- The ledger of a process that died before its host had stepped.
    local function left_unreadable()
      local client, box, path = book.pair()
      box:fault({ on = "create", action = "body", body = "<html>ok</html>", work = true })
      local job = assert(client:submit(CUP))
      repeat -- without a step
        local row = book.rows(path)[1]
      until row and row.answer
      local copy = book.crash(path)
      assert.equal("unknown", book.row(copy).state)
      assert.equal("unknown", book.row(copy).charged)
      return copy, box, job.idempotency_key
    end

    it("is reported by recover", function()
      local path, box, key = left_unreadable()
      local jobs = assert(book.open(box, path):recover())
      assert.equal(1, #jobs)
      assert.equal("unknown", jobs[1].status)
      assert.equal("lost", jobs[1].error.kind)
      assert.equal(key, jobs[1].idempotency_key)
      assert.equal(1, box:ledger().requests.create)
    end)

    it("can be settled in each way", function()
      local path, box, key = left_unreadable()
      local client = book.open(box, path)
      local job = support.finish(assert(client:resolve(key, box:ledger().jobs[1].id)))
      assert.equal("succeeded", job.status)
      client:close()
      path, box, key = left_unreadable()
      client = book.open(box, path)
      assert(client:resolve(key, "abandon"))
      assert.equal("abandoned", book.row(path).state)
      client:close()
      path, box, key = left_unreadable()
      job = support.finish(assert(book.open(box, path):resolve(key, "resend")))
      assert.equal("succeeded", job.status)
      assert.equal(1, #box:ledger().jobs) -- under the same key
    end)

    it("can be settled when an older version left it as accepted", function()
      local path, box, key = left_unreadable()
      book.query(path, "UPDATE jobs SET state = 'accepted', charged = 'yes'")
      local client = book.open(box, path)
      assert.equal("unknown", assert(client:recover())[1].status)
      assert(client:resolve(key, "abandon"))
      assert.equal("abandoned", book.row(path).state)
    end)
  end)

  it("is the row of a job that is taken up by its id", function()
    local client, box, path = book.pair()
    local made =
      assert(client:create({ prompt = "a cup", count = 2 }, { metadata = { order = "17" } }))
    client:close()
    client = book.open(box, path)
    for _, job in ipairs({
      assert(client:wait(made.id)),
      assert(client:poll(made.id)),
      assert(assert(client:job(made.id)):wait()),
    }) do
      assert.equal(made.idempotency_key, job.idempotency_key)
      assert.same({ order = "17" }, job.metadata)
      assert.equal("a cup", job.request.prompt)
      assert.equal(20, job.cost)
      assert.equal("succeeded", book.settled(path, "succeeded").state)
    end
    local paths = assert(assert(client:wait(made.id)):save(folder.new()))
    support.step_until(function()
      return #book.row(path).files == 2
    end)
    assert.same(paths, book.row(path).files)
  end)

  it("is nobody else's while somebody is at work on it", function()
    local client, box = book.pair({}, { duration = 1000 })
    local job = assert(client:submit(CUP))
    support.step_until(function()
      return job.id
    end)
    local other = assert(client:poll(job.id))
    assert.is_nil(other.idempotency_key)
    box:advance(1000)
    assert.equal("succeeded", support.finish(job).status)
  end)

  it("keeps its pictures, whatever later polls say", function()
    local client, box, path = book.pair()
    local job = assert(client:generate(CUP))
    local url = job.results[1].image_url
    book.settled(path, "succeeded")
    local named = ('{"jobId":"%s","status":"%s"}'):format(job.id, "%s")
    for _, body in ipairs({
      "no JSON",
      "{}",
      '{"jobId":"another","status":"succeeded","results":[{"imageUrl":"https://x.invalid/x.png"}]}',
      named:format("succeeded"), -- without pictures
      named:format("pending"),
      named:format("failed"),
    }) do
      support.answer(box, "poll", 200, body)
      client:poll(job.id)
      client:history() -- what was to be written is
      local row = client:history()[1]
      assert.equal("succeeded", row.state, body)
      assert.equal(url, row.results[1].image_url, body)
      assert.equal("yes", row.charged, body)
    end
  end)

  it("is not cancelled with somebody who asked for its job once more", function()
    local client, box, path = book.pair()
    local made = assert(client:generate(CUP))
    book.settled(path, "succeeded")
    box:fault({ on = "poll", action = "hang" })
    local task = gptimage2.spawn(function()
      return client:wait(made.id)
    end)
    support.step_until(function()
      return client:jobs()[1]
    end)
    client:jobs()[1]:cancel()
    task:wait()
    assert(client:history())
    assert.equal("succeeded", book.row(path).state)
  end)

  it("is not changed by the job that another service has under its id", function()
    local client, box, path = book.pair({}, { duration = 1000 })
    local job = assert(client:create(CUP))
    client:close()
    local other = support.sandbox()
    client = book.open(other, path)
    support.answer(other, "poll", 200, '{"status":"failed","error":"too_busy"}', { times = 3 })
    assert.is_nil(client:wait(job.id))
    assert.is_nil(client:poll(job.id))
    assert(client:history())
    local row = book.row(path)
    assert.equal("accepted", row.state)
    assert.is_nil(row.result)
    assert.equal(job.idempotency_key, row.key)
    client:close()
    box:advance(1000)
    assert.equal("succeeded", support.finish(assert(book.open(box, path):recover())[1]).status)
  end)
end)
