local child = require("spec.helpers.child")
local gptimage2 = require("gptimage2")
local host = require("spec.host")
local support = require("spec.support")

local REQUEST = { prompt = "a cup" }
local PUC_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

describe("spawn", function()
  after_each(support.clean)

  it("runs the function at once, until its first wait", function()
    local seen = {}
    local task = gptimage2.spawn(function(...)
      seen[1] = select("#", ...) .. table.concat({ ... }, "")
      gptimage2.sleep(0)
      seen[2] = "slept"
    end, "a", "b")
    assert.same({ "2ab" }, seen)
    assert.is_false(task:done())
    support.finish(task)
    assert.same({ "2ab", "slept" }, seen)
  end)

  it("gives a task whose calls check what they are given", function()
    local task = gptimage2.spawn(function() end)
    for _, value in ipairs({ -1, -math.huge, 0 / 0, false, "0.1", {}, true }) do
      local ok, message = pcall(task.wait, task, value)
      assert.is_false(ok, tostring(value))
      assert.truthy(message:find("bad argument #1 to 'wait'", 1, true), message)
    end
    for _, name in ipairs({ "wait", "done" }) do
      for _, self in ipairs({ false, {}, "x" }) do
        local ok, message = pcall(task[name], self or nil)
        assert.is_false(ok)
        assert.truthy(message:find("call it as task:" .. name .. "()", 1, true), message)
      end
    end
    assert.is_nil(task:wait(0))
  end)

  it("gives a task that is done when the function never waits", function()
    local task = gptimage2.spawn(function() end)
    assert.is_true(task:done())
  end)

  it("gives a task that tells its state", function()
    local task = gptimage2.spawn(gptimage2.sleep, 0)
    assert.equal("gptimage2.Task (running)", tostring(task))
    support.finish(task)
    assert.equal("gptimage2.Task (done)", tostring(task))
    task = gptimage2.spawn(error, "no")
    assert.equal("gptimage2.Task (failed)", tostring(task))
    assert.is_false(pcall(gptimage2.step))
  end)

  it("raises a task's error by the next step, with where it happened", function()
    local function deep()
      error("oh no")
    end
    gptimage2.spawn(function()
      gptimage2.sleep(0)
      deep()
    end)
    local ok, err
    repeat
      ok, err = pcall(gptimage2.step, 0.01)
    until not ok
    assert.matches("oh no", err)
    assert.matches("stack traceback", err)
    assert.matches("task_spec", err)
  end)

  it("raises an error at the next step even when the function never waited", function()
    local task = gptimage2.spawn(function()
      error({ "mine" })
    end)
    assert.is_true(task:done())
    local ok, err = pcall(gptimage2.step)
    assert.is_false(ok)
    assert.same({ "mine" }, err)
  end)

  it("raises no error again that somebody has waited for meanwhile", function()
    local task = gptimage2.spawn(error, { "once" })
    gptimage2.spawn(error, { "of another" })
    local ok, err = pcall(task.wait, task)
    assert.is_false(ok)
    assert.same({ "once" }, err)
    ok, err = pcall(gptimage2.step)
    assert.is_false(ok)
    assert.same({ "of another" }, err)
    assert.is_true(pcall(gptimage2.step))
  end)

  it("takes C functions, too", function()
    assert.equal("table", gptimage2.spawn(type, {}):wait())
  end)

  it("can be called inside a task", function()
    local inner
    gptimage2.run(function()
      inner = gptimage2.spawn(gptimage2.sleep, 0.01)
    end)
    assert.is_true(inner:done())
  end)

  it("takes a function", function()
    for _, value in ipairs({ "print", {}, 1 }) do
      local ok, err = pcall(gptimage2.spawn, value)
      assert.is_false(ok)
      assert.matches("bad argument #1 to 'spawn'", err)
    end
    assert.is_false(pcall(gptimage2.spawn))
  end)
end)

describe("task:wait", function()
  after_each(support.clean)

  it("gives what the function returned, nils included", function()
    local task = gptimage2.spawn(function()
      gptimage2.sleep(0)
      return nil, 2, nil
    end)
    assert.equal(3, select("#", task:wait()))
    assert.same({ nil, 2 }, { task:wait() })
  end)

  it("raises what the function raised, and no step raises it again", function()
    local task = gptimage2.spawn(function()
      gptimage2.sleep(0)
      error("oh no")
    end)
    local ok, err = pcall(task.wait, task)
    assert.is_false(ok)
    assert.matches("oh no", err)
    assert.matches("stack traceback", err)
    assert.is_true(pcall(gptimage2.step))
    assert.is_false(pcall(task.wait, task))
  end)

  it("raises tables as they are", function()
    local thing = {}
    local task = gptimage2.spawn(function()
      gptimage2.sleep(0)
      error(thing)
    end)
    local ok, err = pcall(task.wait, task)
    assert.is_false(ok)
    assert.equal(thing, err)
  end)

  it("waits in coroutines as it does elsewhere", function()
    local results = {}
    local slow = gptimage2.spawn(function()
      gptimage2.sleep(0.01)
      return "slow"
    end)
    for i = 1, 2 do
      gptimage2.spawn(function()
        results[i] = slow:wait()
      end)
    end
    gptimage2.run()
    assert.same({ "slow", "slow" }, results)
  end)

  it("gives up after its timeout; the task goes on", function()
    local task = gptimage2.spawn(function()
      gptimage2.sleep(0.05)
      return "there"
    end)
    local result, err = task:wait(0)
    assert.is_nil(result)
    assert.equal("timeout", err.kind)
    assert.equal("wait_timeout", err.code)
    assert.is_false(task:done())
    assert.equal("there", task:wait())
  end)
end)

describe("run", function()
  after_each(support.clean)

  it("gives what the function returned, nils included", function()
    local function give(...)
      gptimage2.sleep(0)
      return ...
    end
    assert.equal(4, select("#", gptimage2.run(give, nil, 2, nil, nil)))
    assert.equal(2, (select(2, gptimage2.run(give, nil, 2, nil, nil))))
  end)

  it("steps until all tasks are done", function()
    local count = 0
    for i = 1, 3 do
      gptimage2.spawn(function()
        gptimage2.sleep(i / 100)
        count = count + 1
      end)
    end
    gptimage2.run()
    assert.equal(3, count)
    assert.is_nil(gptimage2.run())
  end)

  it("waits for tasks that were started by tasks", function()
    local done = false
    gptimage2.run(function()
      gptimage2.spawn(function()
        gptimage2.sleep(0.02)
        done = true
      end)
    end)
    assert.is_true(done)
  end)

  it("raises a task's error with its traceback, and can be called again", function()
    local finished = false
    gptimage2.spawn(function()
      gptimage2.sleep(0.05)
      finished = true
    end)
    local ok, err = pcall(gptimage2.run, function()
      gptimage2.sleep(0)
      error("oh no")
    end)
    assert.is_false(ok)
    assert.matches("oh no", err)
    assert.matches("stack traceback", err)
    assert.matches("task_spec", err)
    gptimage2.run()
    assert.is_true(finished)
  end)

  it("does not work inside a task, which would wait for itself", function()
    local ok, err = pcall(gptimage2.run, function()
      gptimage2.run()
    end)
    assert.is_false(ok)
    assert.matches("inside a task", err)
  end)

  it("takes a function or nothing", function()
    local ok, err = pcall(gptimage2.run, "print")
    assert.is_false(ok)
    assert.matches("bad argument #1 to 'run'", err)
  end)
end)

describe("a task with variables to be closed", function()
  after_each(support.clean)

  -- Only Lua 5.4 and later have them, and reads the word.
  local spawn_with = coroutine.close
    and load([[
      local gptimage2, thing, inside = ...
      return gptimage2.spawn(function()
        local it <close> = thing
        return inside()
      end)
    ]])
  if not spawn_with then
    return
  end

  local function closable()
    local thing = { closed = 0 }
    return setmetatable(thing, {
      __close = function()
        thing.closed = thing.closed + 1
      end,
    })
  end

  it("closes them when it ends by an error", function()
    local thing = closable()
    local task = spawn_with(gptimage2, thing, function()
      gptimage2.sleep(0)
      error("no such luck")
    end)
    local ok, err = pcall(task.wait, task)
    assert.is_false(ok)
    assert.matches("no such luck", err)
    assert.matches("stack traceback", err)
    assert.equal(1, thing.closed)
  end)

  it("closes a client, so that the next one gets its ledger", function()
    local box = support.sandbox()
    local path = os.tmpname()
    os.remove(path)
    local function open()
      return gptimage2.new({ api_key = box.api_key, base_url = box.url, ledger = path })
    end
    for _ = 1, 3 do
      local client = assert(open())
      local task = spawn_with(gptimage2, client, function()
        assert(client:generate(REQUEST))
        error("no such luck")
      end)
      assert.is_false(pcall(task.wait, task))
    end
    os.execute(("rm -f '%s'*"):format(path))
  end)

  it("has ended when somebody closes its coroutine", function()
    local thing, co = closable(), nil
    local task = spawn_with(gptimage2, thing, function()
      co = coroutine.running()
      gptimage2.sleep(1e6)
    end)
    local result, err
    gptimage2.spawn(function()
      result, err = task:wait()
    end)
    assert.is_true(coroutine.close(co))
    assert.is_true(task:done())
    assert.equal("gptimage2.Task (cancelled)", tostring(task))
    assert.equal(1, thing.closed)
    assert.is_nil(gptimage2.run())
    assert.is_nil(result)
    assert.equal("cancelled", err.kind)
    assert.equal("task_closed", err.code)
    assert.equal(err, select(2, task:wait()))
  end)

  it("gives nil and an error to the run that started it", function()
    local result, err = gptimage2.run(function()
      local co = coroutine.running()
      gptimage2.spawn(function()
        gptimage2.sleep(0)
        coroutine.close(co)
      end)
      gptimage2.sleep(1e6)
    end)
    assert.is_nil(result)
    assert.equal("task_closed", err.code)
  end)
end)

describe("a wait for what cannot go on before it returns", function()
  after_each(function()
    gptimage2.use("auto")
    support.clean()
  end)

  local ITSELF = "inside %a+ task, which would wait for itself"

  --- Expects that `wait(task)` raises in the task, and that the task goes on.
  local function expect_raised(wait)
    local task
    task = gptimage2.spawn(function()
      coroutine.yield() -- until it is known
      return select(2, pcall(wait, task))
    end)
    assert.matches(ITSELF, (task:wait()))
  end

  --- `call` in a coroutine of its own, resumed by the one that calls the result.
  local function further_down(call)
    return function(task)
      local co = coroutine.create(call)
      local ok, raised = coroutine.resume(co, task)
      error(ok and "it has waited" or raised, 0)
    end
  end

  local function run()
    gptimage2.run()
  end

  local function wait(task)
    task:wait()
  end

  it("raises: run in a task", function()
    expect_raised(run)
    expect_raised(further_down(run))
  end)

  it("raises: a task's own wait", function()
    expect_raised(wait)
    gptimage2.use("block")
    expect_raised(further_down(wait))
    expect_raised(wait)
  end)

  it("goes on where the wait yields to the task", function()
    local inner, ended
    local task
    task = gptimage2.spawn(function()
      gptimage2.sleep(0)
      inner = coroutine.create(function()
        ended = task:wait()
      end)
      assert(coroutine.resume(inner))
      return "over"
    end)
    assert.equal("over", task:wait())
    support.step_until(function()
      return ended
    end)
    assert.equal("over", ended)
  end)

  --- Programs that end in a task, and wait for the tasks while their state closes.
  local ENDS = {
    ["run in a finalizer"] = "local kept = finalize(function() gptimage2.run() end)",
    ["a wait in a finalizer"] = "local kept = finalize(function() task:wait() end)",
    ["run in a variable that is to be closed"] = [[
      local guard <close> = setmetatable({}, { __close = function() gptimage2.run() end })
    ]],
    ["a wait in a variable that is to be closed"] = [[
      local guard <close> = setmetatable({}, { __close = function() task:wait() end })
    ]],
  }
  for name, code in pairs(ENDS) do
    it("is no end of a program that hangs: " .. name, function()
      if PUC_51 or (code:find("<close>", 1, true) and not coroutine.close) then
        return -- it closes no state, or no variables
      end
      local program = ([[
        local gptimage2 = require("gptimage2")
        local task
        local function finalize(call)
          local thing = newproxy and newproxy(true)
          if thing then
            getmetatable(thing).__gc = call
          end
          return thing or setmetatable({}, { __gc = call })
        end
        %s
        task = gptimage2.spawn(function()
          gptimage2.sleep(0.01)
          os.exit(7, true)
        end)
        gptimage2.run()
      ]]):format(code)
      local result = child.run(program, nil, "timeout 20")
      assert.equal(7, result.exit, result.errors)
    end)
  end
end)

describe("many coroutines", function()
  after_each(support.clean)

  local DURATION = 0.5 -- seconds until the sandbox has done a job

  local function measure(count)
    local box = support.sandbox({ duration = DURATION, credits = 10 * count })
    local client = support.client(box, {
      max_active = count,
      poll = { first = DURATION, interval = 0.05, max = 0.05 },
    })
    local succeeded = 0
    local start = host.now()
    for _ = 1, count do
      gptimage2.spawn(function()
        local job = assert(client:generate(REQUEST))
        succeeded = succeeded + (job.status == "succeeded" and 1 or 0)
      end)
    end
    gptimage2.run()
    local took = host.now() - start
    assert.equal(count, succeeded)
    assert.equal(count, box:ledger().requests.create)
    return took
  end

  it("generate 100 pictures in about the time of one", function()
    local one, hundred = measure(1), measure(100)
    -- One after the other they would take 50 s. On a busy machine, and under valgrind, "about" is
    -- wide.
    local most = os.getenv("GPTIMAGE2_SPEC_SLOW") and 100 * DURATION or 50 * DURATION
    local limit = math.max(most, 10 * one)
    assert.is_true(hundred < limit, ("%.2f s for one, %.2f s for 100"):format(one, hundred))
    if os.getenv("GPTIMAGE2_SPEC_FIGURES") then
      print(("%.3f s for one, %.3f s for 100"):format(one, hundred))
    end
  end)
end)
