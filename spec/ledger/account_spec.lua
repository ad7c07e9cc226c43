-- Whose jobs are in a ledger: a client takes up, settles and sends again those of its own account.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local CUP = { prompt = "a cup" }

--- A ledger with a job whose answer nobody got.
local function left_behind(options)
  local client, box, path = book.pair(options)
  box:fault({ on = "create", action = "reset", work = true })
  local _, err = client:generate(CUP)
  assert.equal("lost", err.kind)
  client:close()
  return box, path, err.idempotency_key
end

local function reopened(box, path, options)
  options = options or {}
  options.retry = options.retry or "idempotent"
  return book.open(box, path, options)
end

describe("the account of a ledger's row", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("tells keys apart and gives none away", function()
    local box, path = left_behind()
    local account = book.row(path).account
    assert.truthy(account:find("^sha256:%x+$"))
    assert.equal(7 + 64, #account)
    local client = reopened(box, path, { api_key = "another-key" })
    client:generate(CUP, { idempotency_key = "k" })
    assert.are_not.equal(account, book.row(path, "k").account)
    client:close()
    client = reopened(box, path)
    assert(client:generate(CUP, { idempotency_key = "l" }))
    assert.equal(account, book.row(path, "l").account)
    assert.equal(account, assert(client:history({ key = "l" }))[1].account)
  end)

  it("is another in another ledger", function()
    local _, first = left_behind()
    local _, second = left_behind()
    assert.are_not.equal(book.row(first).account, book.row(second).account)
  end)

  it("is what the option says", function()
    local _, path = left_behind({ account = "shop" })
    assert.equal("shop", book.row(path).account)
  end)

  it("is no fingerprint of a key, and no text without end", function()
    local names = { "", "sha256:" .. ("0"):rep(64), "a b", ("x"):rep(129), "\1", 1 }
    for _, name in ipairs(names) do
      assert.error(function()
        book.pair({ account = name })
      end)
    end
    book.pair({ account = ("x"):rep(128) })
  end)
end)

describe("a client with another account", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("takes up no job and settles none", function()
    local box, path, key = left_behind()
    local client = reopened(box, path, { api_key = "another-key" })
    assert.same({}, assert(client:recover()))
    assert.same({}, assert(client:recover({ any_key = false })))
    for _, what in ipairs({ "resend", "abandon", "some-id" }) do
      local job, err = client:resolve(key, what)
      assert.is_nil(job)
      assert.equal("ledger", err.kind)
      assert.equal("other_account", err.code)
      assert.truthy(err.message:find("any_key", 1, true))
    end
    assert.equal("unknown", book.row(path).state)
    assert.equal(1, box:ledger().requests.create)
  end)

  it("takes them up where the key was changed, and they are its own then", function()
    local box, path, key = left_behind({ account = "before" })
    local client = reopened(box, path, { account = "after" })
    assert.same({}, assert(client:recover()))
    local job = support.finish(assert(client:recover({ any_key = true }))[1])
    assert.equal("succeeded", job.status)
    assert.equal(key, job.idempotency_key)
    assert.equal("after", book.row(path).account)
    assert.equal(1, #box:ledger().jobs)
  end)

  -- What is another's stays so, whole, until the service has taken this client's key for it.
  describe("whose key is wrong", function()
    local function wrong(box, path, retry)
      local options = { account = "after", api_key = "wrong-key", retry = retry, max_attempts = 1 }
      return reopened(box, path, options)
    end

    --- The job as it is left by all who take it up with the wrong key.
    local function taken_up(client)
      local jobs = assert(client:recover({ any_key = true }))
      assert.equal(1, #jobs)
      support.finish(jobs[1])
      support.step_until(function()
        return gptimage2.pending() == 0
      end)
      client:close()
      return jobs[1]
    end

    it("leaves a job that was never sent as it is", function()
      local url, port = support.nowhere()
      local path = book.path()
      local script = [[
        local gptimage2 = require("gptimage2")
        local _, url, key, path = ...
        local client = assert(gptimage2.new({
          api_key = key, base_url = url, ledger = path, account = "before",
        }))
        assert(client:submit({ prompt = "a cup" }))
        os.exit(0, true)
      ]]
      assert.equal(0, child.run(script, { url, support.KEY, path }).exit)
      local box = support.sandbox({ port = port })
      local job = taken_up(wrong(box, path))
      assert.equal("auth", job.error.kind)
      assert.equal("no", job.error.charged)
      local row = book.row(path)
      assert.equal("before", row.account)
      assert.equal("intent", row.state)
      assert.equal("no", row.charged)
      local client = reopened(box, path, { account = "before" })
      assert.equal("succeeded", support.finish(assert(client:recover())[1]).status)
      assert.equal(1, #box:ledger().jobs)
      assert.equal("before", book.settled(path, "succeeded").account)
    end)

    it("leaves one that may have been made as it is", function()
      local box, path = left_behind({ account = "before" })
      assert.equal("auth", taken_up(wrong(box, path, "idempotent")).error.kind)
      local row = book.row(path)
      assert.equal("before", row.account)
      assert.equal("unknown", row.state)
      local client = reopened(box, path, { account = "before" })
      assert.equal("succeeded", support.finish(assert(client:recover())[1]).status)
      assert.equal(1, #box:ledger().jobs)
    end)

    for _, status in ipairs({ 401, 404 }) do
      it(("leaves one that the service has as it is (%d)"):format(status), function()
        local client, box, path = book.pair({ account = "before" }, { duration = 1000 })
        assert(client:submit(CUP))
        support.polled(box, 1, 1)
        client:close()
        if status == 404 then
          support.answer(box, "poll", status, nil, { times = 3 })
        end
        local job = taken_up(wrong(box, path))
        assert.equal("unknown", job.status)
        local row = book.row(path)
        assert.equal("before", row.account)
        assert.equal("accepted", row.state)
        box:advance(1000)
        client = reopened(box, path, { account = "after" })
        job = support.finish(assert(client:recover({ any_key = true }))[1])
        assert.equal("succeeded", job.status)
        assert.equal("after", book.settled(path, "succeeded").account)
      end)
    end

    it("has what it sent and got no answer to", function()
      local box, path = left_behind({ account = "before" })
      book.settled(path, "unknown")
      book.query(path, "UPDATE jobs SET state = 'intent', charged = 'no'")
      box:fault({ on = "create", action = "reset", work = true })
      local client = reopened(box, path, { account = "after", retry = "safe" })
      assert.equal("lost", taken_up(client).error.kind)
      local row = book.row(path)
      assert.equal("after", row.account) -- nobody else can know of it
      assert.equal("unknown", row.state)
    end)
  end)

  it("settles them where the key was changed", function()
    local box, path, key = left_behind({ account = "before" })
    local client = reopened(box, path, { account = "after" })
    assert(client:resolve(key, "abandon", { any_key = true }))
    assert.equal("abandoned", book.row(path).state)
  end)

  it("takes up what a version wrote that knew no accounts", function()
    local box, path = left_behind()
    book.query(path, "UPDATE jobs SET account = NULL")
    local client = reopened(box, path, { account = "any" })
    assert.equal("succeeded", support.finish(assert(client:recover())[1]).status)
    assert.equal("any", book.row(path).account)
  end)

  it("raises for what recover and resolve do not know", function()
    local client = book.pair()
    assert.error(function()
      client:recover({ any_keys = true })
    end)
    assert.error(function()
      client:resolve("k", "abandon", { any_key = 1 })
    end)
  end)
end)
