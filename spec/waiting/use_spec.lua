local gptimage2 = require("gptimage2")
local support = require("spec.support")

local REQUEST = { prompt = "a cup" }

-- In a coroutine: what its first wait yields, or "dead" when it blocked instead.
local function yields(fn)
  local co = coroutine.create(fn)
  local ok, value = coroutine.resume(co)
  assert.is_true(ok, tostring(value))
  return coroutine.status(co) == "dead" and "dead" or value, co
end

describe("use", function()
  after_each(support.clean)

  it("'auto' yields in coroutines and blocks elsewhere", function()
    gptimage2.use("auto")
    local client = support.pair()
    assert(client:generate(REQUEST))
    local job = client:submit(REQUEST)
    assert.equal(job, (yields(function()
      job:wait()
    end)))
    support.finish(job)
  end)

  it("'block' blocks in coroutines too", function()
    gptimage2.use("block")
    local client = support.pair()
    local job
    assert.equal("dead", (yields(function()
      job = client:generate(REQUEST)
    end)))
    assert.equal("succeeded", job.status)
  end)

  it("'yield' yields in coroutines", function()
    gptimage2.use("yield")
    local client = support.pair()
    local job
    local task = gptimage2.spawn(function()
      job = client:generate(REQUEST)
    end)
    assert.is_false(task:done())
    support.finish(task)
    assert.equal("succeeded", job.status)
  end)

  it("'yield' raises where nothing may yield, before anything is sent", function()
    gptimage2.use("yield")
    local client, box = support.pair()
    for _, name in ipairs({ "generate", "create" }) do
      local ok, err = pcall(client[name], client, REQUEST)
      assert.is_false(ok)
      assert.matches("cannot wait here", err)
      assert.equal(0, client.spent)
    end
    assert.same({}, client:jobs())
    gptimage2.run() -- which steps, and does not wait
    assert.equal(0, #box:ledger().log)
  end)

  it("in the middle of a wait in the host's loop counts for the next wait", function()
    local client = support.pair({
      on_event = function(event)
        if event.type == "created" then
          gptimage2.use("auto")
        end
      end,
    })
    local turns = 0
    gptimage2.use({
      wait = function(ready)
        turns = turns + 1
        if not ready() then
          gptimage2.step(0.01)
        end
      end,
    })
    assert(client:generate(REQUEST))
    local before = turns
    assert.is_true(before > 1)
    assert(client:generate(REQUEST))
    assert.equal(before, turns)
  end)

  it("refuses other names, with a suggestion", function()
    local ok, err = pcall(gptimage2.use, "blocks")
    assert.is_false(ok)
    assert.matches("bad argument #1 to 'use'", err)
    assert.matches("did you mean 'block'", err)
  end)

  it("refuses other things, and keeps what was used", function()
    for _, value in ipairs({ 1, true, {}, { wait = "block" }, print }) do
      local ok, err = pcall(gptimage2.use, value)
      assert.is_false(ok)
      assert.matches("bad argument #1 to 'use'", err)
    end
    assert.is_false(pcall(gptimage2.use))
    local client = support.pair()
    assert(client:generate(REQUEST))
  end)
end)

describe("use with a loop of the host's", function()
  after_each(support.clean)

  it("calls its wait until the thing is ready, and steps after each call", function()
    local client = support.pair()
    local readies, calls = {}, 0
    gptimage2.use({
      wait = function(ready, deadline)
        calls = calls + 1
        assert.is_nil(deadline)
        readies[calls] = ready()
      end,
    })
    local job = assert(client:generate(REQUEST))
    assert.equal("succeeded", job.status)
    assert.is_true(calls > 0)
    for _, ready in ipairs(readies) do
      assert.is_false(ready)
    end
  end)

  it("is used in coroutines too", function()
    local calls = 0
    gptimage2.use({
      wait = function()
        calls = calls + 1
      end,
    })
    assert.equal("dead", (yields(function()
      assert(gptimage2.sleep(0.01))
    end)))
    assert.is_true(calls > 0)
  end)

  it("may step by itself", function()
    local client = support.pair()
    gptimage2.use({
      wait = function(ready)
        while not ready() do
          gptimage2.step(0.01)
        end
      end,
    })
    assert(client:generate(REQUEST))
  end)

  it("is not asked when there is nothing to wait for", function()
    local client = support.pair()
    local job = assert(client:generate(REQUEST))
    gptimage2.use({
      wait = function()
        error("asked")
      end,
    })
    assert.equal(job, job:wait())
  end)

  it("is told the deadline, on the clock of now, and given up at it", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "hang" })
    local job = client:submit(REQUEST)
    local deadlines = {}
    local before = gptimage2.now()
    gptimage2.use({
      wait = function(_, deadline)
        deadlines[#deadlines + 1] = deadline
      end,
    })
    local result, err = job:wait(0.03)
    local after = gptimage2.now()
    assert.is_nil(result)
    assert.equal("wait_timeout", err.code)
    assert.is_true(#deadlines > 0)
    assert.is_true(deadlines[1] >= before + 0.03 and deadlines[1] <= after)
    assert.equal(deadlines[1], deadlines[#deadlines])
  end)

  it("passes on what its wait raises; the job goes on", function()
    local client = support.pair()
    gptimage2.use({
      wait = function()
        error("my loop is broken")
      end,
    })
    local ok, err = pcall(client.generate, client, REQUEST)
    assert.is_false(ok)
    assert.matches("my loop is broken", err)
    gptimage2.use("auto")
    support.finish(client:jobs()[1])
  end)
end)
