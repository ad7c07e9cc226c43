-- A ledger that cannot be written for a while: creates wait, and all goes on by itself.

local book = require("spec.helpers.book")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local locker = require("spec.helpers.locker")
local support = require("spec.support")

local CUP = { prompt = "a cup" }

local function posts(box)
  return box:ledger().requests.create
end

--- Steps for so many seconds.
local function pass(seconds)
  local until_then = gptimage2.now() + seconds
  while gptimage2.now() < until_then do
    gptimage2.step(0.01)
  end
end

describe("a ledger that somebody else has locked", function()
  after_each(locker.clean)
  after_each(support.clean)
  after_each(folder.clean)

  it("is no reason for good not to open it, where it cannot even be read", function()
    local client, box, path = book.pair()
    client:close()
    local other = locker.new(path)
    other.lock_out()
    local began = gptimage2.now()
    local options = { api_key = box.api_key, base_url = box.url, ledger = path }
    local refused, err = gptimage2.new(options)
    assert.is_nil(refused)
    assert.equal("ledger_unwritable", err.code)
    assert.is_true(err.retryable)
    assert.is_true(gptimage2.now() - began < support.seconds(4))
    other.release()
    assert.equal(0, #assert(book.open(box, path):history()))
  end)

  it("leaves a job alone that could not be settled, until it can be", function()
    local client, box, path = book.pair({ max_attempts = 1 })
    box:fault({ on = "create", action = "reset", work = true })
    local _, lost = client:generate(CUP)
    local key, id = lost.idempotency_key, box:ledger().jobs[1].id
    local release = locker.hold(path)
    local job, err = client:resolve(key, id)
    assert.is_nil(job)
    assert.equal("ledger_unwritable", err.code)
    assert.is_true(err.retryable)
    assert.equal(0, gptimage2.pending())
    release()
    pass(0.2)
    assert.equal("unknown", book.row(path).state)
    job = support.step_until(function()
      return (client:resolve(key, id))
    end)
    assert.equal("succeeded", support.finish(job).status)
    assert.equal(1, posts(box))
  end)

  it("keeps creates waiting, and no others, and they go on by themselves", function()
    local events, on_event = support.recorder()
    local client, box, path = book.pair({ on_event = on_event, max_active = 3 })
    local stranger = support.client(box)
    assert(client:generate(CUP))
    local release = locker.hold(path)
    local jobs = {}
    for i = 1, 5 do
      jobs[i] = assert(client:submit(CUP))
    end
    assert(stranger:generate(CUP)) -- who has no ledger is not held up
    pass(0.3)
    assert.equal(2, posts(box))
    for _, job in ipairs(jobs) do
      assert.is_false(job:done())
    end
    assert.truthy(support.types(events, jobs[1]):find("retry", 1, true))
    release()
    for _, job in ipairs(jobs) do
      assert.equal("succeeded", support.finish(job).status)
      assert.equal(1, job.attempts)
      assert.equal("succeeded", book.settled(path, "succeeded", job.idempotency_key).state)
    end
    assert.equal(7, posts(box))
    assert.equal(60, client.spent)
  end)

  it("lets a job end by its timeout, which says why and can be tried again", function()
    local client, box, path = book.pair({ timeout = 0.3 })
    local release = locker.hold(path)
    local job, err = client:generate(CUP)
    assert.is_nil(job)
    assert.equal("ledger", err.kind)
    assert.equal("ledger_unwritable", err.code)
    assert.is_true(err.retryable)
    assert.equal("no", err.sent)
    assert.equal("no", err.charged)
    assert.truthy(err.message:find("locked", 1, true), err.message)
    assert.equal(0, client.spent)
    release()
    assert(client:generate(CUP, { timeout = 60 }))
    assert.equal(1, posts(box))
    assert.equal(1, #book.rows(path))
  end)

  it("loses no answer that comes meanwhile", function()
    local client, box, path = book.pair({ timeout = 60 })
    local other = locker.new(path)
    box:fault({ on = "create", action = "delay", seconds = support.slow and 5 or 0.7 })
    local job = assert(client:submit(CUP))
    support.step_until(function()
      return posts(box) == 1
    end)
    other.lock()
    support.finish(job)
    assert.equal("succeeded", job.status)
    assert.equal("sent", book.row(path).state)
    other.release()
    local row = book.settled(path, "succeeded")
    assert.equal("yes", row.charged)
    assert.equal(job.id, row.job_id)
    assert.truthy(row.answer:find(job.id, 1, true))
    assert.truthy(row.result:find("imageUrl", 1, true))
    assert(client:generate(CUP))
    assert.equal(2, posts(box))
  end)

  it("is written before its client lets go of it", function()
    local client, box, path = book.pair()
    local other = locker.new(path)
    box:fault({ on = "create", action = "delay", seconds = support.slow and 5 or 0.7 })
    local job = assert(client:submit(CUP))
    support.step_until(function()
      return posts(box) == 1
    end)
    other.lock()
    support.finish(job)
    client:close()
    pass(0.1)
    assert.equal("sent", book.row(path).state)
    other.release()
    local again = support.step_until(function()
      return (gptimage2.new({ api_key = box.api_key, base_url = box.url, ledger = path }))
    end)
    assert.equal("succeeded", book.row(path).state)
    again:close()
  end)

  it("settles nothing by hand, and says so", function()
    local client, box, path = book.pair()
    box:fault({ on = "create", action = "reset" })
    local _, lost = client:generate(CUP)
    local release = locker.hold(path)
    local job, err = client:resolve(lost.idempotency_key, "abandon")
    assert.is_nil(job)
    assert.equal("ledger_unwritable", err.code)
    release()
    pass(0.2)
    assert.equal("unknown", book.row(path).state)
    assert(client:resolve(lost.idempotency_key, "abandon"))
    assert.equal("abandoned", book.row(path).state)
  end)

  --- Two jobs whose rows say that they were not sent when somebody locks the ledger: they wait
  --- behind one that hangs. The first has this timeout, or a longer one: it must not have run out
  --- by then.
  local function waiting(timeout)
    local client, box, path = book.pair({ max_active = 1, request_timeout = 1000 })
    box:fault({ on = "create", action = "hang" })
    assert(client:submit(CUP, { timeout = 1000 }))
    local late = assert(client:submit(CUP, { timeout = timeout }))
    local given_up = assert(client:submit(CUP, { timeout = 1000 }))
    support.step_until(function()
      return posts(box) == 1 and #book.rows(path) == 3
    end)
    local release = locker.hold(path)
    if book.row(path, late.idempotency_key).state ~= "intent" then
      release()
      return waiting(3 * timeout)
    end
    return client, path, { unsent = late, cancelled = given_up }, release, timeout
  end

  local function is_told_as_unknown(job)
    return job:done() and job.error.message:find("client:recover", 1, true)
  end

  it("has a job told as never sent when its row says so, and not before", function()
    local client, path, jobs, release, timeout = waiting(0.3)
    jobs.cancelled:cancel()
    local until_then = gptimage2.now() + timeout + 0.3
    while gptimage2.now() < until_then do
      gptimage2.step(0.01)
      for _, job in pairs(jobs) do
        assert.is_true(not job.error or job.error.charged == "unknown")
        assert.is_nil(job.error and job.error.sent)
      end
    end
    assert.equal(30, client.spent)
    release()
    for state, job in pairs(jobs) do
      local row = book.settled(path, state, job.idempotency_key)
      assert.equal("no", row.charged)
      support.step_until(function() -- unless that was very slow
        return is_told_as_unknown(job) or job.error and job.error.charged == "no"
      end)
      assert.equal(not is_told_as_unknown(job) and "no" or nil, job.error.sent)
    end
  end)

  it("has no job told as never sent whose row cannot say so in time", function()
    local client, path, jobs, release = waiting(0.3)
    jobs.cancelled:cancel()
    for _, job in pairs(jobs) do
      support.step_until(function()
        return is_told_as_unknown(job)
      end)
      assert.equal("unknown", job.error.charged)
      assert.is_nil(job.error.sent)
      assert.is_false(job.error.retryable)
      assert.equal("intent", book.row(path, job.idempotency_key).state)
    end
    assert.equal("unknown", jobs.unsent.status)
    assert.equal("cancelled", jobs.cancelled.status)
    assert.equal(30, client.spent)
    release()
    for state, job in pairs(jobs) do
      book.settled(path, state, job.idempotency_key)
    end
    assert.same({}, assert(client:recover()))
  end)

  it("has no cancelled job sent, when it can be written again", function()
    local client, box, path = book.pair()
    local release = locker.hold(path)
    local job = assert(client:submit(CUP))
    pass(0.1)
    job:cancel()
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    assert.equal("no", job.error.charged)
    assert.equal(0, client.spent)
    release()
    pass(0.2)
    assert.same({}, assert(client:recover()))
    assert(client:generate(CUP))
    assert.equal(1, posts(box))
    assert.is_nil(assert(client:history({ key = job.idempotency_key }))[1])
    assert.equal(1, #book.rows(path))
  end)
end)

-- The signal of such a limit (SIGXFSZ) would end the program.
describe("a limit on the size of files (ulimit -f)", function()
  local LUA = os.getenv("GPTIMAGE2_SPEC_LUA")
  local CODE = [[
    local url, key, place = ...
    local options = { api_key = key, base_url = url }
    options.timeout = os.getenv("GPTIMAGE2_SPEC_SLOW") and 15 or 2
    options.poll = { first = 0.02, interval = 0.02, max = 0.02 }
    local gptimage2 = require("gptimage2")
    local plain = assert(gptimage2.new(options))
    local job, err = plain:generate({ prompt = "a cup" }, { save = place .. "/checked" })
    local saved, why = (job or plain:job("none")):save(place .. "/saved")
    print(err and err.code or "made", why and why.code or "saved")
    options.ledger = place .. "/r.db"
    local client
    client, err = gptimage2.new(options)
    print(err and err.kind or "opened")
    for _ = 1, client and 100 or 0 do
      job, err = client:create({ prompt = ("x"):rep(32000) })
      if err then
        print(err.kind, err.code, err.sent)
        break
      end
    end
    if client then
      client:close()
    end
  ]]

  after_each(function()
    support.clean()
    folder.clean()
  end)

  --- What the program prints under a limit of so many blocks of 512 bytes.
  local function run(blocks)
    local place = folder.new()
    local box = support.sandbox({ image_bytes = 1024 * 1024 })
    folder.write(place .. "/code.lua", CODE)
    local words = { folder.quote(LUA), place .. "/code.lua", box.url, box.api_key, place }
    local command = ("ulimit -f %d; %s; echo exit $?"):format(blocks, table.concat(words, " "))
    local output = folder.run(command)
    return output:gsub("%s+", " "), folder.list(place)
  end

  it("of nothing ends no program", function()
    if folder.run(("ulimit -f 0; %s -e ''"):format(folder.quote(LUA))) ~= "" then
      return pending("this build cannot even start so")
    end
    local output, list = run(0)
    assert.equal("disk_full not_succeeded ledger exit 0", output)
    assert.equal("code.lua", list)
  end)

  it("is a full disk to pictures and ledger", function()
    local output, list = run(1000)
    assert.equal("made disk_full opened ledger ledger_unwritable no exit 0", output)
    assert.is_nil(list:find("part", 1, true), list)
  end)
end)
