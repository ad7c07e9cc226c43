local gptimage2 = require("gptimage2")
local support = require("spec.support")
local toy_loop = require("spec.helpers.toy_loop")

local REQUEST = { prompt = "a cup" }

--- Whether an error leaves a coroutine at once: in PUC Lua 5.1 there can be no pcall around what
--- may yield, and the waiter is forgotten when the thing that it waited for is done.
local CATCHES = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

local function used(toy)
  gptimage2.use(toy.loop)
  return toy
end

describe("a loop", function()
  after_each(support.clean)

  it("is started with the first waiter, and stopped after the last, once", function()
    local toy = used(toy_loop.new())
    local done = 0
    for i = 1, 5 do
      toy:begin(function()
        assert(gptimage2.sleep(0.01 * i))
        done = done + 1
      end)
    end
    assert.equal(1, toy.starts)
    toy:run()
    assert.equal(5, done)
    assert.same({ 1, 1 }, { toy.starts, toy.stops })
    toy:begin(function()
      assert(gptimage2.sleep(0.001))
    end)
    toy:run()
    assert.same({ 2, 2 }, { toy.starts, toy.stops })
  end)

  it("is started and stopped once for each that `current` names", function()
    local toys = { a = toy_loop.new(), b = toy_loop.new() }
    local here
    gptimage2.use({
      current = function()
        return here
      end,
      start = function(step)
        return toys[here].loop.start(step)
      end,
      suspend = function(w, seconds)
        w.here = here
        return toys[here].loop.suspend(w, seconds)
      end,
      resume = function(w)
        return toys[w.here].loop.resume(w)
      end,
    })
    for _, name in ipairs({ "a", "b", "a", "b" }) do
      here = name
      toys[name]:begin(function()
        assert(gptimage2.sleep(0.01))
      end)
    end
    assert.same({ 1, 1 }, { toys.a.starts, toys.b.starts })
    toys.a:run()
    toys.b:run()
    assert.same({ 1, 1, 1, 1 }, { toys.a.starts, toys.a.stops, toys.b.starts, toys.b.stops })
    here = nil -- no such loop runs: as if none had been chosen
    assert(gptimage2.sleep(0.001))
    assert.same({ 2, 2 }, { #toys.a.suspends, #toys.b.suspends })
  end)

  it("may raise in start: who waits gets it, and the next one starts again", function()
    local toy = used(toy_loop.new())
    local start, reason = toy.loop.start, {}
    toy.loop.start = function()
      error(reason, 0)
    end
    toy:begin(function()
      local ok, err = pcall(gptimage2.sleep, 0.001)
      assert(not ok and err == reason)
      ok, err = pcall(gptimage2.spawn, function()
        gptimage2.sleep(0.001)
      end)
      assert(not ok and err == reason)
    end)
    support.step_until(function()
      return gptimage2.busy() == 0
    end)
    toy.loop.start = start
    toy:begin(function()
      assert(gptimage2.sleep(0.001))
    end)
    toy:run()
    assert.same({ 1, 1 }, { toy.starts, toy.stops })
  end)

  it("may raise in start, before anything is sent and paid", function()
    local client, box = support.pair()
    local toy = used(toy_loop.new())
    toy.loop.start = function()
      error("no loop", 0)
    end
    for _, call in ipairs({ "generate", "create" }) do
      toy:begin(function()
        local ok, err = pcall(client[call], client, REQUEST)
        assert(not ok and err == "no loop")
      end)
    end
    assert.same({}, client:jobs())
    gptimage2.use("auto")
    gptimage2.sleep(0.05)
    assert.same({}, box:ledger().jobs)
  end)

  it("that was started for a call which is refused then is stopped", function()
    local client = support.pair({ budget = 0 })
    local toy = used(toy_loop.new())
    local code
    toy:begin(function()
      local _, err = client:generate(REQUEST)
      code = err.code
    end)
    assert.equal("budget_exceeded", code)
    assert.same({ 1, 1 }, { toy.starts, toy.stops })
  end)

  it("needs no stop, and one that raises is told to on_error", function()
    local toy = used(toy_loop.new())
    local errors = {}
    gptimage2.on_error = function(err, what)
      errors[#errors + 1] = what .. ": " .. err
    end
    for _, stop in ipairs({ 1, 2 }) do
      local start = toy.loop.start
      toy.loop.start = function(step)
        start(step)
        toy.step = step
        return stop == 2
            and function()
              toy.step = nil
              error("no stop", 0)
            end
          or nil
      end
      local over = false
      toy:begin(function()
        assert(gptimage2.sleep(0.001))
        over = true
      end)
      toy:run(function()
        return over
      end)
      toy.loop.start = start
    end
    support.step_until(function()
      return #errors > 0
    end)
    gptimage2.on_error = nil
    assert.same({ "loop: no stop" }, errors)
  end)
end)

describe("suspend", function()
  after_each(support.clean)

  it("may return early, and is called again with the time that is left", function()
    local toy = used(toy_loop.new())
    local times = {}
    local suspend = toy.loop.suspend
    toy.loop.suspend = function(w, seconds)
      times[#times + 1] = seconds
      return #times > 3 and suspend(w, seconds) or nil -- at once, three times
    end
    local client, box = support.pair()
    box:fault({ on = "create", action = "hang" })
    local job = client:submit(REQUEST)
    local code
    toy:begin(function()
      local _, err = job:wait(0.3)
      code = err.code
    end)
    toy:run()
    assert.equal("wait_timeout", code)
    assert.is_true(#times > 3)
    for i = 2, #times do
      assert.is_true(times[i] < times[i - 1] and times[i] <= 0.3)
    end
    assert.same({ 1, 1, 0 }, { toy.starts, toy.stops, #toy.resumes })
  end)

  it("is told no time where there is none", function()
    local client = support.pair()
    local toy = used(toy_loop.new())
    local job
    toy:begin(function()
      job = assert(client:generate(REQUEST))
    end)
    toy:run()
    assert.equal("succeeded", job.status)
    assert.is_nil(toy.suspends[1].seconds)
  end)

  it("may raise: its error comes unchanged, and the waiter is forgotten", function()
    local toy = used(toy_loop.new())
    local reason, client = {}, support.pair()
    local job = client:submit(REQUEST)
    toy.loop.suspend = function()
      error(reason, 0)
    end
    local co = coroutine.create(function()
      job:wait()
    end)
    local ok, err = coroutine.resume(co)
    assert.is_false(ok)
    assert.equal(reason, err)
    assert.equal(CATCHES and 1 or 0, toy.stops)
    gptimage2.use("auto")
    support.finish(job)
    assert.equal(CATCHES and 0 or 1, #toy.resumes)
    assert.equal(1, toy.stops)
  end)

  it("gets an empty table, awake before resume, which is called once, inside of step", function()
    local toy = used(toy_loop.new())
    local resume, seen = toy.loop.resume, {}
    toy.loop.suspend = (function(suspend)
      return function(w, seconds)
        seen[#seen + 1] = next(w) == nil and "empty" or w.awake and "awake" or "not empty"
        suspend(w, seconds)
        seen[#seen + 1] = w.awake and "awake" or "asleep"
      end
    end)(toy.loop.suspend)
    local inside = false
    toy.loop.resume = function(w)
      assert(inside)
      seen[#seen + 1] = w.awake == true and "told" or "told too early"
      resume(w)
    end
    toy:begin(function()
      assert(gptimage2.sleep(0.01))
    end)
    local step = toy.step
    toy.step = function()
      inside = true
      step()
      inside = false
    end
    toy:run()
    assert.same({ "empty", "told", "awake" }, seen)
    assert.equal(toy.suspends[1].w, toy.resumes[1])
  end)

  it("leaves nothing behind that was waited for in vain", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "hang" })
    local toy = used(toy_loop.new())
    local job, grown = client:submit(REQUEST), nil
    toy.loop.suspend = function() end
    toy:begin(function()
      local function wait_in_vain(times)
        for _ = 1, times do
          assert(not job:wait(1e-6))
        end
        collectgarbage()
        collectgarbage()
        return collectgarbage("count")
      end
      local before = wait_in_vain(100)
      grown = wait_in_vain(1000) - before
    end)
    toy:run()
    assert.is_true(grown < 100, grown .. " KB more after 1,000 waits")
  end)

  it("of a coroutine that was dropped keeps no loop running", function()
    local toy = used(toy_loop.new())
    toy:begin(function()
      gptimage2.sleep(0.01)
      error("nobody resumes this")
    end)
    toy.sleeping = {}
    toy.loop.resume = function() end
    collectgarbage()
    collectgarbage()
    toy:run()
    assert.same({ 1, 1 }, { toy.starts, toy.stops })
  end)

  if coroutine.close then
    it("of a coroutine that is closed keeps no loop running, and nothing is busy", function()
      for _, bare in ipairs({ false, true }) do
        local toy = used(toy_loop.new(bare))
        local co = toy:begin(function()
          gptimage2.sleep(1e6)
        end)
        assert.same({ 1, 0, 1 }, { toy.starts, toy.stops, gptimage2.busy() })
        coroutine.close(co)
        assert.same({ 1, 1, 0 }, { toy.starts, toy.stops, gptimage2.busy() })
      end
    end)
  end

  it("that resume cannot wake is told to on_error, once", function()
    local toy = used(toy_loop.new())
    local errors = {}
    gptimage2.on_error = function(err, what)
      errors[#errors + 1] = what .. ": " .. err
    end
    toy.loop.resume = function()
      error("no bell", 0)
    end
    toy:begin(function()
      gptimage2.sleep(0.005)
    end)
    toy:run()
    gptimage2.on_error = nil
    assert.same({ "loop: no bell" }, errors)
  end)
end)

describe("turn", function()
  after_each(support.clean)

  it("waits outside of coroutines, and is asked no more once it is ready", function()
    local toy = used(toy_loop.new())
    local readies, deadlines = {}, {}
    toy.loop.turn = function(ready, deadline)
      readies[#readies + 1], deadlines[#deadlines + 1] = ready(), deadline or "none"
      toy:spin()
    end
    local other = 0
    toy:begin(function()
      assert(gptimage2.sleep(0.005))
      other = other + 1
    end)
    assert(gptimage2.sleep(0.02))
    assert.equal(1, other)
    assert.is_true(#readies > 0)
    for i, ready in ipairs(readies) do
      assert.is_false(ready)
      assert.equal("none", deadlines[i])
    end
    toy:run() -- what the last step had no time for
    assert.same({ 1, 1 }, { toy.starts, toy.stops })
    local client, box = support.pair()
    box:fault({ on = "create", action = "hang" })
    local job, before, first = client:submit(REQUEST), gptimage2.now(), #deadlines + 1
    local _, err = job:wait(0.03)
    assert.equal("wait_timeout", err.code)
    assert.is_true(deadlines[first] >= before + 0.03)
  end)

  it("left out: the wait blocks, and the loop is not started", function()
    local toy = used(toy_loop.new())
    assert(gptimage2.sleep(0.005))
    assert.equal(0, toy.starts)
  end)

  it("raises what it raises, and the loop is stopped", function()
    local toy = used(toy_loop.new())
    local reason = {}
    toy.loop.turn = function()
      error(reason, 0)
    end
    local ok, err = pcall(gptimage2.sleep, 0.01)
    assert.is_false(ok)
    assert.equal(reason, err)
    assert.same({ 1, 1 }, { toy.starts, toy.stops })
  end)

  it("is not called inside of a step: a wait in on_event blocks", function()
    local toy = used(toy_loop.new())
    local turns, slept = 0, 0
    toy.loop.turn = function()
      turns = turns + 1
      toy:spin()
    end
    local client = support.pair({
      on_event = function(event)
        if event.type == "created" then
          local before = turns
          assert(gptimage2.sleep(0.005))
          slept = slept + (before == turns and 1 or 0)
        end
      end,
    })
    assert(client:generate(REQUEST))
    assert.equal(1, slept)
    assert.is_true(turns > 0)
  end)
end)

describe("without suspend", function()
  after_each(support.clean)

  it("coroutines yield, and the loop steps until all have gone on", function()
    local client = support.pair()
    local toy = used(toy_loop.new(true))
    local job = client:submit(REQUEST)
    local COUNT, done = support.slow and 300 or 3000, 0
    for _ = 1, COUNT do -- more than one step can wake
      coroutine.wrap(function()
        assert(job:wait(100))
        done = done + 1
      end)()
    end
    toy:run()
    assert.equal(COUNT, done)
    assert.same({ 1, 1 }, { toy.starts, toy.stops })
  end)

  it("coroutines go on where each step has time for one thing only", function()
    local toy = used(toy_loop.new(true))
    local done = false
    coroutine.wrap(function()
      assert(gptimage2.sleep(0.005))
      done = true
    end)()
    debug.sethook(function() -- longer than a step may take
      local stop = gptimage2.now() + 0.0005
      while gptimage2.now() < stop do
      end
    end, "c")
    local ok, err = pcall(toy.run, toy)
    debug.sethook()
    assert(ok, err)
    assert.is_true(done)
  end)

  it("a wait that times out ends in a step", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "hang" })
    local toy = used(toy_loop.new(true))
    local job, code = client:submit(REQUEST), nil
    coroutine.wrap(function()
      local _, err = job:wait(0.02)
      code = err.code
    end)()
    toy:run()
    assert.equal("wait_timeout", code)
    assert.same({ 1, 1 }, { toy.starts, toy.stops })
  end)
end)

describe("forbids", function()
  after_each(support.clean)

  it("raises what it says, before anything is sent", function()
    local client, box = support.pair()
    local toy = used(toy_loop.new())
    local told = {}
    toy.loop.forbids = function(in_coroutine)
      told[#told + 1] = in_coroutine
      return in_coroutine and "a coroutine" or "no coroutine"
    end
    for _, name in ipairs({ "generate", "create" }) do
      local ok, err = pcall(client[name], client, REQUEST)
      assert.is_false(ok)
      assert.matches("cannot wait here: no coroutine$", err)
    end
    local ok, err = coroutine.resume(coroutine.create(function()
      client:generate(REQUEST)
    end))
    assert.is_false(ok)
    assert.matches("cannot wait here: a coroutine$", err)
    assert.is_true(told[#told])
    assert.is_false(told[1])
    assert.same({}, client:jobs())
    assert.equal(0, #box:ledger().log)
    assert.equal(0, toy.starts)
    toy.loop.forbids = function() end
    toy:begin(function()
      assert(client:generate(REQUEST))
    end)
    toy:run()
  end)
end)
