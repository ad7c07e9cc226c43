local gptimage2 = require("gptimage2")
local support = require("spec.support")
local toy_loop = require("spec.helpers.toy_loop")

local REQUEST = { prompt = "a cup" }

--- What is written to standard error while `fn` runs.
local function written(fn)
  local stderr, text = io.stderr, ""
  io.stderr = { -- luacheck: ignore
    write = function(_, ...)
      text = text .. table.concat({ ... })
    end,
  }
  local ok, err = pcall(fn)
  io.stderr = stderr -- luacheck: ignore
  assert(ok, err)
  return text
end

local function used(toy)
  gptimage2.use(toy.loop)
  return toy
end

local function clean()
  gptimage2.on_error = nil
  support.clean()
end

describe("a task in a loop", function()
  after_each(clean)

  it("keeps it running until the last has ended, and is never suspended by it", function()
    local toy = used(toy_loop.new())
    local done = 0
    for i = 1, 3 do
      gptimage2.spawn(function()
        for _ = 1, i do
          assert(gptimage2.sleep(0.005))
        end
        done = done + 1
      end)
    end
    toy:run()
    assert.equal(3, done)
    assert.same({ 1, 1, 0, 0 }, { toy.starts, toy.stops, #toy.suspends, #toy.resumes })
  end)

  it("yields to step under use{ wait } too, which is not asked for it", function()
    local asked = 0
    gptimage2.use({
      wait = function()
        asked = asked + 1
      end,
    })
    local task = gptimage2.spawn(function()
      assert(gptimage2.sleep(0.02))
    end)
    assert.is_false(task:done())
    support.finish(task)
    assert.equal(0, asked)
  end)

  it("that yields by itself goes on in later steps, at most every 10 ms", function()
    local toy = used(toy_loop.new())
    local turns = 0
    local begun = gptimage2.now()
    gptimage2.spawn(function()
      for _ = 1, 5 do
        coroutine.yield("the host's own")
        turns = turns + 1
      end
    end)
    toy:run()
    assert.equal(5, turns)
    assert.is_true(gptimage2.now() - begun >= 0.04)
    assert.same({ 1, 1, 0 }, { toy.starts, toy.stops, #toy.suspends })
  end)
end)

describe("run in a loop", function()
  after_each(clean)

  it("suspends the coroutine that calls it, and gives what its function gave", function()
    local toy = used(toy_loop.new())
    local results, ticks = nil, 0
    toy:begin(function()
      results = {
        gptimage2.run(function(...)
          assert(gptimage2.sleep(0.01))
          return ..., "done"
        end, "well"),
      }
    end)
    toy:begin(function()
      for _ = 1, 3 do
        assert(gptimage2.sleep(0.002))
        ticks = ticks + 1
      end
    end)
    toy:run()
    assert.same({ "well", "done" }, results)
    assert.equal(3, ticks)
    assert.is_true(#toy.resumes > 0)
  end)

  it("turns the loop outside of coroutines", function()
    local toy = used(toy_loop.new())
    local turns = 0
    toy.loop.turn = function()
      turns = turns + 1
      toy:spin()
    end
    assert.equal(
      7,
      gptimage2.run(function()
        assert(gptimage2.sleep(0.01))
        return 7
      end)
    )
    assert.is_true(turns > 0)
    toy:run() -- what the last step had no time for
    assert.same({ 1, 1 }, { toy.starts, toy.stops })
  end)

  it("waits for a task that begins as the last one ends", function()
    local toy = used(toy_loop.new())
    local ended = {}
    local first = gptimage2.spawn(function()
      assert(gptimage2.sleep(0.005))
    end)
    toy:begin(function()
      first:wait()
      gptimage2.spawn(function()
        assert(gptimage2.sleep(0.01))
        ended[#ended + 1] = "second"
      end)
    end)
    toy:begin(function()
      gptimage2.run()
      ended[#ended + 1] = "run"
    end)
    toy:run()
    assert.same({ "second", "run" }, ended)
  end)

  it("raises the error of its own function, to nobody else", function()
    local toy = used(toy_loop.new())
    local handled, caught = {}, {}
    gptimage2.on_error = function(err)
      handled[#handled + 1] = err
    end
    for _, delay in ipairs({ 0, 0.005 }) do
      local reason = {}
      local co = coroutine.create(function()
        gptimage2.run(function()
          if delay > 0 then
            assert(gptimage2.sleep(delay))
          end
          error(reason, 0)
        end)
      end)
      local ok, err = coroutine.resume(co)
      toy.go = (function(go)
        return function(self, which, ...)
          if which ~= co then
            return go(self, which, ...)
          end
          self.sleeping[co] = nil
          ok, err = coroutine.resume(co, ...)
        end
      end)(toy.go)
      toy:run()
      caught[#caught + 1] = not ok and err == reason
    end
    assert.same({ true, true }, caught)
    assert.same({}, handled)
    -- Without a loop it is the same.
    gptimage2.use("auto")
    local ok, err = pcall(gptimage2.run, function()
      assert(gptimage2.sleep(0.001))
      error("mine", 0)
    end)
    assert.is_false(ok)
    assert.matches("mine", err)
    assert.same({}, handled)
  end)
end)

describe("an error", function()
  after_each(clean)

  local function broken_pair(options)
    options = options or {}
    options.on_event = function(event)
      if event.type == "created" then
        error("on_event is broken", 0)
      end
    end
    return support.pair(options)
  end

  it("of a task or a handler is written, and the step of a loop raises nothing", function()
    local toy = used(toy_loop.new())
    local client = broken_pair()
    local job
    local text = written(function()
      gptimage2.spawn(function()
        gptimage2.sleep(0.001)
        error("the task is broken", 0)
      end)
      toy:begin(function()
        job = client:generate(REQUEST)
      end)
      toy:run()
    end)
    assert.equal("succeeded", job.status)
    assert.matches("gptimage2: an error in task: the task is broken", text)
    assert.matches("gptimage2: an error in on_event: on_event is broken", text)
    assert.equal(0, gptimage2.step()) -- raises nothing either: they were told
  end)

  it("goes to on_error where there is one, the client's first", function()
    local toy = used(toy_loop.new())
    local ours, its = {}, {}
    gptimage2.on_error = function(err, what)
      ours[#ours + 1] = what .. ": " .. tostring(err):match("^[^\n]*")
    end
    local client = broken_pair({
      on_error = function(err, what)
        its[#its + 1] = what .. ": " .. err
      end,
    })
    local text = written(function()
      gptimage2.spawn(function()
        gptimage2.sleep(0.001)
        error("the task is broken", 0)
      end)
      toy:begin(function()
        assert(client:generate(REQUEST))
      end)
      toy:run()
    end)
    assert.equal("", text)
    assert.same({ "task: the task is broken" }, ours)
    assert.same({ "on_event: on_event is broken" }, its)
  end)

  it("of on_error itself is written", function()
    local toy = used(toy_loop.new())
    gptimage2.on_error = function()
      error("no help", 0)
    end
    local text = written(function()
      gptimage2.spawn(error, "the task is broken", 0)
      toy:begin(function()
        gptimage2.sleep(0.001)
      end)
      toy:run()
    end)
    assert.matches("gptimage2: an error in on_error: no help", text)
  end)

  it("that is not his own reaches nobody who waits, however he waits", function()
    local toy = toy_loop.new()
    toy.loop.turn = function()
      toy:spin()
    end
    local told = 0
    local ways = { toy.loop, "block", "auto", { wait = function() end } }
    for _, way in ipairs(ways) do
      gptimage2.use(way)
      local broken, client = broken_pair(), support.pair()
      gptimage2.on_error = function()
        told = told + 1
      end
      local other = broken:submit(REQUEST)
      assert(client:generate(REQUEST)) -- outside of a coroutine
      assert(gptimage2.sleep(0.01))
      support.finish(other)
    end
    assert.equal(#ways, told)
  end)

  it("of his own job reaches who blocks for it", function()
    local client = broken_pair()
    for _, way in ipairs({ "block", { wait = function() end } }) do
      gptimage2.use(way)
      local ok, err = pcall(client.generate, client, REQUEST)
      assert.is_false(ok)
      assert.equal("on_event is broken", err)
    end
  end)
end)
