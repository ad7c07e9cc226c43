--- Those who wait for one thing: their order, and what joining and leaving costs.

local gptimage2 = require("gptimage2")
local support = require("spec.support")

describe("those who wait for one thing", function()
  local core = require("gptimage2.core")

  --- Seconds of CPU time that `call` takes.
  local function cost(call)
    collectgarbage()
    collectgarbage("stop")
    local before = os.clock()
    call()
    local spent = os.clock() - before
    collectgarbage("restart")
    return spent
  end

  it("join the queue at once, however many they are, and are woken in their order", function()
    local count = support.slow and 5000 or 50000
    local thing, waiters, woken = {}, {}, 0
    local in_order = true
    local making = cost(function()
      for i = 1, count do
        core.add(waiters, thing, function()
          in_order = in_order and woken == i - 1
          woken = woken + 1
        end)
      end
    end)
    local joining = cost(function()
      core.ready(waiters, thing)
    end)
    assert.is_true(joining < making / 10, ("%g s, %g s"):format(joining, making))
    assert.is_nil(next(waiters))
    local steps = 0
    while woken < count do
      assert.is_true(gptimage2.pending() > 0)
      gptimage2.step()
      steps = steps + 1
    end
    assert.is_true(in_order)
    assert.is_true(steps > 3, steps)
    assert.equal(0, gptimage2.pending())
    gptimage2.step()
    assert.equal(count, woken)
  end)

  --- What waits for `thing`, in its order.
  local function listed(waiters, thing)
    local list = {}
    for _, waiter in ipairs(waiters[thing] or {}) do
      list[#list + 1] = waiter or nil
    end
    return list
  end

  it("may leave, and each joins them once", function()
    local thing, waiters, woken = {}, {}, {}
    local calls = {}
    for i = 1, 3 do
      calls[i] = function()
        woken[#woken + 1] = i
      end
      core.add(waiters, thing, calls[i])
      core.add(waiters, thing, calls[i])
    end
    core.remove(waiters, thing, calls[2])
    core.remove(waiters, thing, calls[2])
    assert.same({ calls[1], calls[3] }, listed(waiters, thing))
    core.ready(waiters, thing)
    core.add(waiters, thing, calls[2])
    core.remove(waiters, thing, calls[2])
    assert.is_nil(waiters[thing])
    support.step_until(function()
      return #woken == 2
    end)
    assert.same({ 1, 3 }, woken)
  end)

  --- `count` functions wait for `thing`, and note their numbers in `woken`.
  local function line_up(waiters, thing, count, woken)
    local calls = {}
    for i = 1, count do
      calls[i] = function()
        woken[#woken + 1] = i
      end
      core.add(waiters, thing, calls[i])
    end
    return calls
  end

  for name, order in pairs({
    first = function(i)
      return i
    end,
    last = function(i, count)
      return count + 1 - i
    end,
    ["in any order"] = function(i, count)
      return i * 7 % (count + 1)
    end,
  }) do
    it(("leave at a cost that does not grow with them, %s"):format(name), function()
      local function measure(count)
        local thing, waiters, woken = {}, {}, {}
        local calls = line_up(waiters, thing, count, woken)
        local spent = cost(function()
          for i = 1, count - 1 do
            core.remove(waiters, thing, calls[order(i, count)])
          end
        end)
        assert.same({ calls[order(count, count)] }, listed(waiters, thing))
        core.ready(waiters, thing)
        support.step_until(function()
          return #woken > 0
        end)
        assert.same({ order(count, count) }, woken)
        return spent / count
      end
      local few = math.min(measure(400), measure(400), measure(400))
      local many = math.min(measure(6400), measure(6400), measure(6400))
      assert.is_true(many < 5 * few, ("%g s each of 400, %g s of 6400"):format(few, many))
    end)
  end

  it("do not fill its list with those who have left", function()
    local thing, waiters, woken = {}, {}, {}
    local stays = {}
    core.add(waiters, thing, function()
      woken[#woken + 1] = 0
    end)
    for _ = 1, 50 do
      stays[#stays + 1] = line_up(waiters, thing, 100, woken)
      for i, call in ipairs(stays[#stays]) do
        if i < 100 then
          core.remove(waiters, thing, call)
        end
      end
    end
    assert.is_true(#waiters[thing] < 51 + 100 + 2 * 32, #waiters[thing])
    core.ready(waiters, thing)
    support.step_until(function()
      return #woken == 51
    end)
    assert.equal(0, gptimage2.pending())
  end)

  it("keep their order, whoever leaves", function()
    local count = 500
    for _, keep in ipairs({ 2, 3, 7, 100 }) do
      local thing, waiters, woken, expected = {}, {}, {}, {}
      local calls = line_up(waiters, thing, count, woken)
      for i = 1, count do
        if i % keep == 0 then
          expected[#expected + 1] = i
        else
          core.remove(waiters, thing, calls[i])
        end
      end
      core.add(waiters, thing, calls[1])
      expected[#expected + 1] = 1
      core.ready(waiters, thing)
      support.step_until(function()
        return #woken == #expected
      end)
      assert.same(expected, woken)
      assert.equal(0, gptimage2.pending())
    end
  end)
end)
