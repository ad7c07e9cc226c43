-- Several processes make pictures on one ledger, and some are killed: those that are left finish
-- it all, and the sandbox's books say what was paid.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local folder = require("spec.folder")
local support = require("spec.support")

local PROCESSES, JOBS, KILLED = 4, support.slow and 8 or 25, 2

--- Submits its jobs, says so, and finishes them; then, once it is told to, takes up what others
--- left, until nothing is open.
local MAKER = [[
  local pid, url, key, path, name, jobs, retry = ...
  local gptimage2 = require("gptimage2")
  local client = assert(gptimage2.new({
    api_key = key, base_url = url, ledger = path, retry = retry, timeout = 600,
    max_active = 8, poll = { first = 0.05, interval = 0.05, max = 0.05 },
  }))
  local function finish()
    while gptimage2.pending() > 0 do gptimage2.step(0.05) end
  end
  for i = 1, tonumber(jobs) do
    assert(client:submit({ prompt = ("cup %d of %s"):format(i, name) }))
  end
  print(pid)
  io.stdout:flush()
  finish()
  local limit = os.time() + 200 -- whoever was to say so may have failed
  while not io.open(path .. ".killed") do
    assert(os.time() < limit, "nobody said that some were killed")
    gptimage2.step(0.01)
  end
  for _, job in ipairs(assert(client:recover())) do
    if job.status ~= "unknown" then
      job:wait()
    end
  end
  client:close()
]]

--- Lets them make their jobs, kills some in the middle, and gives what the others say.
local function run(box, path, retry)
  local makers = {}
  for i = 1, PROCESSES do
    local words = { box.url, box.api_key, path, "maker " .. i, JOBS, retry }
    makers[i] = child.start(MAKER, words)
  end
  local pids = {}
  for i, maker in ipairs(makers) do
    pids[i] = assert(maker:line())
  end
  -- All are in the ledger; some are done, some under way, some not sent.
  local all = PROCESSES * JOBS
  support.step_until(function()
    return box:ledger().requests.create > all / 3 and #book.rows(path) == all
  end)
  for i = 1, KILLED do
    folder.run("kill -KILL " .. pids[i])
    makers[i]:finish()
  end
  folder.write(path .. ".killed", "")
  for i = KILLED + 1, PROCESSES do
    local result = makers[i]:finish()
    assert.equal(0, result.exit, result.errors)
  end
end

--- How many of the sandbox's jobs each body has, which no other has.
local function jobs_by_body(box)
  local count = {}
  for _, job in ipairs(box:ledger().jobs) do
    count[job.body] = (count[job.body] or 0) + 1
  end
  return count
end

describe("a ledger of processes of which some are killed", function()
  after_each(support.clean)
  after_each(folder.clean)

  if os.getenv("GPTIMAGE2_SPEC_POSIX") then
    return -- there one process has it
  end

  local function judge(retry, honours, judge_row)
    local box = support.sandbox({ credits = 1e6, duration = 0.1, idempotency = honours })
    local path = book.path()
    run(box, path, retry)
    local made, rows = jobs_by_body(box), book.rows(path)
    assert.equal(PROCESSES * JOBS, #rows) -- all were submitted: nothing is lost
    local sum = 0
    for _, row in ipairs(rows) do
      judge_row(row, made[row.body] or 0)
      sum = sum + (made[row.body] or 0)
    end
    assert.equal(#box:ledger().jobs, sum)
    assert.equal("ok\n", book.query(path, "PRAGMA integrity_check") .. "\n")
  end

  it("is finished by the others where keys are honoured", function()
    judge("idempotent", true, function(row, made)
      assert.equal(1, made)
      assert.equal("succeeded", row.state)
      assert.equal("yes", row.charged)
    end)
  end)

  it("is paid for once where keys are ignored", function()
    judge("safe", false, function(row, made)
      assert.is_true(made <= 1)
      if row.state ~= "sent" and row.state ~= "unknown" then -- to be resolved by a person
        assert.equal("succeeded", row.state)
        assert.equal(1, made)
      end
    end)
  end)
end)
