-- One deadline over everything a job waits for. All other limits are far away here, so that a job
-- that ends at all ends by its deadline.

local gptimage2 = require("gptimage2")
local support = require("spec.support")
local folder = require("spec.folder")

local CUP = { prompt = "a cup" }
local FAR = 100000 -- seconds

--- Seconds until the deadline, and in which it must be over.
local TIMEOUT = support.slow and 3 or support.seconds(0.4)
local LIMIT = support.slow and 180 or 60

local function pair(options, box_options)
  local all = { request_timeout = FAR, connect_timeout = FAR, timeout = TIMEOUT }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  return support.pair(all, box_options)
end

--- The error of a job that must end by its deadline.
local function overdue(client, request, options)
  local before = gptimage2.now()
  local job, err = client:generate(request or CUP, options)
  local took = gptimage2.now() - before
  assert.is_nil(job)
  assert.is_true(took >= TIMEOUT * 0.9, took)
  assert.is_true(took < LIMIT, took)
  assert.is_true(err.elapsed >= TIMEOUT * 0.9, err.elapsed)
  assert.is_true(err.elapsed < LIMIT, err.elapsed)
  return err
end

local function assert_known(err, box)
  assert.equal("timeout", err.kind)
  assert.equal("deadline_passed", err.code)
  local id = box:ledger().jobs[1].id
  assert.equal(id, err.job_id)
  assert.equal("yes", err.charged)
  assert.truthy(err.message:find(('client:wait("%s")'):format(id), 1, true))
end

local function assert_lost(err, box)
  assert.equal("lost", err.kind)
  assert.equal("reply_timeout", err.code)
  assert.equal("yes", err.sent)
  assert.equal("unknown", err.charged)
  assert.equal(32, #err.idempotency_key)
  assert.equal(1, box:ledger().requests.create)
end

describe("the deadline of a job", function()
  after_each(support.clean)
  after_each(folder.clean)

  describe("holds for a create", function()
    for name, fault in pairs({
      ["without an answer"] = { action = "hang" },
      ["whose answer comes far too late"] = { action = "delay", seconds = FAR },
      ["that stalls after the headers"] = { action = "stall" },
      ["that drips a byte now and then"] = { action = "drip", bytes = 1 },
    }) do
      it(name, function()
        local client, box = pair()
        fault.on, fault.work = "create", true
        box:fault(fault)
        local err = overdue(client)
        assert_lost(err, box)
        assert.equal(10, client.spent)
      end)
    end

    it("that waits for its turn", function()
      local client, box = pair({ max_active = 1, timeout = FAR }, { duration = FAR * 10 })
      assert(client:submit(CUP))
      support.polled(box, 1, 1)
      local err = overdue(client, CUP, { timeout = TIMEOUT })
      assert.equal("timeout", err.kind)
      assert.equal("no", err.sent)
      assert.equal("no", err.charged)
      assert.is_nil(err.job_id)
      assert.equal(10, client.spent)
      assert.equal(1, box:ledger().requests.create)
    end)

    it("that is tried again and again", function()
      local box = support.sandbox()
      local url = box.url
      box:stop()
      local client = support.client({ url = url, api_key = support.KEY }, {
        timeout = 3,
        max_attempts = 1000,
      })
      local before = gptimage2.now()
      local job, err = client:generate(CUP)
      local took = gptimage2.now() - before
      assert.is_nil(job)
      assert.is_true(took < LIMIT + 3, took)
      assert.equal("no", err.charged)
      assert.is_true(err.attempts > 1)
    end)
  end)

  describe("holds for polls", function()
    it("of a job that is never done", function()
      local client, box = pair({}, { duration = FAR * 10 })
      assert_known(overdue(client), box)
      assert.is_true(box:ledger().requests.poll > 0)
    end)

    for name, fault in pairs({
      ["without an answer"] = { action = "hang" },
      ["that stall after the headers"] = { action = "stall" },
      ["that drip a byte now and then"] = { action = "drip", bytes = 1 },
      ["that fail each time"] = { action = "status", status = 503 },
      ["that are cut off each time"] = { action = "truncate", bytes = 3 },
      ["that are not readable"] = { action = "malformed" },
      ["that must wait for long"] = {
        action = "status",
        status = 429,
        headers = { ["Retry-After"] = "30" },
      },
    }) do
      it(name, function()
        local client, box = pair()
        fault.on, fault.times = "poll", math.huge
        box:fault(fault)
        assert_known(overdue(client), box)
        assert.equal(10, client.spent)
      end)
    end

    it("of a job that is taken up by its id", function()
      local client, box = pair({ timeout = FAR }, { duration = FAR * 10 })
      local made = assert(client:create(CUP))
      local job, err = client:wait(made.id, TIMEOUT)
      assert.is_nil(job)
      assert.equal("timeout", err.kind)
      assert.equal(made.id, err.job_id)
      assert.equal(1, box:ledger().requests.create)
    end)
  end)

  it("holds for the look at references", function()
    local client, box = pair({ verify_references = true, allow_private_references = true })
    box:fault({ on = "reference", action = "hang", times = math.huge })
    local err = overdue(client, { prompt = "a cup", image_urls = { box:reference("cup") } })
    assert.equal("no", err.charged)
    assert.equal("no", err.sent)
    assert.equal(0, client.spent)
    assert.equal(0, box:ledger().requests.create)
  end)

  -- Without the shorter silence the download would wait for its deadline.
  it("leaves time for another attempt at a download that request_timeout finds silent", function()
    local options = { request_timeout = support.seconds(1), timeout = support.seconds(20) }
    local client, box = pair(options)
    local job = assert(client:generate(CUP))
    box:fault({ on = "image", action = "stall" })
    assert(job:save(folder.new()))
    assert.equal(2, box:ledger().requests.image)
  end)

  describe("is a client's for downloads:", function()
    for name, fault in pairs({
      ["without an answer"] = { action = "hang" },
      ["that stall after the headers"] = { action = "stall" },
      ["that drip a byte now and then"] = { action = "drip", bytes = 1 },
    }) do
      it("those " .. name, function()
        local client, box = pair()
        local job = assert(client:generate(CUP, { timeout = FAR }))
        fault.on, fault.times = "image", math.huge
        box:fault(fault)
        local into = folder.new()
        local before = gptimage2.now()
        local paths, err = job:save(into)
        local took = gptimage2.now() - before
        assert.is_nil(paths)
        assert.is_true(took >= TIMEOUT * 0.9 and took < LIMIT, took)
        assert.equal("timeout", err.kind)
        assert.equal("deadline_passed", err.code)
        assert.equal(job.id, err.job_id)
        assert.equal("succeeded", job.status)
        assert.equal("", folder.list(into))
      end)
    end
  end)

  it("is not job:wait's own, which leaves the job going", function()
    local client, box = pair({ timeout = FAR }, { duration = 1000 })
    local job = assert(client:submit(CUP))
    support.polled(box, 1, 1)
    local waited, err = job:wait(0.01)
    assert.is_nil(waited)
    assert.equal("wait_timeout", err.code)
    assert.is_false(job:done())
    box:advance(1000)
    assert.equal(job, assert(job:wait()))
  end)
end)
