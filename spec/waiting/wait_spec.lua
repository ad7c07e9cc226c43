--- Calls that wait outside of coroutines, timeouts, sleep, and how waking is shared out.

local gptimage2 = require("gptimage2")
local host = require("spec.host")
local stuck = require("spec.helpers.stuck")
local support = require("spec.support")

local REQUEST = { prompt = "a cup" }
local hanging_job = stuck.job

describe("a call that waits, outside of coroutines", function()
  after_each(support.clean)

  it("blocks until it is done", function()
    local client = support.pair()
    local job = assert(client:generate(REQUEST))
    assert.equal("succeeded", job.status)
    assert.is_true(job:done())
  end)

  it("lets other jobs go on", function()
    local box = support.sandbox()
    local hanging = hanging_job()
    local client = support.client(box, {
      on_event = function(event)
        if event.type == "succeeded" then
          hanging:cancel()
        end
      end,
    })
    local other = client:submit(REQUEST)
    local job, err = hanging:wait()
    assert.is_nil(job)
    assert.equal("cancelled", err.kind)
    assert.equal("succeeded", other.status)
  end)

  it("resumes coroutines meanwhile", function()
    local client = support.pair()
    local hanging = hanging_job()
    gptimage2.spawn(function()
      assert(client:generate(REQUEST))
      hanging:cancel()
    end)
    assert.equal("cancelled", select(2, hanging:wait()).kind)
  end)

  it("returns at once when the job is done", function()
    local client = support.pair()
    local job = assert(client:generate(REQUEST))
    assert.equal(job, job:wait())
    assert.equal(job, job:wait(0))
  end)

  it("can be called inside on_event", function()
    local paths
    local client = support.pair({
      on_event = function(event)
        if event.type == "succeeded" then
          paths = assert(event.job:data(1))
        end
      end,
    })
    assert(client:generate(REQUEST))
    assert.equal("\137PNG", paths:sub(1, 4))
  end)
end)

describe("a wait with a timeout", function()
  after_each(support.clean)

  local function check_timeout(job, result, err)
    assert.is_nil(result)
    assert.equal("timeout", err.kind)
    assert.equal("wait_timeout", err.code)
    assert.is_true(err.retryable)
    assert.matches("it goes on", tostring(err))
    assert.is_false(job:done())
    assert.equal(1, gptimage2.pending())
  end

  it("runs out, and the job goes on", function()
    local job = hanging_job()
    local start = host.now()
    check_timeout(job, job:wait(0.03))
    assert.is_true(host.now() - start >= 0.03)
  end)

  it("runs out in a coroutine too", function()
    local job = hanging_job()
    local result, err
    local task = gptimage2.spawn(function()
      result, err = job:wait(0.03)
    end)
    support.finish(task)
    check_timeout(job, result, err)
  end)

  it("of zero only looks", function()
    local job = hanging_job()
    check_timeout(job, job:wait(0))
    local result, err
    support.finish(gptimage2.spawn(function()
      result, err = job:wait(0)
    end))
    check_timeout(job, result, err)
  end)

  it("can be infinite", function()
    local client = support.pair()
    local job = client:submit(REQUEST)
    assert.equal(job, job:wait(math.huge))
  end)

  it("can be followed by another one", function()
    local box = support.sandbox({ duration = 0.05 })
    local client = support.client(box)
    local job = client:submit(REQUEST)
    local waits = 0
    repeat
      waits = waits + 1
    until job:wait(0.001)
    assert.is_true(waits > 1)
    assert.equal("succeeded", job.status)
  end)

  it("leaves nothing behind when the job ends first", function()
    local client = support.pair()
    local woken = 0
    local task = gptimage2.spawn(function()
      assert(client:submit(REQUEST):wait(3600))
      woken = woken + 1
      gptimage2.sleep(0.01)
      woken = woken + 1
    end)
    support.finish(task)
    assert.equal(2, woken)
    assert.equal(0, gptimage2.pending())
  end)

  it("must be a number of seconds", function()
    local job = hanging_job()
    for _, value in ipairs({ "soon", {}, -1, 0 / 0 }) do
      local ok, err = pcall(job.wait, job, value)
      assert.is_false(ok)
      assert.matches("bad argument #1 to 'wait'", err)
    end
  end)
end)

describe("sleep", function()
  after_each(support.clean)

  it("waits at least as long as it was told", function()
    local start = host.now()
    assert.is_true(gptimage2.sleep(0.03))
    assert.is_true(host.now() - start >= 0.03)
  end)

  it("of zero is over soon", function()
    assert.is_true(gptimage2.sleep(0))
  end)

  it("yields in a coroutine; the shortest ends first", function()
    local order = {}
    for _, time in ipairs({ 0.09, 0.03, 0.06 }) do
      gptimage2.spawn(function()
        gptimage2.sleep(time)
        order[#order + 1] = time
      end)
    end
    assert.same({}, order)
    gptimage2.run()
    assert.same({ 0.03, 0.06, 0.09 }, order)
  end)

  it("refuses what is no time", function()
    for _, value in ipairs({ "soon", {}, -1, 0 / 0 }) do
      local ok, err = pcall(gptimage2.sleep, value)
      assert.is_false(ok)
      assert.matches("bad argument #1 to 'sleep'", err)
    end
    assert.error_matches(function()
      gptimage2.sleep()
    end, "bad argument #1 to 'sleep'")
  end)
end)

describe("now", function()
  it("only grows", function()
    local before = gptimage2.now()
    assert.is_true(gptimage2.now() >= before)
    gptimage2.sleep(0.01)
    assert.is_true(gptimage2.now() - before >= 0.01)
  end)
end)

describe("waking those who wait", function()
  --- A thing that is done, and whose waiter keeps the step busy for longer than its stint.
  local function slow_to_wake(woken, name)
    local waiters = require("gptimage2.waiting.waiters")
    local done = false
    local thing = {
      done = function()
        return done
      end,
    }
    waiters.on_done(thing, function()
      local began = gptimage2.now()
      woken[#woken + 1] = name
      repeat
        local spent = gptimage2.now() - began
      until spent > 0.001
    end)
    done = true
    waiters.finished(thing)
  end

  it("is shared out when many wait for the same thing, and for tasks that yield", function()
    local woken = {}
    local nap = require("gptimage2.core").sleep(0)
    local function slow(name)
      woken[#woken + 1] = name
      local began = gptimage2.now()
      repeat
        local spent = gptimage2.now() - began
      until spent > 0.001
    end
    for _, name in ipairs({ "a", "b", "c" }) do
      gptimage2.spawn(function()
        require("gptimage2.waiting.wait").until_done(nap)
        slow(name)
        coroutine.yield()
        slow(name)
      end)
    end
    while #woken == 0 do
      gptimage2.step(1)
    end
    assert.same({ "a" }, woken)
    assert.equal(1, gptimage2.pending()) -- the end of the nap is not told to all
    for n = 2, 6 do
      assert.equal(1, gptimage2.step(10))
      assert.equal(n, #woken)
    end
    assert.equal("a b c a b c", table.concat(woken, " "))
    gptimage2.step()
    assert.equal(0, gptimage2.pending())
  end)

  it("goes on while one that was woken blocks, and waits for another", function()
    local nap = require("gptimage2.core").sleep(0)
    local wait = require("gptimage2.waiting.wait")
    local second, ended
    coroutine.wrap(function() -- a task would always yield
      wait.until_done(nap)
      gptimage2.use("block")
      assert(not second:done())
      second:wait(support.seconds(20))
      gptimage2.use("auto")
      ended = second:done()
    end)()
    second = gptimage2.spawn(function()
      wait.until_done(nap)
    end)
    gptimage2.run()
    gptimage2.use("auto")
    assert.is_true(ended)
  end)

  it("is shared out among several steps when it takes long", function()
    local woken = {}
    for _, name in ipairs({ "a", "b", "c" }) do
      slow_to_wake(woken, name)
    end
    assert.equal(1, gptimage2.step())
    assert.same({ "a" }, woken)
    assert.equal(1, gptimage2.step(10)) -- something is left: it does not wait
    assert.equal(1, gptimage2.step())
    assert.same({ "a", "b", "c" }, woken)
    assert.equal(0, gptimage2.step())
  end)
end)
