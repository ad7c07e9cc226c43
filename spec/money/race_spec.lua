-- Two that both spend on one ledger, its lock taken from them, and neither says what he works on:
-- what each row says decides alone who sends its job.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local folder = require("spec.folder")
local support = require("spec.support")

local LUA = os.getenv("GPTIMAGE2_SPEC_LUA")
local ROUNDS, ROWS = 12, 8

--- Submits jobs that cannot be sent, a ledger for each round, and is killed.
local MAKER = [[
  local pid, folder, url, key, rounds, rows = ...
  local gptimage2, host = require("gptimage2"), require("spec.host")
  for round = 1, tonumber(rounds) do
    local path = ("%s/%d.db"):format(folder, round)
    local options = { api_key = key, base_url = url, ledger = path, timeout = 600 }
    local client = assert(gptimage2.new(options))
    for row = 1, tonumber(rows) do
      assert(client:submit({ prompt = ("cup %d of %d"):format(row, round) }))
    end
    repeat
      gptimage2.step(0.01)
    until #assert(client:history({ state = "intent" })) == tonumber(rows)
  end
  print("made")
  io.stdout:flush()
  host.signal(tonumber(pid), 9)
]]

--- Takes up what is left in each ledger. Both have read the rows before one of them goes on.
local RACER = [[
  local _, folder, url, key, rounds, name, other, how = ...
  local gptimage2, host = require("gptimage2"), require("spec.host")
  local core = require("gptimage2.core")
  local read, round = core.ledger_rows, 0

  function core.ledger_claim() end -- nobody says that he works on it

  local function exists(path)
    local file = io.open(path)
    return file and file:close()
  end

  function core.ledger_rows(...)
    local rows, err = read(...)
    local limit = host.now() + 120
    assert(io.open(("%s/%d-%s"):format(folder, round, name), "w")):close()
    while not exists(("%s/%d-%s"):format(folder, round, other)) do
      assert(host.now() < limit, "the other one never came")
      host.pause(0.0002)
    end
    return rows, err
  end

  for i = 1, tonumber(rounds) do
    round = i
    local client = assert(gptimage2.new({
      api_key = key,
      base_url = url,
      ledger = ("%s/%d.db"):format(folder, round),
      poll = { first = 0.02, interval = 0.02, max = 0.02 },
      timeout = 120,
    }))
    local jobs = assert(client:recover())
    for n, job in ipairs(jobs) do
      if how == "cancel" and n % 2 == 0 then
        job:cancel()
      end
    end
    for _, job in ipairs(jobs) do
      while not job:done() do
        assert(gptimage2.step(0.05))
      end
      print(job.status, job.error and job.error.code or "")
    end
    client:close()
  end
]]

--- The same by one process that has loaded the module twice, each with its own list of open files
--- and its own thread: the second one takes all up when the first has read the rows.
local TWINS = [[
  local _, folder, url, key, rounds, copy = ...
  local ONE = [=[
    local path, url, key = ...
    client = assert(require("gptimage2").new({
      api_key = key,
      base_url = url,
      ledger = path,
      poll = { first = 0.02, interval = 0.02, max = 0.02 },
      timeout = 120,
    }))
  ]=]
  local RECOVER = [=[
    jobs = assert(client:recover())
  ]=]
  local FINISH = [=[
    for _, job in ipairs(jobs) do
      while not job:done() do
        assert(require("gptimage2").step(0.05))
      end
      print(job.status, job.error and job.error.code or "")
    end
    client:close()
  ]=]
  local load = loadstring or load
  local core = require("gptimage2.core")
  local read = core.ledger_rows
  local twin = require("spec.host").state()
  twin:run("package.cpath = ... .. '/?.so;' .. package.cpath", copy)
  function core.ledger_claim() end
  twin:run("require('gptimage2.core').ledger_claim = function() end")

  function core.ledger_rows(...)
    local rows, err = read(...)
    twin:run(RECOVER)
    return rows, err
  end

  for round = 1, tonumber(rounds) do
    local path = ("%s/%d.db"):format(folder, round)
    assert(load(ONE))(path, url, key)
    twin:run(ONE, path, url, key)
    assert(load(RECOVER))()
    assert(load(FINISH))()
    twin:run(FINISH)
  end
  twin:close()
]]

local function words(box, place, ...)
  return { place, box.url, box.api_key, ROUNDS, ... }
end

--- The ledgers of a process that was killed, and the port to which it should have sent.
local function left_intents()
  local place = folder.new()
  local url, port = support.nowhere()
  local result = child.run(MAKER, words({ url = url, api_key = support.KEY }, place, ROWS))
  assert.equal("made", (result.output:gsub("%s", "")), result.errors)
  return place, port
end

local PRELOAD = "LD_PRELOAD=" .. LUA:gsub("lua/[^/]+/lua$", "tools/no_lock.so")

--- What the jobs of these processes were told, counted.
local function count(...)
  local told = {}
  for _, process in ipairs({ ... }) do
    local result = process:finish()
    assert.equal(0, result.exit, result.errors)
    for status, code in result.output:gmatch("(%a+)\t([%w_]*)\n") do
      local what = code ~= "" and code or status
      told[what] = (told[what] or 0) + 1
    end
  end
  return told
end

--- Lets two race.
local function race(box, place, how)
  local one = child.start(RACER, words(box, place, "one", "two", ""), PRELOAD)
  local two = child.start(RACER, words(box, place, "two", "one", how), PRELOAD)
  return count(one, two)
end

--- How often the sandbox got each job: by its bytes, which no other has.
local function posts_of(box)
  local posts = {}
  for _, job in ipairs(box:ledger().jobs) do
    posts[job.body] = (posts[job.body] or 0) + job.posts
  end
  return posts
end

describe("a row of a ledger without a lock", function()
  after_each(support.clean)
  after_each(folder.clean)

  -- A sanitizer's launcher has the last word on LD_PRELOAD.
  if support.slow then
    return
  end

  local function check_rows(place, posts, judge)
    local sum = 0
    for round = 1, ROUNDS do
      local rows = book.rows(("%s/%d.db"):format(place, round))
      assert.equal(ROWS, #rows)
      for _, row in ipairs(rows) do
        judge(row, posts[row.body] or 0)
        sum = sum + (posts[row.body] or 0)
      end
    end
    return sum
  end

  local function box_at(port)
    return support.sandbox({ port = port, idempotency = false, credits = 1e6 })
  end

  local function check_sent_once(box, place, told)
    local sum = check_rows(place, posts_of(box), function(row, posts)
      assert.equal(1, posts)
      assert.equal("succeeded", row.state)
    end)
    assert.equal(sum, box:ledger().requests.create)
    assert.equal(sum, told.succeeded)
    assert.equal(2 * ROUNDS * ROWS - sum, told.not_ours_to_send)
  end

  it("is sent once by two who take it up at the same moment", function()
    local place, port = left_intents()
    local box = box_at(port)
    check_sent_once(box, place, race(box, place, ""))
  end)

  it("is sent once by two threads of one process", function()
    local place, port = left_intents()
    local box, copy = box_at(port), folder.new()
    local core = LUA:gsub("lua$", "gptimage2/core.so")
    local command = "mkdir %s/gptimage2 && cp %s %s/gptimage2"
    assert.equal("", folder.run(command:format(copy, folder.quote(core), copy)))
    check_sent_once(box, place, count(child.start(TWINS, words(box, place, copy), PRELOAD)))
  end)

  it("is sent once, or cancelled, where one of two cancels it", function()
    local place, port = left_intents()
    local box = box_at(port)
    race(box, place, "cancel")
    local cancelled = 0
    local sum = check_rows(place, posts_of(box), function(row, posts)
      if row.state == "cancelled" and not row.job_id then
        cancelled = cancelled + 1
        assert.equal(0, posts)
      else
        assert.equal(1, posts)
        assert.truthy(row.job_id)
      end
    end)
    assert.equal(sum, box:ledger().requests.create)
    assert.equal(ROUNDS * ROWS, sum + cancelled)
  end)
end)
