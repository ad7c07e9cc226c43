--- What recover does with a budget: it sends no more than that, and gives the rest back.

local book = require("spec.helpers.book")
local folder = require("spec.folder")
local remains = require("spec.helpers.remains")
local support = require("spec.support")

local CUP = { prompt = "a cup" }
local posts = remains.posts
local left_intent, left_sent, left_answered = remains.intent, remains.sent, remains.answered

describe("client:recover", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("sends nothing over the budget, and leaves it to a larger one", function()
    local path, key, port = left_intent({ prompt = "cups", count = 2 })
    local box = support.sandbox({ port = port })
    local client = book.open(box, path, { budget = 15 })
    for _ = 1, 2 do
      local job = assert(client:recover())[1]
      assert.is_true(job:done())
      assert.equal("unknown", job.status)
      assert.equal(key, job.idempotency_key)
      assert.equal(20, job.cost)
      assert.equal("budget", job.error.kind)
      assert.equal("budget_exceeded", job.error.code)
      assert.equal("no", job.error.sent)
      assert.equal("no", job.error.charged)
      assert.is_false(job.error.retryable)
      assert.equal(key, job.error.idempotency_key)
    end
    assert.equal(0, client.spent)
    assert.equal(0, box:ledger().connections)
    assert.equal("intent", book.row(path).state)
    client:close()
    local larger = book.open(box, path, { budget = 20 })
    assert.equal("succeeded", support.finish(assert(larger:recover())[1]).status)
    assert.equal(20, larger.spent)
    book.settled(path, "succeeded")
  end)

  it("gives back what is over the budget, to be abandoned", function()
    local path, _, port = left_intent()
    local box = support.sandbox({ port = port })
    local client = book.open(box, path, { budget = 9.999 })
    local job = assert(client:recover())[1]
    assert.equal("budget", job.error.kind)
    assert.truthy(job.error.message:find("budget of 9.999 are", 1, true), job.error.message)
    local given, err = client:resolve(job.idempotency_key, "resend")
    assert.is_nil(given)
    assert.equal("not_unknown", err.code)
    assert.equal("cancelled", assert(client:resolve(job.idempotency_key, "abandon")).status)
    local row = book.row(path)
    assert.equal("abandoned", row.state)
    assert.equal("no", row.charged)
    client:close()
    assert.same({}, assert(book.open(box, path):recover()))
    assert.equal(0, posts(box))
  end)

  it("sends as many as the budget allows, and gives the others back", function()
    local first, box, path = book.pair({ max_active = 1 }, { duration = 1000 })
    local jobs = {}
    for i = 1, 4 do
      jobs[i] = assert(first:submit(CUP))
    end
    support.polled(box, 1, 1)
    first:close()
    box:advance(1000)
    local client = book.open(box, path, { budget = 20 })
    local kinds = {}
    for i, job in ipairs(assert(client:recover())) do
      assert.equal(jobs[i].idempotency_key, job.idempotency_key)
      kinds[i] = job.error and job.error.kind or "going"
    end
    assert.equal("going going going budget", table.concat(kinds, " ")) -- the first has its id
    assert.equal(20, client.spent)
  end)

  it("does not send again over the budget what may have been paid", function()
    local path, box = left_sent()
    local client = book.open(box, path, { budget = 0, retry = "idempotent" })
    local job = assert(client:recover())[1]
    assert.equal("unknown", job.status)
    assert.equal("budget", job.error.kind)
    assert.equal("yes", job.error.sent)
    assert.equal("unknown", job.error.charged)
    assert.equal(1, posts(box))
    assert.equal("sent", book.row(path).state)
  end)

  it("counts nothing for what an earlier client paid", function()
    local path, box = left_answered()
    box:advance(1000)
    local client = book.open(box, path, { budget = 0 })
    assert.equal("succeeded", support.finish(assert(client:recover())[1]).status)
    assert.equal(0, client.spent)
  end)
end)
