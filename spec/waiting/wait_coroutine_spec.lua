--- Calls that wait in a coroutine: they yield, and step goes on with it.

local gptimage2 = require("gptimage2")
local host = require("spec.host")
local stuck = require("spec.helpers.stuck")
local support = require("spec.support")

local REQUEST = { prompt = "a cup" }
local PUC_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

-- Lua 5.1 and 5.2 cannot tell that a coroutine may not yield where it is.
local KNOWS = coroutine.isyieldable ~= nil

local hanging_job = stuck.job

local function resume(co, ...)
  local results = { coroutine.resume(co, ...) }
  assert.is_true(results[1], tostring(results[2]))
  return results[2]
end

describe("a call that waits, in a coroutine", function()
  after_each(support.clean)

  it("yields the job until it is done, and step goes on with it", function()
    local client = support.pair()
    local job = client:submit(REQUEST)
    local result
    local co = coroutine.create(function()
      result = job:wait()
    end)
    assert.equal(job, resume(co))
    assert.equal("suspended", coroutine.status(co))
    support.step_until(function()
      return result
    end)
    assert.equal(job, result)
    assert.equal("dead", coroutine.status(co))
  end)

  it("yields again when somebody else resumes it", function()
    local job = hanging_job()
    local result, err
    local co = coroutine.create(function()
      result, err = job:wait()
    end)
    resume(co)
    for _ = 1, 3 do
      assert.equal(job, resume(co, "who are you waiting for?"))
    end
    assert.is_nil(err)
    job:cancel()
    gptimage2.step()
    assert.is_nil(result)
    assert.equal("cancelled", err.kind)
    assert.equal("dead", coroutine.status(co))
  end)

  it("goes on by a foreign resume once the job is done", function()
    local client = support.pair()
    local job = client:submit(REQUEST)
    local co = coroutine.create(function()
      return job:wait()
    end)
    resume(co)
    job:cancel()
    local ok, result, err = coroutine.resume(co)
    assert.is_true(ok)
    assert.is_nil(result)
    assert.equal("cancelled", err.kind)
    gptimage2.step()
  end)

  it("may wait for one thing after the other", function()
    local client = support.pair()
    local first, second
    support.finish(gptimage2.spawn(function()
      first = assert(client:generate(REQUEST))
      second = assert(client:generate(REQUEST))
    end))
    assert.are_not.equal(first.id, second.id)
  end)

  it("is one of many that wait for the same job", function()
    local job = hanging_job()
    local order = {}
    for i = 1, 5 do
      gptimage2.spawn(function()
        job:wait()
        order[#order + 1] = i
      end)
    end
    gptimage2.step()
    assert.same({}, order)
    job:cancel()
    support.step_until(function()
      return #order == 5
    end)
    assert.same({ 1, 2, 3, 4, 5 }, order)
  end)

  it("raises through step when the coroutine fails after it", function()
    local job = hanging_job()
    local co = coroutine.create(function()
      job:wait()
      error("no such luck")
    end)
    resume(co)
    job:cancel()
    local ok, err = pcall(gptimage2.step)
    assert.is_false(ok)
    assert.matches("no such luck", err)
    assert.matches("stack traceback", err)
    assert.is_true(pcall(gptimage2.step))
  end)

  it("raises when it is resumed again and again and nobody steps", function()
    local client = support.pair()
    local seen = 0
    local ok, err = pcall(function()
      for _ in
        coroutine.wrap(function()
          coroutine.yield(client:generate(REQUEST))
        end)
      do
        seen = seen + 1
      end
    end)
    assert.is_false(ok)
    assert.matches("nobody called gptimage2.step", err)
    assert.matches("not_driven", err)
    assert.equal(1000, seen)
  end)

  it("may be resumed as often as one likes by a loop that steps", function()
    local job = hanging_job()
    local co = coroutine.create(function()
      return job:wait()
    end)
    for _ = 1, 2500 do
      assert.equal(job, resume(co))
      gptimage2.step()
    end
    job:cancel()
    gptimage2.step()
    assert.equal("dead", coroutine.status(co))
  end)

  it("blocks in on_event, whatever coroutine the step runs in", function()
    local bytes
    local client, box = support.pair({
      on_event = function(event)
        if event.type == "succeeded" then
          bytes = assert(event.job:data(1))
        end
      end,
    })
    local job = assert(client:submit(REQUEST))
    while not (box:ledger().jobs[1] and box:ledger().jobs[1].polls > 0) do
      host.pause(0.001)
    end
    local co = coroutine.create(function()
      while not job:done() do
        gptimage2.step(0.1)
      end
    end)
    resume(co)
    assert.equal("dead", coroutine.status(co))
    assert.equal("\137PNG", bytes:sub(1, 4))
  end)

  it("is forgotten when the coroutine is", function()
    local job = hanging_job()
    do
      local co = coroutine.create(function()
        job:wait()
      end)
      resume(co)
      if coroutine.close then
        coroutine.close(co)
      end
    end
    collectgarbage()
    job:cancel()
    assert.is_true(gptimage2.step() >= 0)
  end)

  if PUC_51 then
    it("cannot be inside pcall in Lua 5.1, which says so; the job goes on", function()
      local job = hanging_job()
      local ok, err
      support.finish(gptimage2.spawn(function()
        ok, err = pcall(job.wait, job)
        coroutine.yield()
      end))
      assert.is_false(ok)
      assert.matches("attempt to yield across metamethod/C%-call boundary", err)
      assert.is_false(job:done())
    end)

    it("is over after that: nobody resumes the coroutine when the job ends", function()
      local job = hanging_job()
      local co = coroutine.create(function()
        pcall(job.wait, job)
        return coroutine.yield("mine")
      end)
      assert.equal("mine", resume(co))
      job:cancel()
      gptimage2.step()
      assert.equal("suspended", coroutine.status(co))
      assert.equal("still mine", resume(co, "still mine"))
    end)
  else
    it("may be inside pcall", function()
      local client = support.pair()
      local ok, job
      support.finish(gptimage2.spawn(function()
        ok, job = pcall(client.generate, client, REQUEST)
      end))
      assert.is_true(ok)
      assert.equal("succeeded", job.status)
    end)
  end

  local function wait_in_gsub(job)
    local result
    local text = ("x"):gsub("x", function()
      result = job:wait()
      return "y"
    end)
    return result, text
  end

  if KNOWS then
    it("blocks where the coroutine may not yield", function()
      local client = support.pair()
      local job = client:submit(REQUEST)
      local result, text
      local co = coroutine.create(function()
        result, text = wait_in_gsub(job)
      end)
      resume(co)
      assert.equal("dead", coroutine.status(co))
      assert.equal("succeeded", result.status)
      assert.equal("y", text)
    end)
  else
    it("raises where the coroutine may not yield, and the task lives on", function()
      local client = support.pair()
      local job = client:submit(REQUEST)
      local task = gptimage2.spawn(function()
        wait_in_gsub(job)
      end)
      local ok, err = pcall(gptimage2.run)
      assert.is_false(ok)
      assert.matches("attempt to yield across", err)
      assert.is_true(task:done())
      assert.equal(job, support.finish(job))
    end)
  end
end)

describe("a task that yields by itself", function()
  it("goes on at the next step, every 10 ms at most", function()
    local turns, steps = {}, 0
    local task = gptimage2.spawn(function()
      for i = 1, 6 do
        coroutine.yield()
        turns[i] = gptimage2.now()
      end
    end)
    assert.is_true(gptimage2.step() > 0)
    assert.equal(1, #turns)
    while not task:done() do
      steps = steps + 1
      assert(gptimage2.step(1))
    end
    for i = 2, 6 do
      assert.is_true(turns[i] - turns[i - 1] >= 0.0099, i)
    end
    assert.is_true(steps <= 10, steps) -- it does not spin
  end)
end)
