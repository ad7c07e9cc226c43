-- Tenants: those for whom jobs of a ledger are made, each with a budget of its own.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local folder = require("spec.folder")
local support = require("spec.support")
local tenants = require("spec.helpers.tenants")

local CUP = { prompt = "a cup" }
local ACME = { tenant = "acme" }

--- The ledger of the test that runs.
local path

local function posts(box)
  return box:ledger().requests.create
end

--- A client with a ledger in which acme has that budget, and its sandbox.
local function pair(budget, options, box_options)
  local client, box
  client, box, path = book.pair(options, box_options)
  assert(client:tenant("acme", { budget = budget }))
  return client, box
end

--- Until acme has so many credits reserved and spent: "10 0".
local function until_sums(expected)
  support.step_until(function()
    return tenants.sums(path, "acme") == expected
  end)
end

local function assert_refused(code, job, err)
  assert.is_nil(job)
  assert.equal("budget", err.kind)
  assert.equal(code, err.code)
  return err
end

--- A client of which a create of acme's got lost, the service having done the work, and the key.
local function lost(options)
  local client, box = pair(20, options)
  box:fault({ on = "create", action = "reset", work = true })
  local _, err = client:generate(CUP, ACME)
  assert.equal("lost", err.kind)
  assert.equal("10 0", tenants.sums(path, "acme"))
  return client, box, err.idempotency_key
end

local function tests_end()
  assert.equal("", tenants.wrong(path))
  support.clean()
  folder.clean()
end

describe("client:tenant", function()
  after_each(tests_end)

  it("makes one, looks at it and changes it", function()
    local client = pair()
    assert_refused("tenant_unknown", client:tenant("umbra"))
    local new = { name = "umbra", reserved = 0, spent = 0, weight = 1 }
    assert.same(new, assert(client:tenant("umbra", {})))
    assert.same(new, assert(client:tenant("umbra")))
    new.budget, new.weight = 25.5, 3
    assert.same(new, assert(client:tenant("umbra", { budget = 25.5, weight = 3 })))
    new.weight = 0.5
    assert.same(new, assert(client:tenant("umbra", { weight = 0.5 })))
    new.budget = nil
    assert.same(new, assert(client:tenant("umbra", { budget = math.huge })))
    new.budget = 0
    assert.same(new, assert(client:tenant("umbra", { budget = 0 })))
    assert.same(new, assert(client:tenant("umbra", {})))
  end)

  it("is durable, and there for the next process", function()
    local client, box = pair(70)
    local left = book.crash(path)
    client:close()
    assert.equal(70, assert(book.open(box, left):tenant("acme")).budget)
  end)

  it("leaves a budget above what is reserved and spent", function()
    local client, box = pair(30, {}, { duration = 1000 })
    assert(client:submit(CUP, ACME))
    support.polled(box, 1, 1)
    box:advance(1000)
    until_sums("0 10")
    assert(client:submit(CUP, ACME))
    until_sums("10 10")
    local err = assert_refused("tenant_budget_too_low", client:tenant("acme", { budget = 19 }))
    assert.truthy(err.message:find("10 credits reserved and 10 spent", 1, true), err.message)
    assert.equal(30, assert(client:tenant("acme")).budget)
    assert.equal(20, assert(client:tenant("acme", { budget = 20 })).budget)
  end)

  it("refuses names that are none", function()
    local client = pair(10)
    local odd = { "a\194\155b", "a\226\128\174b" } -- U+009B, U+202E
    local names = { "", "a\nb", "a\0b", "\127", "\255", odd[1], odd[2], ("x"):rep(129) }
    for _, name in ipairs(names) do
      for _, call in ipairs({
        function()
          return client:tenant(name, {})
        end,
        function()
          return client:generate(CUP, { tenant = name })
        end,
        function()
          return client:history({ tenant = name })
        end,
      }) do
        local given, err = call()
        assert.is_nil(given)
        assert.equal("validation", err.kind)
        assert.equal("invalid_tenant", err.code)
      end
    end
    assert.equal("1", book.query(path, "SELECT count(*) FROM tenants"))
    assert(client:tenant(("x"):rep(128), {}))
    assert(client:tenant("Grüße & 'Co'", {}))
  end)

  it("raises for what is no change", function()
    local client = pair(10)
    for needle, call in pairs({
      ["string expected"] = { 1 },
      ["table expected"] = { "acme", 10 },
      ["did you mean 'budget'"] = { "acme", { budgt = 1 } },
      ["'weight' must be a number, got string"] = { "acme", { weight = "2" } },
    }) do
      local ok, message = pcall(function()
        local row = client:tenant(call[1], call[2])
        return row
      end)
      assert.is_false(ok)
      assert.truthy(tostring(message):find(needle, 1, true), message)
      assert.truthy(tostring(message):find("tenant_spec.lua:", 1, true), message)
    end
    for _, change in ipairs({
      { budget = -1 },
      { budget = 0 / 0 },
      { budget = 2 ^ 60 },
      { weight = 0 },
      { weight = -1 },
      { weight = 0 / 0 },
      { weight = math.huge },
    }) do
      assert.is_false((pcall(client.tenant, client, "acme", change)))
    end
    assert.is_false((pcall(client.generate, client, CUP, { tenant = 1 })))
  end)

  it("needs a ledger, and an open client", function()
    local client, box = pair(10)
    local plain = support.client(box)
    for _, call in ipairs({
      function()
        return plain:tenant("acme")
      end,
      function()
        return plain:generate(CUP, ACME)
      end,
    }) do
      local given, err = call()
      assert.is_nil(given)
      assert.equal("no_ledger", err.code)
    end
    client:close()
    assert.equal("closed", select(2, client:tenant("acme", {})).kind)
    assert.equal(0, posts(box))
  end)
end)

describe("a tenant's budget", function()
  after_each(tests_end)

  it("is reserved, and spent when the picture is there", function()
    local client, box = pair(30, {}, { duration = 1000 })
    local job = assert(client:submit({ prompt = "cups", count = 2 }, ACME))
    assert.equal("acme", job.tenant)
    support.polled(box, 1, 1)
    assert.equal("20 0", tenants.sums(path, "acme"))
    box:advance(1000)
    assert.equal("succeeded", support.finish(job).status)
    until_sums("0 20")
    local row = assert(client:tenant("acme"))
    assert.same({ name = "acme", budget = 30, reserved = 0, spent = 20, weight = 1 }, row)
  end)

  it("lets nothing out that is over it, and records nothing", function()
    local client, box = pair(19)
    local err =
      assert_refused("tenant_budget_exceeded", client:generate({ prompt = "c", count = 2 }, ACME))
    assert.equal("no", err.sent)
    assert.equal("no", err.charged)
    assert.is_false(err.retryable)
    assert.truthy(
      err.message:find("'acme' has a budget of 19, of which 0 are", 1, true),
      err.message
    )
    assert.equal(402, err:http_status())
    assert_refused("tenant_unknown", client:generate(CUP, { tenant = "umbra" }))
    assert.equal(0, client.spent)
    assert.equal(0, box:ledger().connections)
    assert.equal(0, #book.rows(path))
    assert(client:generate(CUP, ACME))
  end)

  it("holds for jobs that are submitted together", function()
    local client, box = pair(30, { max_active = 8 })
    local jobs, codes = {}, {}
    for i = 1, 6 do
      jobs[i] = assert(client:submit(CUP, ACME))
    end
    assert(client:submit(CUP))
    for _, job in ipairs(jobs) do
      local code = support.finish(job).error and job.error.code or job.status
      codes[#codes + 1] = code
    end
    assert.equal(
      "succeeded succeeded succeeded"
        .. " tenant_budget_exceeded tenant_budget_exceeded tenant_budget_exceeded",
      table.concat(codes, " ")
    )
    support.step_until(function()
      return posts(box) == 4
    end)
    until_sums("0 30")
  end)

  it("is one tenant's alone", function()
    local client = pair(10)
    assert(client:tenant("umbra", { budget = 10 }))
    assert(client:generate(CUP, ACME))
    assert(client:generate(CUP, { tenant = "umbra" }))
    assert(client:generate(CUP))
    assert_refused("tenant_budget_exceeded", client:generate(CUP, ACME))
    assert_refused("tenant_budget_exceeded", client:create(CUP, { tenant = "umbra" }))
    book.query(path, "SELECT 1")
    local found = {}
    for _, name in ipairs({ "acme", "umbra" }) do
      local rows = assert(client:history({ tenant = name, limit = 5 }))
      found[#found + 1] = #rows .. rows[1].tenant
      assert.equal(#rows, #assert(client:history({ tenant = name, state = rows[1].state })))
    end
    assert.equal("1acme 1umbra", table.concat(found, " "))
    assert.same({}, assert(client:history({ tenant = "nobody" })))
    assert.equal(3, #assert(client:history()))
  end)

  describe("comes back", function()
    it("when the service refused the job", function()
      local client, box = pair(10)
      support.answer(box, "create", 402)
      client:generate(CUP, ACME)
      until_sums("0 0")
      assert(client:generate(CUP, ACME))
    end)

    it("when it was never sent", function()
      local client = pair(10, { base_url = support.nowhere(), max_attempts = 1 })
      client:generate(CUP, ACME)
      until_sums("0 0")
    end)

    it("when the service says that the job failed, until it says otherwise", function()
      local client, box = pair(10)
      support.answer(box, "poll", 200, '{"status":"failed","error":"out_of_paint"}')
      local _, err = client:generate(CUP, ACME)
      assert.equal("refund_expected", err.charged)
      until_sums("0 0")
      assert(client:generate(CUP, ACME))
      until_sums("0 10")
      assert(client:wait(err.job_id)) -- it has succeeded after all
      until_sums("0 20")
      assert.equal(20, assert(client:tenant("acme")).budget)
      assert_refused("tenant_budget_exceeded", client:generate(CUP, ACME))
    end)

    it("when it was cancelled before it was sent", function()
      local client = pair(20, { max_active = 1 }, { duration = 1000 })
      assert(client:submit(CUP, ACME))
      local waiting = assert(client:submit(CUP, ACME))
      until_sums("20 0")
      waiting:cancel()
      until_sums("10 0")
    end)
  end)

  it("stays spent when a job was cancelled that the service has", function()
    local client, box = pair(20, {}, { duration = 1000 })
    local job = assert(client:submit(CUP, ACME))
    support.polled(box, 1, 1)
    job:cancel()
    until_sums("0 10")
  end)

  it("is reserved once for a create that is sent again", function()
    local client, box = pair(10)
    support.answer(box, "create", 503, nil, { times = 2, headers = { ["retry-after"] = "0" } })
    local job = assert(client:generate(CUP, ACME))
    assert.equal(3, job.attempts)
    until_sums("0 10")
  end)

  describe("stays reserved for what nobody knows", function()
    it("until that is abandoned: it may have been paid", function()
      local client, _, key = lost()
      assert.equal("unknown", assert(client:recover())[1].status)
      assert.equal("10 0", tenants.sums(path, "acme"))
      assert(client:resolve(key, "abandon"))
      until_sums("0 10")
    end)

    it("or is sent again", function()
      local client, box, key = lost()
      local job = support.finish(assert(client:resolve(key, "resend")))
      assert.equal("succeeded", job.status)
      assert.equal("acme", job.tenant)
      until_sums("0 10")
      assert.equal(2, posts(box))
    end)

    it("or is named", function()
      local client, box, key = lost()
      local job = support.finish(assert(client:resolve(key, box:ledger().jobs[1].id)))
      assert.equal("succeeded", job.status)
      until_sums("0 10")
    end)

    it("or turns out to have failed", function()
      local client, box, key = lost()
      support.answer(box, "poll", 200, '{"status":"failed"}')
      support.finish(assert(client:resolve(key, box:ledger().jobs[1].id)))
      until_sums("0 0")
    end)
  end)

  it("stands in the sidecar, and in the job that is waited for by its id", function()
    local client = pair(10)
    local dir = folder.new()
    local job = assert(client:generate(CUP, { tenant = "acme", save = dir }))
    local text = folder.read(("%s/%s.json"):format(dir, job.id))
    assert.truthy(text:find('"tenant": "acme"', 1, true), text)
    assert.equal("acme", assert(client:wait(job.id)).tenant)
    assert.is_nil(assert(client:generate(CUP)).tenant)
  end)
end)

-- A job of acme's is submitted, and the process killed while its create is out. Arguments: the
-- service's URL, its key, the ledger's path.
local KILLED = [[
  local gptimage2 = require("gptimage2")
  local pid, url, key, path = ...
  local client = assert(gptimage2.new({ base_url = url, api_key = key, ledger = path }))
  assert(client:tenant("acme", { budget = 20 }))
  local job = assert(client:submit({ prompt = "a cup" }, { tenant = "acme" }))
  print(pid, job.idempotency_key)
  io.stdout:flush()
  while true do gptimage2.step(0.1) end
]]

describe("after kill -9 a tenant's budget", function()
  after_each(tests_end)

  --- What the process leaves whose create is out; the service has made the job.
  local function killed(box)
    path = book.path()
    box:fault({ on = "create", action = "hang", work = true })
    local process = child.start(KILLED, { box.url, box.api_key, path })
    local pid, key = process:line():match("^(%d+)%s+(%S+)")
    support.step_until(function()
      return #box:ledger().jobs == 1
    end)
    folder.run("kill -9 " .. pid)
    assert.equal(137, process:finish().exit)
    assert.equal("10 0", tenants.sums(path, "acme"))
    assert.equal("", tenants.wrong(path))
    return key
  end

  it("is spent once, where keys are honoured", function()
    local box = support.sandbox()
    killed(box)
    local client = book.open(box, path, { retry = "idempotent" })
    local job = support.finish(assert(client:recover())[1])
    assert.equal("succeeded", job.status)
    assert.equal("acme", job.tenant)
    until_sums("0 10")
    assert.equal(1, #box:ledger().jobs)
  end)

  it("stays reserved, where they may not be", function()
    local box = support.sandbox()
    local key = killed(box)
    local client = book.open(box, path)
    local job = assert(client:recover())[1]
    assert.equal("unknown", job.status)
    assert.equal("acme", job.tenant)
    assert.equal("10 0", tenants.sums(path, "acme"))
    assert(client:generate(CUP, ACME))
    assert_refused("tenant_budget_exceeded", client:generate(CUP, ACME))
    assert(client:resolve(key, "abandon"))
    until_sums("0 20")
  end)

  it("pays for what was not sent yet, over whatever is asked for meanwhile", function()
    local first, box = pair(20, { max_active = 1 }, { duration = 1000 })
    assert(first:submit(CUP, ACME))
    assert(first:submit(CUP, ACME))
    support.polled(box, 1, 1)
    until_sums("20 0")
    path = book.crash(path)
    first:close()
    box:advance(1000)
    local client = book.open(box, path)
    assert_refused("tenant_budget_exceeded", client:generate(CUP, ACME))
    for _, job in ipairs(assert(client:recover())) do
      support.step_until(function()
        box:advance(1000)
        return job:done()
      end)
      assert.equal("succeeded", job.status)
    end
    until_sums("0 20")
  end)
end)
