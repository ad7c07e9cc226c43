-- A cancel before the request was let go: it never is, and everybody knows.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local patience = require("spec.helpers.patience")
local support = require("spec.support")

local CUP = { prompt = "a cup" }

--- A client whose creates stay on their way to the service: the proxy takes the connection and says
--- nothing to the CONNECT, so that no create is ever let go.
local function on_the_way(options)
  local box = support.sandbox()
  box:fault({ on = "any", action = "hang", times = 1000 })
  options = options or {}
  options.base_url, options.proxy = "https://held.invalid", box.url
  options.connect_timeout, options.request_timeout = 300, 300
  return support.client(box, options), box
end

--- Submits, and steps until the create is on its way.
local function submit(client, box, options)
  local before = box:ledger().connections
  local job = assert(client:submit(CUP, options))
  support.step_until(function()
    return job.status == "creating" and box:ledger().connections > before
  end)
  return job
end

local function settled()
  support.step_until(function()
    return gptimage2.pending() == 0
  end)
end

describe("a job that was given up, and is refused then", function()
  after_each(support.clean)
  after_each(folder.clean)

  for _, status in ipairs({ 400, 402, 429 }) do
    for _, how in ipairs({ "cancelled", "closed" }) do
      it(("with %d, says that nothing was charged when it is %s"):format(status, how), function()
        local client, box, path = book.pair({ max_attempts = 1 })
        local seconds = support.seconds(1)
        box:fault({ on = "create", action = "status", status = status, seconds = seconds })
        local job = assert(client:submit(CUP))
        support.step_until(function()
          return box:ledger().requests.create == 1
        end)
        if how == "closed" then
          client:close()
        else
          job:cancel()
        end
        local err = job.error
        assert.equal("unknown", err.charged)
        support.step_until(function()
          return err.charged ~= "unknown"
        end)
        assert.equal("no", err.charged)
        assert.equal("yes", err.sent)
        assert.equal(1, err.attempts)
        assert.truthy(err.message:find("refused it: nothing was charged", 1, true), err.message)
        assert.is_nil(err.message:find("recover", 1, true))
        assert.equal("no", book.rows(path)[1].charged)
      end)
    end
  end
end)

describe("a cancel while the create is on its way", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("ends it at once: nothing was sent, and nothing is spent", function()
    local client, box = on_the_way({ budget = 10 })
    local job = submit(client, box)
    job:cancel()
    assert.equal("cancelled", job.status)
    settled() -- while the proxy still hangs
    assert.equal("no", job.error.sent)
    assert.equal("no", job.error.charged)
    assert.truthy(job.error.message:find("was not sent: nothing was charged", 1, true))
    assert.equal(0, client.spent)
    assert.equal(0, box:ledger().requests.create)
    job = submit(client, box) -- the budget is there again
    assert.equal(10, client.spent)
    job:cancel()
  end)

  it("is in the ledger, as cancelled and not charged, and nobody takes it up", function()
    local path = book.path()
    local client, box = on_the_way({ ledger = path, retry = "idempotent" })
    local job = submit(client, box)
    job:cancel()
    assert.same({}, assert(client:recover())) -- not even this client, at once
    local row = book.row(path)
    assert.equal("cancelled", row.state)
    assert.equal("no", row.charged)
    assert.equal("cancelled", row.error)
    settled()
    client:close()
    local again = on_the_way({ ledger = path, retry = "idempotent" })
    assert.same({}, assert(again:recover()))
    local _, err = again:resolve(job.idempotency_key, "resend")
    assert.equal("not_unknown", err.code)
  end)

  it("is in the ledger when the program ends right behind it", function()
    local box, path = support.sandbox(), book.path()
    box:fault({ on = "any", action = "hang", times = 1000 })
    local result = child.run(
      [[
      local gptimage2 = require("gptimage2")
      local _, url, key, path = ...
      local client = assert(gptimage2.new({
        api_key = key, base_url = "https://held.invalid", proxy = url, ledger = path,
      }))
      local job = assert(client:submit({ prompt = "a cup" }))
      while job.status ~= "creating" do gptimage2.step(0.01) end
      job:cancel()
      os.exit(0)
    ]],
      { box.url, box.api_key, path }
    )
    assert.equal(0, result.exit, result.errors)
    assert.equal("cancelled", book.row(path).state)
  end)

  it("leaves to recover what a close leaves", function()
    local path = book.path()
    local client, box = on_the_way({ ledger = path })
    submit(client, box)
    client:close()
    settled()
    local row = book.row(path)
    assert.equal("intent", row.state)
    assert.equal("no", row.charged)
    assert.is_nil(row.error)
  end)
end)

describe("a cancel after the create was let go", function()
  after_each(support.clean)
  after_each(folder.clean)

  local function let_go(fault, retry)
    local client, box, path = book.pair({ retry = retry }, { duration = 1000 })
    fault.on = "create"
    box:fault(fault)
    local job = assert(client:submit(CUP))
    support.step_until(function()
      return box:ledger().requests.create == 1
    end)
    return job, client, box, path
  end

  it("waits for the answer, and the ledger has the job's id", function()
    local job, client, box, path = let_go({ action = "delay", seconds = support.seconds(0.2) })
    job:cancel()
    settled()
    local row = book.row(path)
    assert.equal("cancelled", row.state)
    assert.equal("yes", row.charged)
    assert.equal(box:ledger().jobs[1].id, row.job_id)
    assert.equal(row.job_id, job.id)
    assert.equal(row.job_id, client:history()[1].id)
  end)

  for _, how in ipairs({ "killed", "closed" }) do
    it(("is no job for the next process where this one is %s meanwhile"):format(how), function()
      local job, client, box, path = let_go({ action = "hang", work = false }, "idempotent")
      job:cancel()
      book.settled(path, "cancelled")
      if how == "closed" then
        client:close()
      end
      local again = book.open(box, book.crash(path), { retry = "idempotent" })
      assert.same({}, assert(again:recover()))
      local row = again:history()[1]
      assert.equal("unknown", row.charged)
      assert.equal("cancelled", row.error.code)
      assert.equal(1, box:ledger().requests.create)
    end)
  end

  for name, fault in pairs({
    ["that was lost"] = { action = "close", seconds = support.seconds(0.2), work = false },
    ["409"] = { action = "status", status = 409, seconds = support.seconds(0.2) },
    ["without an id"] = {
      action = "body",
      body = '{"success":true}',
      seconds = support.seconds(0.2),
      work = false,
    },
    ["of success"] = { action = "delay", seconds = support.seconds(0.2) },
  }) do
    for _, how in ipairs({ "waited for", "closed" }) do
      it(("stays cancelled whatever the answer is (%s, %s)"):format(name, how), function()
        local job, client, box, path = let_go(fault)
        local count = #box:ledger().jobs
        job:cancel()
        if how == "closed" then
          client:close()
        end
        settled()
        local row = book.row(path)
        assert.equal("cancelled", row.state)
        assert.equal(name == "of success" and "yes" or "unknown", row.charged)
        if how == "closed" then
          client = book.open(box, path, { retry = "idempotent" })
        end
        assert.same({}, assert(client:recover()))
        assert.equal(1, box:ledger().requests.create)
        assert.equal(name == "of success" and 1 or count, #box:ledger().jobs)
      end)
    end
  end

  -- The lock of the ledger has failed, say: two have sent the job, of which the other heard first.
  it("stays cancelled when that is lost, though another create of it was answered", function()
    local job, client, box, path = let_go({ action = "hang", work = false })
    job:cancel()
    book.settled(path, "cancelled")
    book.query(path, "UPDATE jobs SET state = 'accepted', charged = 'yes', job_id = 'job-2'")
    box:stop()
    local row
    support.step_until(function()
      row = book.row(path)
      return row.state ~= "accepted"
    end)
    assert.equal("cancelled", row.state)
    assert.equal("yes", row.charged)
    assert.equal("job-2", row.job_id)
    assert.same({}, assert(client:recover()))
  end)

  it("is no job for recover meanwhile, whatever may be repeated", function()
    local job, client, box = let_go({ action = "hang" }, "idempotent")
    job:cancel()
    assert.same({}, assert(client:recover()))
    local _, err = client:resolve(job.idempotency_key, "resend")
    assert.equal("not_unknown", err.code)
    assert.equal(1, box:ledger().requests.create)
  end)
end)

describe("a cancel of a job that has ended unheard", function()
  after_each(support.clean)
  after_each(folder.clean)

  --- A job whose timeout runs out while the host does not step, and is cancelled then.
  local function cancelled_late(client, options)
    local job = assert(client:submit(CUP, options))
    support.step_until(function()
      return job.id
    end)
    os.execute("sleep 1.6")
    job:cancel()
    settled()
    return job
  end

  it("is in the ledger, and recover leaves it alone", function()
    local path = folder.new() .. "/late.db"
    local client, box = support.pair({ ledger = path, timeout = 1.5 }, { duration = 60 })
    local job = cancelled_late(client)
    assert.equal("cancelled", job.status)
    local row = client:history()[1]
    assert.equal("cancelled", row.state)
    assert.equal("yes", row.charged)
    client:close()
    assert.same({}, support.client(box, { ledger = path }):recover())
  end)

  it("changes nothing where its row says how it ended", function()
    local client, box, path = book.pair()
    box:fault({ on = "create", action = "status", status = 422 })
    local job = assert(client:submit(CUP))
    patience.wait_until(function() -- without a step
      local row = book.rows(path)[1]
      return row and row.state == "refused"
    end)
    job:cancel()
    assert.equal("cancelled", job.status)
    client:close() -- all that was said is in the file before it is another's
    settled()
    assert.equal("refused", support.client(box, { ledger = path }):history()[1].state)
  end)
end)
