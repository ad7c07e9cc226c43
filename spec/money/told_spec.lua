-- Who is told that a job was not sent, or that nobody sends it again, has a row that says so:
-- however the take-over of the row, a lock on the ledger, and the job's end follow each other.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local locker = require("spec.helpers.locker")
local support = require("spec.support")

local CUP = { prompt = "a cup" }

--- Steps for so many seconds.
local function pass(seconds)
  local until_then = gptimage2.now() + seconds
  support.step_until(function()
    return gptimage2.now() >= until_then
  end)
end

--- A client of that ledger, as soon as the one before has let go of it.
local function open(box, path, options)
  support.step_until(function()
    local client = gptimage2.new({ api_key = box.api_key, base_url = box.url, ledger = path })
    if client then
      client:close()
    end
    return client
  end)
  return book.open(box, path, options)
end

--- Where nobody listens, so that nothing can be sent.
local function nowhere()
  local url, port = support.nowhere()
  return { url = url, port = port, api_key = support.KEY }
end

--- A ledger with a job that was not sent, and where it was to be sent.
local function unsent()
  local place, path = nowhere(), book.path()
  local client = support.client(place, { ledger = path })
  assert(client:submit(CUP))
  support.step_until(function()
    return book.rows(path)[1]
  end)
  client:close()
  assert.equal("intent", book.row(path).state)
  return place, path
end

--- A ledger with a job of which nobody knows whether it was sent, and where it was to be sent, and
--- its key.
local function lost()
  local place, path = nowhere(), book.path()
  local box = support.sandbox({ port = place.port })
  local client = book.open(box, path, { max_attempts = 1 })
  box:fault({ on = "create", action = "reset", work = false })
  local _, err = client:generate(CUP)
  book.settled(path, "unknown")
  client:close()
  box:stop()
  return place, path, err.idempotency_key
end

local function is_told_as_unknown(job)
  return job:done() and job.error.message:find("could not be told", 1, true)
end

--- The job is told as not sent; or, where that was very slow, that this is not known.
local function is_told(job)
  return job:done() and (job.error.charged == "no" or is_told_as_unknown(job))
end

local function posts(box)
  return box:ledger().requests.create
end

--- Nothing is left for anybody to send, now that somebody listens.
local function assert_over(place, path, client, options)
  local box = support.sandbox({ port = place.port })
  assert.same({}, assert(client:recover()))
  client:close()
  assert.same({}, assert(open(box, path, options):recover()))
  assert.equal(0, posts(box))
end

describe("a job that is taken up while somebody has the ledger locked", function()
  after_each(locker.clean)
  after_each(support.clean)
  after_each(folder.clean)

  it("is not sent by the next process once it was cancelled", function()
    local place, path = unsent()
    local client = open(place, path)
    local release = locker.hold(path)
    local job = assert(client:recover())[1]
    pass(0.05)
    job:cancel()
    pass(0.05)
    assert.equal("unknown", job.error.charged)
    release()
    assert.equal("no", book.settled(path, "cancelled").charged)
    support.step_until(function()
      return is_told(job)
    end)
    assert_over(place, path, client)
  end)

  it("is not sent by the next process once its timeout ran out", function()
    local place, path = unsent()
    local client = open(place, path, { timeout = 0.2 })
    local release = locker.hold(path)
    local job = assert(client:recover())[1]
    pass(0.4)
    assert.is_not.equal("no", job.error and job.error.charged)
    release()
    assert.equal("no", book.settled(path, "unsent").charged)
    support.step_until(function()
      return is_told(job)
    end)
    assert_over(place, path, client)
  end)

  it("is so, too, where the host had to be told before", function()
    local place, path = unsent()
    local client = open(place, path)
    local release = locker.hold(path)
    local job = assert(client:recover())[1]
    job:cancel()
    support.step_until(function()
      return is_told_as_unknown(job)
    end)
    assert.equal("unknown", job.error.charged)
    assert.is_nil(job.error.sent)
    assert.equal("intent", book.row(path).state)
    release()
    book.settled(path, "cancelled")
    assert_over(place, path, client)
  end)

  it("is not sent under its key again once that was cancelled", function()
    local options = { retry = "idempotent" }
    local place, path, key = lost()
    local client = open(place, path, options)
    local release = locker.hold(path)
    local job = assert(client:resolve(key, "resend"))
    pass(0.05)
    job:cancel()
    release()
    assert.equal("unknown", book.settled(path, "cancelled").charged)
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    assert.equal("unknown", job.error.charged)
    assert_over(place, path, client, options)
  end)
end)

describe("a job whose row somebody else has changed", function()
  after_each(locker.clean)
  after_each(support.clean)
  after_each(folder.clean)

  for _, ending in ipairs({ "cancelled", "closed" }) do
    it(("is not told as free of cost when it is %s"):format(ending), function()
      local client, box, path = book.pair({ max_active = 1, request_timeout = 1000 })
      box:fault({ on = "create", action = "hang", work = false })
      assert(client:submit(CUP))
      local job = assert(client:submit(CUP))
      support.step_until(function()
        return posts(box) == 1 and #book.rows(path) == 2
      end)
      local sql =
        "UPDATE jobs SET state = 'accepted', charged = 'yes', job_id = 'x' WHERE key = '%s'"
      locker.new(path).run(sql:format(job.idempotency_key))
      if ending == "closed" then
        client:close()
      else
        job:cancel()
      end
      support.step_until(function()
        return job.error.message:find("says otherwise", 1, true)
      end)
      assert.equal("unknown", job.error.charged)
      assert.equal("yes", book.row(path, job.idempotency_key).charged)
    end)
  end
end)

describe("a job that is submitted while somebody has the ledger locked", function()
  after_each(locker.clean)
  after_each(support.clean)
  after_each(folder.clean)

  it("is left for recover when its client is closed", function()
    local client, box, path = book.pair()
    assert(client:generate(CUP))
    local release = locker.hold(path)
    local job = assert(client:submit(CUP))
    pass(0.05)
    client:close()
    pass(support.slow and 0.1 or 2.2) -- longer than others are waited for
    assert.equal(1, #book.rows(path))
    assert.equal("unknown", job.error.charged)
    release()
    support.step_until(function()
      return #book.rows(path) == 2
    end)
    assert.equal("no", book.settled(path, "intent", job.idempotency_key).charged)
    support.step_until(function()
      return job.error.charged == "no"
    end)
    local jobs = assert(open(box, path):recover())
    assert.equal(1, #jobs)
    assert.equal("succeeded", support.finish(jobs[1]).status)
    assert.equal(2, posts(box))
  end)

  it("is waited for until its timeout, and told then", function()
    local client, _, path = book.pair()
    local release = locker.hold(path)
    -- Long enough to be on its way to the ledger: else it is told as not sent.
    local job = assert(client:submit(CUP, { timeout = support.seconds(0.5) }))
    client:close()
    support.step_until(function()
      return is_told_as_unknown(job) or #book.rows(path) > 0
    end)
    assert.truthy(job.error.message:find("may know the job", 1, true))
    assert.equal(0, gptimage2.pending())
    release()
  end)

  -- Locks the ledger until a moment after this program is about to end, and submits.
  local ENDING = [[
    local gptimage2 = require("gptimage2")
    local _, url, key, path, locked, go = ...
    local client = assert(gptimage2.new({ api_key = key, base_url = url, ledger = path }))
    local wait = "while ! test -e '%s'; do sleep 0.01; done; sleep 0.2"
    local lock = "(echo 'BEGIN IMMEDIATE; SELECT 1;'; %s; echo 'COMMIT;') | sqlite3 '%s' >'%s' &"
    os.execute(lock:format(wait:format(go), path, locked))
    local held
    repeat
      local file = io.open(locked)
      held = file and file:read("*a") ~= ""
      if file then file:close() end
    until held
    assert(client:submit({ prompt = "a cup" }))
    if #arg > 0 then client:close() end
    assert(io.open(go, "w")):close()
  ]]

  it("is left for recover when the program ends", function()
    for _, closes in ipairs({ false, true }) do
      local code = ENDING:gsub("#arg > 0", tostring(closes))
      local path = book.path()
      local url = support.nowhere()
      local result = child.run(code, { url, support.KEY, path, path .. ".locked", path .. ".go" })
      assert.equal(0, result.exit, result.errors)
      local row = book.row(path)
      assert.equal("intent", row.state)
      assert.equal("no", row.charged)
    end
  end)
end)
