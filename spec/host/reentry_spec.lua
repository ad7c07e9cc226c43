--- The host's code runs in the middle of the library's: finalizers in any allocation, hooks between
--- any two instructions, on_event. Whatever it calls, and whatever it raises, nothing is handled
--- twice, freed twice or lost. Each case is a process of its own: what goes wrong here crashes.

local child = require("spec.helpers.child")
local folder = require("spec.folder")
local reentry = require("spec.helpers.reentry")

--- What hangs is ended.
local LIMIT = "timeout -s KILL 100"

--- LuaJIT's compiler is off. In a finalizer a compiled loop that allocates spins for ever once the
--- collector comes to its own finalizers: it leaves the loop to let the collector go on, which does
--- nothing in there, and begins it again. And hooks are not called in compiled code.
local PRELUDE = [[
if jit then
  jit.off()
end
io.stdout:setvbuf("no")
local reentry = require("spec.helpers.reentry")
local gptimage2 = require("gptimage2")
local REQUEST = { prompt = "a cup" }
local dir = %q
local ROUNDS = os.getenv("GPTIMAGE2_SPEC_SLOW") and 1 or 2 -- of all calls
local limit = gptimage2.now() + 50
local left = false
local function leave() -- once: closing a state that is being closed is no business of ours
  if not left then
    left = true
    os.exit(0, true)
  end
end
local function done()
  print(reentry.is_usable() and "usable" or "not usable")
  print(gptimage2.pending() >= 0 and reentry.problems())
end
]]

--- Lua finalizes nothing that is made while its state is being closed.
local NO_LEAKS = "ASAN_OPTIONS=detect_leaks=0 GPTIMAGE2_SPEC_LEAKS=1 "

-- What a process gave: its output, which ends with what was wrong. `closing`: it makes things that
-- are not finalized.
local function run(code, closing)
  return child.run(PRELUDE:format(folder.new()) .. code, {}, (closing and NO_LEAKS or "") .. LIMIT)
end

local function assert_well(result, output)
  assert.equal("", result.errors)
  assert.equal(output or "usable\n\n", result.output)
  assert.equal(0, result.exit)
end

describe("entering the module again", function()
  after_each(folder.clean)

  it("is tried with every public function", function()
    assert.same({}, reentry.forgotten())
  end)

  it("works, or says that it cannot wait, in finalizers while an event is taken in", function()
    assert_well(run([[
      local world = reentry.open(dir)
      local inside = 0
      local stop = reentry.finalize_always(function()
        if reentry.is_handling() then
          inside = inside + 1
          reentry.call(inside, true)
        end
      end)
      while inside < ROUNDS * reentry.count and gptimage2.now() < limit do
        world.client:generate(REQUEST)
        -- Lua 5.2 collects about once in that time: else it might never be while an event is in.
        local _ = ("x"):rep(math.random(50000))
      end
      stop()
      assert(inside >= ROUNDS * reentry.count, inside)
      done()
    ]]))
  end)

  it("takes a cancel in the middle of a job's end for one that comes too late", function()
    assert_well(run([[
      local world = reentry.open(dir)
      local job, made, cancels, ended = nil, false, 0, {}
      local stop = reentry.finalize_always(function()
        if made and reentry.is_handling() then
          cancels = cancels + 1
          job:cancel()
        end
      end)
      for _ = 1, 20 * ROUNDS do
        job, made = world.client:submit(REQUEST), false
        while not job:done() do
          gptimage2.step(0.01)
          made = job.id ~= nil
        end
        made = false
        ended[job.status] = true
      end
      stop()
      assert(cancels > 0)
      assert(ended.succeeded and not ended.cancelled)
      done()
    ]]))
  end)

  it("works in finalizers everywhere else", function()
    assert_well(run([[
      local world = reentry.open(dir)
      local calls, busy = 0, false
      local stop = reentry.finalize_always(function()
        if not busy and not reentry.is_handling() and calls < ROUNDS * reentry.count then
          busy = true
          calls = calls + 1
          reentry.call(calls)
          busy = false
        end
      end)
      while calls < ROUNDS * reentry.count and gptimage2.now() < limit do
        world.client:generate(REQUEST)
      end
      stop()
      assert(calls >= ROUNDS * reentry.count, calls)
      done()
    ]]))
  end)

  for _, mode in ipairs({ "count", "line" }) do
    it("works in a hook on each " .. mode, function()
      assert_well(run(("local mode = %q\n"):format(mode) .. [[
        local world = reentry.open(dir)
        local calls, every = 0, 0
        local function hook()
          every = every + 1
          if every % 7 == 0 and calls < ROUNDS * reentry.count then
            calls = calls + 1
            reentry.call(calls)
          end
        end
        debug.sethook(hook, mode == "line" and "l" or "", mode == "line" and 0 or 3)
        while calls < ROUNDS * reentry.count and gptimage2.now() < limit do
          world.client:generate(REQUEST)
        end
        debug.sethook()
        assert(calls >= ROUNDS * reentry.count, calls)
        done()
      ]]))
    end)
  end

  it("works in on_event", function()
    assert_well(run([[
      if jit then
        jit.on() -- no finalizers here
      end
      local calls = 0
      local world
      local function on_event()
        if world and calls < ROUNDS * reentry.count then
          calls = calls + 1
          reentry.call(calls)
        end
      end
      world = reentry.open(dir, { on_event = on_event })
      while calls < ROUNDS * reentry.count and gptimage2.now() < limit do
        local client = reentry.new_client({ on_event = on_event })
        client:generate(REQUEST)
      end
      assert(calls >= ROUNDS * reentry.count, calls)
      done()
    ]]))
  end)

  it("harms nothing while the Lua state is being closed", function()
    assert_well(
      run(
        [[
      local garbage = reentry.garbage(reentry.call_all) -- its finalizer runs before the engine's
      local world = reentry.open(dir)
      world.idle:submit(REQUEST)
      world.client:submit(REQUEST)
      reentry.timeout = 0.1 -- the sandboxes go, too
      world.client = reentry.new_client()
      after = reentry.garbage(reentry.call_all)
      print(garbage ~= nil)
    ]],
        true
      ),
      "true\n"
    )
  end)

  it("harms nothing when objects from before the module outlive it", function()
    local first = [[
      local function finalize()
        require("spec.helpers.reentry").call_all()
      end
      before = newproxy and newproxy(true) or setmetatable({}, { __gc = finalize })
      if newproxy then
        getmetatable(before).__gc = finalize
      end
    ]]
    local code = [[
      local world = reentry.open(dir)
      world.client:submit(REQUEST)
      reentry.timeout = 0.1
      world.client = reentry.new_client()
      print("open")
    ]]
    local script = first .. PRELUDE:format(folder.new()) .. code
    assert_well(child.run(script, {}, NO_LEAKS .. LIMIT), "open\n")
  end)

  local ENDS = {
    ["on_event"] = [[
      reentry.new_client({ on_event = leave }):generate(REQUEST)
    ]],
    ["a finalizer in the middle of an event"] = [[
      reentry.finalize_always(function()
        if reentry.is_handling() then
          leave()
        end
      end)
      while gptimage2.now() < limit do
        world.client:generate(REQUEST)
      end
    ]],
    ["a hook"] = [[
      local count = 0
      debug.sethook(function()
        count = count + 1
        if count == 300 then
          leave()
        end
      end, "", 1)
      while gptimage2.now() < limit do
        world.client:generate(REQUEST)
      end
    ]],
  }
  for place, code in pairs(ENDS) do
    it("may be the end of the program, in " .. place, function()
      local begin = "local world = reentry.open(dir)\n"
        .. "after = reentry.garbage(reentry.call_all)\n"
        .. "reentry.timeout = 0.1 world.client = reentry.new_client()\n"
      assert_well(run(begin .. code .. "print('it went on')", true), "")
    end)
  end

  it("may be the end of the program while a variable is to be closed", function()
    if _VERSION < "Lua 5.4" then
      return
    end
    assert_well(
      run(
        [[
      local world = reentry.open(dir)
      local function inner()
        local closed <close> = setmetatable({}, { __close = reentry.call_all })
        reentry.new_client({ on_event = leave }):generate(REQUEST)
      end
      local client <close> = world.client
      inner()
    ]],
        true
      ),
      ""
    )
  end)
end)

describe("an error", function()
  after_each(folder.clean)

  it("of a hook, at any instruction of a step, leaves the module usable", function()
    assert_well(run([[
      local world = reentry.open(dir)
      local tasks, woken = {}, 0
      local armed
      local function raise()
        if armed then
          armed = false
          error("the hook's")
        end
      end
      for count = 1, 200 do
        tasks[#tasks + 1] = gptimage2.spawn(function()
          gptimage2.sleep(0)
          world.client:generate(REQUEST)
          woken = woken + 1
        end)
        for _ = 1, 3 do
          pcall(function()
            debug.sethook(raise, "", count)
            armed = true
            gptimage2.step(0.001)
            armed = false
          end)
          debug.sethook()
        end
      end
      while next(tasks) and gptimage2.now() < limit do
        pcall(gptimage2.step, 0.01)
        for i = #tasks, 1, -1 do
          if tasks[i]:done() then
            table.remove(tasks, i)
          end
        end
      end
      assert(#tasks == 0, #tasks)
      assert(woken == 200 or jit, woken) -- where LuaJIT's hook is the tasks' as well
      gptimage2.step()
      done()
    ]]))
  end)

  it("of a finalizer in the middle of an event does, too", function()
    assert_well(run([[
      if warn then
        warn("@off")
      end
      local world = reentry.open(dir)
      local raised, every = 0, 0
      local function again()
        if raised < 20 then
          reentry.garbage(again)
          every = every + 1
          if reentry.is_handling() and every % 5 == 0 then
            raised = raised + 1
            error("the finalizer's")
          end
        end
      end
      local stop = reentry.finalize_always(function() end)
      reentry.garbage(again)
      while raised < 20 and gptimage2.now() < limit do
        local job = world.client:submit(REQUEST)
        while not job:done() do
          pcall(gptimage2.step, 0.01)
        end
        pcall(collectgarbage) -- where errors come out of it, it rests for long after one
      end
      stop()
      assert(raised == 20, raised)
      while not pcall(gptimage2.step) do
        raised = raised + 1
      end
      done()
    ]]))
  end)

  it("of a metamethod that the host gave to an error does, too", function()
    assert_well(run([[
      local world = reentry.open(dir)
      local job = world.client:submit(REQUEST)
      job:cancel()
      setmetatable(job.error, {
        __newindex = function()
          error("the metamethod's")
        end,
        __index = function()
          world.client:close()
          return gptimage2.step() == 0 and "unknown"
        end,
      })
      while gptimage2.pending() > 0 and gptimage2.now() < limit do
        pcall(gptimage2.step, 0.01)
      end
      done()
    ]]))
  end)
end)
